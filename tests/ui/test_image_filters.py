"""Finding images in the list: typed words, menus, sorts, and what the keys then step through."""

from time import thread_time

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QMenu, QToolButton, QWidget

from segstudio.app.values import Rest
from segstudio.geometry import Rect
from segstudio.labels.model import Status
from segstudio.ui.panels.image_view import ImageView
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
FRAME_S = 1 / 60


@pytest.fixture
def view(window: MainWindow) -> ImageView:
    return window.arrangement.images.view


def names(window: MainWindow) -> list[str]:
    """The names that the list shows, in its order."""
    model = window.arrangement.images.model
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def numbers(window: MainWindow) -> list[int]:
    return [int(name.removeprefix("plate_").removesuffix(".png")) for name in names(window)]


def counts(window: MainWindow) -> str:
    found = window.findChild(QLabel, "imageCounts")
    assert found is not None
    return found.text()


def types(window: MainWindow, text: str) -> None:
    """Type into the filter, reached by its key."""
    QTest.keyClick(window.canvas, Qt.Key.Key_F, CTRL)
    field = window.focusWidget()
    assert field is not None
    assert field.objectName() == "imageFilter"
    QTest.keyClicks(field, text)


def chooses(window: MainWindow, button: str, name: str) -> None:
    """Open the menu of a button by the mouse, and click an entry of it or of its submenu."""
    found = window.findChild(QToolButton, button)
    assert found is not None
    menu = found.menu()
    menu.popup(found.mapToGlobal(QPoint(0, 0)))  # a click would wait for the menu to be closed
    action = menu.findChild(QAction, name)
    assert action is not None, name
    home = action.parent()
    assert isinstance(home, QMenu)
    if home is not menu:
        home.popup(menu.mapToGlobal(QPoint(0, 0)))
    QTest.mouseClick(home, LEFT, pos=home.actionGeometry(action).center())
    menu.close()
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)


def strokes(window: MainWindow) -> None:
    """Paint a little with the brush: the image is in progress from then on."""
    at = window.canvas.rect().center()
    QTest.mousePress(window.canvas, LEFT, pos=at)
    QTest.mouseMove(window.canvas, at + QPoint(20, 0))
    QTest.mouseRelease(window.canvas, LEFT, pos=at + QPoint(20, 0))


def test_typed_words_leave_the_images_that_have_them_and_say_how_many(window: MainWindow) -> None:
    types(window, "plate 3")
    assert names(window) == ["plate_0003.png"]
    assert counts(window) == "1 of 6 shown"


def test_return_shows_the_first_that_is_left_and_gives_the_keys_back_to_the_image(
    window: MainWindow, desk: Desk
) -> None:
    types(window, "0004")
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    desk.shown()
    assert desk.session.current_image == "plate_0004.png"
    assert window.canvas.hasFocus()
    assert window.arrangement.images.view.currentIndex().row() == 0


def test_escape_lists_everything_again(window: MainWindow, desk: Desk) -> None:
    types(window, "0004")
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert len(names(window)) == 6
    assert window.canvas.hasFocus()
    assert desk.navigation.index == 0


def test_the_arrow_key_goes_on_from_the_words_to_the_images(window: MainWindow, desk: Desk, view: ImageView) -> None:
    types(window, "000")
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Down)
    assert view.hasFocus()
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert desk.navigation.index == 1


def test_keys_step_through_what_is_listed(window: MainWindow, desk: Desk) -> None:
    desk.shows(0)
    chooses(window, "imageFilterButton", "imageStatusNew")
    assert numbers(window) == [2, 3, 4, 5]
    window.canvas.setFocus()
    for asked in (2, 3, 4, 5, 5):
        QTest.keyClick(window.canvas, Qt.Key.Key_N)
        desk.shown()
        assert desk.navigation.index == asked
    QTest.keyClick(window.canvas, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert desk.navigation.index == 4


def test_from_an_image_that_is_not_listed_one_steps_to_its_neighbours(window: MainWindow, desk: Desk) -> None:
    desk.shows(2)
    strokes(window)
    desk.settle()
    chooses(window, "imageFilterButton", "imageStatusDone")
    chooses(window, "imageFilterButton", "imageStatusNew")
    desk.wait(lambda: numbers(window) == [0, 1, 3, 4, 5])
    for key, asked in ((Qt.Key.Key_PageUp, 1), (Qt.Key.Key_PageDown, 3)):
        desk.shows(2)
        QTest.keyClick(window.canvas, key)
        desk.shown()
        assert desk.navigation.index == asked


def test_an_image_that_stops_fitting_stays_until_another_is_shown(window: MainWindow, desk: Desk) -> None:
    desk.shows(4)
    chooses(window, "imageFilterButton", "imageStatusNew")
    strokes(window)
    desk.wait(lambda: desk.navigation.items[4].status is Status.IN_PROGRESS)
    assert numbers(window) == [2, 3, 4, 5]
    QTest.keyClick(window.canvas, Qt.Key.Key_N)
    assert desk.navigation.index == 5
    assert numbers(window) == [2, 3, 5]


def test_done_goes_to_the_next_that_is_listed(window: MainWindow, desk: Desk) -> None:
    desk.shows(2)
    types(window, "0002")
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    desk.opened.finishing.set_rest(Rest.BACKGROUND)
    desk.session.mark_done()
    desk.wait(lambda: any("the filter hides others" in said for said in desk.said))
    assert desk.navigation.index == 2


def test_a_class_leaves_the_images_that_have_it_as_they_are_painted(window: MainWindow, desk: Desk) -> None:
    chooses(window, "imageFilterButton", "imageClass2")
    desk.wait(lambda: numbers(window) == [0, 1, 2])
    desk.shows(5)
    desk.paint(Rect(100, 100, 5, 5), 2)
    desk.wait(lambda: numbers(window) == [0, 1, 2, 5])
    chooses(window, "imageFilterButton", "imageClass3")
    desk.wait(lambda: numbers(window) == [])


def test_a_class_that_is_removed_is_not_asked_for_any_more(window: MainWindow, desk: Desk) -> None:
    chooses(window, "imageFilterButton", "imageClass4")
    desk.wait(lambda: numbers(window) == [])
    found = desk.documents.classes.named("debris")
    assert found is not None
    desk.opened.classes.remove(found.name)
    desk.wait(lambda: len(names(window)) == 6)


def test_problems_and_held_out_images_are_found(window: MainWindow, desk: Desk) -> None:
    chooses(window, "imageFilterButton", "imageHeldOut")
    assert numbers(window) == [1]
    button = window.findChild(QToolButton, "imageFilterButton")
    assert button is not None
    assert button.isChecked()
    chooses(window, "imageFilterButton", "imageHeldOut")
    assert len(names(window)) == 6
    assert not button.isChecked()
    desk.navigation._list.flag(desk.navigation.items[3].id, "The file is cut short.")
    desk.navigation._list.replace(desk.navigation.rows[3])
    chooses(window, "imageFilterButton", "imageProblem")
    assert numbers(window) == [3]
    chooses(window, "imageFilterButton", "imageShowAllAction")
    assert len(names(window)) == 6


def test_where_nothing_is_left_one_click_shows_everything(window: MainWindow) -> None:
    types(window, "zebra")
    button = window.findChild(QAbstractButton, "imageShowAll")
    assert button is not None
    assert button.isVisible()
    assert counts(window) == "0 of 6 shown"
    QTest.mouseClick(button, LEFT)
    assert len(names(window)) == 6
    assert not button.isVisible()
    field = window.findChild(QWidget, "imageFilter")
    assert field is not None
    assert field.text() == ""


def test_the_list_is_sorted_and_the_keys_follow(window: MainWindow, desk: Desk) -> None:
    desk.shows(0)
    chooses(window, "imageSortButton", "imageSortName")
    chooses(window, "imageSortButton", "imageSortBackwards")
    assert numbers(window) == [5, 4, 3, 2, 1, 0]
    QTest.keyClick(window.canvas, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert desk.navigation.index == 1
    chooses(window, "imageSortButton", "imageSortStatus")
    chooses(window, "imageSortButton", "imageSortBackwards")
    assert numbers(window) == [2, 3, 4, 5, 0, 1], "what is to do comes first"


def test_what_is_selected_in_a_filtered_list_is_what_the_menu_is_for(
    window: MainWindow, desk: Desk, view: ImageView
) -> None:
    chooses(window, "imageFilterButton", "imageStatusNew")
    model = window.arrangement.images.model
    rects = [view.visualRect(model.index(row, 0)) for row in (0, 1)]
    QTest.mouseClick(view.viewport(), LEFT, pos=rects[0].center())
    QTest.mouseClick(view.viewport(), LEFT, CTRL, rects[1].center())
    assert view.selected == [0, 1]
    desk.shown()
    view.menuAsked.emit(view.selected, view.mapToGlobal(QPoint(5, 5)))
    menu = window.findChild(QMenu, "imageMenu")
    assert menu is not None
    action = menu.findChild(QAction, "imageHoldOut")
    assert action is not None
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())
    desk.wait(lambda: any("plate_0002.png, plate_0003.png" in said for said in desk.said))
    desk.wait(lambda: [item.split == "held-out" for item in desk.navigation.items[1:4]] == [True] * 3)


def test_another_project_is_listed_whole(window: MainWindow, desk: Desk) -> None:
    types(window, "0004")
    desk.load(["a.png", "b.png"], ["x"])
    assert names(window) == ["a.png", "b.png"]


def test_among_a_hundred_thousand_images_a_keystroke_and_a_scroll_step_take_two_frames_at_most(
    window: MainWindow, desk: Desk
) -> None:
    path = desk.projects.many(desk.place(), 100_000)
    desk.session.projects.open(path, 0)
    desk.wait(desk.session.projects.wait)
    QTest.qWait(50)
    QTest.keyClick(window.canvas, Qt.Key.Key_F, CTRL)
    field, view = window.focusWidget(), window.arrangement.images.view
    spent = []
    for letter in "plate_0009":  # all are left, then a thousand, a hundred, ten, one
        began = thread_time()
        QTest.keyClick(field, letter)
        view.viewport().repaint()
        spent.append(thread_time() - began)
    assert window.arrangement.images.model.rowCount() == 1
    assert sorted(spent)[len(spent) // 2] < 2 * FRAME_S
    desk.opened.listing.show_all()
    view.viewport().repaint()
    bar = view.verticalScrollBar()
    spent = []
    for _ in range(10):
        began = thread_time()
        bar.setValue(bar.value() + bar.singleStep())
        view.viewport().repaint()
        spent.append(thread_time() - began)
    assert bar.value() > 0
    assert sorted(spent)[5] < 2 * FRAME_S

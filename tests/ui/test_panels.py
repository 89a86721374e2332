"""The panels: images, classes, brush. Real clicks on real rows."""

from dataclasses import replace
from time import process_time

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAction, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMenu, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from segstudio.app.values import ImageItem, Rest
from segstudio.geometry import Rect
from segstudio.labels.model import ClassId, ImageId, Kind, LabelClass
from segstudio.labels.paint.policy import Touch
from segstudio.ui.panels.class_list import Spot, spot_rect, spot_words
from segstudio.ui.panels.class_panel import free_name, palette
from segstudio.ui.panels.image_model import ITEM_ROLE, described
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.small_projects import plates

LEFT = Qt.MouseButton.LeftButton


def _click_class(window: MainWindow, row: int, spot: Spot) -> None:
    view = window.arrangement.classes.view
    rect = view.visualRect(window.arrangement.classes.model.index(row))
    QTest.mouseClick(view.viewport(), LEFT, pos=spot_rect(rect, spot).center())


def _action(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text().startswith(text))


# --- images ----------------------------------------------------------------------------------------------------------


def test_a_click_on_an_image_opens_it(window: MainWindow, desk: Desk) -> None:
    view = window.arrangement.images.view
    rect = view.visualRect(window.arrangement.images.model.index(2, 0))
    QTest.mouseClick(view.viewport(), LEFT, pos=rect.center())
    assert desk.navigation.index == 2
    desk.shown()
    assert desk.session.current_image == "plate_0002.png"


def test_the_list_follows_the_image_on_screen_without_opening_it_again(window: MainWindow, desk: Desk) -> None:
    asked = _loadings(desk)
    desk.shows(3)
    assert window.arrangement.images.view.currentIndex().row() == 3
    assert asked == ["plate_0003.png"]


def test_the_image_on_screen_stays_marked_when_the_whole_list_is_read_anew(window: MainWindow, desk: Desk) -> None:
    asked = _loadings(desk)
    desk.shows(3)
    read: list[object] = []
    desk.navigation.imagesChanged.connect(read.append)
    desk.navigation.reload_later()
    desk.wait(lambda: () in read)
    assert window.arrangement.images.view.currentIndex().row() == 3
    assert asked == ["plate_0003.png"]


def test_arrow_keys_walk_through_the_images(window: MainWindow, desk: Desk) -> None:
    window.arrangement.images.view.setFocus()
    QTest.keyClick(window.arrangement.images.view, Qt.Key.Key_Right)
    assert desk.navigation.index == 1


def test_the_counts_follow_what_is_done(window: MainWindow, desk: Desk) -> None:
    counts = window.arrangement.images.findChild(QWidget, "imageCounts")
    assert isinstance(counts, QLabel)
    assert counts.text() == "2 of 6 done"
    desk.shows(4)
    desk.opened.finishing.set_rest(Rest.BACKGROUND)
    desk.session.mark_done()
    desk.wait(lambda: counts.text() == "3 of 6 done")
    desk.shows(4)
    desk.session.undo()
    desk.wait(lambda: counts.text() == "2 of 6 done")


def test_a_row_says_everything_in_words_too() -> None:
    item = ImageItem(0, ImageId(1), "a/b.png", "in-progress", "held-out", 12, 1, "The file is cut short.", 640, 480, 1)
    words = described(item)
    for part in ("a/b.png", "640 × 480", "in progress", "1 object", "held out", "The file is cut short."):
        assert part in words


def test_a_changed_row_changes_in_the_model(window: MainWindow, desk: Desk) -> None:
    model = window.arrangement.images.model
    before = model.index(0, 0).data(ITEM_ROLE)
    rows: list[int] = []
    model.dataChanged.connect(lambda first, _last: rows.append(first.row()))
    desk.paint(Rect(100, 100, 5, 5), 2)
    desk.wait(lambda: model.index(0, 0).data(ITEM_ROLE) != before)
    assert set(rows) == {0}
    found = model.index(0, 0).data(ITEM_ROLE)
    assert found == desk.navigation.items[0]
    assert model.data(model.index(0, 0), ITEM_ROLE) is desk.navigation.items[0]
    assert type(found) is type(desk.navigation.items[0])  # a tuple must not come back as a list


def test_a_hundred_thousand_images_are_listed_in_the_time_of_a_few(
    window: MainWindow, desk: Desk, qtbot: QtBot
) -> None:
    path = desk.projects.many(desk.place(), 100_000)
    began = process_time()
    desk.session.projects.open(path, 0)
    desk.wait(desk.session.projects.wait)
    qtbot.wait(1)
    assert window.arrangement.images.model.rowCount() == 100_000
    desk.navigation.open(99_999)
    assert process_time() - began < 20, "some seconds at most: nothing may be done for each row but counting"
    rect = window.arrangement.images.view.visualRect(window.arrangement.images.model.index(99_999, 0))
    assert window.arrangement.images.view.viewport().rect().intersects(rect)


# --- classes ---------------------------------------------------------------------------------------------------------


def test_a_click_on_a_class_picks_it(window: MainWindow, desk: Desk) -> None:
    _click_class(window, 2, Spot.NAME)
    assert desk.documents.current_class.name == "membrane"


def test_the_list_follows_the_class_picked_elsewhere(window: MainWindow, desk: Desk) -> None:
    desk.session.set_class("debris")
    assert window.arrangement.classes.view.currentIndex().row() == 3


def test_lock_and_eye_act_at_once_and_toggle(window: MainWindow, desk: Desk) -> None:
    seen: list[tuple[bool, bool]] = []
    for spot in (Spot.LOCK, Spot.EYE, Spot.LOCK):
        _click_class(window, 1, spot)
        now = desk.documents.classes.named("nucleus")
        assert now is not None
        seen.append((now.locked, now.visible))
    assert seen == [(True, True), (True, False), (False, False)]


def test_the_tip_over_lock_and_eye_says_what_a_click_does(
    window: MainWindow, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda at, text, *rest: said.append(text))
    view = window.arrangement.classes.view
    row = view.visualRect(window.arrangement.classes.model.index(1))
    desk.opened.classes.change("nucleus", locked=True)
    for spot, words in ((Spot.LOCK, "Locked"), (Spot.EYE, "Hide"), (Spot.SWATCH, "colour")):
        at = spot_rect(row, spot).center()
        QApplication.sendEvent(view.viewport(), QHelpEvent(QEvent.Type.ToolTip, at, view.viewport().mapToGlobal(at)))
        assert words in said.pop()


def test_what_lock_and_eye_do_depends_on_how_they_stand() -> None:
    plain = LabelClass(ClassId(2), "a", "#102030", Kind.SEMANTIC, 1, 1)
    turned = replace(plain, locked=True, visible=False)
    words = [spot_words(found, spot) for spot in (Spot.LOCK, Spot.EYE) for found in (plain, turned)]
    assert len(set(words)) == 4


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_the_colour_offers_a_palette_and_takes_it(qtbot: QtBot, window: MainWindow, desk: Desk) -> None:
    _click_class(window, 1, Spot.SWATCH)
    menu = next(m for m in window.findChildren(QMenu, "classColorMenu") if m.isVisible())
    colors = [a.text() for a in menu.actions() if a.text().startswith("#")]
    assert colors == [c.upper() for c in palette()]
    _action(menu, palette()[3].upper()).trigger()
    now = desk.documents.classes.named("nucleus")
    assert now is not None
    assert now.color == palette()[3]
    menu.close()


def test_a_new_class_gets_a_free_name_and_is_named_at_once(qtbot: QtBot, window: MainWindow, desk: Desk) -> None:
    window.arrangement.classes.add(Kind.INSTANCE)
    made = desk.documents.classes.named("class")
    assert made is not None
    assert made.kind is Kind.INSTANCE
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    assert editor.hasFocus()
    QTest.keyClicks(editor, "cell")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    desk.wait(lambda: desk.documents.classes.named("cell"))
    named = desk.documents.classes.named("cell")
    assert named is not None
    assert named.id == made.id


def test_a_name_being_typed_stays_while_objects_are_counted(window: MainWindow, desk: Desk) -> None:
    counted: list[None] = []
    desk.opened.object_counts.counted.connect(lambda: counted.append(None))
    window.arrangement.classes.rename("membrane")
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    editor.selectAll()
    QTest.keyClicks(editor, "wa")
    desk.paint(Rect(100, 100, 5, 5), 2)
    desk.wait(lambda: counted)
    assert editor.text() == "wa"
    QTest.keyClicks(editor, "ll")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    desk.wait(lambda: desk.documents.classes.named("wall"))


def test_free_names_count_up() -> None:
    assert free_name("class", []) == "class"
    assert free_name("class", ["Class", "class 2"]) == "class 3"


def test_f2_and_double_click_rename(window: MainWindow, desk: Desk) -> None:
    view = window.arrangement.classes.view
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_F2)
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    assert editor.text() == "nucleus"


def test_the_menu_of_a_class_says_what_would_change(window: MainWindow, desk: Desk) -> None:
    found = desk.documents.classes.named("nucleus")
    assert found is not None
    menu = window.arrangement.classes.menu_for(found)
    _action(menu, "Lock").trigger()
    locked = desk.documents.classes[found.id]
    assert (locked.locked, locked.removed) == (True, False)
    _action(menu, "Remove").trigger()
    assert desk.documents.classes[found.id].removed
    background = window.arrangement.classes.menu_for(desk.documents.classes.background)
    assert not any(a.text().startswith("Remove") for a in background.actions())
    for made in (menu, background):
        made.deleteLater()
    desk.wait(lambda: any("was removed" in said for said in desk.said))


def test_a_name_that_is_refused_is_said_and_nothing_breaks(qtbot: QtBot, window: MainWindow, desk: Desk) -> None:
    window.arrangement.classes.rename("nucleus")
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    editor.selectAll()
    QTest.keyClicks(editor, "debris")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "already" in window.status_bar.said_label.text())
    assert [c.name for c in desk.documents.classes] == ["background", "nucleus", "membrane", "debris"]


def test_sixty_classes_scroll_and_only_nine_have_a_key(window: MainWindow, desk: Desk) -> None:
    desk.load(plates(2), [f"species {n}" for n in range(59)])
    view, model = window.arrangement.classes.view, window.arrangement.classes.model
    assert model.rowCount() == 60
    assert view.verticalScrollBar().maximum() > 0
    desk.session.set_class("species 58")
    rect = view.visualRect(model.index(59))
    assert view.viewport().rect().contains(rect.center())
    assert "number 9" in model.data(model.index(8), Qt.ItemDataRole.AccessibleTextRole)
    assert "key" not in model.data(model.index(9), Qt.ItemDataRole.AccessibleTextRole)


def test_a_press_on_the_edge_of_a_row_still_means_that_row(window: MainWindow, desk: Desk) -> None:
    view = window.arrangement.classes.view
    rect = view.visualRect(window.arrangement.classes.model.index(3))
    QTest.mouseClick(view.viewport(), LEFT, pos=QPoint(rect.left() + 1, rect.top() + 1))
    assert desk.documents.current_class.name == "debris"


# --- brush -----------------------------------------------------------------------------------------------------------


def test_slider_and_number_show_one_radius_and_change_it_together(window: MainWindow, desk: Desk) -> None:
    panel, tools = window.arrangement.panels["brush"], desk.session.tools
    panel.size_spin.setValue(40)
    assert tools.radius == 40
    place = panel.size_slider.value()
    panel.size_slider.setValue(place + 30)
    assert tools.radius > 100
    assert panel.size_spin.value() == tools.radius
    panel.size_slider.setValue(panel.size_slider.maximum())
    assert tools.radius == 1000
    panel.size_slider.setValue(0)
    assert tools.radius == 0.5


def test_a_radius_set_elsewhere_is_shown_and_not_sent_back(window: MainWindow, desk: Desk) -> None:
    set_: list[float] = []
    desk.session.tools.changed.connect(lambda: set_.append(desk.session.tools.radius))
    desk.session.set_brush_radius(7.53)
    assert window.arrangement.panels["brush"].size_spin.text() == "7.5 px"
    desk.session.set_brush_radius(12.0)
    assert window.arrangement.panels["brush"].size_spin.text() == "12 px"
    assert set_ == [7.53, 12.0]


def test_may_touch_offers_every_policy(window: MainWindow, desk: Desk) -> None:
    touch = window.arrangement.panels["brush"].touch
    assert [touch.itemData(i) for i in range(touch.count())] == [t.value for t in Touch]
    window.arrangement.panels["brush"].touch.setFocus()
    QTest.keyClick(touch, Qt.Key.Key_Down)
    assert desk.session.tools.touch is Touch.UNLABELLED
    desk.session.set_touch(Touch.LABELLED)
    assert touch.currentData() == "labelled"


def _loadings(desk: Desk) -> list[str]:
    """The images that are asked for from now on."""
    asked: list[str] = []
    desk.navigation.imageLoading.connect(asked.append)
    return asked

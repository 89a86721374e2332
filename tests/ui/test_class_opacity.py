"""The opacity of a class: chosen in its menu with mouse or keys, seen on the way, one edit at the end."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QSlider
from shiboken6 import isValid

from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.model import ClassId, ClassTable, Kind, LabelClass
from segstudio.ui.canvas.palette import Ink, Palette
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

# Said by the offscreen platform of every menu that pops up.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton
NUCLEUS, MEMBRANE = 2, 3
IN_NUCLEUS, IN_MEMBRANE = (110, 110), (310, 110)


@pytest.fixture
def labelled(window: MainWindow, desk: Desk) -> MainWindow:
    """The window on an image with a nucleus and a membrane."""
    desk.load(labelled=False)
    desk.paint(Rect(100, 100, 60, 60), NUCLEUS)
    desk.paint(Rect(300, 100, 60, 60), MEMBRANE)
    window.session.kept_preferences.prefer(overlay_opacity=1.0, label_style="fill")
    return window


def color(window: MainWindow, at: tuple[int, int]) -> QColor:
    """What is seen at a pixel of the image."""
    return window.canvas.grab().toImage().pixelColor(window.canvas.to_widget(at[0] + 0.5, at[1] + 0.5).toPoint())


def has_line(window: MainWindow, wanted: QColor) -> bool:
    """Whether a line of a colour runs down the left side of the nucleus."""
    shown, at = window.canvas.grab().toImage(), window.canvas.to_widget(100, 130).toPoint()
    near = (shown.pixelColor(at.x() + dx, at.y()) for dx in range(-3, 4))
    return any(abs(c.red() - wanted.red()) + abs(c.blue() - wanted.blue()) < 30 for c in near)


def opacity(desk: Desk, name: str = "nucleus") -> float:
    found = desk.documents.classes.named(name)
    assert found is not None
    return found.opacity


def test_a_class_of_opacity_0_is_drawn_as_an_outline_beside_others_that_are_filled(
    labelled: MainWindow, desk: Desk
) -> None:
    desk.opened.classes.change("nucleus", opacity=0.0)
    labelled.canvas.set_zoom(2.0)
    labelled.canvas.move_to(200, 130)
    inside, beside = color(labelled, (130, 130)), color(labelled, IN_MEMBRANE)
    found = desk.documents.classes.named("nucleus")
    assert found is not None
    assert has_line(labelled, QColor(found.color))
    labelled.canvas.set_labels_shown(False)
    assert color(labelled, (130, 130)) == inside
    assert color(labelled, IN_MEMBRANE) != beside
    assert not has_line(labelled, QColor(found.color))


@pytest.fixture
def menu(labelled: MainWindow, desk: Desk):
    """The menu of the class 'nucleus', open."""
    classes = labelled.arrangement.classes
    found = desk.documents.classes.named("nucleus")
    assert found is not None
    opened = classes.menu_for(found)
    opened.popup(labelled.mapToGlobal(QPoint(20, 20)))
    desk.wait(opened.isVisible)
    yield opened
    if isValid(opened):
        opened.close()


def slider_of(menu: QMenu) -> QSlider:
    found = menu.findChild(QSlider, "classOpacity")
    assert found is not None
    return found


def handle(slider: QSlider, percent: int) -> QPoint:
    """About where the handle is at a value."""
    share = (percent - slider.minimum()) / (slider.maximum() - slider.minimum())
    return QPoint(round(6 + share * (slider.width() - 12)), slider.height() // 2)


def test_the_image_shows_each_value_on_the_way_and_the_end_is_one_edit(
    labelled: MainWindow, desk: Desk, menu: QMenu
) -> None:
    slider, seen = slider_of(menu), color(labelled, IN_NUCLEUS)
    other, edits = color(labelled, IN_MEMBRANE), desk.edits
    QTest.mousePress(slider, LEFT, pos=handle(slider, 100))
    for percent in (80, 50, 30):
        QTest.mouseMove(slider, handle(slider, percent))
    assert slider.value() < 60
    desk.wait(lambda: color(labelled, IN_NUCLEUS) != seen)
    assert color(labelled, IN_MEMBRANE) == other
    assert (opacity(desk), desk.edits) == (1.0, edits)
    tried = color(labelled, IN_NUCLEUS)
    QTest.mouseRelease(slider, LEFT, pos=handle(slider, 30))
    assert opacity(desk) == slider.value() / 100
    assert menu.findChildren(QLabel)[-1].text() == f"{slider.value()} %"
    menu.close()
    QApplication.processEvents()
    assert desk.edits == edits + 1
    assert color(labelled, IN_NUCLEUS) == tried
    desk.session.undo()
    desk.wait(lambda: opacity(desk) == 1.0)
    desk.wait(lambda: color(labelled, IN_NUCLEUS) == seen)


def reached(menu: QMenu) -> QSlider:
    """The slider, reached from the top of the menu by the down key."""
    slider = slider_of(menu)
    for _ in range(12):
        QTest.keyClick(menu.focusWidget() or menu, Key.Key_Down)
        if menu.focusWidget() is slider:
            return slider
    raise AssertionError("the down key does not reach the slider")


def leave_by_enter(menu: QMenu) -> None:
    QTest.keyClick(slider_of(menu), Key.Key_Return)


def leave_downwards(menu: QMenu) -> None:
    QTest.keyClick(slider_of(menu), Key.Key_Down)


@pytest.mark.parametrize("leave", [leave_by_enter, leave_downwards])
def test_the_keys_reach_it_change_it_and_leave_it_as_one_edit(
    labelled: MainWindow, desk: Desk, menu: QMenu, leave: Callable[[QMenu], None]
) -> None:
    seen, edits = color(labelled, IN_NUCLEUS), desk.edits
    slider = reached(menu)
    for _ in range(8):
        QTest.keyClick(slider, Key.Key_Left)
    assert slider.value() == 60
    desk.wait(lambda: color(labelled, IN_NUCLEUS) != seen)
    assert desk.edits == edits
    leave(menu)
    desk.wait(lambda: opacity(desk) == 0.6)
    if isValid(menu):
        menu.close()
    QApplication.processEvents()
    assert desk.edits == edits + 1


def test_escape_takes_back_what_was_tried_with_keys(labelled: MainWindow, desk: Desk, menu: QMenu) -> None:
    seen, edits = color(labelled, IN_NUCLEUS), desk.edits
    slider = reached(menu)
    QTest.keyClick(slider, Key.Key_PageDown)
    desk.wait(lambda: color(labelled, IN_NUCLEUS) != seen)
    QTest.keyClick(slider, Key.Key_Escape)
    desk.wait(lambda: not isValid(menu) or not menu.isVisible())
    desk.wait(lambda: color(labelled, IN_NUCLEUS) == seen)
    assert (opacity(desk), desk.edits) == (1.0, edits)


def test_a_class_says_its_opacity_where_it_has_one_of_its_own(labelled: MainWindow, desk: Desk) -> None:
    model = labelled.arrangement.classes.model
    index = model.index(model.row_of("nucleus"))
    assert "opacity" not in index.data(Qt.ItemDataRole.AccessibleTextRole)
    desk.opened.classes.change("nucleus", opacity=0.35)
    assert "opacity 35 %" in index.data(Qt.ItemDataRole.AccessibleTextRole)


@pytest.mark.parametrize("wrong", [-0.01, 1.01, float("nan")])
def test_an_opacity_beyond_its_range_is_refused(labelled: MainWindow, desk: Desk, wrong: float) -> None:
    with pytest.raises(UserError, match="opacity of a class"):
        desk.opened.classes.change("nucleus", opacity=wrong)
    assert opacity(desk) == 1.0


def test_labels_outlines_and_proposals_of_a_class_all_take_its_share() -> None:
    def alphas(share: float) -> dict[Ink, int]:
        kinds = (Kind.BACKGROUND, Kind.SEMANTIC)
        table = ClassTable(
            LabelClass(ClassId(n), kind, "#8090a0", kind, n, n, opacity=share) for n, kind in enumerate(kinds, start=1)
        )
        palette = Palette.of(table, 0.8, 0.6)
        return {ink: int(palette.colors[ink * palette.count + 2]) >> 24 for ink in Ink}

    whole, half = alphas(1.0), alphas(0.5)
    for ink in Ink:
        assert whole[ink] > 0
        assert half[ink] == pytest.approx(whole[ink] / 2, abs=1)

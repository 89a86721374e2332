"""Many classes: found by typing, put in another order by hand, merged, shown alone; and how their labels look."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QMenu, QSlider

from segstudio.geometry import Rect
from segstudio.ui.panels.class_list import ROW_H, SHOWN_ROLE, Spot, spot_rect
from segstudio.ui.panels.class_view import ClassView
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

Key, Modifier = Qt.Key, Qt.KeyboardModifier
LEFT = Qt.MouseButton.LeftButton
MANY = tuple(f"kind {n:02d}" for n in range(30))


@pytest.fixture
def many(empty_window: MainWindow, desk: Desk) -> MainWindow:
    """The window with 31 classes."""
    desk.load(classes=MANY, labelled=False)
    empty_window.canvas.setFocus()
    return empty_window


def _view(window: MainWindow) -> ClassView:
    return window.arrangement.classes.view


def _names(desk: Desk) -> list[str]:
    return [c.name for c in desk.documents.classes]


def _listed(window: MainWindow) -> list[str]:
    view, model = _view(window), window.arrangement.classes.model
    return [model.index(row).data() for row in range(model.rowCount()) if not view.isRowHidden(row)]


def _at(window: MainWindow, row: int, down: int = 0) -> QPoint:
    found = _view(window).visualRect(window.arrangement.classes.model.index(row))
    return QPoint(80, found.center().y() + down)


def _drag(window: MainWindow, row: int, *to: QPoint) -> None:
    """Press on a row and move; the button stays down."""
    port = _view(window).viewport()
    QTest.mousePress(port, LEFT, pos=_at(window, row))
    for point in to:
        QTest.mouseMove(port, point)


def _search(window: MainWindow) -> QLineEdit:
    found = window.findChild(QLineEdit, "classSearch")
    assert found is not None
    return found


def _choose(menu: QMenu, *words: str) -> None:
    """Trigger an entry of a menu, or of menus in it."""
    for word in words[:-1]:
        menu = next(m for m in menu.findChildren(QMenu) if m.title() == word)
    next(action for action in menu.actions() if action.text() == words[-1]).trigger()


def _menu(window: MainWindow, name: str) -> QMenu:
    found = window.session.project.documents.classes.named(name)  # type: ignore[union-attr]
    assert found is not None
    return window.arrangement.classes.menu_for(found)


# -- finding ---------------------------------------------------------------------------------------------------------


def test_few_classes_have_no_search(window: MainWindow) -> None:
    assert _search(window).isHidden()


def test_typing_lists_what_has_the_letters_and_enter_chooses_the_first(many: MainWindow, desk: Desk) -> None:
    search = _search(many)
    assert search.isVisible()
    search.setFocus()
    QTest.keyClicks(search, "D 1")
    assert _listed(many) == [f"kind {n}" for n in range(10, 20)]
    QTest.keyClick(search, Key.Key_Return)
    assert desk.documents.current_class.name == "kind 10"
    assert len(_listed(many)) == 31
    assert many.canvas.hasFocus()


def test_letters_that_no_class_has_choose_none_and_escape_lists_all_again(many: MainWindow, desk: Desk) -> None:
    before, search = desk.documents.current_class, _search(many)
    search.setFocus()
    QTest.keyClicks(search, "zz")
    assert _listed(many) == []
    QTest.keyClick(search, Key.Key_Return)
    assert desk.documents.current_class == before
    QTest.keyClick(search, Key.Key_Escape)
    assert len(_listed(many)) == 31
    assert many.canvas.hasFocus()


def test_another_project_is_listed_whole(many: MainWindow, desk: Desk) -> None:
    _search(many).setText("kind 07")
    assert len(_listed(many)) == 1
    desk.load()
    assert _listed(many) == ["background", "nucleus", "membrane", "debris"]


# -- another order ---------------------------------------------------------------------------------------------------


def test_a_row_is_dragged_to_another_place_and_undo_puts_it_back(window: MainWindow, desk: Desk) -> None:
    _drag(window, 1, _at(window, 2), _at(window, 3, 10))
    assert _names(desk) == ["background", "nucleus", "membrane", "debris"]
    QTest.mouseRelease(_view(window).viewport(), LEFT, pos=_at(window, 3, 10))
    assert _names(desk) == _listed(window) == ["background", "membrane", "debris", "nucleus"]
    assert desk.documents.current_class.name == "nucleus"
    assert _view(window).currentIndex().data() == "nucleus"
    QTest.keyClick(window, Key.Key_Z, Modifier.ControlModifier)
    assert _names(desk) == ["background", "nucleus", "membrane", "debris"]


def test_a_row_that_is_dragged_up_lands_where_the_line_is(window: MainWindow, desk: Desk) -> None:
    _drag(window, 3, _at(window, 2), _at(window, 1, -10))
    QTest.mouseRelease(_view(window).viewport(), LEFT, pos=_at(window, 1, -10))
    assert _names(desk) == ["background", "debris", "nucleus", "membrane"]


def test_dragging_a_row_chooses_no_other_class(window: MainWindow, desk: Desk) -> None:
    _drag(window, 1, _at(window, 2), _at(window, 3))
    assert desk.documents.current_class.name == "nucleus"
    QTest.mouseRelease(_view(window).viewport(), LEFT, pos=_at(window, 1))
    assert _names(desk) == ["background", "nucleus", "membrane", "debris"]


def test_escape_puts_a_row_back_that_is_carried(window: MainWindow, desk: Desk) -> None:
    edits = desk.edits
    _view(window).setFocus()
    _drag(window, 1, _at(window, 2), _at(window, 3, 10))
    QTest.keyClick(_view(window), Key.Key_Escape)
    QTest.mouseRelease(_view(window).viewport(), LEFT, pos=_at(window, 3, 10))
    assert desk.edits == edits


def test_alt_and_an_arrow_move_the_chosen_class(window: MainWindow, desk: Desk) -> None:
    view = _view(window)
    view.setFocus()
    QTest.keyClick(view, Key.Key_Down, Modifier.AltModifier)
    assert _names(desk) == ["background", "membrane", "nucleus", "debris"]
    QTest.keyClick(view, Key.Key_Up, Modifier.AltModifier)
    QTest.keyClick(view, Key.Key_Up, Modifier.AltModifier)
    QTest.keyClick(view, Key.Key_Up, Modifier.AltModifier)
    assert _names(desk) == ["nucleus", "background", "membrane", "debris"]


# -- merging ---------------------------------------------------------------------------------------------------------


def test_merging_says_how_many_pixels_and_is_done_when_confirmed(window: MainWindow, desk: Desk) -> None:
    desk.paint(Rect(0, 0, 40, 10), desk.documents.classes.named("debris").id)  # type: ignore[union-attr]
    desk.settle()
    menu = _menu(window, "debris")
    _choose(menu, "Merge into", "membrane")
    panel = window.arrangement.classes
    desk.wait(panel.merging.yes.isEnabled)
    words = window.findChild(QLabel, "classMergeText")
    assert words is not None
    assert "pixels in" in words.text()
    assert words.text().endswith("will count as 'membrane'.")
    assert "debris" in _names(desk)
    QTest.mouseClick(panel.merging.yes, LEFT)
    assert _names(desk) == ["background", "nucleus", "membrane"]
    assert panel.merging.isHidden()
    QTest.keyClick(window, Key.Key_Z, Modifier.ControlModifier)
    assert "debris" in _names(desk)
    menu.deleteLater()


def test_merging_that_is_cancelled_changes_nothing(window: MainWindow, desk: Desk) -> None:
    edits, menu = desk.edits, _menu(window, "debris")
    _choose(menu, "Merge into", "membrane")
    cancel = window.findChild(QAbstractButton, "classMergeCancel")
    assert cancel is not None
    QTest.mouseClick(cancel, LEFT)
    assert window.arrangement.classes.merging.isHidden()
    assert desk.edits == edits
    menu.deleteLater()


def test_the_question_goes_when_one_of_its_classes_goes(window: MainWindow, desk: Desk) -> None:
    menu = _menu(window, "debris")
    _choose(menu, "Merge into", "membrane")
    assert window.arrangement.classes.merging.isVisible()
    desk.opened.classes.remove("membrane")
    assert window.arrangement.classes.merging.isHidden()
    menu.deleteLater()


# -- one alone -------------------------------------------------------------------------------------------------------


def _shown(window: MainWindow) -> list[str]:
    model = window.arrangement.classes.model
    return [model.index(row).data() for row in range(model.rowCount()) if model.index(row).data(SHOWN_ROLE)]


@pytest.mark.parametrize("held", [Modifier.AltModifier, Modifier.ControlModifier | Modifier.ShiftModifier])
def test_a_class_clicked_with_alt_is_shown_alone_and_again_all_are(
    window: MainWindow, desk: Desk, held: Modifier
) -> None:
    port, edits = _view(window).viewport(), desk.edits
    QTest.mouseClick(port, LEFT, held, _at(window, 2))
    assert _shown(window) == ["membrane"]
    assert desk.documents.current_class.name == "membrane"
    QTest.mouseClick(port, LEFT, held, _at(window, 3))
    assert _shown(window) == ["debris"]
    QTest.mouseClick(port, LEFT, held, _at(window, 3))
    assert _shown(window) == _names(desk)
    assert desk.edits == edits


def test_the_canvas_shows_the_class_that_is_alone(window: MainWindow, desk: Desk) -> None:
    debris = desk.documents.classes.named("debris")
    assert debris is not None
    desk.paint(Rect(100, 100, 80, 80), debris.id)
    window.canvas.set_opacity(1.0, 1.0)

    def colour() -> QColor:
        return window.canvas.grab().toImage().pixelColor(window.canvas.to_widget(140.5, 140.5).toPoint())

    assert colour() == QColor(debris.color)
    QTest.keyClick(window, Key.Key_Y, Modifier.ShiftModifier)
    assert desk.opened.solo.on
    assert colour() != QColor(debris.color)
    desk.session.set_class("debris")
    assert colour() == QColor(debris.color)
    assert "Only 'nucleus' is shown" in desk.said


def test_a_click_on_an_eye_shows_all_again(window: MainWindow, desk: Desk) -> None:
    desk.opened.solo.on = True
    edits, view = desk.edits, _view(window)
    eye = spot_rect(view.visualRect(window.arrangement.classes.model.index(2)), Spot.EYE).center()
    QTest.mouseClick(view.viewport(), LEFT, pos=eye)
    assert _shown(window) == _names(desk)
    assert desk.edits == edits


# -- how labels look -------------------------------------------------------------------------------------------------


def test_the_slider_in_the_panel_is_the_opacity_of_the_settings(window: MainWindow, desk: Desk) -> None:
    slider = window.findChild(QSlider, "labelOpacity")
    assert slider is not None
    before = slider.value()
    slider.setFocus()
    QTest.keyClick(slider, Key.Key_Right)
    assert desk.session.preferences.overlay_opacity == pytest.approx((before + 5) / 100)
    desk.session.kept_preferences.prefer(overlay_opacity=0.9)
    assert slider.value() == 90


def test_labels_are_filled_then_outlined_too_then_outlines_alone(window: MainWindow, desk: Desk) -> None:
    desk.session.kept_preferences.prefer(overlay_opacity=1.0)
    desk.erase(Rect(0, 0, *desk.document.raster.sizes[0]))
    bare = window.canvas.grab().toImage()
    desk.paint(Rect(100, 100, 80, 80), desk.documents.current_class.id)
    fill, edge = QColor(desk.documents.current_class.color), window.canvas.to_widget(100, 140.5).toPoint()
    middle = window.canvas.to_widget(140.5, 140.5).toPoint()
    styles = window.findChild(QComboBox, "labelStyle")
    assert styles is not None

    seen = []
    for _ in range(3):
        shown = window.canvas.grab().toImage()
        filled = shown.pixelColor(middle) == fill
        around = [edge + QPoint(x, 0) for x in (-1, 0, 1)]
        drawn = any(shown.pixelColor(at) != bare.pixelColor(at) for at in around)
        seen.append((styles.currentData(), filled, drawn))
        QTest.keyClick(window, Key.Key_O)
    assert seen == [("fill", True, True), ("both", True, True), ("outline", False, True)]
    assert styles.currentData() == "fill"
    said = ["Labels are filled and outlined", "Labels are drawn as outlines only", "Labels are filled"]
    assert desk.said[-3:] == said


def test_in_a_low_window_the_list_has_the_room_of_the_slider(window: MainWindow) -> None:
    panel = window.arrangement.classes
    assert panel.look.isVisible()
    window.resize(1000, 480)
    QTest.qWait(20)
    assert panel.look.isHidden()
    assert panel.view.height() > ROW_H
    window.resize(1280, 800)
    QTest.qWait(20)
    assert panel.look.isVisible()


def test_labels_and_proposal_are_hidden_while_y_is_held(window: MainWindow, desk: Desk) -> None:
    labels = window.canvas._scene.labels
    QTest.keyPress(window.canvas, Key.Key_Y)
    assert (labels.show_labels, labels.show_proposal) == (False, False)
    assert window.bars.action("show-labels").isChecked()
    QTest.keyRelease(window.canvas, Key.Key_Y)
    assert (labels.show_labels, labels.show_proposal) == (True, True)


def test_what_was_hidden_before_y_stays_hidden_after_it(window: MainWindow) -> None:
    window.bars.action("show-proposals").trigger()
    QTest.keyPress(window.canvas, Key.Key_Y)
    QTest.keyRelease(window.canvas, Key.Key_Y)
    labels = window.canvas._scene.labels
    assert (labels.show_labels, labels.show_proposal) == (True, False)


def test_painting_while_y_is_held_shows_the_labels_again(window: MainWindow) -> None:
    QTest.keyPress(window.canvas, Key.Key_Y)
    QTest.mouseClick(window.canvas, LEFT, pos=window.canvas.rect().center())
    assert window.canvas._scene.labels.show_labels
    QTest.keyRelease(window.canvas, Key.Key_Y)
    assert window.canvas._scene.labels.show_labels

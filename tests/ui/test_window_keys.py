"""Keys, as a person presses them: wherever the focus is, except while typing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QEnterEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QPlainTextEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from segstudio.app.values import SaveState
from segstudio.labels.model import Kind
from segstudio.ui.window.actions import ACTIONS
from segstudio.ui.window.main_window import MainWindow
from tests.ui.fake_session import FakeSession

Called = Callable[[str], list[tuple]]
Key = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier
PLAIN = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def _press(window: MainWindow, key: Qt.Key, held: Qt.KeyboardModifier = PLAIN) -> None:
    target = window.focusWidget() or window
    QTest.keyClick(target, key, held)


def _focus(window: MainWindow, name: str) -> QWidget:
    widget = window.findChild(QWidget, name)
    assert widget is not None
    widget.setFocus()
    assert widget.hasFocus()
    return widget


DAILY = (
    (Key.Key_B, PLAIN, ("set_tool", "brush")),
    (Key.Key_E, PLAIN, ("set_tool", "eraser")),
    (Key.Key_V, PLAIN, ("set_tool", "pan")),
    (Key.Key_H, PLAIN, ("set_tool", "pan")),
    (Key.Key_P, PLAIN, ("propose",)),
    (Key.Key_A, PLAIN, ("accept_proposal",)),
    (Key.Key_Return, PLAIN, ("mark_done",)),
    (Key.Key_Enter, PLAIN, ("mark_done",)),
    (Key.Key_N, PLAIN, ("next_image",)),
    (Key.Key_PageDown, PLAIN, ("next_image",)),
    (Key.Key_PageUp, PLAIN, ("previous_image",)),
    (Key.Key_T, CTRL, ("fine_tune", {})),
    (Key.Key_1, PLAIN, ("set_class", "background")),
    (Key.Key_4, PLAIN, ("set_class", "debris")),
)


@pytest.mark.parametrize("focus", ["canvas", "imageList", "classList", "brushSizeSlider", "mayTouch", "toolBrush"])
def test_a_key_does_its_work_wherever_the_focus_is(window: MainWindow, session: FakeSession, focus: str) -> None:
    for key, held, call in DAILY:
        _focus(window, focus)
        session.calls.clear()
        _press(window, key, held)
        assert session.calls == [call], key


def test_undo_and_redo_by_key(window: MainWindow, session: FakeSession) -> None:
    session.can_undo = session.can_redo = True
    session.historyChanged.emit()
    _press(window, Key.Key_Z, CTRL)
    _press(window, Key.Key_Z, CTRL | SHIFT)
    _press(window, Key.Key_Y, CTRL)
    assert session.calls == [("undo",), ("redo",), ("redo",)]


def test_a_number_without_a_class_does_nothing(window: MainWindow, called: Called) -> None:
    _press(window, Key.Key_9)
    assert called("set_class") == []


def test_brackets_change_the_brush_by_a_fifth_and_at_least_half_a_pixel(
    window: MainWindow, session: FakeSession
) -> None:
    session.set_brush_radius(10.0)
    _press(window, Key.Key_BracketRight)
    assert session.brush_radius == 12.0
    _press(window, Key.Key_BracketLeft)
    assert session.brush_radius == 10.0
    session.set_brush_radius(1.0)
    _press(window, Key.Key_BracketLeft)
    assert session.brush_radius == 0.5
    _press(window, Key.Key_BracketLeft)
    assert session.brush_radius == 0.5


def test_digits_typed_into_the_brush_size_are_a_size(window: MainWindow, session: FakeSession, called: Called) -> None:
    spin = _focus(window, "brushSize")
    assert isinstance(spin, QAbstractSpinBox)
    spin.selectAll()
    QTest.keyClicks(spin, "25")
    assert called("set_class") == []
    QTest.keyClick(spin, Key.Key_Return)
    assert called("mark_done") == []
    assert session.brush_radius == 25.0


def test_return_in_the_brush_size_gives_the_keys_back_to_the_canvas(
    window: MainWindow, qtbot: QtBot, called: Called
) -> None:
    spin = _focus(window, "brushSize")
    QTest.keyClick(spin, Key.Key_Return)
    qtbot.waitUntil(window.canvas.hasFocus)
    _press(window, Key.Key_B)
    assert called("set_tool") == [("set_tool", "brush")]


def test_letters_typed_into_a_class_name_are_a_name(
    window: MainWindow, session: FakeSession, qtbot: QtBot, called: Called
) -> None:
    window.arrangement.classes.rename("membrane")
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    editor.selectAll()
    QTest.keyClicks(editor, "beap 12")
    QTest.keyClick(editor, Key.Key_Return)
    qtbot.waitUntil(lambda: called("rename_class") == [("rename_class", "membrane", "beap 12")])
    assert [call for call in session.calls if call[0] != "rename_class"] == []


def test_escape_leaves_a_class_name_as_it_was(window: MainWindow, called: Called) -> None:
    window.arrangement.classes.rename("membrane")
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    QTest.keyClicks(editor, "x")
    QTest.keyClick(editor, Key.Key_Escape)
    assert called("rename_class") == []


def test_letters_typed_into_the_export_folder_are_a_path(window: MainWindow, session: FakeSession) -> None:
    _press(window, Key.Key_E, CTRL)
    folder = _focus(window, "exportFolder")
    assert isinstance(folder, QLineEdit)
    folder.clear()
    QTest.keyClicks(folder, "/tmp/bep1")
    assert folder.text() == "/tmp/bep1"
    assert session.calls == []


def test_return_in_the_export_folder_exports_and_does_not_mark_done(window: MainWindow, called: Called) -> None:
    _press(window, Key.Key_E, CTRL)
    QTest.keyClick(_focus(window, "exportFolder"), Key.Key_Return)
    assert len(called("export")) == 1
    assert called("mark_done") == []


@pytest.mark.parametrize("key", [Key.Key_Return, Key.Key_Enter])
def test_return_after_the_export_key_exports_and_a_second_one_does_nothing(
    window: MainWindow, called: Called, key: Qt.Key
) -> None:
    _press(window, Key.Key_E, CTRL)
    assert window.export_panel.start.hasFocus()
    _press(window, key)
    assert len(called("export")) == 1
    _press(window, key)
    assert len(called("export")) == 1
    assert called("mark_done") == []


def test_return_on_a_choice_of_the_export_panel_exports_and_on_another_button_presses_that(
    window: MainWindow, called: Called
) -> None:
    _press(window, Key.Key_E, CTRL)
    _focus(window, "exportClose")
    _press(window, Key.Key_Return)
    assert not window.export_panel.isVisible()
    assert called("export") == []
    assert window.canvas.hasFocus()
    _press(window, Key.Key_E, CTRL)
    _focus(window, "exportFormat")
    _press(window, Key.Key_Return)
    assert len(called("export")) == 1
    assert called("mark_done") == []


def test_the_pointer_does_not_take_the_focus_from_the_export_panel(window: MainWindow, called: Called) -> None:
    at = QPointF(20, 20)
    _focus(window, "imageList")
    QApplication.sendEvent(window.canvas, QEnterEvent(at, at, at))
    assert window.canvas.hasFocus()
    _press(window, Key.Key_E, CTRL)
    QApplication.sendEvent(window.canvas, QEnterEvent(at, at, at))
    assert window.export_panel.start.hasFocus()
    _press(window, Key.Key_E, CTRL)
    assert window.canvas.hasFocus()
    _press(window, Key.Key_Return)
    assert called("mark_done") == [("mark_done",)]


def test_return_on_the_page_of_a_new_project_makes_it_and_in_the_classes_is_a_new_line(
    window: MainWindow, session: FakeSession, called: Called, tmp_path: Path
) -> None:
    window.pages.show_new_project(str(tmp_path))
    classes = window.findChild(QPlainTextEdit, "newClasses")
    assert classes is not None
    assert classes.hasFocus()
    QTest.keyClicks(classes, "cell")
    _press(window, Key.Key_Return)
    assert classes.toPlainText() == "cell\n"
    assert called("new_project") == []
    _press(window, Key.Key_Return, CTRL)
    assert len(called("new_project")) == 1
    _focus(window, "newPlace")
    _press(window, Key.Key_Return)
    assert len(called("new_project")) == 2
    assert called("mark_done") == []


def test_escape_asks_the_session_first_and_then_closes_what_is_open(window: MainWindow, called: Called) -> None:
    window.message_strip.say("export", "The disk is full.")
    window.bars.action("export").trigger()
    for shown in ((False, True), (False, False)):
        window.canvas.setFocus()
        _press(window, Key.Key_Escape)
        assert (window.export_panel.isVisible(), window.message_strip.isVisible()) == shown
    assert called("cancel_gesture")


def test_save_reassures(window: MainWindow) -> None:
    _press(window, Key.Key_S, CTRL)
    assert "saved" in window.status_bar.said_label.text()


def test_save_sees_to_it_and_says_since_when_or_why_not(window: MainWindow, session: FakeSession) -> None:
    for state, said in (
        (SaveState(True, "12:34:56", ""), "Everything is saved automatically, last at 12:34:56"),
        (SaveState(False, "12:34:56", "The disk is full."), "not saved: The disk is full."),
        (SaveState(False, "", ""), "still being saved"),
    ):
        session.save_state = state
        _press(window, Key.Key_S, CTRL)
        assert session.calls[-1] == ("save",)
        assert window.status_bar.said_label.text().startswith(said)
        assert said in window.status_bar.currentMessage()


def test_a_window_with_edits_to_save_says_so_stays_if_told_to_and_closes_by_itself(
    qtbot: QtBot, window: MainWindow, session: FakeSession
) -> None:
    session.ready = False
    strip = window.closing_strip
    window.close()
    assert window.isVisible()
    assert strip.isVisible()
    assert strip.text.text() == "Saving 12 edits … The window closes when this is done."
    QTest.mouseClick(strip.stay_button, Qt.MouseButton.LeftButton)
    session.ready = True
    qtbot.wait(200)
    assert window.isVisible()
    assert not strip.isVisible()
    session.ready = False
    window.close()
    session.ready = True
    qtbot.waitUntil(lambda: not window.isVisible())
    assert ("close",) in session.calls


def test_a_window_with_edits_to_save_can_be_closed_at_once(window: MainWindow, session: FakeSession) -> None:
    session.ready = False
    window.close()
    QTest.mouseClick(window.closing_strip.now_button, Qt.MouseButton.LeftButton)
    assert not window.isVisible()
    assert [call for call in session.calls if call[0] == "secure"] == [("secure", 0.2)]


def test_zoom_keys_reach_the_canvas(window: MainWindow) -> None:
    _press(window, Key.Key_1, CTRL)
    assert window.canvas.scale == pytest.approx(1.0)
    _press(window, Key.Key_Plus)
    assert window.canvas.scale > 1.0
    _press(window, Key.Key_F)
    fitted = window.canvas.scale
    _press(window, Key.Key_Minus)
    assert window.canvas.scale < fitted
    _press(window, Key.Key_0)
    assert window.canvas.scale == pytest.approx(fitted)


def test_labels_can_be_hidden_and_outlined_by_a_key(window: MainWindow) -> None:
    shown: list[tuple[str, bool]] = []
    window.canvas.set_labels_shown = lambda on: shown.append(("labels", on))
    window.canvas.set_outlines = lambda on: shown.append(("outlines", on))
    _press(window, Key.Key_S, SHIFT)
    _press(window, Key.Key_S, SHIFT)
    _press(window, Key.Key_O)
    _press(window, Key.Key_O)
    assert shown == [("labels", False), ("labels", True), ("outlines", True), ("outlines", False)]


@pytest.mark.parametrize("way", ["thumbnail", "class", "bottom", "side", "stop", "add", "tool"])
def test_whatever_was_clicked_space_moves_the_image_and_presses_nothing(
    window: MainWindow, qtbot: QtBot, session: FakeSession, way: str
) -> None:
    dialogs: list[str] = []
    window.opening.choose = lambda: dialogs.append("open")
    window.canvas.setFocus()
    if way == "thumbnail":
        view = window.arrangement.images.view
        rect = view.visualRect(window.arrangement.images.model.index(2))
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    elif way == "class":
        view = window.arrangement.classes.view
        QTest.mouseClick(
            view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(view.model().index(2, 0)).center()
        )
    elif way in ("bottom", "side"):
        _focus(window, "imageList" if way == "bottom" else "classList")
        _press(window, Key.Key_F10 if way == "bottom" else Key.Key_F9)
    elif way == "stop":
        QTest.mouseClick(window.arrangement.training.versions_button, Qt.MouseButton.LeftButton)
    elif way == "add":
        window.arrangement.classes.add(Kind.SEMANTIC)
        editor = window.findChild(QLineEdit, "classNameEdit")
        assert editor is not None
        QTest.keyClick(editor, Key.Key_Escape)
        qtbot.waitUntil(window.canvas.hasFocus)
    else:
        QTest.mouseClick(window.findChild(QWidget, "toolEraser"), Qt.MouseButton.LeftButton)
    assert window.canvas.hasFocus()
    QTest.keyPress(window.focusWidget(), Key.Key_Space)
    assert window.canvas.cursor().shape() is Qt.CursorShape.OpenHandCursor
    QTest.keyRelease(window.focusWidget(), Key.Key_Space)
    assert dialogs == []


def test_no_button_of_a_bar_takes_the_keyboard_by_tab_or_by_a_click(window: MainWindow) -> None:
    for bar in (window.bars.main_bar, window.bars.tool_bar):
        for button in bar.findChildren(QToolButton):
            assert button.focusPolicy() is Qt.FocusPolicy.NoFocus, button.objectName()


def test_return_in_a_class_name_gives_the_keys_back_to_the_canvas(window: MainWindow, qtbot: QtBot) -> None:
    window.arrangement.classes.rename("membrane")
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    QTest.keyClicks(editor, "wall")
    QTest.keyClick(editor, Key.Key_Return)
    qtbot.waitUntil(window.canvas.hasFocus)


@pytest.mark.parametrize("page", ["new", "help"])
def test_single_keys_do_nothing_while_a_page_covers_the_image(
    window: MainWindow, session: FakeSession, page: str
) -> None:
    if page == "new":
        window.pages.show_new_project("/somewhere")
        window.findChild(QWidget, "newProjectPage").setFocus()
    else:
        window.pages.show_help("keys")
    said: list[str] = []
    session.said.connect(said.append)
    session.calls.clear()
    kept = session.preferences
    checked = {row.name: window.bars.action(row.name).isChecked() for row in ACTIONS if row.checkable}
    for row in ACTIONS:
        for keys in row.keys:
            sequence = QKeySequence(keys)[0]
            if sequence.keyboardModifiers() & CTRL or row.name in ("cancel", "keys"):
                continue
            _press(window, sequence.key(), sequence.keyboardModifiers())
            if not window.pages.covered:  # Return presses the page's own button
                window.pages.show_help("keys")
    # A page that comes above the image takes the pointer from it.
    expected = ("new_project", "pointer")
    assert [call for call in session.calls if call[0] not in expected or call == ("pointer", "PRESS")] == []
    assert said == []
    assert session.preferences == kept
    assert {row.name: window.bars.action(row.name).isChecked() for row in ACTIONS if row.checkable} == checked

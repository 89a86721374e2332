"""Keys, as a person presses them: wherever the focus is, except while typing."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QEnterEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from segstudio.app.values import DoneState, JobKind
from segstudio.geometry import Rect
from segstudio.labels.model import Kind
from segstudio.store.database.lock import is_held
from segstudio.store.project import Project
from segstudio.ui.window.actions import ACTIONS
from segstudio.ui.window.main_window import MainWindow
from tests.failing_disk import FULL, Disk
from tests.ui.desk import Desk
from tests.ui.small_projects import soft_blobs, write_image

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


def _asked_proposal(desk: Desk) -> bool:
    found = len(desk.engine.predicts) == 1
    if found:
        desk.opened.proposals.cancel()
    return found


def _asked_done(desk: Desk) -> bool:
    found = desk.opened.finishing.state is DoneState.NOTHING_LABELLED
    desk.opened.finishing.withdraw()
    return found


def _asked_run(desk: Desk) -> bool:
    found = bool(desk.engine.trains)
    if found:
        desk.engine.refuse("Nothing to learn from yet.", "NotEnoughLabels")
        desk.wait(lambda: not desk.opened.training.running)
    return found


def _shows(index: int) -> Callable[[Desk], bool]:
    return lambda desk: desk.navigation.index == index


def _has_tool(name: str) -> Callable[[Desk], bool]:
    return lambda desk: desk.session.tools.tool.name == name


def _has_class(name: str) -> Callable[[Desk], bool]:
    return lambda desk: desk.documents.current_class.name == name


DAILY: tuple[tuple[Qt.Key, Qt.KeyboardModifier, Callable[[Desk], bool]], ...] = (
    (Key.Key_E, PLAIN, _has_tool("eraser")),
    (Key.Key_V, PLAIN, _has_tool("pan")),
    (Key.Key_B, PLAIN, _has_tool("brush")),
    (Key.Key_H, PLAIN, _has_tool("pan")),
    (Key.Key_P, PLAIN, _asked_proposal),
    (Key.Key_A, PLAIN, lambda desk: "There is no proposal to accept yet." in desk.said),
    (Key.Key_Return, PLAIN, _asked_done),
    (Key.Key_Enter, PLAIN, _asked_done),
    (Key.Key_N, PLAIN, _shows(4)),
    (Key.Key_PageDown, PLAIN, _shows(5)),
    (Key.Key_PageUp, PLAIN, _shows(4)),
    (Key.Key_T, CTRL, _asked_run),
    (Key.Key_4, PLAIN, _has_class("debris")),
    (Key.Key_1, PLAIN, _has_class("background")),
)
"""Keys, and what becomes of each on the fourth image, which has no labels, with the class 'nucleus'."""


@pytest.mark.parametrize("focus", ["canvas", "imageList", "classList", "brushSizeSlider", "mayTouch", "toolBrush"])
def test_a_key_does_its_work_wherever_the_focus_is(window: MainWindow, desk: Desk, focus: str) -> None:
    desk.shows(3)
    for key, held, done in DAILY:
        if focus.startswith(("brush", "may")) and desk.session.tools.tool.name == "pan":
            desk.session.set_tool("eraser")  # the panel has these with a brush alone
        _focus(window, focus)
        assert not done(desk), key
        _press(window, key, held)
        desk.wait(lambda done=done: done(desk))
        desk.shown()


def test_undo_and_redo_by_key(window: MainWindow, desk: Desk) -> None:
    before = desk.class_ids()
    desk.paint(Rect(100, 100, 9, 9), 2)
    painted = desk.class_ids()
    assert not np.array_equal(before, painted)
    for key, held, there in (
        (Key.Key_Z, CTRL, before),
        (Key.Key_Z, CTRL | SHIFT, painted),
        (Key.Key_Z, CTRL, before),
        (Key.Key_Y, CTRL, painted),
    ):
        _press(window, key, held)
        assert np.array_equal(desk.class_ids(), there)


def test_a_number_without_a_class_does_nothing(window: MainWindow, desk: Desk) -> None:
    before = desk.documents.class_id
    _press(window, Key.Key_9)
    assert desk.documents.class_id == before


def test_brackets_change_the_brush_by_a_fifth_and_at_least_half_a_pixel(window: MainWindow, desk: Desk) -> None:
    tools = desk.session.tools
    tools.set_radius(10.0)
    _press(window, Key.Key_BracketRight)
    assert tools.radius == 12.0
    _press(window, Key.Key_BracketLeft)
    assert tools.radius == 10.0
    tools.set_radius(1.0)
    _press(window, Key.Key_BracketLeft)
    assert tools.radius == 0.5
    _press(window, Key.Key_BracketLeft)
    assert tools.radius == 0.5


def test_digits_typed_into_the_brush_size_are_a_size(window: MainWindow, desk: Desk) -> None:
    spin = _focus(window, "brushSize")
    assert isinstance(spin, QAbstractSpinBox)
    spin.selectAll()
    chosen = desk.documents.class_id
    QTest.keyClicks(spin, "25")
    assert desk.documents.class_id == chosen
    QTest.keyClick(spin, Key.Key_Return)
    assert _nothing_is_done(desk)
    assert desk.session.tools.radius == 25.0


def test_return_in_the_brush_size_gives_the_keys_back_to_the_canvas(
    window: MainWindow, qtbot: QtBot, desk: Desk
) -> None:
    desk.session.tools.choose("eraser")
    spin = _focus(window, "brushSize")
    QTest.keyClick(spin, Key.Key_Return)
    qtbot.waitUntil(window.canvas.hasFocus)
    _press(window, Key.Key_B)
    assert desk.session.tools.tool.name == "brush"


def test_letters_typed_into_a_class_name_are_a_name(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    window.arrangement.classes.rename("membrane")
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    editor.selectAll()
    tool, chosen = desk.session.tools.tool, desk.documents.class_id
    QTest.keyClicks(editor, "beap 12")
    QTest.keyClick(editor, Key.Key_Return)
    desk.wait(lambda: desk.documents.classes.named("beap 12"))
    assert desk.documents.classes.named("membrane") is None
    assert (desk.session.tools.tool, desk.documents.class_id, desk.said) == (tool, chosen, [])
    assert desk.engine.asked == []


def test_escape_leaves_a_class_name_as_it_was(window: MainWindow, desk: Desk) -> None:
    before = desk.edits
    window.arrangement.classes.rename("membrane")
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    QTest.keyClicks(editor, "x")
    QTest.keyClick(editor, Key.Key_Escape)
    assert desk.edits == before
    assert desk.documents.classes.named("membrane") is not None


def test_letters_typed_into_the_export_folder_are_a_path(window: MainWindow, desk: Desk) -> None:
    _press(window, Key.Key_E, CTRL)
    tool, chosen = desk.session.tools.tool, desk.documents.class_id
    folder = _focus(window, "exportFolder")
    assert isinstance(folder, QLineEdit)
    folder.clear()
    QTest.keyClicks(folder, "/tmp/bep1")
    assert folder.text() == "/tmp/bep1"
    assert (desk.session.tools.tool, desk.documents.class_id, desk.said) == (tool, chosen, [])
    assert desk.engine.asked == []


def test_return_in_the_export_folder_exports_and_does_not_mark_done(window: MainWindow, desk: Desk) -> None:
    exported = _exported(desk)
    _press(window, Key.Key_E, CTRL)
    QTest.keyClick(_focus(window, "exportFolder"), Key.Key_Return)
    desk.wait(lambda: exported)
    assert _nothing_is_done(desk)


@pytest.mark.parametrize("key", [Key.Key_Return, Key.Key_Enter])
def test_return_after_the_export_key_exports_and_a_second_one_does_nothing(
    window: MainWindow, desk: Desk, key: Qt.Key
) -> None:
    exported = _exported(desk)
    _press(window, Key.Key_E, CTRL)
    assert window.export_panel.start.hasFocus()
    _press(window, key)
    assert len(desk.session.jobs.of(JobKind.EXPORT)) == 1
    _press(window, key)
    assert len(desk.session.jobs.of(JobKind.EXPORT)) == 1
    desk.wait(lambda: not desk.session.jobs.states)
    assert len(exported) == 1
    assert _nothing_is_done(desk)


def test_return_on_a_choice_of_the_export_panel_exports_and_on_another_button_presses_that(
    window: MainWindow, desk: Desk
) -> None:
    exported = _exported(desk)
    _press(window, Key.Key_E, CTRL)
    _focus(window, "exportClose")
    _press(window, Key.Key_Return)
    assert not window.export_panel.isVisible()
    assert not desk.session.jobs.of(JobKind.EXPORT)
    assert window.canvas.hasFocus()
    _press(window, Key.Key_E, CTRL)
    _focus(window, "exportFormat")
    _press(window, Key.Key_Return)
    desk.wait(lambda: exported)
    assert _nothing_is_done(desk)


def test_the_pointer_does_not_take_the_focus_from_the_export_panel(window: MainWindow, desk: Desk) -> None:
    desk.shows(3)
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
    desk.wait(lambda: _asked_done(desk))


def test_return_on_the_page_of_a_new_project_makes_it_and_in_the_classes_is_a_new_line(
    window: MainWindow, desk: Desk, tmp_path: Path
) -> None:
    before = desk.opened
    write_image(tmp_path / "a.png", soft_blobs(40, 30))
    window.pages.show_new_project(str(tmp_path / "a.png"))
    classes = window.findChild(QPlainTextEdit, "newClasses")
    assert classes is not None
    assert classes.hasFocus()
    QTest.keyClicks(classes, "cell")
    _press(window, Key.Key_Return)
    assert classes.toPlainText() == "cell\n"
    assert not desk.session.jobs.of(JobKind.NEW)
    _press(window, Key.Key_Return, CTRL)
    desk.wait(lambda: desk.opened is not before)
    desk.shown()
    made = desk.opened
    window.pages.show_new_project(str(tmp_path / "a.png"))
    place = _focus(window, "newPlace")
    assert isinstance(place, QLineEdit)
    place.setText(str(tmp_path / "another"))
    _press(window, Key.Key_Return)
    desk.wait(lambda: desk.opened is not made)
    assert desk.opened.path == tmp_path / "another.segstudio"
    assert [item.status for item in desk.navigation.items] == ["new"]


def test_escape_asks_the_session_first_and_then_closes_what_is_open(window: MainWindow, desk: Desk) -> None:
    window.message_strip.say(JobKind.EXPORT, "The disk is full.")
    window.bars.action("export").trigger()
    QTest.mousePress(window.canvas, Qt.MouseButton.LeftButton, pos=window.canvas.rect().center())
    assert desk.documents.gesture_active
    for shown in ((True, True), (False, True), (False, False)):
        window.canvas.setFocus()
        _press(window, Key.Key_Escape)
        assert not desk.documents.gesture_active
        assert (window.export_panel.isVisible(), window.message_strip.isVisible()) == shown


def test_save_reassures(window: MainWindow) -> None:
    _press(window, Key.Key_S, CTRL)
    assert "saved" in window.status_bar.said_label.text()


def test_save_sees_to_it_and_says_since_when_or_why_not(window: MainWindow, desk: Desk, disk: Disk) -> None:
    desk.paint(Rect(100, 100, 5, 5), 2)
    desk.settle()
    _press(window, Key.Key_S, CTRL)
    time = desk.documents.save_state().time
    assert window.status_bar.said_label.text() == f"Everything is saved automatically, last at {time}"
    assert window.status_bar.said_label.text() in window.status_bar.currentMessage()
    disk.goes.clear()
    desk.paint(Rect(110, 100, 5, 5), 2)
    _press(window, Key.Key_S, CTRL)
    assert window.status_bar.said_label.text() == "still being saved"
    disk.full = True
    disk.goes.set()
    desk.wait(window.message_strip.isVisible)
    _press(window, Key.Key_S, CTRL)
    assert window.status_bar.said_label.text().startswith("not saved: ")
    assert FULL in window.status_bar.said_label.text()
    disk.mend()
    _press(window, Key.Key_S, CTRL)
    desk.settle()
    assert not window.message_strip.isVisible()


def test_a_window_with_edits_to_save_says_so_stays_if_told_to_and_closes_by_itself(
    qtbot: QtBot, own_window: MainWindow, own_desk: Desk, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, desk = own_window, own_desk
    monkeypatch.setattr("segstudio.ui.window.closing._AT_ONCE_S", 0.05)
    strip = window.closing_strip
    disk.goes.clear()
    for x in (100, 110):
        desk.paint(Rect(x, 100, 5, 5), 2)
    window.close()
    assert window.isVisible()
    assert strip.isVisible()
    assert strip.text.text() == "Saving 2 edits … The window closes when this is done."
    QTest.mouseClick(strip.stay_button, Qt.MouseButton.LeftButton)
    disk.goes.set()
    desk.settle()
    qtbot.wait(200)
    assert window.isVisible()
    assert not strip.isVisible()
    disk.goes.clear()
    desk.paint(Rect(120, 100, 5, 5), 2)
    window.close()
    assert window.isVisible()
    disk.goes.set()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert desk.session.project is None


def test_a_window_with_edits_to_save_can_be_closed_at_once(
    own_window: MainWindow, own_desk: Desk, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, desk = own_window, own_desk
    monkeypatch.setattr("segstudio.ui.window.closing._AT_ONCE_S", 0.05)
    path = desk.opened.path
    disk.goes.clear()
    desk.paint(Rect(100, 100, 5, 5), 2)
    window.close()
    began = monotonic()
    QTest.mouseClick(window.closing_strip.now_button, Qt.MouseButton.LeftButton)
    assert not window.isVisible()
    assert monotonic() - began < 10
    disk.mend()
    desk.wait(lambda: not is_held(path))
    with Project.open(path) as project:  # what waited is saved by the next opening, or by the thread that ended late
        labels = project.document(project.images()[0].id).class_ids(0, Rect(100, 100, 5, 5))
    assert (labels == 2).all()


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
    scene = window.canvas._scene.labels
    shown: list[tuple[bool, bool]] = []
    for key, held in (*[(Key.Key_S, SHIFT)] * 2, *[(Key.Key_O, PLAIN)] * 3):
        _press(window, key, held)
        shown.append((scene.show_labels, scene.outlines))
    assert shown == [(False, False), (True, False), (True, True), (True, True), (True, False)]


@pytest.mark.parametrize("way", ["thumbnail", "class", "bottom", "side", "stop", "add", "tool"])
def test_whatever_was_clicked_space_moves_the_image_and_presses_nothing(
    window: MainWindow, qtbot: QtBot, desk: Desk, way: str
) -> None:
    window.canvas.setFocus()
    if way == "thumbnail":
        view = window.arrangement.images.view
        rect = view.visualRect(window.arrangement.images.model.index(2, 0))
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
        QTest.mouseClick(window.arrangement.training.head.versions, Qt.MouseButton.LeftButton)
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
    assert window.findChildren(QFileDialog) == []


def test_no_click_gives_a_button_of_a_bar_the_keyboard_and_tab_reaches_one_of_each_bar(window: MainWindow) -> None:
    QTest.keyClick(window.canvas, Key.Key_Tab)  # what can be pressed is looked at then
    for bar in (window.bars.main_bar, window.bars.tool_bar):
        policies = [button.focusPolicy() for button in bar.findChildren(QToolButton)]
        assert policies.count(Qt.FocusPolicy.TabFocus) == 1
        assert policies.count(Qt.FocusPolicy.NoFocus) == len(policies) - 1


def test_return_in_a_class_name_gives_the_keys_back_to_the_canvas(window: MainWindow, qtbot: QtBot) -> None:
    window.arrangement.classes.rename("membrane")
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    QTest.keyClicks(editor, "wall")
    QTest.keyClick(editor, Key.Key_Return)
    qtbot.waitUntil(window.canvas.hasFocus)


@pytest.mark.parametrize("page", ["new", "help"])
def test_single_keys_do_nothing_while_a_page_covers_the_image(window: MainWindow, desk: Desk, page: str) -> None:
    if page == "new":
        window.pages.show_new_project("")
        window.findChild(QWidget, "newProjectPage").setFocus()
    else:
        window.pages.show_help("keys")
    kept, edits, opened = desk.session.preferences, desk.edits, desk.opened
    stands = (desk.session.tools.tool, desk.session.tools.radius, desk.documents.class_id, desk.navigation.index)
    checked = {row.name: window.bars.action(row.name).isChecked() for row in ACTIONS if row.checkable}
    for row in ACTIONS:
        for keys in row.keys:
            sequence = QKeySequence(keys)[0]
            if sequence.keyboardModifiers() & CTRL or row.name in ("cancel", "keys"):
                continue
            _press(window, sequence.key(), sequence.keyboardModifiers())
            if not window.pages.covered:  # Return presses the page's own button
                window.pages.show_help("keys")
    desk.opened.finishing.settle()
    now = (desk.session.tools.tool, desk.session.tools.radius, desk.documents.class_id, desk.navigation.index)
    assert now == stands
    assert (desk.edits, desk.opened, desk.engine.asked, desk.session.jobs.states) == (edits, opened, [], ())
    assert desk.said == []
    assert desk.session.preferences == kept
    assert {row.name: window.bars.action(row.name).isChecked() for row in ACTIONS if row.checkable} == checked


def _nothing_is_done(desk: Desk) -> bool:
    """Whether Done was not asked for on the first image: it says something in any case, and shows another."""
    desk.opened.finishing.settle()
    return desk.navigation.index == 0 and not any(said.startswith("Done") for said in desk.said)


def _exported(desk: Desk) -> list[object]:
    """The exports that end from now on."""
    ended: list[object] = []
    desk.opened.exports.finished.connect(ended.append)
    return ended

"""The window as a whole: pages, title, strips, status bar, files dropped and opened, opening and closing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSlider,
    QToolBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from segstudio.app.values import EngineState, JobKind, SaveState
from segstudio.errors import NotAProject
from segstudio.labels.model import ClassId, ImageId
from segstudio.labels.proposal import Proposal, ProposalRow
from segstudio.ui.dialogs.new_project_page import class_names
from segstudio.ui.panels.controls import ElidedLabel
from segstudio.ui.window.main_window import MainWindow
from segstudio.ui.window.status_bar import zoom_text
from tests.ui.fake_session import FakeSession, class_table, image_items

Called = Callable[[str], list[tuple]]
_SOLID = (QAbstractButton, QAbstractSpinBox, QComboBox, QLabel, QSlider)
"""What is of no use where a part of it is cut off."""


def _click(widget: QWidget | None) -> None:
    assert widget is not None
    assert widget.isVisible()
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


# --- pages -----------------------------------------------------------------------------------------------------------


def test_an_empty_window_shows_the_start_page_and_no_empty_panels(empty_window: MainWindow) -> None:
    assert empty_window.start_page.isVisible()
    assert not empty_window.arrangement.side.isVisible()
    assert not empty_window.arrangement.bottom.isVisible()
    assert empty_window.windowTitle() == "SegStudio"


def test_a_project_shows_canvas_and_panels_and_names_the_image(window: MainWindow) -> None:
    assert window.canvas.isVisible()
    assert window.arrangement.classes.isVisible()
    assert window.arrangement.training.isVisible()
    assert window.windowTitle() == "plate_0000.png – plates – SegStudio"


def test_the_panels_can_be_hidden_and_come_back_with_their_action(window: MainWindow) -> None:
    window.bars.action("show-bottom").trigger()
    assert not window.arrangement.bottom.isVisible()
    window.bars.action("show-bottom").trigger()
    assert window.arrangement.bottom.isVisible()


def test_everything_fits_on_a_small_laptop(window: MainWindow) -> None:
    assert window.minimumSizeHint().width() <= 1280
    assert window.minimumSizeHint().height() <= 720
    window.resize(1280, 720)
    for name in ("canvas", "classPanel", "imageList", "trainingPanel", "trainingState", "versionsButton", "brushSize"):
        widget = window.findChild(QWidget, name)
        assert widget is not None
        assert window.rect().contains(widget.mapTo(window, widget.rect().bottomRight()))
        assert not widget.visibleRegion().isEmpty()


@pytest.mark.parametrize("size", [(1280, 720), (800, 600), (800, 470)])
@pytest.mark.parametrize("state", ["plain", "training", "export"])
def test_in_a_small_window_nothing_is_cut_off(
    window: MainWindow, session: FakeSession, qtbot: QtBot, size: tuple[int, int], state: str
) -> None:
    if state == "training":
        session.fine_tune()
    elif state == "export":
        window.export_panel.toggle()
    window.resize(*size)
    qtbot.wait(30)
    assert (window.width(), window.height()) == size, "the window is not larger than was asked for"
    assert window.canvas.height() > 100
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or widget.window() is not window or not isinstance(widget, _SOLID):
            continue
        parent = widget.parentWidget()
        whole = widget.rect().translated(widget.mapTo(window, QPoint(0, 0)))
        if isinstance(parent, QToolBar) or isinstance(widget, ElidedLabel):
            continue  # a bar folds what has no room into its own menu
        assert window.rect().contains(whole), widget.objectName()
        assert widget.width() >= min(widget.minimumSizeHint().width(), widget.maximumWidth()), widget.objectName()
        assert widget.visibleRegion().boundingRect() == widget.rect(), widget.objectName()


def test_names_long_enough_for_a_novel_do_not_widen_the_window(window: MainWindow, session: FakeSession) -> None:
    before = window.minimumSizeHint().width()
    session.load(image_items(2, ["x" * 300 + ".png"]), class_table(["y" * 300] + [f"class {n}" for n in range(59)]))
    session.notices.say("z" * 500)
    session.engine_state = EngineState("ready", "CPU", "")
    session.engineStateChanged.emit(session.engine_state)
    assert window.minimumSizeHint().width() <= max(before, 1280)


def test_what_was_said_about_another_project_goes_with_it(window: MainWindow, session: FakeSession) -> None:
    session.notices.say("There is already a class 'class 01'.")
    session.load(image_items(2), class_table(["a"]))
    assert window.status_bar.said_label.text() == ""


# --- opening ---------------------------------------------------------------------------------------------------------


def test_a_project_is_opened_and_what_cannot_be_is_said_in_a_sentence(
    empty_window: MainWindow, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_window.opening.open_path(Path("a.segstudio"))
    assert session.calls == [("open_project", Path("a.segstudio"))]

    def refuse(path: Path) -> None:
        raise NotAProject(f"{path} is no SegStudio project.")

    monkeypatch.setattr(session, "open", refuse)
    empty_window.opening.open_path(Path("b.segstudio"))
    assert empty_window.message_strip.isVisible()
    assert empty_window.message_strip.text.text() == "b.segstudio is no SegStudio project."


def test_a_recent_project_is_one_click_away(
    qtbot: QtBot, empty_window: MainWindow, session: FakeSession, tmp_path: Path
) -> None:
    recent = tmp_path / "cells.segstudio"
    recent.mkdir()
    gone = tmp_path / "gone.segstudio"
    session.preferences = type(session.preferences)(recent_projects=[str(gone), str(recent)])
    empty_window.start_page.refresh()
    qtbot.waitUntil(lambda: empty_window.findChild(QPushButton, "recentProject1") is not None)
    assert empty_window.findChild(QPushButton, "recentProject2") is None
    button = empty_window.findChild(QPushButton, "recentProject1")
    qtbot.waitUntil(button.isVisible)
    _click(button)
    assert session.calls == [("open_project", recent)]


def test_the_sample_is_one_click_away_and_a_full_disk_is_said(
    empty_window: MainWindow, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = [Path("/somewhere/sample.segstudio")]

    def copy() -> Path:
        if not copies:
            raise OSError(28, "No space left on device")
        return copies.pop()

    monkeypatch.setattr("segstudio.app.sample_project.demo_project", copy)
    button = empty_window.findChild(QPushButton, "trySampleButton")
    _click(button)
    assert session.calls == [("open_project", Path("/somewhere/sample.segstudio"))]
    _click(button)
    assert "No space left on device" in empty_window.message_strip.text.text()


def test_an_opened_project_is_remembered(window: MainWindow, session: FakeSession) -> None:
    assert session.preferences.recent_projects == ["/somewhere/plates.segstudio"]
    assert session.preferences.last_folder == "/somewhere"


def test_dropped_images_become_a_new_project(
    qtbot: QtBot, empty_window: MainWindow, session: FakeSession, tmp_path: Path
) -> None:
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    for file in files:
        file.touch()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    action, buttons, held = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    empty_window.dropEvent(QDropEvent(QPointF(50, 50), action, data, buttons, held))
    page = empty_window.pages.currentWidget()
    assert page is not None
    assert page.objectName() == "newProjectPage"
    classes = empty_window.findChild(QPlainTextEdit, "newClasses")
    assert classes is not None
    classes.setPlainText("nucleus\n\n membrane ")
    _click(empty_window.findChild(QPushButton, "newMake"))
    ((_, place, images, names),) = session.calls
    assert place.suffix == ".segstudio"
    assert images == [str(file) for file in files]
    assert names == ["nucleus", "membrane"]


def test_a_project_in_the_making_is_not_made_twice_and_its_failure_is_said_on_the_page(
    empty_window: MainWindow, session: FakeSession, tmp_path: Path
) -> None:
    empty_window.pages.show_new_project(str(tmp_path))
    make, problem = empty_window.findChild(QPushButton, "newMake"), empty_window.findChild(QLabel, "newProblem")
    assert make is not None
    assert problem is not None
    session.job("new", True, text="Looked at 3 of 9 files", fraction=0.33)
    assert not make.isEnabled()
    session.job("new", False)
    session.notices.fail(JobKind("new"), "No image was found.")
    assert make.isEnabled()
    assert problem.text() == "No image was found."
    assert not empty_window.message_strip.isVisible()


def test_a_class_of_separate_objects_can_be_asked_for_on_the_page_of_a_new_project(
    empty_window: MainWindow, called: Called, tmp_path: Path
) -> None:
    empty_window.pages.show_new_project(str(tmp_path))
    classes = empty_window.findChild(QPlainTextEdit, "newClasses")
    assert classes is not None
    QTest.keyClicks(classes, "nucleus\rtissue\rglare")
    for number, steps in ((1, 1), (3, 2)):
        choice = empty_window.findChild(QComboBox, f"newClassKind{number}")
        assert choice is not None
        choice.setFocus()
        for _ in range(steps):
            QTest.keyClick(choice, Qt.Key.Key_Down)
    # A name that is changed, and names that move, keep what was chosen for them.
    classes.setFocus()
    classes.moveCursor(QTextCursor.MoveOperation.End)
    QTest.keyClicks(classes, "s")
    classes.moveCursor(QTextCursor.MoveOperation.Start)
    QTest.keyClicks(classes, "cell:#112233:instance\r")
    _click(empty_window.findChild(QWidget, "newMake"))
    assert called("new_project")[0][3] == [
        "cell:#112233:instance",
        "nucleus::instance",
        "tissue",
        "glares::ignore",
    ]


def test_class_names_are_lines_that_are_not_empty() -> None:
    assert class_names("a\n\n  b c \n") == ["a", "b c"]


# --- strips ----------------------------------------------------------------------------------------------------------


def test_a_failure_is_one_sentence_whose_details_fold_out_and_can_be_copied(
    window: MainWindow, session: FakeSession
) -> None:
    strip = window.message_strip
    session.notices.fail(JobKind("train"), "The engine ended.", "line 1\nline 2")
    assert strip.isVisible()
    assert strip.text.text() == "The engine ended."
    assert not strip.details.isVisible()
    _click(strip.details_button)
    assert strip.details.isVisible()
    assert strip.details.toPlainText() == "line 1\nline 2"
    _click(strip.copy_button)
    assert QGuiApplication.clipboard().text() == "The engine ended.\n\nline 1\nline 2"
    _click(strip.close_button)
    assert not strip.isVisible()


def test_a_failure_without_details_offers_none(window: MainWindow, session: FakeSession) -> None:
    session.notices.fail(JobKind("export"), "The disk is full.")
    assert window.message_strip.isVisible()
    assert not window.message_strip.details_button.isVisible()


def test_markup_in_a_file_name_is_shown_as_it_is(window: MainWindow, session: FakeSession) -> None:
    session.notices.fail(JobKind("image"), "<b>x</b>.png cannot be read.")
    assert window.message_strip.text.textFormat() is Qt.TextFormat.PlainText


def test_the_message_of_a_refused_write_goes_when_it_was_written(window: MainWindow, session: FakeSession) -> None:
    session.notices.fail(JobKind("save"), "The disk is full.")
    session.saveStateChanged.emit(SaveState(False, "", "The disk is full."))
    assert window.message_strip.isVisible()
    session.saveStateChanged.emit(SaveState(True, "14:02:11", ""))
    assert not window.message_strip.isVisible()


def test_a_dead_engine_is_said_and_stays_said_once_it_lives_again(window: MainWindow, session: FakeSession) -> None:
    session.engineStateChanged.emit(EngineState("dead", "", "The engine ended."))
    assert window.message_strip.text.text() == "The engine ended."
    session.engineStateChanged.emit(EngineState("ready", "CPU", ""))
    assert window.message_strip.isVisible()
    assert window.message_strip.text.text() == "The engine ended. It was started again."
    session.engineStateChanged.emit(EngineState("ready", "CPU", ""))
    assert window.message_strip.text.text().count("started again") == 1


def test_a_failure_goes_when_the_same_job_succeeds(window: MainWindow, session: FakeSession) -> None:
    session.notices.fail(JobKind("propose"), "The engine ended.")
    session.proposalReady.emit()
    assert not window.message_strip.isVisible()
    session.notices.fail(JobKind("train"), "Too little is labelled.")
    session.proposalReady.emit()
    assert window.message_strip.isVisible()


def test_success_of_one_job_leaves_the_message_of_another(window: MainWindow, session: FakeSession) -> None:
    session.notices.fail(JobKind("export"), "Nothing was written.")
    session.saveStateChanged.emit(SaveState(True, "14:02:11", ""))
    session.engineStateChanged.emit(EngineState("ready", "CPU", ""))
    assert window.message_strip.isVisible()


def test_a_read_only_window_says_so_and_who_writes(window: MainWindow, session: FakeSession) -> None:
    assert not window.read_only_banner.isVisible()
    session.load(image_items(1), class_table(["a"]), why="read-only: open for writing by anna on lab-3 (4121)")
    assert window.read_only_banner.isVisible()
    text = window.read_only_banner.text.text()
    assert text.startswith("Read-only")
    assert "anna on lab-3" in text


# --- status bar ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("class_id", "helped"), [(1, True), (2, False)])
def test_an_empty_guess_says_how_proposals_begin(
    window: MainWindow, session: FakeSession, class_id: int, helped: bool
) -> None:
    rows = {1: ProposalRow(ClassId(class_id), 0.9)}
    session.proposal_on_screen = Proposal(ImageId(1), 0, 1, "embedded", rows, {})  # type: ignore[assignment]
    session.proposal_is_guess = True
    session.proposalReady.emit()
    assert ("right button" in window.status_bar.said_label.text()) is helped


def test_the_status_bar_begins_with_saved_or_not_saved(window: MainWindow, session: FakeSession) -> None:
    bar = window.statusBar()
    assert bar.objectName() == "statusBar"
    session.saveStateChanged.emit(SaveState(True, "14:02:11", ""))
    assert bar.currentMessage().startswith("saved 14:02:11")
    assert window.status_bar.save_label.text() == "saved 14:02:11"
    session.saveStateChanged.emit(SaveState(False, "14:02:11", "the disk is full"))
    assert bar.currentMessage().startswith("not saved: the disk is full")
    assert window.status_bar.save_label.isVisible()


def test_a_long_sentence_about_saving_is_elided_and_does_not_widen_the_window(
    window: MainWindow, session: FakeSession, qtbot: QtBot
) -> None:
    width = window.width()
    why = "the disk is full " * 20
    session.saveStateChanged.emit(SaveState(False, "14:02:11", why))
    qtbot.wait(50)
    assert window.width() == width
    assert window.minimumSizeHint().width() <= width
    assert why.strip() in window.status_bar.save_label.toolTip().replace("\n", " ")


def test_the_status_bar_has_device_zoom_and_cursor_in_labels(
    window: MainWindow, session: FakeSession, qtbot: QtBot
) -> None:
    session.engineStateChanged.emit(EngineState("ready", "CPU", ""))
    window.canvas.set_zoom(1.0)
    window.canvas.hovered.emit(3.7, 4.2)
    assert window.status_bar.device_label.text() == "CPU"
    assert window.status_bar.zoom_label.text() == "1:1"
    value = session.value_at(3, 4)[0]
    assert window.status_bar.cursor_label.text() == f"3, 4 · {value} · unknown"
    assert window.statusBar().currentMessage().endswith(f"CPU · 1:1 · 3, 4 · {value} · unknown")
    window.canvas.left.emit()
    assert window.status_bar.cursor_label.text() == ""


def test_the_class_under_the_cursor_is_true_after_an_edit_without_a_move(
    window: MainWindow, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.canvas.hovered.emit(3.7, 4.2)
    monkeypatch.setattr(session, "value_at", lambda x, y: ("90", "nucleus"))
    session.historyChanged.emit()
    assert window.status_bar.cursor_label.text() == "3, 4 · 90 · nucleus"


def test_another_image_and_another_layout_say_what_lies_under_the_still_cursor(
    window: MainWindow, session: FakeSession, qtbot: QtBot
) -> None:
    QTest.mouseMove(window.canvas, window.canvas.to_widget(300.5, 200.5).toPoint())
    qtbot.waitUntil(lambda: window.status_bar.cursor_label.text() != "")
    before = window.status_bar.cursor_label.text()
    session.images = [item._replace(width=320, height=480) for item in session.images]
    session.open_image(1)
    pointer = window.canvas._pointer
    assert pointer is not None
    x, y = (int(part) for part in window.canvas.to_image(pointer))
    assert window.status_bar.cursor_label.text() == f"{x}, {y} · {session.value_at(x, y)[0]} · unknown"
    assert window.status_bar.cursor_label.text() != before


def test_off_the_image_the_cursor_says_nothing(window: MainWindow) -> None:
    window.canvas.hovered.emit(-1.0, 4.0)
    assert window.status_bar.cursor_label.text() == ""


@pytest.mark.parametrize(
    ("scale", "text"), [(1, "1:1"), (4, "4:1"), (0.25, "1:4"), (1.5, "150 %"), (0.333, "33 %"), (0.0123, "1.2 %")]
)
def test_zoom_reads_as_people_say_it(scale: float, text: str) -> None:
    assert zoom_text(scale) == text


def test_a_job_shows_progress_time_left_and_cancel_in_place(
    window: MainWindow, session: FakeSession, called: Called
) -> None:
    bar = window.status_bar
    assert not bar.job_progress.isVisible()
    session.job("export", True, text="Exporting 3 of 12", fraction=0.25, seconds_left=65.0)
    assert bar.job_label.text() == "Exporting 3 of 12 · 1:05 min left"
    assert bar.job_progress.value() == 250
    _click(bar.job_cancel)
    assert called("cancel_job") == [("cancel_job", "export")]
    session.job("export", False)
    assert not bar.job_progress.isVisible()


def test_a_job_that_cannot_be_cancelled_has_no_button_for_it(window: MainWindow, session: FakeSession) -> None:
    session.job("propose", True, text="Proposing", cancellable=False)
    assert window.status_bar.job_progress.isVisible()
    assert window.status_bar.job_progress.maximum() == 0
    assert not window.status_bar.job_cancel.isVisible()


def test_of_two_jobs_the_other_comes_back_when_the_newer_ends(window: MainWindow, session: FakeSession) -> None:
    session.job("export", True, text="Exporting")
    session.job("propose", True, text="Proposing")
    assert window.status_bar.job_label.text() == "Proposing"
    session.job("propose", False)
    assert window.status_bar.job_label.text() == "Exporting"


# --- export ----------------------------------------------------------------------------------------------------------


def test_export_is_asked_for_in_place_and_says_when_files_were_read_back(
    window: MainWindow, session: FakeSession, called: Called, tmp_path: Path
) -> None:
    panel = window.export_panel
    _click(window.findChild(QWidget, "exportButton"))
    assert [panel.format.itemData(row) for row in range(panel.format.count())] == ["png", "coco"]
    assert panel.isVisible()
    panel.format.setCurrentIndex(1)
    panel.folder.setText(str(tmp_path / "out"))
    _click(panel.start)
    assert called("export") == [("export", "coco", tmp_path / "out", "labels")]
    assert not panel.start.isEnabled()
    session.job("export", True, text="Exporting 1 of 2", fraction=0.5)
    assert panel.state.text() == "Exporting 1 of 2"
    session.job("export", False)
    report = {"format": "coco", "out": str(tmp_path / "out"), "images": 2, "files": ["coco.json"]}
    session.exportFinished.emit(report)
    assert panel.state.text() == "Done: 1 file of 2 images, read back and equal"
    assert panel.show_folder.isVisible()
    assert panel.start.isEnabled()


def test_the_export_panel_counts_images_as_the_window_does_and_says_which_were_left_out(
    window: MainWindow, session: FakeSession, tmp_path: Path
) -> None:
    left_out = [{"path": "e.png", "reason": "no known pixel"}]
    report = {"format": "png", "out": str(tmp_path), "images": 4, "files": list("abcd"), "left_out": left_out}
    session.exportFinished.emit(report)
    words = "Done: 4 files of 4 images, read back and equal. 4 of 5 images; left out: 1 (no known pixel)"
    assert window.export_panel.state.text() == words


def test_an_export_that_failed_says_so_in_the_panel_and_can_be_tried_again(
    window: MainWindow, session: FakeSession, tmp_path: Path
) -> None:
    panel = window.export_panel
    panel.toggle()
    panel.folder.setText(str(tmp_path))
    _click(panel.start)
    session.job("export", False)
    session.notices.fail(JobKind("export"), "The disk is full.")
    assert panel.problem.text() == "The disk is full."
    assert panel.problem.isVisible()
    assert not window.message_strip.isVisible()  # it is said once
    assert panel.start.isEnabled()
    assert not panel.show_folder.isVisible()


def test_an_export_that_failed_while_the_panel_is_hidden_is_said_above_the_image(
    window: MainWindow, session: FakeSession
) -> None:
    session.notices.fail(JobKind("export"), "The disk is full.")
    assert window.message_strip.isVisible()
    assert window.message_strip.text.text() == "The disk is full."


def test_the_end_of_one_export_hides_neither_the_progress_nor_the_cancel_of_another(
    window: MainWindow, session: FakeSession, called: Called
) -> None:
    window.export_panel.toggle()
    ended: list[str] = []
    one, other = (session.jobs.show(JobKind.EXPORT, words, None, lambda words=words: ended.append(words))
                  for words in ("Exporting 1 of 9", "Exporting 2 of 5"))  # fmt: skip
    assert window.status_bar.job_label.text() == "Exporting 2 of 5"
    session.jobs.end(other)
    assert window.status_bar.job_label.text() == "Exporting 1 of 9"
    assert not window.export_panel.start.isEnabled()
    _click(window.status_bar.job_cancel)
    assert ended == ["Exporting 1 of 9"]
    session.jobs.end(one)
    assert window.export_panel.start.isEnabled()
    assert window.status_bar.job_label.text() == ""


def test_without_a_folder_there_is_nothing_to_start(window: MainWindow) -> None:
    window.export_panel.toggle()
    window.export_panel.folder.setText("  ")
    assert not window.export_panel.start.isEnabled()


# --- the end ---------------------------------------------------------------------------------------------------------


def test_closing_asks_nothing_closes_the_session_and_remembers_how_the_window_stood(
    window: MainWindow, session: FakeSession
) -> None:
    session.set_brush_radius(33.0)
    window.close()
    assert ("close",) in session.calls
    assert not window.isVisible()
    assert session.preferences.brush_radius == 33.0
    assert session.preferences.window_geometry
    assert len(session.preferences.panel_state.split()) == 4

"""The window as a whole: pages, title, strips, status bar, files dropped and opened, opening and closing."""

import os
import re
import sqlite3
from dataclasses import replace
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
    QScrollArea,
    QSlider,
    QToolBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from segstudio.app.preferences import load_preferences
from segstudio.app.values import JobKind
from segstudio.geometry import Rect
from segstudio.labels.model import Kind
from segstudio.store.database.disk_errors import _SENTENCES
from segstudio.store.database.lock import is_held
from segstudio.ui.dialogs.new_project_page import class_names
from segstudio.ui.panels.controls import ElidedLabel
from segstudio.ui.window.main_window import MainWindow
from segstudio.ui.window.status_bar import zoom_text
from tests.failing_disk import FULL, Disk
from tests.refusing_files import refused_from
from tests.ui.desk import Desk
from tests.ui.small_projects import plates, soft_blobs, write_image

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
@pytest.mark.parametrize("state", ["plain", "training", "export", "held out"])
def test_in_a_small_window_nothing_is_cut_off(
    window: MainWindow, desk: Desk, qtbot: QtBot, size: tuple[int, int], state: str
) -> None:
    if state == "training":
        desk.trains()
    elif state == "export":
        window.export_panel.toggle()
    elif state == "held out":
        desk.shows(1)
        assert window.held_out_banner.isVisible()
    window.resize(*size)
    qtbot.wait(30)
    window.resize(*size)  # a window that was high has folded its curves only now
    qtbot.wait(10)
    assert (window.width(), window.height()) == size, "the window is not larger than was asked for"
    assert window.canvas.height() > 100
    fields = window.findChild(QScrollArea, "toolFields")
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or widget.window() is not window or not isinstance(widget, _SOLID):
            continue
        parent = widget.parentWidget()
        whole = widget.rect().translated(widget.mapTo(window, QPoint(0, 0)))
        if isinstance(parent, QToolBar) or isinstance(widget, ElidedLabel):
            continue  # a bar folds what has no room into its own menu
        if fields.isAncestorOf(widget):
            continue  # these scroll
        assert window.rect().contains(whole), widget.objectName()
        assert widget.width() >= min(widget.minimumSizeHint().width(), widget.maximumWidth()), widget.objectName()
        assert widget.visibleRegion().boundingRect() == widget.rect(), widget.objectName()


def test_names_long_enough_for_a_novel_do_not_widen_the_window(window: MainWindow, desk: Desk) -> None:
    before = window.minimumSizeHint().width()
    desk.load(["x" * 240 + ".png", "y.png"], ["y" * 300] + [f"class {n}" for n in range(59)])
    desk.session.notices.say("z" * 500)
    desk.engine.says("ready", "CPU")
    desk.wait(lambda: window.status_bar.device_label.text() == "CPU")
    assert window.minimumSizeHint().width() <= max(before, 1280)


def test_what_was_said_about_another_project_goes_with_it(window: MainWindow, desk: Desk) -> None:
    desk.session.notices.say("There is already a class 'class 01'.")
    desk.load(plates(2), ["a"])
    assert "already a class" not in window.status_bar.said_label.text()


# --- opening ---------------------------------------------------------------------------------------------------------


def test_a_project_is_opened_and_what_cannot_be_is_said_in_a_sentence(
    empty_window: MainWindow, desk: Desk, tmp_path: Path
) -> None:
    path = desk.projects.copy(tmp_path)
    empty_window.opening.open_path(path)
    desk.wait(lambda: desk.session.project is not None)
    assert desk.opened.path == path
    empty_window.opening.open_path(tmp_path / "b.segstudio")
    desk.wait(empty_window.message_strip.isVisible)
    assert empty_window.message_strip.text.text() == "'b.segstudio' is not a SegStudio project."
    assert desk.opened.path == path


def test_a_recent_project_is_one_click_away(qtbot: QtBot, empty_window: MainWindow, desk: Desk, tmp_path: Path) -> None:
    recent = desk.projects.copy(tmp_path)
    gone = tmp_path / "gone.segstudio"
    desk.session.preferences = replace(desk.session.preferences, recent_projects=[str(gone), str(recent)])
    empty_window.start_page.refresh()
    qtbot.waitUntil(lambda: empty_window.findChild(QPushButton, "recentProject1") is not None)
    assert empty_window.findChild(QPushButton, "recentProject2") is None
    button = empty_window.findChild(QPushButton, "recentProject1")
    qtbot.waitUntil(button.isVisible)
    _click(button)
    desk.wait(lambda: desk.session.project is not None)
    assert desk.opened.path == recent


def test_the_sample_is_one_click_away_and_a_full_disk_is_said(empty_window: MainWindow, desk: Desk) -> None:
    button = empty_window.findChild(QPushButton, "trySampleButton")
    with refused_from(0):
        _click(button)
    assert "No space left on device" in empty_window.message_strip.text.text()
    assert desk.session.project is None
    _click(button)
    desk.wait(lambda: desk.session.project is not None)
    desk.shown()
    assert len(desk.navigation.items) > 1


def test_an_opened_project_is_remembered(window: MainWindow, desk: Desk) -> None:
    assert desk.session.preferences.recent_projects == [str(desk.opened.path)]
    assert desk.session.preferences.last_folder == str(desk.opened.path.parent)


def test_dropped_images_become_a_new_project(
    qtbot: QtBot, empty_window: MainWindow, desk: Desk, tmp_path: Path
) -> None:
    folder = tmp_path / "dropped"
    folder.mkdir()
    files = [folder / "a.png", folder / "b.png"]
    for file in files:
        write_image(file, soft_blobs(40, 30))
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
    desk.wait(lambda: desk.session.project is not None)
    assert desk.opened.path.suffix == ".segstudio"
    assert [row.file for row in desk.navigation.rows] == files
    assert [c.name for c in desk.documents.classes] == ["background", "nucleus", "membrane"]
    assert empty_window.pages.currentWidget() is empty_window.canvas


def test_a_project_in_the_making_is_not_made_twice_and_its_failure_is_said_on_the_page(
    empty_window: MainWindow, desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "nothing").mkdir()
    empty_window.pages.show_new_project(str(tmp_path / "nothing"))
    make, problem = empty_window.findChild(QPushButton, "newMake"), empty_window.findChild(QLabel, "newProblem")
    assert make is not None
    assert problem is not None
    _click(make)
    assert len(desk.session.jobs.of(JobKind.NEW)) == 1
    assert not make.isEnabled()
    desk.wait(make.isEnabled)
    assert problem.text().startswith("No image was found.")
    assert not empty_window.message_strip.isVisible()
    assert desk.session.project is None


def test_a_class_of_separate_objects_can_be_asked_for_on_the_page_of_a_new_project(
    empty_window: MainWindow, desk: Desk, tmp_path: Path
) -> None:
    write_image(tmp_path / "a.png", soft_blobs(40, 30))
    empty_window.pages.show_new_project(str(tmp_path / "a.png"))
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
    desk.wait(lambda: desk.session.project is not None)
    made = {c.name: (c.kind, c.color) for c in desk.documents.classes if c.kind is not Kind.BACKGROUND}
    assert made["cell"] == (Kind.INSTANCE, "#112233")
    assert {name: kind for name, (kind, _) in made.items()} == {
        "cell": Kind.INSTANCE,
        "nucleus": Kind.INSTANCE,
        "tissue": Kind.SEMANTIC,
        "glares": Kind.IGNORE,
    }


def test_class_names_are_lines_that_are_not_empty() -> None:
    assert class_names("a\n\n  b c \n") == ["a", "b c"]


# --- strips ----------------------------------------------------------------------------------------------------------


def test_a_failure_is_one_sentence_whose_details_fold_out_and_can_be_copied(window: MainWindow, desk: Desk) -> None:
    strip = window.message_strip
    desk.session.notices.fail(JobKind("train"), "The engine ended.", "line 1\nline 2")
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


def test_a_failure_without_details_offers_none(window: MainWindow, desk: Desk) -> None:
    desk.session.notices.fail(JobKind("export"), "The disk is full.")
    assert window.message_strip.isVisible()
    assert not window.message_strip.details_button.isVisible()


def test_markup_in_a_file_name_is_shown_as_it_is(window: MainWindow, desk: Desk) -> None:
    desk.session.notices.fail(JobKind("image"), "<b>x</b>.png cannot be read.")
    assert window.message_strip.text.textFormat() is Qt.TextFormat.PlainText


def test_the_message_of_a_refused_write_goes_when_it_was_written(window: MainWindow, desk: Desk, disk: Disk) -> None:
    disk.full = True
    desk.paint(Rect(100, 100, 5, 5), 2)
    desk.wait(window.message_strip.isVisible)
    assert window.message_strip.text.text() == FULL
    disk.mend()
    desk.session.projects.save()
    desk.settle()
    assert not window.message_strip.isVisible()


def test_a_dead_engine_is_said_and_stays_said_once_it_lives_again(window: MainWindow, desk: Desk) -> None:
    desk.engine.says("dead", "", "The engine ended.")
    desk.wait(window.message_strip.isVisible)
    assert window.message_strip.text.text() == "The engine ended."
    desk.engine.says("ready", "CPU")
    desk.wait(lambda: "again" in window.message_strip.text.text())
    assert window.message_strip.isVisible()
    assert window.message_strip.text.text() == "The engine ended. It was started again."
    desk.engine.says("starting")
    desk.engine.says("ready", "GPU")
    desk.wait(lambda: window.status_bar.device_label.text() == "GPU")
    assert window.message_strip.text.text().count("started again") == 1


def test_a_failure_goes_when_the_same_job_succeeds(window: MainWindow, desk: Desk) -> None:
    desk.session.propose()
    desk.wait(lambda: desk.engine.predicts)
    desk.engine.refuse("The engine is out of memory.")
    desk.wait(window.message_strip.isVisible)
    desk.proposed(2)
    assert not window.message_strip.isVisible()
    desk.session.notices.fail(JobKind("train"), "Too little is labelled.")
    desk.proposed(2)
    assert window.message_strip.isVisible()


def test_success_of_one_job_leaves_the_message_of_another(window: MainWindow, desk: Desk) -> None:
    desk.session.notices.fail(JobKind("export"), "Nothing was written.")
    desk.paint(Rect(100, 100, 5, 5), 2)
    desk.settle()
    desk.engine.says("ready", "CPU")
    desk.wait(lambda: window.status_bar.device_label.text() == "CPU")
    assert window.message_strip.isVisible()


def test_a_read_only_window_says_so_and_who_writes(window: MainWindow, desk: Desk) -> None:
    assert not window.read_only_banner.isVisible()
    desk.load(plates(2), ["a"], read_only=True)
    assert window.read_only_banner.isVisible()
    text = window.read_only_banner.text.text()
    assert text.startswith("Read-only")
    assert str(os.getpid()) in text


# --- status bar ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("class_id", "helped"), [(1, True), (2, False)])
def test_an_empty_guess_says_how_proposals_begin(window: MainWindow, desk: Desk, class_id: int, helped: bool) -> None:
    desk.proposed(class_id, "embedded")
    assert ("right button" in window.status_bar.said_label.text()) is helped


def test_the_status_bar_begins_with_saved_or_not_saved(window: MainWindow, desk: Desk, disk: Disk) -> None:
    bar = window.statusBar()
    assert bar.objectName() == "statusBar"
    desk.paint(Rect(100, 100, 5, 5), 2)
    desk.settle()
    assert re.match(r"saved \d\d:\d\d:\d\d", bar.currentMessage())
    assert window.status_bar.save_label.text() == f"saved {desk.documents.save_state().time}"
    disk.full = True
    desk.paint(Rect(200, 100, 5, 5), 2)
    desk.wait(window.message_strip.isVisible)
    assert bar.currentMessage().startswith(f"not saved: {desk.documents.save_state().sentence}")
    assert window.status_bar.save_label.isVisible()
    disk.mend()


def test_a_long_sentence_about_saving_is_elided_and_does_not_widen_the_window(
    window: MainWindow, desk: Desk, disk: Disk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    width = window.width()
    why = "the disk is full " * 20
    monkeypatch.setitem(_SENTENCES, sqlite3.SQLITE_FULL, why)
    disk.full = True
    desk.paint(Rect(100, 100, 5, 5), 2)
    desk.wait(window.message_strip.isVisible)
    qtbot.wait(50)
    assert window.width() == width
    assert window.minimumSizeHint().width() <= width
    assert why.strip() in window.status_bar.save_label.toolTip().replace("\n", " ")
    disk.mend()


def test_the_status_bar_has_device_zoom_and_cursor_in_labels(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    desk.engine.says("ready", "CPU")
    desk.wait(lambda: window.status_bar.device_label.text() == "CPU")
    window.canvas.set_zoom(1.0)
    window.canvas.hovered.emit(103.7, 104.2)
    assert window.status_bar.zoom_label.text() == "1:1"
    value = desk.opened.value_at(103, 104)[0]
    said = f"103, 104 · {value} · unknown"
    qtbot.waitUntil(lambda: window.status_bar.cursor_label.text() == said)
    assert window.statusBar().currentMessage().endswith(f"CPU · 1:1 · 103, 104 · {value} · unknown")
    window.canvas.left.emit()
    assert window.status_bar.cursor_label.text() == ""


def test_the_class_under_the_cursor_is_true_after_an_edit_without_a_move(
    window: MainWindow, desk: Desk, qtbot: QtBot
) -> None:
    window.canvas.hovered.emit(103.7, 104.2)
    value = desk.opened.value_at(103, 104)[0]
    said = f"103, 104 · {value} · unknown"
    qtbot.waitUntil(lambda: window.status_bar.cursor_label.text() == said)
    desk.paint(Rect(100, 100, 9, 9), 2)
    qtbot.waitUntil(lambda: window.status_bar.cursor_label.text() == f"103, 104 · {value} · nucleus")


def test_another_image_and_another_layout_say_what_lies_under_the_still_cursor(
    window: MainWindow, desk: Desk, qtbot: QtBot
) -> None:
    desk.show({"a.png": soft_blobs(640, 480), "b.png": soft_blobs(320, 480)})
    QTest.mouseMove(window.canvas, window.canvas.to_widget(300.5, 200.5).toPoint())
    qtbot.waitUntil(lambda: window.status_bar.cursor_label.text() != "")
    before = window.status_bar.cursor_label.text()
    desk.shows(1)
    pointer = window.canvas._pointer
    assert pointer is not None
    x, y = (int(part) for part in window.canvas.to_image(pointer))
    said = f"{x}, {y} · {desk.opened.value_at(x, y)[0]} · unknown"
    qtbot.waitUntil(lambda: window.status_bar.cursor_label.text() == said)
    assert said != before


def test_off_the_image_the_cursor_says_nothing(window: MainWindow, qtbot: QtBot) -> None:
    window.canvas.hovered.emit(-1.0, 4.0)  # said at once, or in a moment where something was said just before
    qtbot.waitUntil(lambda: window.status_bar.cursor_label.text() == "")


@pytest.mark.parametrize(
    ("scale", "text"), [(1, "1:1"), (4, "4:1"), (0.25, "1:4"), (1.5, "150 %"), (0.333, "33 %"), (0.0123, "1.2 %")]
)
def test_zoom_reads_as_people_say_it(scale: float, text: str) -> None:
    assert zoom_text(scale) == text


def test_a_job_shows_progress_time_left_and_cancel_in_place(window: MainWindow, desk: Desk) -> None:
    bar = window.status_bar
    assert not bar.job_progress.isVisible()
    id_, cancelled = desk.job(JobKind.EXPORT, "Exporting 3 of 12", 0.25, 65.0)
    assert bar.job_label.text() == "Exporting 3 of 12 · 1:05 min left"
    assert bar.job_progress.value() == 250
    _click(bar.job_cancel)
    assert cancelled == ["Exporting 3 of 12"]
    desk.session.jobs.end(id_)
    assert not bar.job_progress.isVisible()


def test_a_job_that_cannot_be_cancelled_has_no_button_for_it(window: MainWindow, desk: Desk) -> None:
    desk.session.jobs.show(JobKind.PROPOSE, "Proposing")
    assert window.status_bar.job_progress.isVisible()
    assert window.status_bar.job_progress.maximum() == 0
    assert not window.status_bar.job_cancel.isVisible()


def test_of_two_jobs_the_other_comes_back_when_the_newer_ends(window: MainWindow, desk: Desk) -> None:
    desk.job(JobKind.EXPORT, "Exporting")
    newer, _ = desk.job(JobKind.PROPOSE, "Proposing")
    assert window.status_bar.job_label.text() == "Proposing"
    desk.session.jobs.end(newer)
    assert window.status_bar.job_label.text() == "Exporting"


# --- export ----------------------------------------------------------------------------------------------------------


def test_export_is_asked_for_in_place_and_says_when_files_were_read_back(
    window: MainWindow, desk: Desk, tmp_path: Path
) -> None:
    panel = window.export_panel
    _click(window.findChild(QWidget, "exportButton"))
    formats = [panel.format.itemData(row) for row in range(panel.format.count())]
    assert formats == [name for name, _ in desk.opened.exports.formats]
    assert panel.isVisible()
    panel.format.setCurrentIndex(formats.index("coco"))
    panel.folder.setText(str(tmp_path / "out"))
    texts: list[str] = []
    desk.session.jobs.changed.connect(lambda: texts.append(panel.state.text()))
    _click(panel.start)
    assert not panel.start.isEnabled()
    assert len(desk.session.jobs.of(JobKind.EXPORT)) == 1
    desk.wait(panel.show_folder.isVisible)
    assert "Exporting 3 of 3" in texts
    assert panel.state.text().startswith("Done: 1 file of 3 images, read back and equal")
    assert panel.start.isEnabled()
    assert [file.suffix for file in (tmp_path / "out").iterdir()] == [".json"]


def test_the_export_panel_counts_images_as_the_window_does_and_says_which_were_left_out(
    window: MainWindow, desk: Desk, tmp_path: Path
) -> None:
    desk.shows(2)
    desk.erase(Rect(0, 0, 100, 100))
    desk.settle()
    desk.session.export("png", tmp_path / "out")
    desk.wait(lambda: window.export_panel.state.text().startswith("Done"))
    words = "Done: 2 files of 2 images, read back and equal. 2 of 6 images; left out: 4 (no known pixel)"
    assert window.export_panel.state.text() == words


def test_an_export_that_failed_says_so_in_the_panel_and_can_be_tried_again(
    window: MainWindow, desk: Desk, tmp_path: Path
) -> None:
    panel = window.export_panel
    panel.toggle()
    (tmp_path / "file").write_bytes(b"")
    panel.folder.setText(str(tmp_path / "file"))
    _click(panel.start)
    desk.wait(panel.problem.isVisible)
    assert "file" in panel.problem.text()
    assert not window.message_strip.isVisible()  # it is said once
    assert panel.start.isEnabled()
    assert not panel.show_folder.isVisible()


def test_an_export_that_failed_while_the_panel_is_hidden_is_said_above_the_image(
    window: MainWindow, desk: Desk
) -> None:
    desk.session.notices.fail(JobKind("export"), "The disk is full.")
    assert window.message_strip.isVisible()
    assert window.message_strip.text.text() == "The disk is full."


def test_the_end_of_one_export_hides_neither_the_progress_nor_the_cancel_of_another(
    window: MainWindow, desk: Desk
) -> None:
    window.export_panel.toggle()
    ended: list[str] = []
    one, other = (desk.session.jobs.show(JobKind.EXPORT, words, None, lambda words=words: ended.append(words))
                  for words in ("Exporting 1 of 9", "Exporting 2 of 5"))  # fmt: skip
    assert window.status_bar.job_label.text() == "Exporting 2 of 5"
    desk.session.jobs.end(other)
    assert window.status_bar.job_label.text() == "Exporting 1 of 9"
    assert not window.export_panel.start.isEnabled()
    _click(window.status_bar.job_cancel)
    assert ended == ["Exporting 1 of 9"]
    desk.session.jobs.end(one)
    assert window.export_panel.start.isEnabled()
    assert window.status_bar.job_label.text() == ""


def test_without_a_folder_there_is_nothing_to_start(window: MainWindow) -> None:
    window.export_panel.toggle()
    window.export_panel.folder.setText("  ")
    assert not window.export_panel.start.isEnabled()


# --- the end ---------------------------------------------------------------------------------------------------------


def test_closing_asks_nothing_closes_the_session_and_remembers_how_the_window_stood(
    own_window: MainWindow, own_desk: Desk
) -> None:
    window, desk = own_window, own_desk
    desk.session.set_brush_radius(33.0)
    path = desk.opened.path
    window.close()
    assert desk.session.project is None
    assert not is_held(path)
    assert not window.isVisible()
    kept = load_preferences()
    assert kept == desk.session.preferences
    assert kept.brush_radius == 33.0
    assert kept.window_geometry
    assert kept.panel_state

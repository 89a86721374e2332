"""The window of snapshots, by mouse and keys, over a real session."""

import re
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from segstudio.app.backing_up import Backup
from segstudio.app.values import JobKind, Restored
from segstudio.geometry import Rect
from segstudio.labels.model import Seq
from segstudio.store.history.snapshots import keep_snapshot
from segstudio.store.project import Project
from segstudio.tasks.keeping.compact import compact, planned
from segstudio.ui.dialogs.snapshots import SnapshotsDialog
from segstudio.ui.window.main_window import MainWindow
from tests.failing_disk import FULL, Disk
from tests.store.store_painting import FIRST, paint
from tests.ui.desk import Desk

LEFT = Qt.MouseButton.LeftButton
CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def three(project: Project) -> None:
    """Three snapshots of the first image, two edits apart: the second is a daily one."""
    assert project.writer is not None
    document = project.document(FIRST)
    for n, (name, author) in enumerate((("first", "ann"), ("before 2026-03-03", ""), ("before the meeting", "ann"))):
        project.writer.call(lambda db, name=name, author=author: keep_snapshot(db, name, author)).result()
        for k in range(2):
            paint(project, document, Rect(100 + 20 * n, 100 + 20 * k, 8, 8), 2)
    project.writer.call(
        lambda db: db.execute("UPDATE snapshots SET kind = 'daily' WHERE name LIKE 'before 2026%'")
    ).result()
    project.writer.call(lambda db: db.execute("UPDATE snapshots SET time = '2026-03-04T10:20:30.000Z'")).result()


def present(window: MainWindow, qtbot: QtBot) -> SnapshotsDialog:
    window.bars.action("snapshots").trigger()
    found = window.findChild(SnapshotsDialog, "snapshotsDialog")
    assert found is not None
    qtbot.waitExposed(found)
    return found


@pytest.fixture
def dialog(window: MainWindow, desk: Desk, qtbot: QtBot) -> SnapshotsDialog:
    """The dialog with three snapshots, opened from the menu."""
    desk.open(desk.projects.grown(desk.place(), three))
    return present(window, qtbot)


def names(desk: Desk) -> list[str]:
    """The snapshots of the project, newest first."""
    return [item.name for item in desk.opened.snapshots.items]


def restored(desk: Desk) -> list[Restored]:
    """What is restored from now on."""
    done: list[Restored] = []
    desk.opened.snapshots.restored.connect(done.append)
    return done


def part(dialog: SnapshotsDialog, name: str) -> QWidget:
    found = dialog.findChild(QWidget, name)
    assert found is not None
    return found


def click(dialog: SnapshotsDialog, name: str) -> None:
    QTest.mouseClick(part(dialog, name), LEFT)


def choose(dialog: SnapshotsDialog, row: int) -> None:
    rect = dialog.list.visualItemRect(dialog.list.topLevelItem(row))
    QTest.mouseClick(dialog.list.viewport(), LEFT, pos=QPoint(20, rect.center().y()))


def texts(dialog: SnapshotsDialog) -> list[list[str]]:
    rows = (dialog.list.topLevelItem(n) for n in range(dialog.list.topLevelItemCount()))
    return [[row.text(column) for column in range(4)] for row in rows]


def test_it_stands_beside_the_window_and_waits_for_nobody(dialog: SnapshotsDialog, window: MainWindow) -> None:
    assert dialog.isVisible()
    assert not dialog.isModal()
    assert window.isEnabled()


def test_every_snapshot_is_listed_with_when_how_many_edits_and_who(dialog: SnapshotsDialog) -> None:
    rows = texts(dialog)
    assert [row[0] for row in rows] == ["before the meeting", "before 2026-03-03", "first"]
    assert [row[2] for row in rows] == ["2", "4", "6"]
    assert [row[3] for row in rows] == ["ann", "automatic", "ann"]
    assert all(row[1].startswith("2026-03-0") for row in rows)


def test_ctrl_shift_s_asks_for_a_name_and_return_keeps(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    QTest.keyClick(window, Qt.Key.Key_S, CTRL_SHIFT)
    dialog = window.findChild(SnapshotsDialog)
    assert dialog is not None
    qtbot.waitExposed(dialog)
    name = part(dialog, "snapshotName")
    qtbot.waitUntil(name.hasFocus)
    chosen, tool = desk.documents.class_id, desk.session.tools.tool
    QTest.keyClicks(name, "before 1 and n")
    QTest.keyClick(name, Qt.Key.Key_Return)
    desk.wait(lambda: names(desk) == ["before 1 and n"])
    assert (desk.documents.class_id, desk.session.tools.tool, desk.navigation.index) == (chosen, tool, 0)
    assert not dialog.isVisible()
    QTest.keyClick(window, Qt.Key.Key_S, CTRL_SHIFT)
    click(dialog, "snapshotKeep")
    desk.wait(lambda: len(names(desk)) == 2)
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d", names(desk)[0])


def test_keeping_one_and_looking_at_those_that_are_kept_are_two_things(
    window: MainWindow, dialog: SnapshotsDialog
) -> None:
    assert dialog.windowTitle() == "Snapshots"
    assert part(dialog, "snapshotList").isVisible()
    assert not part(dialog, "snapshotName").isVisible()
    large = dialog.height()
    window.bars.action("keep-snapshot").trigger()
    assert dialog.windowTitle() == "Keep a snapshot"
    assert part(dialog, "snapshotName").isVisible()
    assert not part(dialog, "snapshotList").isVisible()
    assert not part(dialog, "snapshotRestore").isVisible()
    assert dialog.height() < large / 2
    window.bars.action("snapshots").trigger()
    assert part(dialog, "snapshotList").isVisible()
    assert dialog.height() == large
    assert len(texts(dialog)) == 3


def test_when_daily_snapshots_are_kept_is_said_as_it_is(dialog: SnapshotsDialog) -> None:
    # The first day has no state before it that could be kept.
    assert "From the second day of work on" in dialog.empty.text()


def test_restoring_needs_a_chosen_snapshot_and_offers_undo_after_it(
    dialog: SnapshotsDialog, desk: Desk, disk: Disk
) -> None:
    done, now = restored(desk), desk.class_ids()
    assert not part(dialog, "snapshotRestore").isEnabled()
    choose(dialog, 2)
    disk.goes.clear()
    click(dialog, "snapshotRestore")
    desk.wait(lambda: desk.session.jobs.of(JobKind.RESTORE))
    assert not part(dialog, "snapshotRestore").isEnabled()
    disk.goes.set()
    desk.wait(lambda: done)
    assert dialog.state.text() == "1 image restored to 'first'."
    assert (desk.class_ids() == 2).sum() == 100
    disk.goes.clear()
    click(dialog, "snapshotUndo")
    assert not dialog.undo.isVisible()
    desk.wait(lambda: desk.session.jobs.of(JobKind.UNDO))
    (job,) = desk.session.jobs.of(JobKind.UNDO)
    desk.session.jobs.cancel(job.id)
    disk.goes.set()
    desk.wait(lambda: "cancelled" in dialog.state.text())
    click(dialog, "snapshotUndo")
    desk.wait(lambda: len(done) == 2)
    assert dialog.state.text() == "The restore of 'first' was undone."
    assert not dialog.undo.isVisible()
    assert np.array_equal(desk.class_ids(), now)
    choose(dialog, 1)
    click(dialog, "snapshotRestoreImage")
    desk.wait(lambda: len(done) == 3)
    assert dialog.state.text() == "1 image restored to 'before 2026-03-03'."
    assert (desk.class_ids() == 2).sum() == 100 + 2 * 64


def test_an_image_that_is_loading_or_missing_is_not_offered_for_restoring(
    window: MainWindow, desk: Desk, qtbot: QtBot
) -> None:
    pixels = {f"{n}.png": np.full((40, 50, 3), 40 * n, np.uint8) for n in range(2)}
    path = desk.projects.of_pixels(desk.place(), pixels, ["cell"])
    with Project.open(path) as project:
        three(project)
    desk.open(path)
    dialog = present(window, qtbot)
    choose(dialog, 2)
    assert part(dialog, "snapshotRestoreImage").isEnabled()
    with desk.slow_reading():
        desk.navigation.open(1)
        assert not part(dialog, "snapshotRestoreImage").isEnabled()
    assert part(dialog, "snapshotRestoreImage").isEnabled()
    file = desk.navigation.rows[0].file
    file.rename(file.with_suffix(".gone"))
    desk.shows(0)
    assert not part(dialog, "snapshotRestoreImage").isEnabled()
    assert part(dialog, "snapshotRestore").isEnabled()


def test_what_a_restore_did_is_said(window: MainWindow, desk: Desk, qtbot: QtBot, disk: Disk) -> None:
    done = restored(desk)
    desk.paint(Rect(100, 100, 5, 5), 4)
    desk.opened.snapshots.keep("x")
    desk.wait(lambda: names(desk) == ["x"])
    dialog = present(window, qtbot)
    choose(dialog, 0)
    click(dialog, "snapshotRestore")
    desk.wait(lambda: done)
    assert dialog.state.text() == "Nothing was changed: everything is already as in 'x'."
    assert not dialog.undo.isVisible()
    desk.session.undo()
    desk.opened.classes.remove("debris")
    desk.settle()
    click(dialog, "snapshotRestoreImage")
    desk.wait(lambda: len(done) == 2)
    assert dialog.state.text().startswith("1 image restored to 'x'. The class 'debris' is not in use")
    desk.session.undo()
    desk.settle()
    disk.full = True
    click(dialog, "snapshotRestoreImage")
    desk.wait(lambda: dialog.state.text().startswith(FULL))
    disk.mend()


def test_a_name_is_changed_in_its_place(dialog: SnapshotsDialog, desk: Desk) -> None:
    choose(dialog, 0)
    click(dialog, "snapshotRename")
    editor = dialog.list.viewport().findChild(QLineEdit)
    assert editor is not None
    editor.selectAll()
    QTest.keyClicks(editor, "after it")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    desk.wait(lambda: names(desk) == ["after it", "before 2026-03-03", "first"])


def test_delete_asks_once_more_and_then_the_session(dialog: SnapshotsDialog, desk: Desk) -> None:
    choose(dialog, 1)
    click(dialog, "snapshotDelete")
    assert len(names(desk)) == 3
    assert "Click again to delete" in dialog.state.text()
    choose(dialog, 0)
    assert dialog.state.text() == ""
    choose(dialog, 1)
    click(dialog, "snapshotDelete")
    click(dialog, "snapshotDelete")
    desk.wait(lambda: [row[0] for row in texts(dialog)] == ["before the meeting", "first"])
    assert names(desk) == ["before the meeting", "first"]


def test_the_chosen_row_stays_chosen_and_the_figures_follow_the_edits(dialog: SnapshotsDialog, desk: Desk) -> None:
    choose(dialog, 2)
    desk.opened.snapshots.keep("new")
    desk.wait(lambda: len(texts(dialog)) == 4)
    assert dialog.list.currentItem().text(0) == "first"
    counted: list[bool] = []
    count = dialog._counting.timeout.connect(lambda: counted.append(True))  # how often is to be seen nowhere else
    for n in range(20):
        desk.paint(Rect(200 + 10 * n, 200, 5, 5), 2)
    desk.wait(lambda: [row[2] for row in texts(dialog)] == ["20", "22", "24", "26"])
    assert 0 < len(counted) < 10
    dialog._counting.timeout.disconnect(count)
    writer = desk.opened.store.writer
    assert writer is not None
    writer.call(lambda db: keep_snapshot(db, "before 2026-03-05")).result()
    desk.paint(Rect(200, 300, 5, 5), 2)
    desk.wait(lambda: len(texts(dialog)) == 5)


def test_what_was_compacted_away_cannot_be_restored(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    path = desk.projects.grown(desk.place(), three)
    with Project.open(path) as project:
        for _ in compact(project, planned(project, before=Seq(project.last_seq() + 1))):
            pass
        assert project.writer is not None
        row = "INSERT INTO snapshots (name, seq, time, kind) VALUES ('old', 1, '2026-03-04T10:20:30.000Z', 'daily')"
        project.writer.call(lambda db: db.execute(row)).result()
    desk.open(path)
    dialog = present(window, qtbot)
    old = [row[0] for row in texts(dialog)].index("old")
    choose(dialog, old)
    assert not part(dialog, "snapshotRestore").isEnabled()


def test_what_was_chosen_in_one_project_is_not_chosen_in_another(dialog: SnapshotsDialog, desk: Desk) -> None:
    choose(dialog, 0)
    assert part(dialog, "snapshotRestore").isEnabled()
    desk.open(desk.projects.grown(desk.place(), three))
    assert len(texts(dialog)) == 3
    assert dialog.list.selectedItems() == []
    assert not part(dialog, "snapshotRestore").isEnabled()


def test_no_snapshot_at_all_is_said(window: MainWindow, dialog: SnapshotsDialog, desk: Desk) -> None:
    assert not dialog.empty.isVisible()
    desk.load()
    assert dialog.empty.isVisible()
    assert "No snapshots yet" in dialog.empty.text()


def test_a_read_only_window_only_lists(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    desk.read_only(desk.projects.grown(desk.place(), three))
    dialog = present(window, qtbot)
    choose(dialog, 0)
    for name in ("snapshotKeep", "snapshotRestore", "snapshotRestoreImage", "snapshotRename", "snapshotDelete"):
        assert not part(dialog, name).isEnabled(), name
    desk.leave()
    assert not dialog.isVisible()


def test_every_part_has_a_name_and_words(dialog: SnapshotsDialog) -> None:
    for kind in (QPushButton, QLineEdit, QAbstractItemView):
        for widget in dialog.findChildren(kind):
            assert widget.objectName()
            assert widget.accessibleName() or not isinstance(widget, QAbstractButton)
    assert dialog.findChildren(QPushButton)


def test_the_folder_of_a_backup_is_asked_for_and_its_end_is_said(
    window: MainWindow, desk: Desk, qtbot: QtBot, disk: Disk, tmp_path: Path
) -> None:
    made: list[Backup] = []
    desk.opened.backups.backedUp.connect(made.append)
    for number, unsaved in enumerate((0, 3), 1):
        disk.full = bool(unsaved)
        for n in range(unsaved):
            desk.paint(Rect(100 + 10 * n, 100, 5, 5), 2)
        if unsaved:
            desk.wait(window.message_strip.isVisible)
        window.bars.action("backup").trigger()
        asking = window.findChild(QFileDialog, "backupFolderDialog")
        assert asking is not None
        place = tmp_path / str(number)
        place.mkdir()
        asking.fileSelected.emit(str(place))
        asking.close()
        desk.wait(lambda number=number: len(made) == number)
        assert made[-1].path.parent == place
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    disk.mend()
    first, second = (f"Backed up and checked: {backup.path}" for backup in made)
    assert desk.said[-2:] == [first, f"{second}. 3 edits are not saved yet and not in the backup"]
    desk.session.projects.save()
    desk.settle()

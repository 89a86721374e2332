"""The window of snapshots, by mouse and keys, over a fake session."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
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

from segstudio.app.values import JobKind, SnapshotItem
from segstudio.ui.dialogs.snapshots import SnapshotsDialog
from segstudio.ui.window.main_window import MainWindow
from tests.ui.fake_session import FakeSession, class_table, image_items

Called = Callable[[str], list[tuple]]
LEFT = Qt.MouseButton.LeftButton
CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def item(n: int, name: str = "", *, author: str = "ann", kept: bool = True) -> SnapshotItem:
    return SnapshotItem(n, name or f"snapshot {n}", "2026-03-04T10:20:30.000Z", 7 * n, author, not author, kept)


def some() -> list[SnapshotItem]:
    return [item(3, "before the meeting"), item(2, "before 2026-03-03", author=""), item(1, "first")]


@pytest.fixture
def dialog(window: MainWindow, session: FakeSession, qtbot: QtBot) -> SnapshotsDialog:
    """The dialog with three snapshots, opened from the menu."""
    session.snapshots = some()
    window.bars.action("snapshots").trigger()
    found = window.findChild(SnapshotsDialog, "snapshotsDialog")
    assert found is not None
    qtbot.waitExposed(found)
    return found


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
    assert [row[2] for row in rows] == ["21", "14", "7"]
    assert [row[3] for row in rows] == ["ann", "automatic", "ann"]
    assert all(row[1].startswith("2026-03-0") for row in rows)


def test_ctrl_shift_s_asks_for_a_name_and_return_keeps(
    window: MainWindow, session: FakeSession, qtbot: QtBot, called: Called
) -> None:
    QTest.keyClick(window, Qt.Key.Key_S, CTRL_SHIFT)
    dialog = window.findChild(SnapshotsDialog)
    assert dialog is not None
    qtbot.waitExposed(dialog)
    name = part(dialog, "snapshotName")
    qtbot.waitUntil(name.hasFocus)
    QTest.keyClicks(name, "before 1 and n")
    QTest.keyClick(name, Qt.Key.Key_Return)
    assert called("keep_snapshot") == [("keep_snapshot", "before 1 and n")]
    assert session.calls[0] == ("keep_snapshot", "before 1 and n")
    assert not dialog.isVisible()
    QTest.keyClick(window, Qt.Key.Key_S, CTRL_SHIFT)
    click(dialog, "snapshotKeep")
    assert called("keep_snapshot")[-1] == ("keep_snapshot", "")


def test_keeping_one_and_looking_at_those_that_are_kept_are_two_things(
    window: MainWindow, session: FakeSession, dialog: SnapshotsDialog
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
    dialog: SnapshotsDialog, session: FakeSession, called: Called
) -> None:
    assert not part(dialog, "snapshotRestore").isEnabled()
    choose(dialog, 2)
    click(dialog, "snapshotRestore")
    click(dialog, "snapshotRestoreImage")
    assert called("restore_snapshot") == [("restore_snapshot", 1, False), ("restore_snapshot", 1, True)]
    session.job("restore", True, text="Restoring")
    assert not part(dialog, "snapshotRestore").isEnabled()
    session.job("restore", False)
    report = {"name": "first", "images": ["a.png", "b.png"], "classes": True, "unused_classes": []}
    session.snapshotRestored.emit(report)
    assert dialog.state.text() == "2 images and the classes restored to 'first'."
    click(dialog, "snapshotUndo")
    assert called("undo_restore") == [("undo_restore",)]
    assert not dialog.undo.isVisible()
    session.can_undo_restore = True
    session.notices.fail(JobKind("restore"), "The change was cancelled.")
    assert dialog.state.text() == "The change was cancelled."
    click(dialog, "snapshotUndo")
    session.snapshotRestored.emit(report | {"unused_classes": [], "taken_back": True})
    assert dialog.state.text() == "The restore of 'first' was undone."
    assert not dialog.undo.isVisible()


def test_an_image_that_is_loading_or_missing_is_not_offered_for_restoring(
    dialog: SnapshotsDialog, session: FakeSession
) -> None:
    choose(dialog, 2)
    assert part(dialog, "snapshotRestoreImage").isEnabled()
    session.loading = True
    session.imageLoading.emit("a.png")
    assert not part(dialog, "snapshotRestoreImage").isEnabled()
    session.loading, session.display = False, None
    session.notices.fail(JobKind("image"), "The file is not there.")
    assert not part(dialog, "snapshotRestoreImage").isEnabled()
    assert part(dialog, "snapshotRestore").isEnabled()


def test_what_a_restore_did_is_said(dialog: SnapshotsDialog, session: FakeSession) -> None:
    session.snapshotRestored.emit({"name": "x", "images": [], "classes": False, "unused_classes": []})
    assert dialog.state.text() == "Nothing was changed: everything is already as in 'x'."
    assert not dialog.undo.isVisible()
    session.snapshotRestored.emit({"name": "x", "images": ["a"], "classes": False, "unused_classes": ["crack"]})
    assert dialog.state.text().startswith("1 image restored to 'x'. The class 'crack' is not in use")
    session.notices.fail(JobKind("restore"), "The disk is full.")
    assert dialog.state.text() == "The disk is full."
    assert not dialog.undo.isVisible()


def test_a_name_is_changed_in_its_place(dialog: SnapshotsDialog, called: Called, qtbot: QtBot) -> None:
    choose(dialog, 0)
    click(dialog, "snapshotRename")
    editor = dialog.list.viewport().findChild(QLineEdit)
    assert editor is not None
    editor.selectAll()
    QTest.keyClicks(editor, "after it")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: called("rename_snapshot") == [("rename_snapshot", 3, "after it")])
    assert called("keep_snapshot") == []


def test_delete_asks_once_more_and_then_the_session(
    dialog: SnapshotsDialog, session: FakeSession, called: Called
) -> None:
    choose(dialog, 1)
    click(dialog, "snapshotDelete")
    assert called("delete_snapshot") == []
    assert "Click again to delete" in dialog.state.text()
    choose(dialog, 0)
    assert dialog.state.text() == ""
    choose(dialog, 1)
    click(dialog, "snapshotDelete")
    click(dialog, "snapshotDelete")
    assert called("delete_snapshot") == [("delete_snapshot", 2)]
    session.snapshots = [s for s in some() if s.id != 2]
    session.snapshotsChanged.emit()
    assert [row[0] for row in texts(dialog)] == ["before the meeting", "first"]


def test_the_chosen_row_stays_chosen_and_the_figures_follow_the_edits(
    dialog: SnapshotsDialog, session: FakeSession, qtbot: QtBot
) -> None:
    choose(dialog, 2)
    session.snapshots = [item(4, "new"), *some()]
    session.snapshotsChanged.emit()
    assert dialog.list.currentItem().text(0) == "first"
    session.snapshots = [SnapshotItem(s.id, s.name, s.time, s.edits + 1, s.author, s.daily) for s in session.snapshots]
    counted: list[bool] = []
    dialog._counting.timeout.connect(lambda: counted.append(True))  # how often is to be seen nowhere else
    for seq in range(30, 1530):  # as many as a restore tells of
        session.editCommitted.emit(seq)
    qtbot.waitUntil(lambda: [row[2] for row in texts(dialog)] == ["29", "22", "15", "8"])
    assert counted == [True]
    session.snapshots = [item(5, "before 2026-03-05", author=""), *session.snapshots]
    session.editCommitted.emit(1530)
    qtbot.waitUntil(lambda: len(texts(dialog)) == 5)


def test_what_was_compacted_away_cannot_be_restored(dialog: SnapshotsDialog, session: FakeSession) -> None:
    session.snapshots = [item(1, kept=False)]
    session.snapshotsChanged.emit()
    choose(dialog, 0)
    assert not part(dialog, "snapshotRestore").isEnabled()


def test_no_snapshot_at_all_is_said(dialog: SnapshotsDialog, session: FakeSession) -> None:
    assert not dialog.empty.isVisible()
    session.snapshots = []
    session.snapshotsChanged.emit()
    assert dialog.empty.isVisible()
    assert "No snapshots yet" in dialog.empty.text()


def test_a_read_only_window_only_lists(window: MainWindow, session: FakeSession) -> None:
    session.snapshots = some()
    session.load(image_items(2), class_table(["cell"]), why="read-only: ben on desk")
    window.bars.action("snapshots").trigger()
    dialog = window.findChild(SnapshotsDialog)
    assert dialog is not None
    choose(dialog, 0)
    for name in ("snapshotKeep", "snapshotRestore", "snapshotRestoreImage", "snapshotRename", "snapshotDelete"):
        assert not part(dialog, name).isEnabled(), name
    session.close_project()
    assert not dialog.isVisible()


def test_every_part_has_a_name_and_words(dialog: SnapshotsDialog) -> None:
    for kind in (QPushButton, QLineEdit, QAbstractItemView):
        for widget in dialog.findChildren(kind):
            assert widget.objectName()
            assert widget.accessibleName() or not isinstance(widget, QAbstractButton)
    assert dialog.findChildren(QPushButton)


def test_the_folder_of_a_backup_is_asked_for_and_its_end_is_said(
    window: MainWindow, session: FakeSession, qtbot: QtBot, called: Called
) -> None:
    window.bars.action("backup").trigger()
    asking = window.findChild(QFileDialog, "backupFolderDialog")
    assert asking is not None
    asking.fileSelected.emit("/media/disk")
    asking.close()
    assert [str(call[1]) for call in called("backup")] == ["/media/disk"]
    said: list[str] = []
    session.said.connect(said.append)
    report = {"backup": "/media/disk/p-1.segstudio", "bytes": 1, "last_edit": 2}
    for unsaved in (0, 3):
        session.backupFinished.emit(report | {"waiting_edits": unsaved})
    first = "Backed up and checked: /media/disk/p-1.segstudio"
    assert said == [first, f"{first}. 3 edits are not saved yet and not in the backup"]
    QApplication.sendPostedEvents()

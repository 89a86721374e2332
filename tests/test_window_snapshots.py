"""Snapshots and backups in the real window, by mouse and keys, with the real store and engine."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from segstudio.app.values import Restored
from segstudio.store.backup import Backup
from segstudio.store.project import Project
from segstudio.ui.dialogs.snapshots import SnapshotsDialog
from tests.window_bench import LEFT, Bench, open_bench

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def me(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_bench(tmp_path_factory.mktemp("snapshots")) as bench:
        bench.fresh(0)
        yield bench


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """Not looked for here: the window is the module's."""


def press(dialog: SnapshotsDialog, name: str) -> None:
    button = dialog.findChild(QWidget, name)
    assert button is not None
    assert button.isEnabled(), name
    QTest.mouseClick(button, LEFT)


def choose(dialog: SnapshotsDialog, name: str) -> None:
    row = next(
        dialog.list.topLevelItem(n)
        for n in range(dialog.list.topLevelItemCount())
        if dialog.list.topLevelItem(n).text(0) == name
    )
    QTest.mouseClick(dialog.list.viewport(), LEFT, pos=QPoint(20, dialog.list.visualItemRect(row).center().y()))


def test_a_snapshot_is_kept_restored_and_the_restore_undone_by_hand(me: Bench) -> None:
    me.drag((40, 40), (60, 50))
    me.settle()
    kept = me.session.labels().copy()
    me.key(Qt.Key.Key_S, CTRL_SHIFT)
    dialog = me.window.findChild(SnapshotsDialog)
    assert dialog is not None
    me.wait(dialog.name.hasFocus)
    QTest.keyClicks(dialog.name, "by hand")
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    me.wait(lambda: [item.name for item in me.opened.snapshots.items] == ["by hand"])
    assert not dialog.isVisible()
    me.window.bars.action("snapshots").trigger()
    me.window.activateWindow()
    me.drag((80, 60), (90, 90))
    me.settle()
    after = me.session.labels().copy()
    assert not np.array_equal(after, kept)
    reports: list[Restored] = []
    me.opened.snapshots.restored.connect(reports.append)
    choose(dialog, "by hand")
    press(dialog, "snapshotRestoreImage")
    me.wait(lambda: reports)
    me.settle()
    assert np.array_equal(me.session.labels(), kept)
    assert "1 image restored to 'by hand'" in dialog.state.text()
    press(dialog, "snapshotUndo")
    me.wait(lambda: np.array_equal(me.session.labels(), after))
    me.settle()
    choose(dialog, "by hand")
    press(dialog, "snapshotRestore")
    me.wait(lambda: len(reports) == 3)
    me.settle()
    assert np.array_equal(me.session.labels(), kept)
    me.window.activateWindow()
    me.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    me.wait(lambda: np.array_equal(me.session.labels(), after))
    me.settle()
    assert me.failures == []
    dialog.close()


def test_a_backup_is_made_from_the_window_and_opens(me: Bench, tmp_path: Path) -> None:
    made: list[Backup] = []
    me.opened.backups.backedUp.connect(made.append)
    me.opened.backups.ask(tmp_path)
    me.drag((20, 90), (40, 95))
    me.wait(lambda: made)
    assert me.labels_say("Backed up and checked")
    with Project.open(made[0].path, write=False) as copy:
        assert copy.last_seq() >= 1
    me.settle()
    me.rest()

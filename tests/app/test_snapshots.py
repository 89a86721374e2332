"""The owners of snapshots and backups over a real project, without a window."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segstudio.app.backing_up import Backups
from segstudio.app.editing.classes import Classes
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.snapshots import Snapshots
from segstudio.app.values import Restored
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import UserError
from segstudio.labels.model import ImageId, Kind, Seq
from segstudio.store.backup import Backup
from segstudio.store.project import Project
from segstudio.tasks.keeping.compact import compact, planned
from tests.app.test_documents import FIRST, Bench

SECOND = ImageId(2)


class Desk(Bench):
    """A bench with snapshots on it."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self.navigation = Navigation(self.ground, self.documents)
        self.snapshots = Snapshots(self.ground, self.documents, self.navigation)
        self.changes: list[None] = []
        self.reports: list[Restored] = []
        self.failures = self.heard.failures
        self.snapshots.snapshotsChanged.connect(lambda: self.changes.append(None))
        self.snapshots.restored.connect(self.reports.append)

    def close(self) -> None:
        self.navigation.close()
        super().close()


@pytest.fixture
def desk(opened: Callable[[], Project]) -> Iterator[Desk]:
    made = Desk(opened())
    yield made
    made.navigation.close()
    made.snapshots.close()
    made.documents.close()


def kept(qtbot: Any, desk: Desk, name: str) -> int:
    before = len(desk.changes)
    desk.snapshots.keep(name)
    qtbot.waitUntil(lambda: len(desk.changes) > before)
    return next(item.id for item in desk.snapshots.items if item.name == name)


def idle(qtbot: Any, desk: Desk) -> None:
    qtbot.waitUntil(lambda: not desk.documents.busy and desk.documents.save_state().saved, timeout=10_000)


def test_a_snapshot_is_kept_renamed_and_deleted(qtbot: Any, desk: Desk) -> None:
    desk.stroke(20, 20)
    made = kept(qtbot, desk, "a")
    desk.snapshots.rename(made, "b")
    qtbot.waitUntil(lambda: [item.name for item in desk.snapshots.items] == ["b"])
    desk.snapshots.keep("B")
    qtbot.waitUntil(lambda: len(desk.failures) == 1)
    assert "already" in desk.failures[0].sentence
    desk.snapshots.delete(made)
    qtbot.waitUntil(lambda: desk.snapshots.items == [])


def test_a_stroke_under_way_is_in_the_snapshot(qtbot: Any, desk: Desk) -> None:
    desk.documents.pointer(Pointer(Phase.PRESS, 20, 20, Button.LEFT))
    kept(qtbot, desk, "a")
    assert [item.edits for item in desk.snapshots.items] == [0]
    assert desk.project.last_seq() == 1


def test_restoring_the_project_changes_every_image_in_memory_and_on_disk_and_undo_takes_it_back(
    qtbot: Any, desk: Desk
) -> None:
    desk.stroke(20, 20)
    first = desk.ids()
    made = kept(qtbot, desk, "a")
    desk.stroke(60, 40)
    desk.show(SECOND)
    desk.stroke(30, 30)
    second = desk.ids()
    desk.snapshots.restore(made, None)
    qtbot.waitUntil(lambda: len(desk.reports) == 1)
    idle(qtbot, desk)
    assert desk.reports == [Restored("a", ("0.png", "1.png"))]
    assert not desk.ids().any()
    desk.show(FIRST)
    assert np.array_equal(desk.ids(), first)
    desk.snapshots.undo_restore()
    idle(qtbot, desk)
    assert not np.array_equal(desk.ids(), first)
    desk.show(SECOND)
    assert np.array_equal(desk.ids(), second)
    assert desk.failures == []
    desk.snapshots.undo_restore()
    assert "no restored" in desk.failures[-1].sentence


def test_ctrl_z_takes_a_restore_back_too(qtbot: Any, desk: Desk) -> None:
    made = kept(qtbot, desk, "a")
    desk.stroke(20, 20)
    painted = desk.ids()
    desk.snapshots.restore(made, None)
    idle(qtbot, desk)
    assert not desk.ids().any()
    desk.documents.undo()
    idle(qtbot, desk)
    assert np.array_equal(desk.ids(), painted)


def test_one_image_alone_is_restored(qtbot: Any, desk: Desk) -> None:
    made = kept(qtbot, desk, "a")
    desk.stroke(20, 20)
    desk.show(SECOND)
    desk.stroke(30, 30)
    painted = desk.ids()
    desk.snapshots.restore(made, FIRST)
    qtbot.waitUntil(lambda: len(desk.reports) == 1)
    assert desk.reports[0].images == ("0.png",)
    assert np.array_equal(desk.ids(), painted)
    desk.show(FIRST)
    assert not desk.ids().any()


def test_classes_follow_and_the_current_one_stays_one_in_use(qtbot: Any, desk: Desk) -> None:
    made = kept(qtbot, desk, "a")
    Classes(desk.ground, desk.documents).add("nerve", None, Kind.SEMANTIC)
    assert desk.documents.classes[desk.documents.class_id].name == "nerve"
    desk.stroke(20, 20)
    changes: list[None] = []
    desk.documents.classesChanged.connect(lambda: changes.append(None))
    desk.snapshots.restore(made, None)
    qtbot.waitUntil(lambda: len(desk.reports) == 1)
    idle(qtbot, desk)
    assert desk.documents.classes.named("nerve") is None
    assert desk.documents.classes.effective(desk.documents.class_id) is not None
    desk.snapshots.undo_restore()
    idle(qtbot, desk)
    assert desk.documents.classes.named("nerve") is not None
    assert len(changes) == 2


def test_undo_says_where_compacting_ended_it(qtbot: Any, desk: Desk, opened: Callable[[], Project]) -> None:
    desk.stroke(20, 20)
    desk.stroke(40, 40)
    idle(qtbot, desk)
    for _ in compact(desk.project, planned(desk.project, before=Seq(2))):
        pass
    desk.close()
    again = Desk(opened())
    assert again.documents.undo_ends == ""
    again.documents.undo()
    assert not again.documents.can_undo
    with pytest.raises(UserError, match="Undo ends here"):
        again.documents.undo()
    again.show(SECOND)
    assert again.documents.undo_ends == ""
    again.documents.undo()
    again.close()


def test_a_backup_is_made_while_painting_goes_on(qtbot: Any, desk: Desk, tmp_path: Path) -> None:
    backups = Backups(desk.ground, desk.documents)
    made: list[Backup] = []
    backups.backedUp.connect(made.append)
    desk.stroke(20, 20)
    backups.start(tmp_path / "kept")
    with pytest.raises(UserError, match="already"):
        backups.start(None)
    desk.stroke(40, 40)
    qtbot.waitUntil(lambda: len(made) == 1, timeout=10_000)
    assert made[0].path.name == "kept.segstudio"
    assert desk.heard.states[-1] is None
    with Project.open(made[0].path, write=False) as copy:
        assert copy.last_seq() in (1, 2)
    failures = desk.failures
    backups.start(tmp_path / "kept")
    qtbot.waitUntil(lambda: len(failures) == 1)
    assert "never overwrites" in failures[0].sentence

"""An open project with its owners and its engine: made together, ended together."""

from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic

from PySide6.QtCore import QCoreApplication, QObject, Signal

from segstudio.app.backing_up import Backups
from segstudio.app.editing.accept_done import Finishing
from segstudio.app.editing.classes import Classes
from segstudio.app.editing.documents import Documents
from segstudio.app.editing.tool_state import ToolState
from segstudio.app.exporting import Exports
from segstudio.app.jobs import MainThread
from segstudio.app.learning.roles import Roles
from segstudio.app.learning.training import Training
from segstudio.app.learning.versions import Versions
from segstudio.app.opening import Prepared
from segstudio.app.relinking import Relinking
from segstudio.app.snapshots import Snapshots
from segstudio.app.values import EngineState
from segstudio.app.viewing.growing import Growing
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.object_counts import ObjectCounts
from segstudio.app.viewing.proposals import Proposals
from segstudio.engine.client import EngineClient

__all__ = ["OpenedProject"]

_LONGEST_WAIT_S = 30.0
_ENGINE_WAIT_S = 0.5
_SAVE_WAIT_S = 0.03
"""So long the window waits for the writer where somebody asks it to save; what is not written then follows."""


class OpenedProject(QObject):
    """Project, engine client and owners."""

    engineStateChanged = Signal(object)
    damageFound = Signal(str)

    def __init__(self, prepared: Prepared, tools: ToolState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        with ExitStack() as undo:
            # Whatever raises on the way, the lock is free afterwards: 'segstudio repair' must be able to write.
            undo.callback(self.deleteLater)
            self.project, self.interrupted = prepared.project, prepared.interrupted
            undo.callback(prepared.close)
            self._make_owners(prepared, tools, undo)
            undo.pop_all()

    def _make_owners(self, prepared: Prepared, tools: ToolState, undo: ExitStack) -> None:
        if self.project.why_read_only:
            # Every refusal in this window says it: the banner, the status bar, whatever is asked for.
            self.project.why_read_only = f"read-only: {self.project.why_read_only}"
        self.main = MainThread(self)
        undo.callback(self.main.close)
        self.engine = EngineClient(self.project.path, on_state=self._engine_said)
        undo.callback(self.engine.close, wait_s=_ENGINE_WAIT_S)
        self.documents = Documents(
            self.project, self.main, self, classes=prepared.classes, last_seq=prepared.last_seq, tools=tools
        )
        self.navigation = Navigation(self.project, self.documents, self.main, self, prepared.listed)
        self.growing = Growing(self.project, self.documents, self.navigation, self.main, self)
        self.classes = Classes(self.project, self.documents, self.main)
        self.object_counts = ObjectCounts(self.project, self.documents, self.navigation, self.main, self)
        self.proposals = Proposals(self.project, self.engine, self.documents, self.navigation, self.main, self)
        self.finishing = Finishing(
            self.project, self.documents, self.navigation, self.proposals, self.main, self, prepared.rest
        )
        self.training = Training(self.project, self.engine, self.main, self)
        self.roles = Roles(self.project, self.documents, self.navigation, self.main, self)
        self.versions = Versions(self.project, self.main, self, prepared.versions)
        self.exports = Exports(self.project, self.main, self)
        self.relinking = Relinking(self.project, self.navigation, self.main, self)
        self.snapshots = Snapshots(self.project, self.documents, self.main, self)
        self.backups = Backups(self.project, self.main, self)
        self._check = prepared.check
        prepared.damage.listen(self._found_damage)

    def _engine_said(self, kind: str, device: str, sentence: str) -> None:
        state = EngineState(kind, device, sentence)
        self.main.post(lambda: self.engineStateChanged.emit(state))

    def _found_damage(self, sentence: str) -> None:
        self.main.post(lambda: self.damageFound.emit(sentence))

    def save(self) -> None:
        """Keep a stroke under way and wait a moment for the writer; a disk that refused is asked again."""
        self.documents.commit_gesture()
        writer = self.project.writer
        if writer is not None and not self.documents.busy and writer.flush(_SAVE_WAIT_S):
            self.documents.saving.acknowledge_rest()

    def ready_to_close(self, wait_s: float) -> bool:
        """Whether nothing is left to wait for: all is written, or the disk refuses, so that waiting would not help."""
        writer = self.project.writer
        if writer is None:
            return True
        if self.documents.gesture_active:
            return False
        end = monotonic() + wait_s
        if writer.flush(wait_s):
            self.documents.settle(0.0)
            applied = not self.documents.busy and self.finishing.settle(max(0.0, end - monotonic()))
            return applied and not self.documents.owes and writer.flush(max(0.0, end - monotonic()))
        return bool(writer.state.refused)

    def secure(self, wait_s: float | None = None) -> None:
        """Finish what is under way and see every edit on disk, or kept aside. Raises `DiskRefused`; all stays open.

        A slow disk is waited for no longer than `wait_s` (30 by default) in all.
        """
        left = _countdown(wait_s)
        self.documents.settle(left())
        self.finishing.settle()
        self.project.secure(left(), self.documents.held_edits)

    def close(self, wait_s: float | None = None) -> None:
        """End jobs, then the engine, then the writer: returns when all is durable and the lock is free.

        To be called after `secure`. A disk that hangs is waited for no longer than `wait_s` (30 by default) in all, and
        some two seconds for the writer's thread; its edits are kept for the next opening then.
        """
        left = _countdown(wait_s)
        self.documents.commit_gesture()
        if self._check is not None:
            self._check.close()
        self.finishing.close()
        self.proposals.close()
        self.navigation.close()
        self.versions.close()
        self.training.close()
        self.exports.cancel()
        self.backups.cancel()
        self.relinking.cancel()
        self.growing.cancel()
        # It writes nothing, so nothing is lost by not waiting: while it loads torch it would take seconds to end.
        self.engine.close(wait_s=_ENGINE_WAIT_S)
        for owner in (
            self.proposals,
            self.training,
            self.exports,
            self.backups,
            self.relinking,
            self.growing,
            self.classes,
        ):
            owner.wait(left())
        if self.project.writer is not None:
            self.project.writer.flush(left())
            self.documents.saving.acknowledge_rest()
        self.object_counts.close()  # the last edits are counted until they are told of
        self.main.close()
        self.documents.close()
        self.project.close(left())
        # Its connections may hold the last reference to the Session: as its child it would be deleted twice.
        self.setParent(QCoreApplication.instance())
        self.deleteLater()


def _countdown(wait_s: float | None) -> Callable[[], float]:
    """Answers how many seconds are left of those from now on."""
    end = monotonic() + (_LONGEST_WAIT_S if wait_s is None else wait_s)
    return lambda: max(0.0, end - monotonic())

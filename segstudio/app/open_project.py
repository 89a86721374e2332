"""An open project with its owners and its engine: made together, wired together, ended together."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QCoreApplication, QObject, Signal

from segstudio.app.backing_up import Backups
from segstudio.app.editing.accept_done import Finishing
from segstudio.app.editing.classes import Classes
from segstudio.app.editing.documents import Documents
from segstudio.app.editing.kept_later import KeptLater
from segstudio.app.editing.lint import Lint
from segstudio.app.editing.marking import Marking
from segstudio.app.editing.mistakes import Mistakes
from segstudio.app.editing.objects import ObjectEdits
from segstudio.app.editing.plane_edits import PlaneEdits
from segstudio.app.editing.speck_search import SpeckSearch
from segstudio.app.editing.tool_state import ToolState
from segstudio.app.editing.tool_work import ToolWork
from segstudio.app.editing.tools.base import Seen
from segstudio.app.exporting import Exports
from segstudio.app.ground import Ground
from segstudio.app.importing import Importing
from segstudio.app.job_list import Jobs
from segstudio.app.jobs import MainThread
from segstudio.app.learning.effort import Effort
from segstudio.app.learning.keep_learning import KeepLearning
from segstudio.app.learning.roles import Roles
from segstudio.app.learning.run_history import RunHistory
from segstudio.app.learning.training import Training
from segstudio.app.learning.versions import Versions
from segstudio.app.notices import Notices
from segstudio.app.opening import Prepared
from segstudio.app.relinking import Relinking
from segstudio.app.snapshots import Snapshots
from segstudio.app.spare_memory import SpareMemory
from segstudio.app.values import EngineKind, EngineState, JobKind
from segstudio.app.viewing.adjusting import Adjusting
from segstudio.app.viewing.channel_views import ChannelViews
from segstudio.app.viewing.cine import Cine
from segstudio.app.viewing.compared import Compared
from segstudio.app.viewing.file_notes import FileNotes
from segstudio.app.viewing.growing import Growing
from segstudio.app.viewing.histograms import Histograms
from segstudio.app.viewing.listing import Listing
from segstudio.app.viewing.model_views import ModelViews
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.next_images import NextImages
from segstudio.app.viewing.object_counts import ObjectCounts
from segstudio.app.viewing.object_rows import ObjectRows
from segstudio.app.viewing.places import Places
from segstudio.app.viewing.plane_proposals import PlaneProposals
from segstudio.app.viewing.planes import Planes
from segstudio.app.viewing.proposals import Proposals
from segstudio.app.viewing.proposals_ahead import ProposalsAhead
from segstudio.app.viewing.reading import Reading
from segstudio.app.viewing.selected_area import SelectedArea
from segstudio.app.viewing.solo import Solo
from segstudio.app.viewing.spot_search import SpotSearch
from segstudio.engine.client import EngineClient
from segstudio.geometry import Rect
from segstudio.labels.model import ClassId
from segstudio.registry import unsaid
from segstudio.text import _

__all__ = ["OpenedProject"]

_LONGEST_WAIT_S = 30.0
_ENGINE_WAIT_S = 0.5
_SAVE_WAIT_S = 0.03
"""How long the window waits for the writer when asked to save; the rest is written later."""
_COMPUTE_WAIT_S = 0.05
"""How long a window that closes stands still for an edit that is being computed."""


class OpenedProject(QObject):
    """The owners of one project, each with its own signals; `store` is the project on disk.

    `ground` is what they share; owners added elsewhere can use it too.
    """

    engineStateChanged = Signal(object)

    def __init__(
        self, prepared: Prepared, notices: Notices, jobs: Jobs, tools: ToolState, parent: QObject | None = None
    ) -> None:
        """`notices`, `jobs` and `tools` are the window's."""
        super().__init__(parent)
        with ExitStack() as undo:
            # Whatever raises on the way, the lock is free afterwards: 'segstudio repair' must be able to write.
            undo.callback(self.deleteLater)
            self.store, self._interrupted = prepared.project, prepared.interrupted
            undo.callback(prepared.close)
            self._make_owners(prepared, Ground(prepared.project, MainThread(self), notices, jobs), tools, undo)
            undo.pop_all()
        self._wire()

    def _make_owners(self, prepared: Prepared, ground: Ground, tools: ToolState, undo: ExitStack) -> None:
        if self.store.why_read_only:
            # Every refusal in this window begins with it: banner, status bar and each command that would write.
            self.store.why_read_only = _("read-only: {why}", why=self.store.why_read_only)
        self.ground = ground
        undo.callback(ground.main.close)
        self.engine_state = EngineState(EngineKind.OFF, "", "")
        self.engine = EngineClient(self.store.path, on_state=self._engine_said)
        undo.callback(self.engine.close, wait_s=_ENGINE_WAIT_S)
        self.documents = Documents(ground, self, classes=prepared.classes, last_seq=prepared.last_seq, tools=tools)
        self.navigation = Navigation(ground, self.documents, self, prepared.listed)
        self.planes = Planes(ground, self.documents, self.navigation, self)
        self.cine = Cine(self.documents, self.navigation, self.planes, self)
        undo.callback(self.cine.play, False)
        self.file_notes = FileNotes(ground, self.navigation, self)
        self.listing = Listing(ground, self.documents, self.navigation, self)
        undo.callback(self.listing.close)
        self.places = Places(ground, self.navigation, self.documents, prepared.place, self)
        undo.callback(self.places.close)
        self.histograms = Histograms(ground, self.navigation, self)
        undo.callback(self.histograms.close)
        self._spare_memory = SpareMemory(ground, self.documents, self.navigation, self)
        undo.callback(self._spare_memory.close)
        self.adjusting = Adjusting(self.navigation.displaying, self.histograms)
        self.channel_views = ChannelViews(ground, self.navigation.displaying, self.adjusting, self)
        self.growing = Growing(ground, self.documents, self.navigation, self)
        self.classes = Classes(ground, self.documents)
        self.solo = Solo(self.documents, self)
        self.selected_area = SelectedArea(ground, self.documents, self)
        undo.callback(self.selected_area.close)
        self.object_counts = ObjectCounts(ground, self.documents, self.navigation, self)
        self.object_rows = ObjectRows(ground, self.documents, self.navigation, self)
        self.proposals = Proposals(ground, self.engine, self.documents, self.navigation, self)
        self.finishing = Finishing(ground, self.documents, self.navigation, self.proposals, self, prepared.rest)
        self.finishing.seen = self.places.seen
        self.kept_later = KeptLater(ground, self.documents, self.finishing.fills)
        self.marking = Marking(ground, self.documents, self.navigation, self.finishing, self)
        self.reading = Reading(ground, self.documents, self.navigation)
        self.training = Training(ground, self.documents, self.engine, self)
        self.proposals_ahead = ProposalsAhead(
            ground,
            self.engine,
            self.documents,
            self.navigation,
            self.proposals,
            self,
            held=lambda: self.training.running,
        )
        self.keep_learning = KeepLearning(
            ground,
            self.documents,
            self.training,
            self.proposals,
            self.proposals_ahead,
            self,
            others=lambda: self.next_images.busy or self.mistakes.searching,
        )
        undo.callback(self.keep_learning.close)
        self.roles = Roles(ground, self.documents, self.navigation, self)
        self.versions = Versions(ground, self, prepared.versions)
        self.next_images = NextImages(ground, self.engine, self.navigation, self)
        self.runs = RunHistory(ground, self)
        self.effort = Effort(ground, self)
        self.compared = Compared(ground, self.engine, self.documents, self.navigation, self.proposals, self)
        self.views = ModelViews(self.documents, self.proposals, self.versions, self.compared, self)
        self.spots = SpotSearch(
            ground, self.engine, self.documents, self.navigation, self.proposals, self.views, self.compared, self
        )
        self.exports = Exports(ground, self.documents, self)
        self.importing = Importing(ground, self.documents, self.proposals, self)
        self.relinking = Relinking(ground, self.navigation, self)
        self.snapshots = Snapshots(ground, self.documents, self.navigation, self)
        self.backups = Backups(ground, self.documents, self)
        self.tool_work = ToolWork(ground, self.documents, self)
        self.objects = ObjectEdits(ground, self.documents, self.finishing.fills, self)
        self.plane_proposals = PlaneProposals(ground, self.engine, self.navigation, self.proposals, self)
        self.plane_edits = PlaneEdits(ground, self.documents, self.navigation, self.planes, self.finishing.fills)
        self.specks = SpeckSearch(ground, self.documents, self.objects, self)
        self.mistakes = Mistakes(ground, self.engine, self.documents, self.navigation, self)
        self.lint = Lint(ground, self.documents, self.navigation, self.finishing.fills, self.mistakes, self)
        self.documents.seen = self._seen
        self._check, self._damage = prepared.check, prepared.damage

    def _seen(self) -> Seen:
        proposals, selected = self.proposals, self.documents.selection.ids
        return Seen(self.navigation.display, proposals.seen, selected, proposals.visible)

    def _wire(self) -> None:
        """The wiring: what one owner does on another's signals."""
        self.documents.tools.viewChosen.connect(self.navigation.displaying.choose)
        self.navigation.imageShown.connect(self.tool_work.warm_up)
        self.training.started.connect(self.roles.follow)
        self.training.finished.connect(self._after_run)
        self.roles.moved.connect(self.proposals.refresh)
        self.proposals.proposalReady.connect(self.versions.follow_learner)
        self.versions.currentChanged.connect(self.proposals.refresh)
        self.versions.currentChanged.connect(self.proposals_ahead.refresh)
        self.versions.currentChanged.connect(self.next_images.look)
        self.training.runningChanged.connect(self.next_images.hold)
        self.training.runningChanged.connect(self.mistakes.hold)
        self.next_images.changed.connect(self.proposals_ahead.look)
        self.navigation.imageLoading.connect(lambda _path: self.specks.close())

    def _after_run(self, _result: object) -> None:
        self.versions.read_again()
        self.navigation.follow_run()
        self.proposals.refresh()
        self.next_images.look()

    def begin(self, first_image: int | None = None) -> None:
        """Show an image, by default the one where the project was left, else the first that is not done; resume what
        was interrupted.
        """
        if self.store.notice:
            self.ground.notices.fail(JobKind.SAVE, self.store.notice)
        self._damage.listen(self._found_damage)
        self.versions.read_last_run()
        self.places.take_up()
        if self.navigation.rows:
            left = self.places.first if first_image is None else (first_image, None)
            index, plane = left or (self.navigation.next_unfinished() or 0, None)
            self.navigation.open(index, (self.navigation.items[index].open_plane() or 0) if plane is None else plane)
        self.training.resume(self._interrupted)

    def unsure_by(self, measure: str) -> None:
        """Rank likely errors, and the images that come next, by one of `preferences.UNCERTAINTIES`."""
        self.spots.measure = measure
        self.next_images.unsure_by(measure)

    @property
    def path(self) -> Path:
        """The project's folder."""
        return self.store.path

    @property
    def name(self) -> str:
        """Name of the project without its suffix."""
        return self.store.path.name.removesuffix(".segstudio")

    @property
    def why_read_only(self) -> str:
        """Why this window may not write; empty where it may."""
        return self.store.why_read_only

    @property
    def may_write(self) -> bool:
        """Whether this window may write."""
        return self.store.writer is not None

    def is_shown(self) -> bool:
        """Whether the image asked for is on screen; says why not."""
        if self.navigation.shown is None:
            loading = _("The image is still loading.")
            self.ground.notices.say(loading if self.navigation.loading else _("No image is shown."))
        return self.navigation.shown is not None

    def cancel(self) -> bool:
        """Abort what is unfinished: the stroke, else what is being filled in; whether there was something."""
        return self.documents.cancel_gesture() or self.finishing.cancel_fill()

    def undo(self) -> None:
        """Take the newest edit on this image back; what is unfinished is aborted instead."""
        if not self.cancel() and self.is_shown():
            self.ground.notices.attempt(self.documents.undo)

    def redo(self) -> None:
        """Redo what was undone last, after what is under way, unless another image is on screen by then."""
        documents, notices, image = self.documents, self.ground.notices, self.navigation.shown
        if documents.busy:
            notices.say(documents.busy)
            return
        documents.commit_gesture()
        documents.after(lambda: notices.attempt(documents.redo) if self.navigation.shown == image else None)

    def value_at(self, x: int, y: int) -> tuple[str, str]:
        """Value of a pixel in words, and the name of the class it is labelled with ('unknown' for none)."""
        display, opened = self.navigation.display, self.documents.current
        if display is None or opened is None or self.navigation.shown is None:
            return "", ""
        if not (0 <= x < display.size[0] and 0 <= y < display.size[1]):
            return "", ""
        class_id = ClassId(int(opened.document.class_ids(self.documents.plane, Rect(x, y, 1, 1))[0, 0]))
        found = self.documents.classes.effective(class_id) if class_id else None
        return display.value_text(x, y), found.name if found else _("unknown")

    def _engine_said(self, kind: EngineKind, device: str, sentence: str) -> None:
        self.ground.main.post(lambda: self._engine_is(EngineState(kind, device, sentence)))

    def _engine_is(self, state: EngineState) -> None:
        self.engine_state = state
        for row in unsaid():  # the engine has tables of its own
            self.ground.notices.say(row.sentence)
        self.engineStateChanged.emit(state)

    def _found_damage(self, sentence: str) -> None:
        self.ground.main.post(lambda: self.ground.notices.fail(JobKind.CHECK, sentence))

    def save(self) -> None:
        """Keep a stroke under way and wait a moment for the writer; a disk that refused is tried again."""
        self.documents.commit_gesture()
        writer = self.store.writer
        if writer is not None and not self.documents.busy and writer.flush(_SAVE_WAIT_S):
            self.documents.saving.acknowledge_rest()

    def ready_to_close(self, wait_s: float) -> bool:
        """Whether there is nothing to wait for: all is written, or the disk refuses, so that waiting would not help."""
        writer = self.store.writer
        if writer is None:
            return True
        if self.documents.gesture_active:
            return False
        end = monotonic() + wait_s
        if writer.flush(wait_s):
            self.documents.settle(0.0)
            applied = not self.documents.busy and self.finishing.settle(min(_COMPUTE_WAIT_S, wait_s))
            return applied and not self.documents.owes and writer.flush(max(0.0, end - monotonic()))
        return bool(writer.state.refused)

    def secure(self, wait_s: float | None = None) -> None:
        """Finish what is under way and make every edit durable, or kept aside. Raises `DiskRefused`; all stays open.

        A slow disk is waited for no longer than `wait_s` (30 by default) in all.
        """
        left = _countdown(wait_s)
        self.documents.settle(left())
        self.finishing.settle()
        self.store.secure(left(), self.documents.held_edits)

    def close(self, wait_s: float | None = None) -> None:
        """End jobs, then the engine, then the writer: returns when all is durable and the lock is free.

        To be called after `secure`. A disk that hangs is waited for no longer than `wait_s` (30 by default) in all, and
        some two seconds for the writer's thread; its edits are kept for the next opening then.
        """
        left = _countdown(wait_s)
        self.documents.commit_gesture()
        if self._check is not None:
            self._check.close()
        self.cine.play(False)
        self.tool_work.close(left())
        self.specks.close()
        self.lint.close(left())
        self.mistakes.close(left())
        self.object_rows.close(left())
        self.listing.close(left())
        self.finishing.close()
        self.objects.close(left())
        self.compared.close(left())
        self.spots.close(left())
        self.keep_learning.close(left())
        self.next_images.close(left())
        self.proposals_ahead.close()
        self.proposals.close(left())
        self.places.close(left())
        self.documents.tools.viewChosen.disconnect(self.navigation.displaying.choose)
        self.histograms.close(left())
        self._spare_memory.close(left())
        self.selected_area.close(left())
        self.navigation.close(left())
        self.versions.close(left())
        self.runs.close(left())
        self.effort.close(left())
        self.snapshots.close(left())
        jobs, main = self.ground.jobs, self.ground.main
        jobs.cancel_all(main)
        # It writes nothing, so nothing is lost by not waiting: while it loads torch it would take seconds to end.
        self.engine.close(wait_s=_ENGINE_WAIT_S)
        self.growing.close(left())
        jobs.wait_all(main, left)
        self.classes.wait(left())
        if self.store.writer is not None:
            self.store.writer.flush(left())
            self.documents.saving.acknowledge_rest()
        self.object_counts.close(left())  # the last edits are counted until they are told of
        main.close()
        self.documents.close(left())
        self.store.close(left())
        # Its connections may hold the last reference to the Session: as its child it would be deleted twice.
        self.setParent(QCoreApplication.instance())
        self.deleteLater()


def _countdown(wait_s: float | None) -> Callable[[], float]:
    """Answers how many seconds are left of those from now on."""
    end = monotonic() + (_LONGEST_WAIT_S if wait_s is None else wait_s)
    return lambda: max(0.0, end - monotonic())

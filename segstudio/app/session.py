"""The Session: what the widgets, and scripts, talk to. It forwards; each owner has its own file and signals.

All calls and signals are on the GUI thread. The methods and signals of docs/python.md are a contract. Its parts stand
in the modules `session_...`; here a project is opened, made and closed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from segstudio.app.preferences import save_preferences
from segstudio.app.session_classes import SessionClasses
from segstudio.app.session_growing import SessionGrowing
from segstudio.app.session_images import SessionImages
from segstudio.app.session_keeping import SessionKeeping
from segstudio.app.session_learning import SessionLearning
from segstudio.app.session_places import SessionPlaces
from segstudio.app.session_reading import SessionReading
from segstudio.app.session_tools import SessionTools
from segstudio.app.values import EngineState, JobState, SaveState
from segstudio.errors import UserError

if TYPE_CHECKING:
    # A window without a project starts without NumPy, store and engine: they come with the first.
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.opening import Opening
    from segstudio.store.project import SetAside

__all__ = ["Session"]


_LONGEST_WAIT_S = 30.0


class Session(
    SessionImages,
    SessionGrowing,
    SessionPlaces,
    SessionTools,
    SessionClasses,
    SessionLearning,
    SessionKeeping,
    SessionReading,
):
    """One window's session with at most one project."""

    def open_project(
        self, path: Path | str, first_image: int | None = None, then: Callable[[], None] | None = None
    ) -> None:
        """Open a project at an image, by itself at the first that is not done, closing the one before.

        Where `opens_later` is set, as a window does, this returns at once: `projectChanged` follows, and `then` is
        called after it, or `failed` with the job 'open'. Else it waits, and raises `UserError`. The project before
        stays open until the new one is, and where that cannot be opened. Calls that ask for an image or a change wait.
        """
        from segstudio.app.opening import Opening

        self.faults.listen()
        path = Path(path)
        if self._opening is not None:
            self._opening.drop()
            self._opening = None
        self._make_way(path)
        self._wanted = first_image, then or (lambda: None)
        self.jobChanged.emit(JobState("open", True, self.tr("Opening {0}").format(path.stem), cancellable=False))
        self._opening = Opening(path, self._arrived, self)
        if not self.opens_later:
            self._opening.wait()
            self._take_opened()

    def wait_for_opening(self, timeout_s: float | None = None) -> bool:
        """Wait for a project that is being opened, and open it now; whether there is none to wait for any more.

        Why one cannot be opened is told by `failed`.
        """
        if self._opening is None:
            return True
        if not self._opening.wait(timeout_s):
            return False
        self._arrived(self._opening)
        return True

    def _make_way(self, path: Path) -> None:
        """This window's own lock would make the project read-only: the same project is closed before it is opened.

        Only one that is read-only here holds no lock, and stays until the new one is there.
        """
        opened = self._opened
        if opened is None or opened.project.writer is None or opened.project.path.resolve() != path.resolve():
            return
        self.secure()
        self._opened = None
        opened.close()
        self.projectChanged.emit()

    def _arrived(self, opening: Opening) -> None:
        if opening is not self._opening:
            return  # another one was asked for since, or somebody has waited for this one
        try:
            self._take_opened()
        except UserError as error:
            self._fail("open", error.line)

    def _take_opened(self) -> None:
        """Put the project that was opened in the place of the one before. Raises what opening it raised."""
        from segstudio.app.open_project import OpenedProject

        opening, self._opening = self._opening, None
        assert opening is not None
        self.jobChanged.emit(JobState("open", False))
        prepared = opening.result()
        try:
            self.secure()
        except UserError:
            prepared.close()
            raise
        opened = OpenedProject(prepared, self.tools, self)
        previous, self._opened = self._opened, opened
        if previous is not None:
            previous.close()
        self._show(opened)

    def _show(self, opened: OpenedProject) -> None:
        first_image, then = self._wanted
        self._connect(opened)
        opened.proposals.visible = self._visible
        self.projectChanged.emit()
        self.classesChanged.emit()
        self.toolChanged.emit()
        self.imagesChanged.emit(())
        self.saveStateChanged.emit(opened.documents.save_state())
        if opened.project.notice:
            self._fail("save", opened.project.notice)
        self.versionsChanged.emit()
        opened.versions.read_last_run()
        if opened.navigation.rows:
            wanted = opened.navigation.next_unfinished() if first_image is None else first_image
            opened.navigation.open(wanted or 0)
        opened.training.resume(opened.interrupted)
        then()

    def secure(self, wait_s: float | None = None) -> None:
        """See every edit on disk, or kept aside for the next opening. Raises `DiskRefused`, and then all stays open."""
        if self._opened is not None:
            self._opened.secure(wait_s)
            self._secured = self._opened, self._opened.documents.submitted

    def _is_secured(self) -> bool:
        """Whether nothing was done since `secure` found all of it safe: a disk that hangs is waited for once."""
        opened = self._opened
        if opened is None or opened.documents.gesture_active or opened.documents.busy:
            return False
        return self._secured == (opened, opened.documents.submitted)

    def save(self) -> SaveState:
        """Keep a stroke under way and see every edit on disk, trying a disk that refused again; how it ended."""
        if self._opened is not None:
            self._opened.save()
        return self.save_state

    def ready_to_close(self, wait_s: float) -> bool:
        """Whether closing would make nobody wait, once `wait_s` have been waited for what is being written."""
        return self._opened is None or self._opened.ready_to_close(wait_s)

    @property
    def saving_text(self) -> str:
        """What closing waits for: 'Saving 12 edits', 'Saving', or the change that is being written."""
        return self._opened.documents.saving.text() if self._opened is not None else ""

    def new_project(self, path: Path | str, images: Iterable[Path | str], classes: Sequence[str] = ()) -> None:
        """Make a project of images (files, folders, globs) and classes (NAME[:#RRGGBB[:kind]]) on a thread.

        It is opened when it is there; `jobChanged` tells how far it is, `failed` why there is none.
        """
        if self._creation is None:
            from segstudio.app.creating import Creation

            self._creation = Creation(self)
            self._creation.jobChanged.connect(self.jobChanged)
            self._creation.failed.connect(self.failed)
            self._creation.made.connect(self._open_made)
        self._creation.start(Path(path), [str(image) for image in images], list(classes))

    def open_images(self, paths: Sequence[Path]) -> None:
        """Open the project beside a folder of images, or beside images; where there is none, make it.

        Images that it lacks are added, and the first one given is shown; of a folder it is said how many it lacks.
        Raises `UserError` where it cannot be opened.
        """
        from segstudio.tasks.images.new import project_beside

        first = paths[0]
        target = project_beside(first if first.is_dir() else first.parent)
        if not target.exists():
            self.new_project(target, paths)
            return
        self.open_project(target, then=lambda: self._take_in(paths))

    def _take_in(self, paths: Sequence[Path]) -> None:
        """Add the images that the open project lacks, and show the first; of a folder, say how many it lacks."""
        assert self._opened is not None
        files = [os.path.abspath(path) for path in paths if not path.is_dir()]
        if not files:
            self._opened.growing.look([os.path.abspath(path) for path in paths])
        elif self._opened.project.writer is not None:
            self._opened.growing.add(files, show=True)
        else:
            self._opened.growing.show(files)

    def _open_made(self, path: Path) -> None:
        try:
            self.open_project(path)
        except UserError as error:
            self._fail("new", error.line)

    def _connect(self, opened: OpenedProject) -> None:
        documents, navigation = opened.documents, opened.navigation
        documents.editCommitted.connect(self.editCommitted)
        documents.changed.connect(self.changed)
        documents.historyChanged.connect(self.historyChanged)
        documents.saveStateChanged.connect(self.saveStateChanged)
        documents.classesChanged.connect(self.classesChanged)
        documents.classesChanged.connect(self.toolChanged)
        documents.classChosen.connect(self.toolChanged)
        documents.said.connect(self.said)
        documents.long.said.connect(self.said)
        documents.long.failed.connect(self.failed)
        documents.long.jobChanged.connect(self.jobChanged)
        documents.refused.connect(lambda sentence: self._fail("save", sentence))
        documents.setAside.connect(self._say_set_aside)
        navigation.imageLoading.connect(self.imageLoading)
        navigation.imageShown.connect(self.imageShown)
        navigation.displaying.displayChanged.connect(self.displayChanged)
        navigation.imagesChanged.connect(self.imagesChanged)
        navigation.troubleChanged.connect(self.imageTroubleChanged)
        navigation.refused.connect(lambda sentence: self._fail("content", sentence))
        opened.growing.jobChanged.connect(self.jobChanged)
        opened.growing.failed.connect(self.failed)
        opened.growing.said.connect(self.said)
        opened.growing.added.connect(self.imagesAdded)
        opened.growing.found.connect(self.imagesFound)
        opened.relinking.jobChanged.connect(self.jobChanged)
        opened.relinking.failed.connect(self.failed)
        opened.relinking.said.connect(self.said)
        navigation.imageFailed.connect(lambda _path, sentence: self._fail("image", sentence))
        opened.proposals.proposalReady.connect(self.proposalReady)
        opened.proposals.proposalChanged.connect(self.proposalChanged)
        opened.proposals.failed.connect(self.failed)
        opened.proposals.said.connect(self.said)
        opened.finishing.failed.connect(lambda sentence: self._fail("done", sentence))
        opened.finishing.said.connect(self.said)
        opened.object_counts.counted.connect(self.objectsCounted)
        opened.object_counts.said.connect(self.said)
        opened.finishing.jobChanged.connect(self.jobChanged)
        opened.finishing.stateChanged.connect(self.doneStateChanged)
        opened.proposals.jobChanged.connect(self.jobChanged)
        opened.proposals.ageChanged.connect(self.proposalAged)
        opened.training.trainingEvent.connect(self.trainingEvent)
        opened.training.trainingFinished.connect(self._training_finished)
        opened.training.failed.connect(self.failed)
        opened.training.runningChanged.connect(
            lambda running: self.jobChanged.emit(JobState("train", running, self.tr("Fine-tuning")))
        )
        opened.training.resumed.connect(self.noticed)
        opened.training.started.connect(opened.roles.follow)
        opened.roles.said.connect(self.said)
        opened.roles.failed.connect(self.failed)
        opened.roles.moved.connect(opened.proposals.refresh)
        opened.proposals.proposalReady.connect(opened.versions.follow_learner)
        opened.versions.learnerChanged.connect(self.versionsChanged)
        opened.versions.currentChanged.connect(self._version_chosen)
        opened.versions.runRead.connect(self.runRead)
        opened.versions.failed.connect(lambda sentence: self._fail("versions", sentence))
        opened.exports.exportFinished.connect(self.exportFinished)
        opened.exports.failed.connect(self.failed)
        opened.exports.jobChanged.connect(self.jobChanged)
        opened.snapshots.snapshotsChanged.connect(self.snapshotsChanged)
        opened.snapshots.restored.connect(self.snapshotRestored)
        opened.snapshots.said.connect(self.said)
        opened.snapshots.failed.connect(self.failed)
        opened.backups.backedUp.connect(self.backupFinished)
        opened.backups.failed.connect(self.failed)
        opened.backups.jobChanged.connect(self.jobChanged)
        opened.engineStateChanged.connect(self._engine_changed)
        opened.damageFound.connect(lambda sentence: self._fail("check", sentence))

    def close(self, wait_s: float | None = None) -> None:
        """End everything: returns when every edit is durable, or kept aside, and the lock is free.

        At most about `wait_s` (30 by default) are waited for a slow disk, and a change of many images is cancelled.
        Raises `DiskRefused`, with everything as it was, where neither the project nor the state folder takes an edit.
        """
        begun = monotonic()
        if not self._is_secured():
            self.secure(wait_s)
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.drop()
            opening.wait()
            self.jobChanged.emit(JobState("open", False))
        creation, self._creation = self._creation, None
        if creation is not None:
            creation.close()
            creation.deleteLater()
        opened, self._opened = self._opened, None
        if opened is not None:
            longest = _LONGEST_WAIT_S if wait_s is None else wait_s
            opened.close(max(0.0, longest - (monotonic() - begun)))
            self.projectChanged.emit()
        self.faults.close()
        try:
            if self.remembers:
                save_preferences(self.preferences)
        except OSError as error:
            self.said.emit(self.tr("Preferences could not be saved: {0}").format(error.strerror or error))

    def _say_set_aside(self, aside: SetAside) -> None:
        self.failed.emit({"job": "bug", "sentence": aside.sentence, "details": aside.details})

    def _engine_changed(self, state: EngineState) -> None:
        self._engine_state = state
        self.engineStateChanged.emit(state)

"""The Session: one window's owners, and the names that scripts lean on.

What stands in CONTRACT.md is a method or signal here, and forwards; everything else is asked of the owner that has it:
`notices`, `jobs`, `projects`, and those of the open `project`. All calls and signals are on the GUI thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.app.job_list import Jobs
from segstudio.app.notices import Notices
from segstudio.app.preferences import Preferences, load_preferences, save_preferences
from segstudio.app.project_switch import Projects
from segstudio.app.session_tools import SessionTools
from segstudio.app.values import Notice, NoticeKind
from segstudio.errors import UserError

if TYPE_CHECKING:
    # A window without a project starts without NumPy, store and engine: they come with the first.
    import numpy as np
    from numpy.typing import NDArray

    from segstudio.app.open_project import OpenedProject
    from segstudio.app.viewing.reading import Area, Image
    from segstudio.runs import Event, TrainResult
    from segstudio.tasks.labels.export import ExportReport

__all__ = ["Session"]


class Session(SessionTools):
    """One window's session with at most one project: `project`, None without one; `projectChanged` says it is another.

    The contract's signals come after the owners' own, so that a script finds the window as it is to be seen.
    """

    imageShown = Signal()
    editCommitted = Signal(int)
    proposalReady = Signal()
    trainingEvent = Signal(object)
    trainingFinished = Signal(object)
    exportFinished = Signal(object)
    failed = Signal(object)
    projectChanged = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.preferences: Preferences = load_preferences()
        self.remembers = True
        self.notices = Notices(self._abort_gesture, self)
        self.jobs = Jobs(self.notices, self)
        self.projects = Projects(self.notices, self.jobs, self)
        self.begin_tools()
        self.projects.changed.connect(self._follow)
        self.notices.told.connect(self._tell_failure)

    @property
    def project(self) -> OpenedProject | None:
        """The open project with its owners."""
        return self.projects.current

    def _follow(self) -> None:
        project = self.project
        self.take_tools_to(project)
        self.projectChanged.emit()
        if project is None:
            return
        project.navigation.imageShown.connect(self.imageShown)
        project.documents.editCommitted.connect(self.editCommitted)
        project.proposals.proposalReady.connect(self.proposalReady)
        project.training.happened.connect(self._tell_event)
        project.training.finished.connect(self._tell_result)
        project.exports.finished.connect(self._tell_export)

    # -- images ------------------------------------------------------------------------------------------------------

    @property
    def current_image(self) -> str | None:
        """Path of the image on screen, or being loaded, as `info` has it."""
        return self.project.navigation.path if self.project else None

    def open_image(self, index_or_path: int | str, plane: int = 0) -> None:
        """Show an image: `imageShown` follows. Raises `UserError` where the project has none such."""
        self.projects.wait()
        if self.project is not None:
            self.project.navigation.open(self.project.navigation.find(index_or_path), plane)

    def add_images(self, paths: Iterable[Path | str]) -> None:
        """Add files, folders and globs to the project, in the background; the image on screen stays."""
        if project := self._writing():
            project.growing.add([os.fspath(path) for path in paths])

    def remove_images(self, paths: Iterable[Path | str]) -> None:
        """Take images out, by paths as `info` has them or globs: one edit, which undo takes back from any image."""
        if project := self._writing():
            project.growing.remove([os.fspath(path) for path in paths])

    def hold_out(self, path: int | str, held: bool) -> None:
        """Hold an image out, or let it be learned from: then another labelled one takes the role."""
        if project := self._writing():
            navigation = project.navigation
            project.roles.hold_out(navigation.rows[navigation.find(path)].id, held=held)

    # -- labels ------------------------------------------------------------------------------------------------------

    def set_class(self, name: str) -> None:
        """Choose the class to paint. Raises `UserError` where there is none of this name."""
        self.projects.wait()
        if self.project is not None:
            self.project.documents.choose_class(name)

    def undo(self) -> None:
        """Take the newest edit on this image back; what is unfinished is aborted instead."""
        if (project := self._writing()) and not project.cancel() and self._is_shown(project):
            self.notices.attempt(project.documents.undo)

    def redo(self) -> None:
        """Do again what was taken back last."""
        if project := self._editing():
            project.redo()

    def propose(self) -> None:
        """Ask for a proposal of the image on screen; exactly one `proposalReady` (or `failed`) follows."""
        if project := self._writing():
            project.documents.commit_gesture()
            project.proposals.propose()

    def reject_proposal(self) -> None:
        """Show no proposal for the image on screen until one is asked for, also when the project is opened again."""
        if project := self._editing():
            project.documents.commit_gesture()
            project.proposals.reject()

    def accept_proposal(self) -> None:
        """Fill what is unlabelled with the proposal, as one edit."""
        if project := self._editing():
            project.finishing.accept()

    def mark_done(self, empty: bool = False) -> None:
        """Fill the rest, mark the image done, show the next that is not.

        Waits for a proposal that is coming. Where nothing would be labelled nothing happens but that the window asks;
        with `empty` a person says that there is nothing, and all that is unlabelled becomes background.
        """
        if project := self._editing():
            project.finishing.mark_done_and_go_on(empty=empty)

    # -- learning and export -----------------------------------------------------------------------------------------

    def fine_tune(self, **options: object) -> None:
        """Train in the background: options are those of `segstudio train` with underscores."""
        if project := self._writing():
            project.training.ask(**options)

    def stop_training(self) -> None:
        """End the run early; the best so far is compared and kept."""
        if self.project is not None:
            self.project.training.stop()

    def export(self, format: str, out: Path | str, content: str = "labels") -> None:
        """Export in the background: `exportFinished` when every file is in place and read back."""
        if project := self._there():
            project.exports.ask(format, Path(out), content)

    def close(self, wait_s: float | None = None) -> None:
        """End everything, as `Projects.close` does, and keep the preferences."""
        self.projects.close(wait_s)
        self.notices.close()
        try:
            if self.remembers:
                save_preferences(self.preferences)
        except OSError as error:
            self.notices.say(self.tr("Preferences could not be saved: {0}").format(error.strerror or error))

    # -- reading -----------------------------------------------------------------------------------------------------

    def labels(self, image: Image = None, plane: int = 0, rect: Area = None) -> NDArray[np.uint32]:
        """Object ids (h, w), uint32, read-only, 0 = unknown; of the image on screen where none is named."""
        from segstudio.app.viewing.reading import read_labels

        return read_labels(self._reading(), image, plane, rect)[0]

    def origins(self, image: Image = None, plane: int = 0, rect: Area = None) -> NDArray[np.uint8]:
        """Origins (h, w), uint8, read-only (0 none, 1 painted, 2 accepted, 3 imported, 4 filled in, 5 computed)."""
        from segstudio.app.viewing.reading import read_labels

        return read_labels(self._reading(), image, plane, rect)[1]

    def proposal(
        self, image: Image = None, plane: int = 0, rect: Area = None
    ) -> tuple[NDArray[np.uint16], NDArray[np.float32]] | None:
        """Class values (uint16, 255 where nothing is proposed) and confidence (float32, 0..1), each (h, w), read-only.

        None without a proposal.
        """
        from segstudio.app.viewing.reading import read_proposal

        return read_proposal(self._reading(), image, plane, rect)

    # -- what stands in the way --------------------------------------------------------------------------------------

    def _there(self) -> OpenedProject | None:
        """The open project, or the one that is being opened; says that there is none."""
        self.projects.wait()
        if self.project is None:
            self.notices.say(self.tr("No project is open."))
        return self.project

    def _reading(self) -> OpenedProject:
        self.projects.wait()
        if self.project is None:
            raise UserError("No project is open.")
        return self.project

    def _writing(self) -> OpenedProject | None:
        """The open project where this window may write it; says why not."""
        project = self._there()
        if project is not None and not project.may_write:
            self.notices.say(project.why_read_only)
            return None
        return project

    def _editing(self) -> OpenedProject | None:
        """The open project where its image asked for is on screen, so that an edit is made on what is seen."""
        project = self._writing()
        return project if project is not None and self._is_shown(project) else None

    def _is_shown(self, project: OpenedProject) -> bool:
        navigation = project.navigation
        if navigation.shown is None:
            loading = self.tr("The image is still loading.")
            self.notices.say(loading if navigation.loading else self.tr("No image is shown."))
        return navigation.shown is not None

    def _abort_gesture(self) -> bool:
        return self.project is not None and self.project.documents.cancel_gesture()

    # -- the contract's dicts ----------------------------------------------------------------------------------------

    def _tell_failure(self, notice: Notice) -> None:
        if notice.kind in (NoticeKind.FAILURE, NoticeKind.FAULT, NoticeKind.BUG):
            told = {"job": str(notice.job or notice.kind), "sentence": notice.sentence, "details": notice.details}
            self.failed.emit(told | ({"cancelled": True} if notice.cancelled else {}))

    def _tell_event(self, event: Event) -> None:
        import msgspec

        self.trainingEvent.emit(msgspec.to_builtins(event))

    def _tell_result(self, result: TrainResult) -> None:
        import msgspec

        self.trainingFinished.emit(msgspec.to_builtins(result))

    def _tell_export(self, report: ExportReport) -> None:
        from segstudio.app.exporting import export_result

        self.exportFinished.emit(export_result(report))

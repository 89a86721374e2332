"""The Session: one window's owners, and the names that scripts lean on.

All calls and signals are on the GUI thread. Everything beyond these names is on the owner concerned.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, SignalInstance

from segstudio.app.editing.tool_state import ToolState
from segstudio.app.editing.tools.table import tool_named
from segstudio.app.job_list import Jobs
from segstudio.app.kept_preferences import KeptPreferences
from segstudio.app.notices import Notices
from segstudio.app.preferences import Preferences
from segstudio.app.project_switch import Projects
from segstudio.app.values import Notice, NoticeKind
from segstudio.labels.model import Touch

if TYPE_CHECKING:
    # A window without a project starts without NumPy, store and engine: they come with the first.
    from segstudio.app.exporting import ExportReport
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.viewing.reading import Area, Ids, Image, Origins, Proposed
    from segstudio.runs import Event, TrainResult

__all__ = ["Session"]


class Session(QObject):
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
        self.notices = Notices(lambda: self.project is not None and self.project.documents.cancel_gesture(), self)
        self.kept_preferences = KeptPreferences(self.notices, self)
        self.kept_preferences.changed.connect(self._follow_preferences)
        self.jobs = Jobs(self.notices, self)
        self.tools = ToolState(self.preferences.brush_radius, self, options=self.preferences.tool_options)
        self.projects = Projects(self.notices, self.jobs, self.tools, self)
        self.projects.changed.connect(self._follow)
        self.notices.told.connect(self._tell_failure)

    @property
    def preferences(self) -> Preferences:
        """A person's preferences; `kept_preferences` says that they are others."""
        return self.kept_preferences.current

    @preferences.setter
    def preferences(self, wanted: Preferences) -> None:
        self.kept_preferences.become(wanted)

    @property
    def project(self) -> OpenedProject | None:
        """The open project with its owners."""
        return self.projects.current

    def _follow(self) -> None:
        if project := self.project:
            project.places.keeps = self.kept_preferences.remembers
        self.tools.limit_class(None)  # another project has other classes
        self.projectChanged.emit()
        if project := self.project:
            self._follow_preferences()
            project.navigation.imageShown.connect(self.imageShown)
            project.documents.editCommitted.connect(self.editCommitted)
            project.proposals.proposalReady.connect(self.proposalReady)
            project.training.happened.connect(partial(self._tell_values, self.trainingEvent))
            project.training.finished.connect(partial(self._tell_values, self.trainingFinished))
            project.exports.finished.connect(self._tell_export)

    def _follow_preferences(self) -> None:
        if project := self.project:
            project.proposals.automatic = self.preferences.automatic_proposals
            project.unsure_by(self.preferences.uncertainty)

    @property
    def current_image(self) -> str | None:
        """Path of the image on screen, or being loaded, as `info` has it."""
        return self.project.navigation.path if self.project else None

    def open_image(self, index_or_path: int | str, plane: int | None = None) -> None:
        """Show an image, by default the plane of it that was on screen last: `imageShown` follows. Raises `UserError`
        where the project has none such."""
        if project := self.projects.awaited():
            project.navigation.open(project.navigation.find(index_or_path), plane)

    def set_plane(self, n: int) -> None:
        """Show another plane, counted from 0, of the image on screen: `imageShown` follows. Raises `UserError` where it
        is not there."""
        if project := self.projects.there():
            project.planes.go(n)

    def add_images(self, paths: Iterable[Path | str]) -> None:
        """Add files, folders and globs to the project, in the background; the image on screen stays."""
        if project := self.projects.to_write():
            project.growing.add([os.fspath(path) for path in paths])

    def remove_images(self, paths: Iterable[Path | str]) -> None:
        """Take images out, by paths as `info` has them or globs: one edit, which undo undoes from any image."""
        if project := self.projects.to_write():
            project.growing.remove([os.fspath(path) for path in paths])

    def hold_out(self, path: int | str, held: bool) -> None:
        """Hold an image out, or let it be learned from: then another labelled one takes the role."""
        if project := self.projects.to_write():
            navigation = project.navigation
            project.roles.hold_out([navigation.rows[navigation.find(path)].id], held=held)

    def set_tool(self, name: str) -> None:
        """Choose a tool of the table. A gesture under way is kept. Raises `UserError` for a name that is not there."""
        row = tool_named(name)
        if self.project is not None:
            self.project.documents.commit_gesture()
        self.tools.choose(row.name)

    def set_brush_radius(self, px: float) -> None:
        """Radius in image pixels, 0.5 to 1000; one beyond becomes the nearest."""
        self.tools.set_radius(px)

    def set_tolerance(self, f: float) -> None:
        """How far values may lie from the one clicked, 0 to 1: a share of the distance from black to white."""
        self.tools.set_tolerance(f)

    def set_touch(self, touch: Touch | str) -> None:
        """Which pixels a stroke may change: "all", "unlabelled", "labelled", "class", "object" or "range"."""
        self.tools.set_touch(touch)

    def set_class(self, name: str) -> None:
        """Choose the class to paint. Raises `UserError` where there is none of this name."""
        if project := self.projects.awaited():
            project.documents.choose_class(name)

    def set_window(self, level: float, width: float, channel: int = 0) -> None:
        """Show a channel, counted from 0, in this window, while the project is open; the network sees the data, not
        this. Raises `UserError` where nothing would be shown between black and white, or that channel is not shown.
        """
        if (project := self.projects.there()) and project.is_shown():
            project.adjusting.window(level, width, channel)

    def undo(self) -> None:
        """Take the newest edit on this image back; what is unfinished is aborted instead."""
        if project := self.projects.to_write():
            project.undo()

    def redo(self) -> None:
        """Redo what was undone last."""
        if project := self.projects.to_edit():
            project.redo()

    def select(self, ids: Iterable[int]) -> None:
        """Select these objects of the image on screen and no others."""
        if project := self.projects.there():
            project.objects.select(ids)

    def merge_selected(self) -> None:
        """Make one object of the selected ones, as one edit; it keeps the lowest id."""
        if project := self.projects.to_edit():
            project.objects.merge()

    def delete_selected(self) -> None:
        """Make the pixels of the selected objects unknown, as one edit."""
        if project := self.projects.to_edit():
            project.objects.delete()

    def copy_plane(self, class_only: bool = False) -> None:
        """Copy the labels of this plane, or those of the chosen class, into the next one, and show that: one edit."""
        if project := self.projects.to_edit():
            project.plane_edits.copy_on(class_only=class_only)

    def interpolate(self, around: bool = False) -> None:
        """Fill what is unlabelled between labelled planes, in the whole stack or around this plane: one edit."""
        if project := self.projects.to_edit():
            project.plane_edits.interpolate(around=around)

    def propose(self) -> None:
        """Ask for a proposal of the image on screen; exactly one `proposalReady` (or `failed`) follows."""
        if project := self.projects.to_write():
            project.documents.commit_gesture()
            project.proposals.propose()

    def propose_planes(self, first: int = 0, last: int | None = None) -> None:
        """Propose for all planes of the image on screen, or for those from `first` to `last`, counted from 0."""
        if project := self.projects.to_write():
            project.documents.commit_gesture()
            project.plane_proposals.ask(range(first, project.planes.number if last is None else last + 1))

    def reject_proposal(self) -> None:
        """Show no proposal for the image on screen until one is asked for, also when the project is opened again."""
        if project := self.projects.to_edit():
            project.documents.commit_gesture()
            project.proposals.reject()

    def accept_proposal(self) -> None:
        """Fill what is unlabelled with the proposal, as one edit."""
        if project := self.projects.to_edit():
            project.finishing.accept()

    def next_error(self) -> None:
        """Show the spot of the image where the proposal is most likely wrong, then the next likely one."""
        if (project := self.projects.there()) and project.is_shown():
            project.spots.next()

    def mark_done(self, empty: bool = False) -> None:
        """Fill the rest of the plane on screen, mark it done, show the next plane or image that is not; with `empty`
        nothing need be labelled."""
        if project := self.projects.to_edit():
            project.finishing.mark_done_and_go_on(empty=empty)

    def mark_all_done(self, confirmed: bool = False) -> None:
        """The same for all planes of the image on screen; a strip asks where some were never shown, unless that is
        `confirmed`."""
        if project := self.projects.to_edit():
            project.finishing.mark_all_done(confirmed=confirmed)

    def mark_not_done(self) -> None:
        """Mark the plane on screen not done: its labels stay, and so does what Done has filled in."""
        if project := self.projects.to_edit():
            project.marking.reopen_shown()

    def fine_tune(self, **options: object) -> None:
        """Train in the background: options are those of `segstudio train` with underscores."""
        if project := self.projects.to_write():
            project.training.ask(**options)

    def stop_training(self) -> None:
        """End the run early; the best so far is compared and kept. Learning no longer goes on by itself either."""
        if self.project is not None:
            self.project.keep_learning.end()
            self.project.training.stop()

    def keep_learning(self, on: bool = True) -> None:
        """Let the model go on learning, in the background, while a person labels; or no longer."""
        if project := self.projects.to_write():
            project.keep_learning.turn(on)

    def export(self, format: str, out: Path | str, content: str = "labels") -> None:
        """Export in the background: `exportFinished` when every file is in place and read back."""
        if project := self.projects.there():
            project.exports.ask(format, Path(out), content)

    def close(self, wait_s: float | None = None) -> None:
        """End everything, as `Projects.close` does, and keep the preferences."""
        self.projects.close(wait_s)
        self.notices.close()
        self.kept_preferences.close()

    def labels(self, image: Image = None, plane: int = 0, rect: Area = None) -> Ids:
        """Object ids (h, w), uint32, read-only, 0 = unknown; of the image on screen where none is named."""
        return self.projects.to_read().reading.labels(image, plane, rect)[0]

    def origins(self, image: Image = None, plane: int = 0, rect: Area = None) -> Origins:
        """Origins (h, w), uint8, read-only (0 none, 1 painted, 2 accepted, 3 imported, 4 filled in, 5 computed)."""
        return self.projects.to_read().reading.labels(image, plane, rect)[1]

    def proposal(self, image: Image = None, plane: int = 0, rect: Area = None) -> Proposed | None:
        """Class values (uint16, 255 for none) and confidence (float32, 0..1), each (h, w); None without a proposal."""
        return self.projects.to_read().reading.proposal(image, plane, rect)

    def objects(self, image: Image = None) -> list[dict[str, Any]]:
        """The objects of an image over its planes, measured now: id, class, planes, area_px, area, unit, rect, origins
        and mean of each; of the image on screen where none is named. Background and ignore are no objects."""
        return self.projects.to_read().reading.objects(image)

    def _tell_failure(self, notice: Notice) -> None:
        if notice.kind in (NoticeKind.FAILURE, NoticeKind.FAULT, NoticeKind.BUG):
            told = {"job": str(notice.job or notice.kind), "sentence": notice.sentence, "details": notice.details}
            self.failed.emit(told | ({"cancelled": True} if notice.cancelled else {}))

    def _tell_values(self, signal: SignalInstance, value: Event | TrainResult) -> None:
        import msgspec

        signal.emit(msgspec.to_builtins(value))

    def _tell_export(self, report: ExportReport) -> None:
        from segstudio.app.exporting import export_result

        self.exportFinished.emit(export_result(report))

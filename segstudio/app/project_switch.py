"""The owner of the open project: opens, makes and closes projects, one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.tool_state import ToolState
from segstudio.app.job_list import Jobs
from segstudio.app.jobs import MainThread
from segstudio.app.notices import Notices
from segstudio.app.values import JobId, JobKind, SaveState
from segstudio.errors import UserError
from segstudio.text import _

if TYPE_CHECKING:
    # A window without a project starts without NumPy, store and engine: they come with the first.
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.opening import Opening
    from segstudio.tasks.images.new import NewReport

__all__ = ["Projects"]

_LONGEST_WAIT_S = 30.0


class Projects(QObject):
    """`current` is the open project, `changed` says that it is another one, or none.

    `leftOut` is a sentence about files that a new project was to be made of and that it does not hold. Where
    `opens_later` is set, as a window does, `open` returns at once.
    """

    changed = Signal()
    leftOut = Signal(str)

    def __init__(self, notices: Notices, jobs: Jobs, tools: ToolState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices, self._jobs, self._tools = notices, jobs, tools
        self._main = MainThread(self)
        self.current: OpenedProject | None = None
        self.opens_later = False
        self._opening: Opening | None = None
        self._opening_job: JobId | None = None
        self._wanted: tuple[int | None, Callable[[], None]] = None, lambda: None
        self._secured: tuple[OpenedProject, int] | None = None

    # -- opening -----------------------------------------------------------------------------------------------------

    def open(self, path: Path | str, first_image: int | None = None, then: Callable[[], None] | None = None) -> None:
        """Open a project at an image, by default at the first that is not done, and close the one before.

        Where `opens_later` is set, `changed` follows, and `then` is called after it, or a notice says why not. Else
        this waits, and raises `UserError`. The project before stays open until the new one is, and where that cannot
        be opened. Calls that ask for an image or a change wait.
        """
        from segstudio.app.opening import Opening

        self._notices.listen()
        path = Path(path)
        if self._opening is not None:
            self._opening.drop()
            self._end_opening()
        self._make_way(path)
        self._wanted = first_image, then or (lambda: None)
        self._opening_job = self._jobs.show(JobKind.OPEN, _("Opening {name}", name=path.stem))
        self._opening = Opening(path, self._arrived, self)
        if not self.opens_later:
            self._opening.wait()
            self._take_opened()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for a project that is being opened, and open it now; whether there is none to wait for any more.

        A notice says why one cannot be opened.
        """
        if self._opening is None:
            return True
        if not self._opening.wait(timeout_s):
            return False
        self._arrived(self._opening)
        return True

    def _make_way(self, path: Path) -> None:
        """A second opening would meet this window's own lock: the same project is closed before it is opened again.

        Only a read-only one holds no lock, and stays until the new one is there.
        """
        opened = self.current
        if opened is None or not opened.may_write or opened.path.resolve() != path.resolve():
            return
        self.secure()
        self.current = None
        opened.close()
        self.changed.emit()

    def _arrived(self, opening: Opening) -> None:
        if opening is self._opening:  # else another one was asked for since, or somebody has waited for this one
            self._notices.attempt(self._take_opened, JobKind.OPEN)

    def _end_opening(self) -> None:
        self._opening = None
        if self._opening_job is not None:
            self._jobs.end(self._opening_job)
            self._opening_job = None

    def _take_opened(self) -> None:
        """Put the project that was opened in the place of the one before. Raises what opening it raised."""
        from segstudio.app.open_project import OpenedProject

        opening = self._opening
        assert opening is not None
        self._end_opening()
        prepared = opening.result()
        try:
            self.secure()
        except UserError:
            prepared.close()
            raise
        opened = OpenedProject(prepared, self._notices, self._jobs, self._tools, self)
        previous, self.current = self.current, opened
        if previous is not None:
            previous.close()
        first_image, then = self._wanted
        self.changed.emit()
        opened.begin(first_image)
        then()

    # -- what stands in the way --------------------------------------------------------------------------------------

    def awaited(self) -> OpenedProject | None:
        """The open project, or the one that is being opened, once it is there."""
        self.wait()
        return self.current

    def there(self) -> OpenedProject | None:
        """The open project, or the one that is being opened; says that there is none."""
        self.wait()
        if self.current is None:
            self._notices.say(_("No project is open."))
        return self.current

    def to_read(self) -> OpenedProject:
        """The open project, or the one that is being opened. Raises `UserError` where there is none."""
        self.wait()
        if self.current is None:
            raise UserError(_("No project is open."))
        return self.current

    def to_write(self) -> OpenedProject | None:
        """The open project where this window may write it; says why not."""
        project = self.there()
        if project is not None and not project.may_write:
            self._notices.say(project.why_read_only)
            return None
        return project

    def to_edit(self) -> OpenedProject | None:
        """The same where the image asked for is on screen, so that an edit is made on what is seen; says why not."""
        project = self.to_write()
        return project if project is not None and project.is_shown() else None

    # -- making ------------------------------------------------------------------------------------------------------

    def new(self, path: Path | str, images: Iterable[Path | str], classes: Sequence[str] = ()) -> None:
        """Make a project of images (files, folders, globs) and classes (NAME[:#RRGGBB[:kind]]) on a thread.

        It is opened when it is there; nothing happens while another one is being made.
        """
        from segstudio.tasks.images.new import new_project

        if self._jobs.of(JobKind.NEW):
            return
        self._jobs.follow(
            JobKind.NEW,
            _("Reading the images"),
            new_project(Path(path), [str(image) for image in images], list(classes)),
            self._main,
            words=lambda progress: _("Read {done} of {total} files", done=progress.done, total=progress.total),
            on_done=lambda report: self._notices.attempt(lambda: self._open_new(report), JobKind.NEW),
        )

    def _open_new(self, report: NewReport) -> None:
        from segstudio.app.left_out import left_out

        sentence = left_out(report)
        self.open(report.path, then=lambda: self.leftOut.emit(sentence) if sentence else None)

    def beside(self, folder: Path) -> Path:
        """Where the project of a folder of images is, or would be made."""
        from segstudio.tasks.images.new import project_beside

        return project_beside(folder)

    def open_images(self, paths: Sequence[Path]) -> None:
        """Open the project beside a folder of images, or beside images; where there is none, make it.

        Missing images are added, and the first one given is shown; for a folder, a message gives the number missing.
        Raises `UserError` where it cannot be opened.
        """
        first = paths[0]
        target = self.beside(first if first.is_dir() else first.parent)
        if target.exists():
            self.open(target, then=lambda: self._take_in(paths))
        else:
            self.new(target, paths)

    def _take_in(self, paths: Sequence[Path]) -> None:
        """Add the images missing from the open project, and show the first; for a folder, say how many are missing."""
        assert self.current is not None
        files = [os.path.abspath(path) for path in paths if not path.is_dir()]
        if not files:
            self.current.growing.look([os.path.abspath(path) for path in paths])
        elif self.current.may_write:
            self.current.growing.add(files, show=True)
        else:
            self.current.growing.show(files)

    # -- saving and closing ------------------------------------------------------------------------------------------

    def secure(self, wait_s: float | None = None) -> None:
        """Make every edit durable, or keep it aside for the next opening. Raises `DiskRefused`; then all stays open."""
        if self.current is not None:
            self.current.secure(wait_s)
            self._secured = self.current, self.current.documents.submitted

    def _is_secured(self) -> bool:
        """Whether nothing has changed since `secure` found all of it safe: the wait for a hanging disk happens once."""
        opened = self.current
        if opened is None or opened.documents.gesture_active or opened.documents.busy:
            return False
        return self._secured == (opened, opened.documents.submitted)

    def save(self) -> SaveState:
        """Keep a stroke under way and make every edit durable, trying a refusing disk again; returns how it ended."""
        if self.current is None:
            return SaveState(True, "", "")
        self.current.save()
        return self.current.documents.save_state()

    def ready_to_close(self, wait_s: float) -> bool:
        """Whether closing would make nobody wait, once `wait_s` have been waited for what is being written."""
        return self.current is None or self.current.ready_to_close(wait_s)

    def close(self, wait_s: float | None = None) -> None:
        """End everything: returns when every edit is durable, or kept aside, and the lock is free.

        Waits at most about `wait_s` (30 by default) for a slow disk, and cancels a change of many images.
        Raises `DiskRefused`, with everything unchanged, where neither the project nor the state folder takes an edit.
        """
        begun = monotonic()
        if not self._is_secured():
            self.secure(wait_s)
        opening = self._opening
        if opening is not None:
            opening.drop()
            opening.wait()
            self._end_opening()
        self._jobs.cancel_all(self._main)
        self._jobs.wait_all(self._main, lambda: _LONGEST_WAIT_S)
        opened, self.current = self.current, None
        if opened is not None:
            longest = _LONGEST_WAIT_S if wait_s is None else wait_s
            opened.close(max(0.0, longest - (monotonic() - begun)))
            self.changed.emit()

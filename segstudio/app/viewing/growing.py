"""The owner of a project as it grows and shrinks: images are looked at on a thread, and written by the writer."""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.values import ImagesAdded, ImagesFound, JobId, JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import UserError
from segstudio.store.growing import removal_edit
from segstudio.store.values import ImageRow
from segstudio.tasks.images.add import Additions, additions, drop_copies, take_files_in, write_additions
from segstudio.tasks.images.remove import images_meant
from segstudio.tasks.images.skipped import reasons
from segstudio.tasks.progress import Progress
from segstudio.text import _, count

__all__ = ["Growing"]

T = TypeVar("T")


class Growing(QObject):
    """One job at a time. `added` carries an `ImagesAdded`, `found` an `ImagesFound`: how many images of folders are not
    in the project. The list itself follows by `Navigation.imagesChanged`."""

    added = Signal(object)
    found = Signal(object)

    def __init__(
        self, ground: Ground, documents: Documents, navigation: Navigation, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._ground, self._project, self._notices = ground, ground.project, ground.notices
        self._documents, self._navigation = documents, navigation
        self._job: tuple[JobKind, JobId] | None = None

    def add(self, paths: Sequence[str], *, show: bool = False) -> None:
        """Add files, folders and globs; with `show` the first of them is shown in the end, also where it was there."""
        self._documents.commit_gesture()
        self._start(JobKind.ADD, self._plan(paths), partial(self._planned, show), _("Looking at the images"))

    def look(self, folders: Sequence[str]) -> None:
        """Count the images of folders that are not in the project; `found` follows where there are some."""
        plan = additions(self._project, folders)
        self._start(JobKind.LOOK, plan, partial(self._looked, folders), _("Looking for new images"))

    def show(self, files: Sequence[str]) -> None:
        """Show the first of these files that is an image of the project; says which of them are none."""
        plan = additions(self._project, files)
        self._start(JobKind.LOOK, plan, self._shown, _("Looking for the images"))

    def remove(self, paths: Sequence[str]) -> None:
        """Take images out, by paths or globs over these: one edit, which undo undoes."""
        self._documents.commit_gesture()
        rows = list(self._navigation.rows)
        self._start(JobKind.REMOVE, _meant(rows, paths), self._take_out, _("Looking for the images"))

    def _start(self, kind: JobKind, steps: Generator[Progress, None, T], then: Callable[[T], None], text: str) -> None:
        jobs, notices = self._ground.jobs, self._notices
        if self._job is not None and self._job[0] is JobKind.LOOK:
            jobs.cancel(self._job[1])  # what a person asks for goes before
        elif self._job is not None:
            steps.close()
            notices.fail(kind, _("Images are already being added or removed."))
            return

        def ended() -> None:
            if self._job == (kind, id_):
                self._job = None

        def failed(error: UserError) -> None:
            if kind is not JobKind.LOOK:  # nobody asked: a folder without images is not a failure
                notices.fail(kind, error)

        def done(result: T) -> None:
            notices.attempt(lambda: then(result), kind)

        id_ = jobs.follow(kind, text, steps, self._ground.main, on_done=done, on_failed=failed, on_end=ended)
        self._job = kind, id_

    # -- adding ------------------------------------------------------------------------------------------------------

    def _plan(self, paths: Sequence[str]) -> Generator[Progress, None, Additions]:
        plan = yield from additions(self._project, paths)
        if self._project.writer is None:
            return plan
        return (yield from take_files_in(self._project, plan))

    def _planned(self, show: bool, plan: Additions) -> None:
        if plan.empty:
            self._finished(plan, show)
            return

        def refused(error: UserError) -> None:
            drop_copies(plan)
            self._notices.fail(JobKind.ADD, error)

        try:
            self._documents.write_long(
                JobKind.ADD,
                _("Adding images"),
                lambda ticker: write_additions(self._project, plan, ticker),
                frozenset(),
                lambda _: self._written(plan, show),
                refused,
            )
        except UserError:
            drop_copies(plan)
            raise

    def _written(self, plan: Additions, show: bool) -> None:
        self._navigation.reload()
        self._finished(plan, show)

    def _finished(self, plan: Additions, show: bool) -> None:
        back, there = [row.path for row in plan.back], [row.path for row in plan.there]
        if show and (first := [*plan.added, *back, *there][:1]):
            self._navigation.open(self._navigation.find(first[0]))
        self._notices.say(self._sentence(plan))
        skipped = tuple((file.path, file.reason.word) for file in plan.skipped_files)
        self.added.emit(ImagesAdded(tuple(plan.added), tuple(back), tuple(there), skipped))

    def _sentence(self, plan: Additions) -> str:
        new = [*plan.added, *(row.path for row in plan.back)]
        if len(new) == 1:
            text = _("'{path}' was added to the project", path=new[0])
        elif new:
            text = count(len(new), "{n} image was added to the project", "{n} images were added to the project")
        else:
            text = _("All of these images are already in the project")
        if not plan.skipped_files:
            return text
        return _("{text} (skipped: {reasons})", text=text, reasons=reasons(plan.skipped_files))

    def _looked(self, folders: Sequence[str], plan: Additions) -> None:
        n = len(plan.images)
        if not n:
            return
        command = " ".join(("segstudio add", self._project.path.name, *(Path(folder).name for folder in folders)))
        text = count(
            n,
            "1 image of the folder is not in the project; '{command}' adds it.",
            "{n} images of the folder are not in the project; '{command}' adds them.",
            command=command,
        )
        self.found.emit(ImagesFound(tuple(folders), n, text))

    def _shown(self, plan: Additions) -> None:
        if plan.there:
            self._navigation.open(self._navigation.find(plan.there[0].path))
        missing = [*plan.added, *(row.path for row in plan.back)]
        if missing:
            sentence = _("'{path}' is not in the project.", path=missing[0])
            raise UserError(sentence, todo=self._project.why_read_only)

    # -- removing ----------------------------------------------------------------------------------------------------

    def _take_out(self, rows: list[ImageRow]) -> None:
        out = self._project.taken_out()
        images = [row.id for row in rows if row.id not in out]
        if len(images) + len(out) == len(self._project.images(removed=True)):
            raise UserError(
                _("The last image cannot be taken out: with no image on screen nothing could be undone."),
                todo=_("Add others first, or close the project."),
            )
        self._documents.commit_gesture()
        self._documents.commit(removal_edit(images, self._documents.author))
        if len(images) == 1:
            self._notices.say(_("'{path}' was taken out of the project; undo brings it back", path=rows[0].path))
        elif images:
            sentence = count(
                len(images),
                "{n} image was taken out of the project; undo brings it back",
                "{n} images were taken out of the project; undo brings them back",
            )
            self._notices.say(sentence)


def _meant(rows: Sequence[ImageRow], paths: Sequence[str]) -> Generator[Progress, None, list[ImageRow]]:
    yield Progress(0, 0)
    return images_meant(rows, paths)

"""The owner of a project as it grows and shrinks: images are looked at on a thread, and written by the writer."""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Job
from segstudio.app.values import ImagesAdded, ImagesFound, ImagesRemoved, JobId, JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import UserError
from segstudio.labels.model import ImageId
from segstudio.store.growing import removal_edit
from segstudio.store.values import ImageRow
from segstudio.tasks.images.add import (
    Additions,
    additions,
    additions_of,
    drop_copies,
    take_files_in,
    write_additions,
)
from segstudio.tasks.images.newcomers import Mark, Newcomers, newcomers
from segstudio.tasks.images.remove import images_meant
from segstudio.tasks.images.scan import FoundFile, Scan
from segstudio.tasks.images.skipped import SkippedFile, reasons
from segstudio.tasks.progress import Progress
from segstudio.text import _, count

__all__ = ["Growing"]

T = TypeVar("T")

_PAUSE_S = 30.0
"""The folders are not looked through again before this."""


@dataclass(frozen=True, slots=True)
class _Removal:
    """Images to be taken out, and those that are out by then already, of edits that wait too."""

    rows: list[ImageRow]
    out: set[ImageId]


class Growing(QObject):
    """One job at a time. `added` carries an `ImagesAdded`, `removed` an `ImagesRemoved`; `found` an `ImagesFound`: how
    many images beside the project's own are not in it. The list itself follows by `Navigation.imagesChanged`.
    """

    added = Signal(object)
    removed = Signal(object)
    found = Signal(object)

    def __init__(
        self, ground: Ground, documents: Documents, navigation: Navigation, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._ground, self._project, self._notices = ground, ground.project, ground.notices
        self._documents, self._navigation = documents, navigation
        self._job: tuple[JobKind, JobId] | None = None
        self._looking: Job[Progress, Newcomers] | None = None
        self._looked_at: float | None = None
        self._new: dict[str, FoundFile] = {}
        self._owes = False
        self._passed: set[Mark] = set()
        self._settled: frozenset[Mark] = frozenset()

    def add(self, paths: Sequence[str], *, show: bool = False, lenient: bool = False) -> None:
        """Add files, folders and globs; with `show` the first of them is shown in the end, also where it was there.

        Where that is `lenient`, a file that cannot be read is skipped; else nothing is added then.
        """
        self._add(additions(self._project, paths, lenient=lenient), show=show)

    def _add(
        self,
        steps: Generator[Progress, None, Additions],
        *,
        show: bool = False,
        otherwise: Callable[[], object] = lambda: None,
    ) -> None:
        """`otherwise` is called where nothing comes of it, whatever the reason."""
        self._documents.commit_gesture()
        then = partial(self._planned, show, otherwise)
        self._start(JobKind.ADD, self._plan(steps), then, _("Looking at the images"), otherwise)

    def look(self, folders: Sequence[str]) -> None:
        """Count the images of folders that are not in the project; `found` follows where there are some."""
        plan = additions(self._project, folders)
        self._start(JobKind.LOOK, plan, self._looked, _("Looking for new images"))

    def show(self, files: Sequence[str]) -> None:
        """Show the first of these files that is an image of the project; says which of them are none."""
        plan = additions(self._project, files)
        self._start(JobKind.LOOK, plan, self._shown, _("Looking for the images"))

    def remove(self, paths: Sequence[str]) -> None:
        """Take images out, by paths or globs over these: one edit, which undo undoes."""
        self._documents.commit_gesture()
        rows = list(self._navigation.rows)
        self._remove(lambda: images_meant(rows, paths))

    def remove_images(self, images: Collection[ImageId]) -> None:
        """The same for images of the list; a notice says why not."""
        self._documents.commit_gesture()
        rows = [row for row in self._navigation.rows if row.id in images]
        self._remove(lambda: rows)

    def _remove(self, meant: Callable[[], list[ImageRow]]) -> None:
        before, project = self._navigation.list_changes, self._project

        def steps() -> Generator[Progress, None, _Removal]:
            yield Progress(0, 0)
            return _Removal(meant(), project.taken_out())

        def planned(removal: _Removal) -> None:
            if self._navigation.list_changes == before:
                self._take_out(removal)
            else:
                self._remove(lambda: removal.rows)  # the list is another since it was asked

        self._start(JobKind.REMOVE, steps(), planned, _("Looking for the images"))

    def _start(
        self,
        kind: JobKind,
        steps: Generator[Progress, None, T],
        then: Callable[[T], None],
        text: str,
        otherwise: Callable[[], object] = lambda: None,
    ) -> None:
        """`otherwise` is called where the steps have no result."""
        jobs, notices = self._ground.jobs, self._notices
        if self._job is not None and self._job[0] is JobKind.LOOK:
            jobs.cancel(self._job[1])  # what a person asks for goes before
        elif self._job is not None:
            steps.close()
            self._say_busy(kind)
            return

        def ended() -> None:
            if self._job == (kind, id_):
                self._job = None
            self._ground.main.post(afterwards)  # the result, where there is one, comes before

        def afterwards() -> None:
            if not came:
                otherwise()
            if self._owes:
                self._owes = False
                self.add_found(asked=False)

        def failed(error: UserError) -> None:
            if kind is not JobKind.LOOK:  # nobody asked: a folder without images is not a failure
                notices.fail(kind, error)

        came: list[T] = []

        def done(result: T) -> None:
            came.append(result)
            notices.attempt(lambda: then(result), kind)

        id_ = jobs.follow(kind, text, steps, self._ground.main, on_done=done, on_failed=failed, on_end=ended)
        self._job = kind, id_

    def _say_busy(self, kind: JobKind) -> None:
        self._notices.fail(kind, _("Images are already being added or removed."))

    # -- adding ------------------------------------------------------------------------------------------------------

    def _plan(self, steps: Generator[Progress, None, Additions]) -> Generator[Progress, None, Additions]:
        plan = yield from steps
        if self._project.writer is None:
            return plan
        return (yield from take_files_in(self._project, plan))

    def _planned(self, show: bool, otherwise: Callable[[], object], plan: Additions) -> None:
        if plan.empty:
            self._finished(plan, show)
            return

        def refused(error: UserError) -> None:
            drop_copies(plan)
            self._notices.fail(JobKind.ADD, error)
            otherwise()

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
            otherwise()
            raise

    def _written(self, plan: Additions, show: bool) -> None:
        self._settled = frozenset()  # images may lie in other folders now
        self._navigation.reload_later(lambda: self._listed(plan, show))

    def _listed(self, plan: Additions, show: bool) -> None:
        self._finished(plan, show)
        if self._new:
            # Some of what was found may still be out: it is looked for anew, and said again.
            self._passed = {mark for mark in self._passed if mark[0] not in self._new}
            self._forget()
            self._look_around()

    def _finished(self, plan: Additions, show: bool) -> None:
        back, there = [row.path for row in plan.back], [row.path for row in plan.there]
        if show and (first := [*plan.added, *back, *there][:1]):
            self._navigation.open(self._navigation.find(first[0]))
        sentence = self._sentence(plan)
        self._notices.say(sentence)
        skipped = tuple((file.path, file.reason.word) for file in plan.skipped_files)
        self.added.emit(ImagesAdded(tuple(plan.added), tuple(back), tuple(there), skipped, sentence))

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

    def _shown(self, plan: Additions) -> None:
        if plan.there:
            self._navigation.open(self._navigation.find(plan.there[0].path))
        missing = [*plan.added, *(row.path for row in plan.back)]
        if missing:
            sentence = _("'{path}' is not in the project.", path=missing[0])
            raise UserError(sentence, todo=self._project.why_read_only)

    # -- new images in the folders -----------------------------------------------------------------------------------

    def look_around(self) -> None:
        """Look through the folders of the project's images, unless that was done a moment ago; `found` follows where
        there are new ones that it has not told of yet. Nothing of it is shown as a job: nobody asked.
        """
        if self._looked_at is None or monotonic() - self._looked_at >= _PAUSE_S:
            self._look_around()

    def _look_around(self) -> None:
        if self._looking is not None or self._project.writer is None:
            return
        self._looked_at = monotonic()

        def failed(error: BaseException) -> None:
            self._looking = None
            if not isinstance(error, UserError):  # a folder that cannot be read is no failure: nobody asked
                raise error

        self._looking = Job(
            "look-around",
            newcomers(self._project, frozenset(self._passed), self._settled),
            self._ground.main,
            on_value=lambda _: None,
            on_done=self._looked_around,
            on_failed=failed,
            on_cancelled=lambda: None,
        )
        self._looking.start()

    def _looked_around(self, new: Newcomers) -> None:
        self._looking = None
        self._passed |= new.looked_at
        self._settled = new.settled
        self._tell(new.files, new.folders, new.skipped)

    def _looked(self, plan: Additions) -> None:
        files = [
            FoundFile(image.root, image.path, str(Path(image.root, *image.path.split("/"))), named=False)
            for image in plan.images
        ]
        self._tell(files, 1, ())

    def _tell(self, files: Sequence[FoundFile], folders: int, skipped: Sequence[SkippedFile]) -> None:
        if all(found.file in self._new for found in files):
            return
        self._new.update((found.file, found) for found in files)
        self._say_found(folders, skipped)

    def _say_found(self, folders: int, skipped: Sequence[SkippedFile] = (), *, refused: bool = False) -> None:
        n = len(self._new)
        if folders == 1:
            text = count(n, "1 new image in the folder.", "{n} new images in the folder.")
        else:
            text = count(n, "1 new image in the project's folders.", "{n} new images in the project's folders.")
        if skipped:
            text = _("{text} Skipped: {reasons}.", text=text, reasons=reasons(skipped))
        self.found.emit(ImagesFound(n, text, refused))

    def add_found(self, *, asked: bool = True) -> None:
        """Add the images that `found` has told of; it tells of them again, as `refused`, where nothing comes of it.

        Where nobody `asked` for it now, it waits without a word for what is being added, removed or written.
        """
        if self._job is not None and self._job[0] is not JobKind.LOOK:
            if asked:
                self._say_busy(JobKind.ADD)  # they can be added afterwards
            self._owes = self._owes or not asked
            return
        if not asked and self._documents.busy:
            self._documents.after(lambda: self.add_found(asked=False))
            return
        files = dict(self._new)
        self._forget()
        if files:
            steps = additions_of(self._project, Scan(list(files.values()), []), lenient=True)
            self._add(steps, otherwise=lambda: self._bring_back(files))

    def _bring_back(self, files: Mapping[str, FoundFile]) -> None:
        self._new = {**files, **self._new}
        self._say_found(len({str(Path(file).parent) for file in self._new}), refused=True)

    def pass_over(self) -> None:
        """Leave the images out that `found` has told of; it does not tell of them again while the project is open."""
        self._forget()

    def _forget(self) -> None:
        told = bool(self._new)
        self._new.clear()
        if told:
            self.found.emit(ImagesFound(0))

    def close(self, timeout_s: float) -> None:
        """Look through the folders no further."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking.wait(timeout_s)

    # -- removing ----------------------------------------------------------------------------------------------------

    def _take_out(self, removal: _Removal) -> None:
        out = removal.out
        images = [row.id for row in removal.rows if row.id not in out]
        if not images:
            return
        if out.union(images).issuperset(row.id for row in self._navigation.rows):
            raise UserError(
                _("The last image cannot be taken out: with no image on screen nothing could be undone."),
                todo=_("Add others first, or close the project."),
            )
        self._documents.commit_gesture()
        seq = self._documents.commit(removal_edit(images, self._documents.author))
        n = len(images)
        sentence = count(n, "1 image removed. Its file is untouched.", "{n} images removed. Their files are untouched.")
        if seq is not None:
            self.removed.emit(ImagesRemoved(n, seq, sentence))

"""The owner of a project as it grows and shrinks: images are looked at on a thread, and written by the writer."""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.jobs import Job, MainThread
from segstudio.app.values import JobState
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import UserError
from segstudio.store.growing import removal_edit
from segstudio.store.project import Project
from segstudio.store.values import ImageRow
from segstudio.tasks.images.add import Additions, additions, drop_copies, take_files_in, write_additions
from segstudio.tasks.images.remove import images_meant
from segstudio.tasks.images.skipped import reasons
from segstudio.tasks.progress import Progress

__all__ = ["Growing"]

T = TypeVar("T")


class Growing(QObject):
    """One job at a time. `added` carries a dict {added, back, there, skipped}, `found` {folders, images, sentence}: how
    many images of folders are not in the project. The list itself follows by `Navigation.imagesChanged`."""

    added = Signal(object)
    found = Signal(object)
    jobChanged = Signal(object)
    failed = Signal(object)
    said = Signal(str)

    def __init__(
        self,
        project: Project,
        documents: Documents,
        navigation: Navigation,
        main: MainThread,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project, self._documents, self._navigation, self._main = project, documents, navigation, main
        self._job: Job[Progress, object] | None = None

    def add(self, paths: Sequence[str], *, show: bool = False) -> None:
        """Add files, folders and globs; with `show` the first of them is shown in the end, also where it was there."""
        self._documents.commit_gesture()
        self._start("add", self._plan(paths), partial(self._planned, show), self.tr("Looking at the images"))

    def look(self, folders: Sequence[str]) -> None:
        """Count the images of folders that are not in the project; `found` follows where there are some."""
        plan = additions(self._project, folders)
        self._start("look", plan, partial(self._looked, folders), self.tr("Looking for new images"))

    def show(self, files: Sequence[str]) -> None:
        """Show the first of these files that is an image of the project; says which of them are none."""
        plan = additions(self._project, files)
        self._start("look", plan, self._shown, self.tr("Looking for the images"))

    def remove(self, paths: Sequence[str]) -> None:
        """Take images out, by paths or globs over these: one edit, which undo takes back."""
        self._documents.commit_gesture()
        rows = list(self._navigation.rows)
        self._start("remove", _meant(rows, paths), self._take_out, self.tr("Looking for the images"))

    def cancel(self) -> None:
        """Drop what is under way; the project stays as it was."""
        if self._job is not None:
            self._job.cancel()
        self._documents.long.cancel("add")

    def wait(self, timeout_s: float) -> None:
        """Wait for the thread."""
        if self._job is not None:
            self._job.wait(timeout_s)

    def _start(self, name: str, steps: Generator[Progress, None, T], then: Callable[[T], None], text: str) -> None:
        if self._job is not None and self._job.name == "look":
            self._job.cancel()  # what a person asks for goes before
        elif self._job is not None:
            steps.close()
            self.failed.emit({"job": name, "sentence": self.tr("Images are being added or removed already."),
                              "details": ""})  # fmt: skip
            return
        job: Job[Progress, T] = Job(
            name,
            steps,
            self._main,
            on_value=lambda progress: self._progress(job, text, progress),
            on_done=lambda result: self._done(job, then, result),
            on_failed=lambda error: self._failed(job, error),
            on_cancelled=lambda: self._end(job),
        )
        self._job = job  # type: ignore[assignment]
        self.jobChanged.emit(JobState(name, True, text))
        job.start()

    def _progress(self, job: "Job[Progress, T]", text: str, progress: Progress) -> None:
        fraction = progress.done / progress.total if progress.total else None
        self.jobChanged.emit(JobState(job.name, True, text, fraction))

    def _done(self, job: "Job[Progress, T]", then: Callable[[T], None], result: T) -> None:
        self._end(job)
        try:
            then(result)
        except UserError as error:
            self._say_failure(job.name, error)

    def _failed(self, job: "Job[Progress, T]", error: BaseException) -> None:
        self._end(job)
        if not isinstance(error, UserError):
            raise error
        if job.name != "look":  # nobody asked: that a folder has no images any more is no failure
            self._say_failure(job.name, error)

    def _end(self, job: "Job[Progress, T]") -> None:
        if self._job is job:
            self._job = None
        self.jobChanged.emit(JobState(job.name, False))

    def _say_failure(self, job: str, error: UserError) -> None:
        self.failed.emit({"job": job, "sentence": error.line, "details": ""})

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
            self._say_failure("add", error)

        try:
            self._documents.write_long(
                "add",
                self.tr("Adding images"),
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
        self.said.emit(self._sentence(plan))
        self.added.emit(
            {
                "added": list(plan.added),
                "back": back,
                "there": there,
                "skipped": [{"path": file.path, "reason": file.reason.word} for file in plan.skipped_files],
            }
        )

    def _sentence(self, plan: Additions) -> str:
        new = [*plan.added, *(row.path for row in plan.back)]
        if len(new) == 1:
            text = self.tr("'{0}' was added to the project").format(new[0])
        elif new:
            text = self.tr("{0} images were added to the project").format(f"{len(new):,}")
        else:
            text = self.tr("All of these images are in the project already")
        return f"{text} ({self.tr('skipped')}: {reasons(plan.skipped_files)})" if plan.skipped_files else text

    def _looked(self, folders: Sequence[str], plan: Additions) -> None:
        n = len(plan.images)
        if not n:
            return
        text = (
            self.tr("1 image of the folder is not in the project; {0} adds it.")
            if n == 1
            else self.tr("{1} images of the folder are not in the project; {0} adds them.")
        )
        command = f"'segstudio add {self._project.path.name} {' '.join(Path(folder).name for folder in folders)}'"
        self.found.emit({"folders": list(folders), "images": n, "sentence": text.format(command, f"{n:,}")})

    def _shown(self, plan: Additions) -> None:
        if plan.there:
            self._navigation.open(self._navigation.find(plan.there[0].path))
        missing = [*plan.added, *(row.path for row in plan.back)]
        if missing:
            sentence = self.tr("'{0}' is not in the project.").format(missing[0])
            raise UserError(sentence, todo=self._project.why_read_only)

    # -- removing ----------------------------------------------------------------------------------------------------

    def _take_out(self, rows: list[ImageRow]) -> None:
        out = self._project.taken_out()
        images = [row.id for row in rows if row.id not in out]
        if len(images) + len(out) == len(self._project.images(removed=True)):
            raise UserError(
                self.tr("The last image cannot be taken out: with none on screen nothing could be taken back."),
                todo=self.tr("Add others first, or close the project."),
            )
        self._documents.commit_gesture()
        self._documents.commit(removal_edit(images, self._documents.author))
        if len(images) == 1:
            self.said.emit(self.tr("'{0}' was taken out of the project; undo brings it back").format(rows[0].path))
        elif images:
            text = self.tr("{0} images were taken out of the project; undo brings them back")
            self.said.emit(text.format(f"{len(images):,}"))


def _meant(rows: Sequence[ImageRow], paths: Sequence[str]) -> Generator[Progress, None, list[ImageRow]]:
    yield Progress(0, 0)
    return images_meant(rows, paths)

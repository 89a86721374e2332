"""The owner of marks on many images at once: done, by the project's setting for the rest, and not done."""

from collections.abc import Collection, Generator

from PySide6.QtCore import QObject

from segstudio.app.editing.accept_done import Finishing
from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.values import JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ImageId, Status
from segstudio.store.values import ImageRow
from segstudio.tasks.labels.accept import (
    Acceptance,
    AcceptReport,
    acceptance,
    count_efforts,
    write_accepted,
)
from segstudio.tasks.labels.reopen import write_reopened
from segstudio.tasks.progress import Progress
from segstudio.text import N_, _, count

__all__ = ["Marking"]


class Marking(QObject):
    """Files and proposals are read on a thread, labels are written by the writer; the marks of one call are undone
    together. The image on screen stays there.

    Looking may take long. Where classes, the setting or the list have changed meanwhile, it is done again: what is
    written is what holds when it is written.
    """

    def __init__(
        self,
        ground: Ground,
        documents: Documents,
        navigation: Navigation,
        finishing: Finishing,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._ground, self._project, self._notices = ground, ground.project, ground.notices
        self._documents, self._navigation, self._finishing = documents, navigation, finishing

    def mark(self, images: Collection[ImageId], *, done: bool) -> None:
        """Mark images done, or not done; those that are so already are left alone. A notice says what came of it."""
        why_not = self._project.why_read_only if self._project.writer is None else self._documents.busy
        if why_not:
            self._notices.say(why_not)
            return
        self._documents.commit_gesture()
        asked = [
            (row, item)
            for row, item in zip(self._navigation.rows, self._navigation.items, strict=True)
            if row.id in images
        ]
        wanted = [row for row, item in asked if (item.status is not Status.DONE if done else item.planes_done)]
        if wanted and done:
            self._documents.after(lambda: self._look(wanted))
        elif wanted:
            self._documents.after(lambda: self._notices.attempt(lambda: self._reopen(wanted), JobKind.DONE))

    # -- done --------------------------------------------------------------------------------------------------------

    def _look(self, rows: list[ImageRow]) -> None:
        project, classes, rest = self._project, self._documents.classes, self._finishing.rest
        changes = self._navigation.list_changes

        def steps() -> Generator[Progress, None, Acceptance | None]:
            out = project.taken_out()
            here = [row for row in rows if row.id not in out]
            if not here:
                return None
            return (yield from acceptance(project, here, done=True, unproposed=True, classes=classes, rest=rest))

        def looked(plan: Acceptance | None) -> None:
            if plan is not None:
                self._documents.after(lambda: self._notices.attempt(lambda: go_on(plan), JobKind.DONE))

        def go_on(plan: Acceptance) -> None:
            same = self._documents.classes.all == classes.all and self._finishing.rest is rest
            if same and self._navigation.list_changes == changes:
                self._write(plan)
            else:
                self._look(rows)

        self._ground.jobs.follow(JobKind.DONE, _("Marking images done"), steps(), self._ground.main, on_done=looked)

    def _write(self, plan: Acceptance) -> None:
        if not plan.ready:
            self._say(plan.report(0))
            return
        self._documents.write_long(
            JobKind.DONE,
            _("Marking images done"),
            lambda ticker: write_accepted(self._project, plan, ticker),
            frozenset(row.id for row in plan.ready),
            lambda edits: self._written(plan, edits),
        )

    def _written(self, plan: Acceptance, edits: int) -> None:
        self._say(plan.report(edits))

        def steps() -> Generator[Progress, None, None]:
            yield from count_efforts(self._project, plan)

        self._ground.jobs.follow(JobKind.DONE, _("Counting what was changed"), steps(), self._ground.main)

    def _say(self, report: AcceptReport) -> None:
        said = [count(report.images, "1 image marked done.", "{n} images marked done.")]
        if report.without:
            said.append(
                count(
                    len(report.without),
                    "1 image has no proposal yet and was left as it is.",
                    "{n} images have no proposal yet and were left as they are.",
                )
            )
        if report.empty:
            said.append(
                count(
                    len(report.empty),
                    "1 image would have no labels and was left as it is: if it is empty, mark it done on screen.",
                    "{n} images would have no labels and were left as they are: if they are empty, mark them done "
                    "on screen.",
                )
            )
        if report.planes_left:
            said.append(
                count(
                    report.planes_left,
                    "1 plane of a stack has nothing to be labelled with and is not done.",
                    "{n} planes of stacks have nothing to be labelled with and are not done.",
                )
            )
        if report.changed:
            said.append(
                count(
                    len(report.changed),
                    "1 image was left as it is: its file has changed since it was labelled.",
                    "{n} images were left as they are: their files have changed since they were labelled.",
                )
            )
        if report.passed_over or report.planes_left:
            self._notices.announce(JobKind.DONE, " ".join(said))
        else:
            self._notices.say(said[0])

    # -- not done ----------------------------------------------------------------------------------------------------

    def reopen_shown(self) -> None:
        """Mark the plane on screen not done, as one edit of its image, once what is being computed is there."""
        opened, plane = self._documents.current, self._navigation.plane
        why_not = self._project.why_read_only if self._project.writer is None else self._documents.busy
        if opened is None or why_not:
            self._notices.say(why_not)
            return
        self._documents.commit_gesture()
        document = opened.document
        self._documents.after(lambda: self._notices.attempt(lambda: self._reopen_plane(document, plane), JobKind.DONE))

    def _reopen_plane(self, document: Document, plane: int) -> None:
        n = len(document.raster.sizes)
        row = document.marks.change(document.image, document.marks.without([plane], n))
        if row is None or not document.marks.is_done(plane):
            of_image, of_plane = N_("This image is not marked done."), N_("This plane is not marked done.")
            self._notices.say(_(of_image if n == 1 else of_plane))
            return
        author = self._documents.author
        self._documents.commit(Edit(document.image, Cause.STATUS, rows=(row,), tool=Cause.STATUS.value, author=author))
        left = len(document.done_planes)
        of_image = count(1, "1 image marked not done.", "{n} images marked not done.")
        of_plane = _("Plane {plane} is not done ({done} of {n} are).", plane=plane + 1, done=left, n=n)
        self._notices.say(of_image if n == 1 else of_plane)

    def _reopen(self, rows: list[ImageRow]) -> None:
        images = [row.id for row in rows]

        def written(_edits: int) -> None:
            self._notices.say(count(len(images), "1 image marked not done.", "{n} images marked not done."))

        self._documents.write_long(
            JobKind.DONE,
            _("Marking images not done"),
            lambda ticker: write_reopened(self._project, images, ticker),
            frozenset(images),
            written,
        )

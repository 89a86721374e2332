"""The owner of the check of labels: which finding is looked at, where it is on the image, and what mends it."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.background_fill import Fills
from segstudio.app.editing.documents import Documents
from segstudio.app.editing.lint_looks import LintLooks
from segstudio.app.editing.mistakes import Mistakes
from segstudio.app.editing.object_runs import ObjectRuns, Operation
from segstudio.app.editing.tools.overlay import Overlay, Polyline
from segstudio.app.ground import Ground
from segstudio.app.values import JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.labels.class_rows import changed_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.lint.finding import MENDED, Finding, LintKind
from segstudio.labels.lint.mending import mended
from segstudio.labels.model import Cause
from segstudio.labels.paint.objects.parts import Report
from segstudio.tasks.labels.accept import outside_of
from segstudio.tasks.labels.lint import write_mended
from segstudio.text import N_, _, count

__all__ = ["Lint"]

_AROUND_PX = 24
"""So much of what surrounds a finding is seen with it."""
_MARKED_MS = 4000
"""So long a frame shows which part of the view is meant."""
_PANEL, _REMINDER, _STEP = "panel", "reminder", "step"
_NOT_MENDED = {
    LintKind.TOUCHING: N_(
        "Touching objects are only shown: merge them if they are one, or paint between them if they are two."
    ),
    LintKind.NEARLY_EMPTY_CLASS: N_(
        "A class with few pixels is only shown: label more of it, or remove it from the list of classes."
    ),
}


class Lint(QObject):
    """`findings` are in the order of their kinds: probable mistakes by how grave they are, others by image and place.
    `counts` are how many there are of each kind that there are any of.

    `changed`: other findings, more images looked at, or another one is `chosen`. `sought` carries the box (`Rect`)
    to be seen. `reminded`: a run or an export begins, and there are findings that were not told of yet.
    """

    changed = Signal()
    sought = Signal(object)
    reminded = Signal()

    def __init__(
        self,
        ground: Ground,
        documents: Documents,
        navigation: Navigation,
        fills: Fills,
        mistakes: Mistakes,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project, self._main, self._notices = ground.project, ground.main, ground.notices
        self._documents, self._navigation = documents, navigation
        self._runs = ObjectRuns(ground, documents, fills)
        self.looks, self.mistakes = LintLooks(ground, documents, navigation, self), mistakes
        self.findings: tuple[Finding, ...] = ()
        self.counts: dict[LintKind, int] = {}
        self.chosen: Finding | None = None
        self.place = -1
        self._wanted: Finding | None = None
        self._accepted: Finding | None = None
        self._step_later: int | None = None
        self._told: tuple[Finding, ...] = ()
        self._reminds = False
        self._mark: Overlay = ()
        self._marked = QTimer(self)
        self._marked.setSingleShot(True)
        self._marked.setInterval(_MARKED_MS)
        self._marked.timeout.connect(self._unmark)
        self.looks.changed.connect(self._looked)
        mistakes.changed.connect(self._doubted)
        navigation.imageShown.connect(self._shown)
        navigation.imageLoading.connect(lambda _path: self._unmark())
        navigation.imageFailed.connect(lambda _path, _why: self._forget_wanted())

    def watch(self, wanted: bool) -> None:
        """Keep the findings up to date from now on, or no longer."""
        self.looks.want(_PANEL, wanted)

    def close(self, wait_s: float | None = None) -> None:
        """End the worker."""
        self._unmark()
        self.looks.close(wait_s)

    # -- one after the other -----------------------------------------------------------------------------------------

    def choose(self, finding: Finding) -> None:
        """Go to a finding: its image and plane are shown, and where it is there."""
        self.chosen, self.place = finding, self._place_of(finding)
        self.changed.emit()
        if finding.image is None:
            return
        if finding.image == self._navigation.shown and finding.plane == self._navigation.plane:
            self._show(finding)
            return
        place = next((n for n, row in enumerate(self._navigation.rows) if row.id == finding.image), None)
        if place is not None:
            self._navigation.open(place, finding.plane or 0)
            self._wanted = finding

    def step(self, by: int) -> None:
        """Go to the next finding (1) or the one before (-1); of one that was mended, to the one in its place."""
        if not self.looks.complete:
            self.looks.want(_STEP)
        if not self.looks.complete and not self.findings:
            self._step_later = by
            self._notices.say(_("Checking the labels …"))
            return
        place = self.place + by
        if self.chosen is None and by > 0 and self.place >= 0:
            place = self.place
        if not self.findings:
            self._notices.say(_("No faults were found in the labels."))
        elif place < 0:
            self._notices.say(_("This is the first finding."))
        elif place >= len(self.findings):
            self._notices.say(_("This is the last finding."))
        else:
            self.choose(self.findings[place])
            self._notices.say(_("Finding {n} of {all}", n=f"{place + 1:,}", all=f"{len(self.findings):,}"))

    def _doubted(self) -> None:
        mistakes = self.mistakes.findings
        if self.findings[: len(mistakes)] != mistakes or len(self.findings) != len(mistakes) + len(self.looks.findings):
            self._put_together()
        self.changed.emit()

    def _put_together(self) -> None:
        """What was mended or edited away is not chosen any more; the place in the list stays."""
        mistakes = self.mistakes.findings
        self.findings = mistakes + self.looks.findings
        self.counts = ({LintKind.MISTAKE: len(mistakes)} if mistakes else {}) | self.looks.counts
        place = -1 if self.chosen is None else self._place_of(self.chosen)
        if place >= 0:
            self.place = place
        elif self.chosen is not None:
            accepted, self.chosen = self.chosen == self._accepted, None
            self._unmark()
            if accepted and mistakes:  # as after one that was kept
                self._main.post(self._after_accepted)

    def _after_accepted(self) -> None:
        """Go on to the probable mistake in the place of the one that was accepted, where it is in the same image: in
        another one, undo would no longer be at hand.
        """
        left = len(self.mistakes.findings)
        if self.chosen is None and left:
            following = self.findings[min(self.place, left - 1)]
            if following.image == self._navigation.shown:
                self.choose(following)

    def _place_of(self, finding: Finding) -> int:
        """Its place in the list, -1 for none. Of 100,000 few begin where it does, and only these are compared."""
        if finding.rect is None:
            return self.findings.index(finding) if finding in self.findings else -1
        x, y = finding.rect.x, finding.rect.y
        for place, one in enumerate(self.findings):
            if one.rect is not None and one.rect.x == x and one.rect.y == y and one == finding:
                return place
        return -1

    def _looked(self) -> None:
        self._put_together()
        self.changed.emit()
        if self.looks.complete:
            self.looks.want(_STEP, False)
            self._remind()
            by, self._step_later = self._step_later, None
            if by is not None:
                self.step(by)

    def _shown(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._main.post(lambda: self._show_there(wanted))  # once the canvas shows the image too

    def _show_there(self, finding: Finding) -> None:
        here = self._navigation.shown, self._navigation.plane
        if finding == self.chosen and here == (finding.image, finding.plane):
            self._show(finding)

    def _forget_wanted(self) -> None:
        self._wanted = None

    def _show(self, finding: Finding) -> None:
        rect = finding.rect
        if rect is None:
            return
        self._unmark()
        if not self._documents.gesture_active:
            around = rect.grown(1)
            corners = (
                (around.x, around.y),
                (around.right, around.y),
                (around.right, around.bottom),
                (around.x, around.bottom),
            )
            self._mark = (Polyline(corners, closed=True),)
            self._documents.tools.show(self._mark)
            self._marked.start()
        self.sought.emit(rect.grown(_AROUND_PX))

    def _unmark(self) -> None:
        """Take the frame away, unless a tool has put something else in its place."""
        self._marked.stop()
        if self._mark and self._documents.tools.overlay == self._mark:
            self._documents.tools.show(())
        self._mark = ()

    # -- mending -----------------------------------------------------------------------------------------------------

    def can_mend(self, kind: LintKind) -> bool:
        """Whether findings of this kind can be mended, and this window may write."""
        return not self.why_not(kind)

    def why_not(self, kind: LintKind) -> str:
        """Why findings of a kind cannot be mended here; '' where they can."""
        if kind not in (*MENDED, LintKind.MISTAKE):
            return _(_NOT_MENDED[kind])
        return self._project.why_read_only if self._project.writer is None else ""

    def mend_chosen(self) -> None:
        """Mend the finding that is chosen, in one step of undo; says so where there is nothing to mend."""
        if self.chosen is None:
            self._notices.say(_("Choose a finding first."))
        else:
            self._mend((self.chosen,))

    def keep_chosen(self) -> None:
        """The labels of the probable mistake that is chosen are right: it is not listed again, and the next one is
        chosen.
        """
        found = self.chosen
        if found is None or found.kind is not LintKind.MISTAKE:
            self._notices.say(_("Choose a probable mistake first."))
            return
        place = self.place
        self.mistakes.keep(found)
        self._notices.say(_("The label is kept: it will not be listed as a mistake again."))
        left = len(self.mistakes.findings)
        if left:
            self.choose(self.findings[min(place, left - 1)])

    def mend_all(self, kind: LintKind) -> None:
        """Mend all findings of a kind, in all images, in one step of undo."""
        self._mend(tuple(found for found in self.findings if found.kind is kind))

    def _mend(self, findings: tuple[Finding, ...]) -> None:
        if not findings:
            return
        kind = findings[0].kind
        if why_not := self.why_not(kind) or self._documents.busy:
            self._notices.say(why_not)
        elif kind is LintKind.UNUSED_CLASS:
            self._notices.attempt(lambda: self._remove_classes(findings))
        elif {found.image for found in findings} == {self._navigation.shown}:
            self._mend_here(findings)
        else:
            self._documents.after(lambda: self._notices.attempt(lambda: self._mend_everywhere(findings)))

    def _remove_classes(self, findings: Iterable[Finding]) -> None:
        """Take unused classes out of use, all in one edit."""
        self._documents.commit_gesture()
        classes = self._documents.classes
        found = [classes[one.class_id] for one in findings if one.class_id is not None]
        rows = tuple(changed_class_row(one, removed=True) for one in found)
        edit = Edit(None, Cause.CLASSES, rows=rows, tool="classes", author=self._documents.author)
        self._documents.commit_classes(edit)
        names = ", ".join(one.name for one in found)
        self._notices.say(
            count(
                len(found),
                "The class '{names}' was removed. Undo brings it back.",
                "{n} classes were removed: {names}. Undo brings them back.",
                names=names,
            )
        )

    def _mend_here(self, findings: tuple[Finding, ...]) -> None:
        """Those of the image on screen: a few are mended when this returns."""
        classes = self._documents.classes
        outside = outside_of(self._navigation.rows[self._navigation.index].stored)
        self._runs.run(
            Operation(
                "mend",
                _("Mend"),
                _("Mending"),
                lambda document, report, step: mended(document, classes, findings, report, step, outside),
                lambda report: self._words(findings, report),
                _nothing(findings),
                selects=False,
            )
        )

    def _mend_everywhere(self, findings: tuple[Finding, ...]) -> None:
        """Those of several images, or of one that is not on screen: written as one batch."""
        project, classes, report = self._project, self._documents.classes, Report()
        images = frozenset(found.image for found in findings if found.image is not None)

        def written(edits: int) -> None:
            self._notices.say(self._words(findings, report) if edits else _nothing(findings))

        self._documents.write_long(
            JobKind.OBJECTS,
            _("Mending"),
            lambda ticker: write_mended(project, findings, classes, report, ticker),
            images,
            written,
        )

    def _words(self, findings: tuple[Finding, ...], report: Report) -> str:
        """What mending came to; of a mistake that was accepted, what it is now."""
        said = findings[0].said
        if said is not None and len(findings) == 1:
            self._accepted = findings[0] if report.number else None
            name = self._documents.classes[said].name
            return count(report.pixels, "1 px is '{name}' now.", "{n} px are '{name}' now.", name=name)
        done = count(report.number, "1 finding mended.", "{n} findings mended.")
        if not report.left:
            return done
        left = count(
            report.left,
            "1 was left as it is: something there is locked, or has changed since.",
            "{n} were left as they are: something there is locked, or has changed since.",
        )
        return " ".join((done, left))

    # -- before a run or an export -------------------------------------------------------------------------------------

    def remind(self) -> None:
        """A run or an export begins: say what there is to mend, once it is known, unless that was said before."""
        self._reminds = True
        self.looks.want(_REMINDER)
        if self.looks.complete:
            self._remind()

    def _remind(self) -> None:
        if self._reminds:
            self._reminds = False
            self.looks.want(_REMINDER, False)
            if self.findings and self.findings != self._told:
                self._told = self.findings
                self.reminded.emit()


def _nothing(findings: tuple[Finding, ...]) -> str:
    if findings[0].kind is LintKind.MISTAKE:
        return _("Nothing was changed: a class or an object there is locked, or the labels have changed since.")
    return _("Nothing was mended: something there is locked, or has changed since.")

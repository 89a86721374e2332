"""The owner of labels that go from plane to plane: copied into the next one, or interpolated; each one edit."""

from collections.abc import Iterable
from functools import partial

from segstudio.app.editing.background_fill import Fills
from segstudio.app.editing.documents import Documents
from segstudio.app.editing.object_policy import ObjectPolicy
from segstudio.app.editing.object_runs import ObjectRuns, Operation, Step
from segstudio.app.ground import Ground
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.planes import Planes
from segstudio.labels.document import Document
from segstudio.labels.paint.objects.parts import Report
from segstudio.labels.paint.planes.copying import copied_plane
from segstudio.labels.paint.planes.interpolation import interpolated, steps_of_interpolation
from segstudio.labels.paint.policy import Samples
from segstudio.labels.tiles.streamed import Part
from segstudio.text import _, count

__all__ = ["PlaneEdits"]


class PlaneEdits:
    """Both are computed as operations on objects are, in their order; the planes between are not shown meanwhile."""

    def __init__(
        self, ground: Ground, documents: Documents, navigation: Navigation, planes: Planes, fills: Fills
    ) -> None:
        self._notices, self._documents = ground.notices, documents
        self._navigation, self._planes = navigation, planes
        self._runs = ObjectRuns(ground, documents, fills)
        self._policy = ObjectPolicy(documents, ground.notices)

    def copy_on(self, *, class_only: bool = False) -> None:
        """Copy what is labelled on this plane, or with the chosen class there, into the next one, and show that."""
        opened, plane = self._runs.may_begin(), self._documents.plane
        if opened is None:
            return
        if plane + 1 >= self._planes.number:
            self._notices.say(_("This is the last plane: there is none to copy the labels to."))
            return
        may, classes, image = self._policy.may(), self._documents.classes, opened.document.image
        if may is None:
            return
        chosen = self._documents.current_class
        only = [chosen.id] if class_only else []
        samples = self._samples_of(plane + 1)

        def said(report: Report) -> str:
            if self._navigation.shown == image:
                self._planes.go(plane + 1)
            return count(
                report.number,
                "1 object copied to plane {plane}.",
                "{n} objects copied to plane {plane}.",
                plane=plane + 2,
            )

        def work(document: Document, report: Report, _step: Step) -> Iterable[Part]:
            return copied_plane(document, (plane, plane + 1), classes, may, report, only=only, samples=samples)

        nothing = _(
            "Nothing is copied: it is there already, its class is locked, or its place may not be painted over."
        )
        self._runs.run(Operation("copy-plane", _("Copy"), _("Copying labels"), work, said, nothing, selects=False))

    def interpolate(self, *, around: bool = False) -> None:
        """Fill what is unlabelled between labelled planes: of the whole stack, or of those around this one."""
        if self._runs.may_begin() is None:
            return
        if self._planes.number < 3:
            self._notices.say(_("This image has no planes between others."))
            return
        classes, run, here = self._documents.classes, self._planes.run, self._documents.plane

        def work(document: Document, report: Report, step: Step) -> Iterable[Part]:
            at = here if around else None
            return interpolated(document, classes, report, run=run, around=at, step=step)

        nothing = (
            _("Nothing is unlabelled between a labelled plane before this one and one after it.")
            if around
            else _("Nothing is unlabelled between two planes with labels of one object or class.")
        )
        self._runs.run(
            Operation(
                "interpolate",
                _("Interpolate"),
                _("Interpolating labels"),
                work,
                _interpolated_words,
                nothing,
                steps_of=steps_of_interpolation,
                selects=False,
            )
        )

    def _samples_of(self, plane: int) -> Samples | None:
        """The stored values of a plane near the one on screen; None where they are not in memory."""
        display = self._navigation.in_memory(plane)
        return None if display is None else partial(display.samples, 0)


def _interpolated_words(report: Report) -> str:
    done = count(report.number, "Labels interpolated on 1 plane.", "Labels interpolated on {n} planes.")
    if not report.left:
        return done
    return " ".join((done, count(report.left, "1 locked object was left out.", "{n} locked objects were left out.")))

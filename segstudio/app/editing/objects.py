"""The owner of operations on whole objects: on the selected ones, each one edit, computed on a worker.

A small one is there when the call returns, a large one when it is computed; one that does not fit into memory is
written as a job. Locked objects and classes are refused.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future

import numpy as np
from PySide6.QtCore import QObject

from segstudio.app.editing.background_fill import Fills
from segstudio.app.editing.cut_watch import CutWatch
from segstudio.app.editing.documents import Documents
from segstudio.app.editing.locking import NOTHING_SELECTED, Locks
from segstudio.app.editing.object_policy import ObjectPolicy
from segstudio.app.editing.object_runs import ObjectRuns, Operation, Step
from segstudio.app.editing.reclassing import reclassing
from segstudio.app.editing.tools.options import SMALLER_THAN, STEP
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.values import Changed
from segstudio.labels.document import Document
from segstudio.labels.edit import Table
from segstudio.labels.model import ClassId, LabelClass, ObjectId
from segstudio.labels.paint.objects import shape
from segstudio.labels.paint.objects.copying import CopiedObject, copied, pasted
from segstudio.labels.paint.objects.parts import Report
from segstudio.labels.paint.objects.recolor import deleted, merged
from segstudio.labels.paint.objects.rights import changeable, separable
from segstudio.labels.paint.objects.specks import speck_steps, without_specks
from segstudio.labels.paint.objects.split import separated
from segstudio.labels.paint.policy import object_at
from segstudio.labels.tiles.streamed import Part
from segstudio.text import N_, _, count

__all__ = ["ObjectEdits"]

Copies = tuple[CopiedObject, ...]

_NO_PIXEL = N_("The selected objects have no pixels here.")


class ObjectEdits(QObject):
    """What is selected is `documents.selection`, which follows what is merged, split, pasted and deleted here."""

    def __init__(self, ground: Ground, documents: Documents, fills: Fills, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices = ground.notices
        self._documents, self._runs = documents, ObjectRuns(ground, documents, fills)
        self._policy = ObjectPolicy(documents, ground.notices)
        self.locks = Locks(documents, self._runs, ground.notices)
        self.worker = Worker("objects", ground.main)
        self.cuts = CutWatch(ground, documents, self.worker, self)
        self._copies: Future[Copies] | None = None
        documents.changed.connect(self._follow)

    def close(self, wait_s: float | None = None) -> None:
        """End the worker."""
        self.worker.close(wait_s)

    def _follow(self, change: Changed) -> None:
        """An object that is gone, as after an undo, is selected no more."""
        opened, selection = self._documents.current, self._documents.selection
        if opened is not None and Table.OBJECTS in change.tables and change.image == opened.document.image:
            selection.select(id_ for id_ in selection.ids if id_ in opened.document.objects)

    # -- what is selected ---------------------------------------------------------------------------------------------

    def select(self, ids: Iterable[int]) -> None:
        """Select these objects of the image on screen; ids that it does not have are passed over."""
        opened = self._documents.current
        known = opened.document.objects if opened is not None else {}
        self._documents.selection.select(id_ for id_ in ids if ObjectId(id_) in known)

    def begin_new(self) -> None:
        """Let the next stroke begin an object, or not after all; says which."""
        tools, chosen = self._documents.tools, self._documents.current_class
        if chosen.one_object:
            self._notices.say(_("'{name}' is one area in each image, not separate objects.", name=chosen.name))
            return
        tools.set_new_object(not tools.new_object)
        if tools.new_object:
            self._notices.say(_("The next stroke begins a new object, also on top of another one."))
        else:
            self._notices.say(_("A stroke that begins on an object extends it."))

    # -- the operations -----------------------------------------------------------------------------------------------

    def merge(self) -> None:
        """Make one object of the selected ones, which are of one class; it keeps the lowest id."""
        ids = self._chosen()
        opened = self._documents.current
        if not ids or opened is None:
            return
        if len(ids) < 2:
            self._notices.say(_("Select at least two objects to merge."))
        elif len({c.id for c in self._classes_of(opened.document, ids)}) > 1:
            self._notices.say(_("Only objects of one class can be merged."))
        else:
            self._runs.run(
                Operation(
                    "merge",
                    _("Merge"),
                    _("Merging objects"),
                    lambda document, report, _step: merged(document, ids, report),
                    lambda report: count(report.number, "1 object merged.", "{n} objects merged into one."),
                    _(_NO_PIXEL),
                    ids,
                )
            )

    def reclass(self, class_id: ClassId, of: Iterable[int] | None = None) -> None:
        """Give the selected objects, or these, another class; one that is one area in each image takes them into it."""
        ids = self._chosen(of)
        if ids:
            self._runs.run(reclassing(ids, self._documents.classes, class_id))

    def delete(self, of: Iterable[int] | None = None) -> None:
        """Make the pixels of the selected objects unknown, or of these; what else is selected stays so."""
        ids = self._chosen(of)
        others = self._documents.selection.ids - ids

        def work(document: Document, report: Report, _step: Step) -> Iterable[Part]:
            report.selects |= others
            return deleted(document, ids, report)

        if ids:
            self._runs.run(
                Operation(
                    "delete",
                    _("Delete"),
                    _("Deleting objects"),
                    work,
                    lambda report: count(report.number, "1 object deleted.", "{n} objects deleted."),
                    _(_NO_PIXEL),
                    ids,
                )
            )

    def fill_holes(self) -> None:
        """Fill what the selected objects enclose, within the policy."""
        ids, plane = self._chosen(), self._documents.plane
        allowed = self._policy.takes() if ids else None
        if allowed is not None:
            self._runs.run(
                Operation(
                    "fill-holes",
                    _("Fill holes"),
                    _("Filling holes"),
                    lambda document, report, _step: shape.filled_holes(document, plane, ids, allowed(document), report),
                    lambda report: count(report.number, "1 hole filled.", "{n} holes filled."),
                    _("There is no hole that may be filled."),
                    ids,
                )
            )

    def keep_largest(self) -> None:
        """Of each selected object keep the largest part; the others become unknown."""
        ids, plane = self._chosen(), self._documents.plane
        if ids:
            self._runs.run(
                Operation(
                    "keep-largest",
                    _("Keep the largest part"),
                    _("Dropping parts"),
                    lambda document, report, _step: shape.kept_largest(document, plane, ids, report),
                    lambda report: count(report.number, "1 part dropped.", "{n} parts dropped."),
                    _("The selected objects have one part each."),
                    ids,
                )
            )

    def drop_small(self) -> None:
        """Make small parts of the selected objects unknown, but for the largest part of each."""
        ids, plane, below = self._chosen(), self._documents.plane, self.smaller_than
        if ids:
            self._runs.run(
                Operation(
                    "drop-small",
                    _("Drop small parts"),
                    _("Dropping parts"),
                    lambda document, report, _step: shape.without_small(document, plane, ids, below, report),
                    lambda report: count(report.number, "1 part dropped.", "{n} parts dropped."),
                    _("The selected objects have no part below {n} px beside their largest.", n=below),
                    ids,
                )
            )

    def drop_part(self, x: int, y: int) -> None:
        """Make the part of an object that has this pixel unknown, selected or not."""
        opened, plane = self._runs.may_begin(), self._documents.plane
        if opened is None:
            return
        found = self._object_at(opened.document, x, y)
        if found is None:
            self._notices.say(_("There is no object under the pointer."))
        elif self.locks.are_open(opened.document, {found}):
            self._runs.run(
                Operation(
                    "drop-part",
                    _("Drop this part"),
                    _("Dropping parts"),
                    lambda document, report, _step: shape.without_part(document, plane, found, x, y, report),
                    lambda report: count(report.pixels, "1 pixel dropped.", "{n} pixels dropped."),
                    _(_NO_PIXEL),
                    {found},
                    selects=False,
                )
            )

    def grow(self) -> None:
        """Grow the selected objects by the option's distance, within the policy."""
        ids, plane, by = self._chosen(), self._documents.plane, self.step
        allowed = self._policy.takes() if ids else None
        if allowed is not None:
            self._runs.run(
                Operation(
                    "grow",
                    _("Grow"),
                    _("Growing objects"),
                    lambda document, report, _step: shape.grown(document, plane, ids, by, allowed(document), report),
                    lambda report: count(
                        report.number, "1 object grown by {by} px.", "{n} objects grown by {by} px.", by=by
                    ),
                    _("The selected objects have no room to grow."),
                    ids,
                )
            )

    def shrink(self) -> None:
        """Shrink the selected objects by the option's distance."""
        ids, plane, by = self._chosen(), self._documents.plane, self.step
        if ids:
            self._runs.run(
                Operation(
                    "shrink",
                    _("Shrink"),
                    _("Shrinking objects"),
                    lambda document, report, _step: shape.shrunk(document, plane, ids, by, report),
                    lambda report: count(
                        report.number, "1 object shrunk by {by} px.", "{n} objects shrunk by {by} px.", by=by
                    ),
                    _(_NO_PIXEL),
                    ids,
                )
            )

    def smooth(self) -> None:
        """Even out the selected objects by the option's distance, within the policy."""
        ids, plane, by = self._chosen(), self._documents.plane, self.step
        allowed = self._policy.takes() if ids else None
        if allowed is not None:
            self._runs.run(
                Operation(
                    "smooth",
                    _("Smooth"),
                    _("Smoothing objects"),
                    lambda document, report, _step: shape.smoothed(document, plane, ids, by, allowed(document), report),
                    lambda report: count(report.number, "1 object smoothed.", "{n} objects smoothed."),
                    _("The selected objects are smooth already, or too thin for {by} px.", by=by),
                    ids,
                )
            )

    def separate(self) -> None:
        """Make an object of each part of the selected objects; where none is selected, of those that the last stroke
        cut, or else of all that are not locked."""
        plane, classes = self._documents.plane, self._documents.classes
        ids = self._chosen() if self._documents.selection.ids else set(self.cuts.offered)
        if self._documents.selection.ids and not ids:
            return

        def work(document: Document, report: Report, _step: Step) -> Iterable[Part]:
            every = (ObjectId(int(id_)) for id_ in np.flatnonzero(separable(document, classes)))
            return separated(document, plane, ids or every, report)

        self._runs.run(
            Operation(
                "separate",
                _("Separate parts"),
                _("Separating parts"),
                work,
                lambda report: _("{before} → {now} objects", before=report.number, now=len(report.selects)),
                _("No object has several parts."),
                ids,
            )
        )

    # -- copies -------------------------------------------------------------------------------------------------------

    def copy(self) -> None:
        """Keep the selected objects as they are on this plane, to be pasted."""
        opened = self._documents.current
        self._documents.commit_gesture()
        ids = self._documents.selection.ids
        if opened is None or not ids:
            self._notices.say(_(NOTHING_SELECTED))
            return
        document, plane = opened.document.copy(), self._documents.plane
        self._copies = self.worker.submit(lambda: copied(document, plane, ids), self._copied)

    def _copied(self, future: "Future[Copies]") -> None:
        refused = refusal(future)
        if refused is not None:
            self._copies = None
            self._notices.say(refused.line)
        else:
            number = len(future.result())
            self._notices.say(count(number, "1 object copied.", "{n} objects copied."))

    def paste(self) -> None:
        """Put the copies into the same place of what is on screen, as new objects, within the policy."""
        copies, plane, classes = self._copies, self._documents.plane, self._documents.classes
        if copies is None:
            self._notices.say(_("Nothing was copied."))
            return
        may, samples = self._policy.may(), self._policy.samples
        if may is None:
            return

        def said(report: Report) -> str:
            sentence = count(report.number, "1 object pasted.", "{n} objects pasted.")
            if not report.left:
                return sentence
            cut = count(report.left, "1 does not fit and was cut off.", "{n} do not fit and were cut off.")
            return " ".join((sentence, cut))

        self._runs.run(
            Operation(
                "paste",
                _("Paste"),
                _("Pasting objects"),
                lambda document, report, _step: pasted(document, plane, copies.result(), classes, may, report, samples),
                said,
                _("Nothing can be pasted here: it lies outside, its class is locked, or its place is taken."),
            )
        )

    # -- specks -------------------------------------------------------------------------------------------------------

    def erase_specks(self, below: int) -> None:
        """Make parts of fewer pixels unknown, in the whole image and all its planes; what is locked is passed over."""
        classes = self._documents.classes
        self._runs.run(
            Operation(
                "erase-specks",
                _("Erase specks"),
                _("Erasing specks"),
                lambda document, report, step: without_specks(
                    document, changeable(document, classes), below, report, step
                ),
                lambda report: count(report.number, "1 speck erased.", "{n} specks erased."),
                _("There is no speck below {n} px.", n=below),
                steps_of=speck_steps,
                selects=False,
            )
        )

    # -- what they are made with --------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """How far objects grow and shrink, in pixels."""
        return int(self._documents.tools.value_of(STEP))

    @property
    def smaller_than(self) -> int:
        """Parts with fewer pixels are small."""
        return int(self._documents.tools.value_of(SMALLER_THAN))

    def _chosen(self, of: Iterable[int] | None = None) -> set[ObjectId]:
        """The selected objects, or these, where all of them can be changed; else none, saying why."""
        opened = self._runs.may_begin()
        if opened is None:
            return set()
        wanted = self._documents.selection.ids if of is None else {ObjectId(id_) for id_ in of}
        ids = {id_ for id_ in wanted if id_ in opened.document.objects}
        if not ids:
            self._notices.say(_(NOTHING_SELECTED))
        return ids if self.locks.are_open(opened.document, ids) else set()

    def _classes_of(self, document: Document, ids: Iterable[ObjectId]) -> Iterator[LabelClass]:
        for id_ in ids:
            found = self._documents.classes.effective(document.objects[id_])
            if found is not None:
                yield found

    def _object_at(self, document: Document, x: int, y: int) -> ObjectId | None:
        found = object_at(document, x, y, self._documents.plane)
        return found if found in document.objects else None

"""What accept and done write, computed over a frozen copy of the labels; and what of a proposal had to be changed.

Pure functions of documents and proposals: they run on a worker, and touch neither Qt nor the disk.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.app.values import Rest
from segstudio.geometry import tiles_of
from segstudio.labels.compose import paint_class_ids, unlabelled
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassTable, Origin, Status
from segstudio.labels.proposal import Proposal
from segstudio.labels.raster import Raster

__all__ = ["Filled", "accepting", "corrected", "finishing", "frozen_copy", "is_whole"]


@dataclass(frozen=True, slots=True)
class Filled:
    """An edit, or None where nothing changes; `short` says that some pixels are still unlabelled."""

    edit: Edit | None
    short: bool = False


def frozen_copy(document: Document) -> Document:
    """A document over the same immutable tiles, to compute on. No gesture may be under way."""
    raster = Raster(document.raster.sizes)
    raster.prime(dict(document.raster.in_memory()))
    return Document(document.image, raster, document.objects, document.next_object, document.status)


def is_whole(proposal: Proposal, document: Document) -> bool:
    """Whether every tile of the plane is proposed, and not only the part that was on screen."""
    return len(proposal.tiles) >= sum(1 for _ in tiles_of(document.raster.bounds(proposal.plane)))


def accepting(proposal: Proposal, classes: ClassTable, author: str) -> Callable[[Document], Filled]:
    """Fills what is unlabelled with the proposal."""

    def compute(document: Document) -> Filled:
        gesture = Gesture(document, Cause.ACCEPT, tool="accept", author=author)
        found = _still_made(proposal.class_ids(document.raster.bounds(proposal.plane)), classes)
        paint_class_ids(gesture, document, proposal.plane, found, classes, Origin.ACCEPTED, only_unknown=True)
        return Filled(gesture.commit())

    return compute


def finishing(
    proposal_of: Callable[[int], Proposal | None], rest: Rest, classes: ClassTable, author: str
) -> Callable[[Document], Filled]:
    """Fills the rest of every plane by the project's policy and marks the image done."""

    def compute(document: Document) -> Filled:
        gesture = Gesture(document, Cause.DONE, tool="done", author=author)
        short = False
        for plane in range(len(document.raster.sizes)):
            bounds = document.raster.bounds(plane)
            if rest is Rest.BACKGROUND:
                found = np.full((bounds.h, bounds.w), classes.background.id, np.int32)
            elif rest is Rest.PROPOSAL and (proposal := proposal_of(plane)) is not None:
                found = _still_made(proposal.class_ids(bounds), classes)
            else:
                found = None
            if found is not None:
                paint_class_ids(gesture, document, plane, found, classes, Origin.FILLED, only_unknown=True)
            short = short or bool(unlabelled(document, plane, bounds, classes).any())
        gesture.set_status(Status.DONE)
        return Filled(gesture.commit(), short)

    return compute


def corrected(document: Document, first: Proposal, classes: ClassTable) -> tuple[int, int]:
    """Of the pixels that a proposal gave a class: how many a person has painted otherwise, and how many they were.

    Classes compare as they count today: a merged one as what it was merged into, a removed one as nothing.
    """
    bounds = document.raster.bounds(first.plane)
    proposed = _counted_today(first.class_ids(bounds), classes)
    given = proposed != 0
    painted = document.raster.read(first.plane, bounds)[1] == Origin.PAINTED
    changed = given & painted & (_counted_today(document.class_ids(first.plane, bounds), classes) != proposed)
    return int(changed.sum()), int(given.sum())


def _counted_today(class_ids: NDArray[np.int32], classes: ClassTable) -> NDArray[np.int32]:
    """Class ids as they count today; 0 for those of removed classes and of ones whose making was undone."""
    lookup = np.zeros(int(class_ids.max(initial=0)) + 1, np.int32)
    for c in classes.all:
        effective = classes.effective(c.id)
        if c.id < len(lookup) and effective is not None:
            lookup[c.id] = effective.id
    return lookup[class_ids]


def _still_made(class_ids: NDArray[np.int32], classes: ClassTable) -> NDArray[np.int32]:
    """Class ids with 0 in place of those whose making was undone after they were proposed."""
    lookup = np.zeros(int(class_ids.max(initial=0)) + 1, np.int32)
    for c in classes.all:
        if c.id < len(lookup):
            lookup[c.id] = c.id
    return lookup[class_ids]

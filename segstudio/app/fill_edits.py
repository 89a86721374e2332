"""What accept and done write, computed over a frozen copy of the labels; and what of a proposal had to be changed.

Pure functions of documents and proposals: they run on a worker, and touch neither Qt nor the disk.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.app.values import Rest
from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.labels.compose import paint_class_ids, unlabelled
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, TileKey
from segstudio.labels.filling import ClassIdsOf
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassTable, Origin, Status
from segstudio.labels.proposal import Proposal
from segstudio.labels.streamed import TILE_BYTES
from segstudio.labels.tile import Dense
from segstudio.store.filling import Filling

__all__ = ["Filled", "accepting", "corrected", "finishing", "frozen_copy", "is_whole", "most_bytes", "streamed"]


@dataclass(frozen=True, slots=True)
class Filled:
    """An edit, or None where nothing changes; `short` says that some pixels are still unlabelled."""

    edit: Edit | None
    short: bool = False


def frozen_copy(document: Document) -> Document:
    """A document over the same immutable tiles, to compute on. No gesture may be under way."""
    return Document(document.image, document.raster.copy(), document.objects, document.next_object, document.status)


def is_whole(proposal: Proposal, document: Document) -> bool:
    """Whether every tile of the plane is proposed, and not only the part that was on screen."""
    return len(proposal.tiles) >= sum(1 for _ in tiles_of(document.raster.bounds(proposal.plane)))


def accepting(proposal: Proposal, classes: ClassTable, author: str) -> Callable[[Document], Filled]:
    """Fills what is unlabelled with the proposal."""

    def compute(document: Document) -> Filled:
        gesture = Gesture(document, Cause.ACCEPT, tool="accept", author=author)
        found = proposal.reader(classes)(document.raster.bounds(proposal.plane))
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
                found = proposal.reader(classes)(bounds)
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
    changed = in_all = 0
    for ty, tx in first.tiles:
        part = tile_rect(ty, tx).intersected(bounds)
        proposed = _counted_today(first.class_ids(part), classes)
        given = proposed != 0
        painted = document.raster.read(first.plane, part)[1] == Origin.PAINTED
        otherwise = _counted_today(document.class_ids(first.plane, part), classes) != proposed
        changed, in_all = changed + int((given & painted & otherwise).sum()), in_all + int(given.sum())
    return changed, in_all


def most_bytes(document: Document, planes: Iterable[int], seen: Proposal | None) -> int:
    """What an edit that fills these planes may hold at most; of proposals only the one that was seen is known.

    Where that is, tiles that are labelled, cut, or proposed otherwise than with one object; elsewhere all.
    """
    touched: set[TileKey] = set()
    raster = document.raster
    for plane in planes:
        if seen is None or plane != seen.plane:
            touched.update(raster.keys(plane))
            continue
        w, h = raster.sizes[plane]
        touched.update((plane, h // TILE, tx) for tx in range(w // TILE + 1))
        touched.update((plane, ty, w // TILE) for ty in range(h // TILE + 1))
        touched.update(key for key in (*raster.stored, *raster.in_memory()) if key[0] == plane)
        touched.update((plane, ty, tx) for (ty, tx), tile in seen.tiles.items() if isinstance(tile.labels, Dense))
    return 2 * TILE_BYTES * len(touched)


def streamed(
    planes: Iterable[int],
    proposal_of: Callable[[int], Proposal | None],
    rest: Rest,
    classes: ClassTable,
    origin: Origin,
    status: Status | None = None,
) -> Filling:
    """What `accepting` and `finishing` do, to be written tile by tile; a proposal is read at its plane's turn."""
    background = classes.background.id

    def reader(plane: int) -> ClassIdsOf:
        found: list[ClassIdsOf] = []

        def read(rect: Rect) -> NDArray[np.int32]:
            if not found:
                proposal = proposal_of(plane)
                found.append(_nothing if proposal is None else proposal.reader(classes))
            return found[0](rect)

        return read

    if rest is Rest.BACKGROUND:
        return Filling({p: lambda r: _nothing(r) + background for p in planes}, classes, origin, True, status)
    return Filling({p: reader(p) for p in planes}, classes, origin, True, status)


def _nothing(rect: Rect) -> NDArray[np.int32]:
    return np.zeros((rect.h, rect.w), np.int32)


def _counted_today(class_ids: NDArray[np.int32], classes: ClassTable) -> NDArray[np.int32]:
    """Class ids as they count today; 0 for those of removed classes and of ones whose making was undone."""
    lookup = np.zeros(int(class_ids.max(initial=0)) + 1, np.int32)
    for c in classes.all:
        effective = classes.effective(c.id)
        if c.id < len(lookup) and effective is not None:
            lookup[c.id] = effective.id
    return lookup[class_ids]

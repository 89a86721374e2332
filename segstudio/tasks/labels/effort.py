"""The effort of a proposal: how much of the first one shown a person had to repaint, counted at Done."""

from collections.abc import Collection
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import tile_rect
from segstudio.labels.class_lookup import class_lookup
from segstudio.labels.document import Document
from segstudio.labels.model import ClassTable, Origin
from segstudio.labels.proposal import Proposal
from segstudio.store.project import Project

__all__ = ["corrected", "count_effort"]


def count_effort(
    project: Project, after: Document, classes: ClassTable, planes: Collection[int]
) -> "Future[None] | None":
    """Keep the effort of planes that are done, beside that of planes of the image that were done before; from now on
    nothing counts as shown first on them. For a worker thread.

    What is still to be written is returned: a disk that hangs holds nobody up here. Raises `DiskRefused`.
    """
    firsts = [first for p in planes if (first := project.proposals.first(after.image, p)) is not None]
    figures = [corrected(after, first, classes) for first in firsts]
    project.proposals.finish(after.image, planes)
    if not figures or project.writer is None:
        return None
    others = set(after.done_planes).difference(first.plane for first in firsts)
    if others and (before := project.effort(after.image)) is not None:
        figures.append(before)
    return project.set_effort(after.image, sum(f[0] for f in figures), sum(f[1] for f in figures))


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


def _counted_today(class_ids: NDArray[np.int32], classes: ClassTable) -> NDArray[np.int32]:
    """Class ids as they count today; 0 for those of removed classes and of ones whose making was undone."""
    return class_lookup(classes, size=int(class_ids.max(initial=0)) + 1)[class_ids]

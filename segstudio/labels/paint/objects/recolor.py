"""Merging and deleting objects: ids replaced by ids, tile by tile, in all planes; who made a pixel stays."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from segstudio.labels.document import Document
from segstudio.labels.model import ObjectId
from segstudio.labels.paint.objects.extent import tiles_with
from segstudio.labels.paint.objects.parts import Report, changed_tile, whole
from segstudio.labels.tiles.streamed import Part
from segstudio.labels.tiles.tile import expanded

__all__ = ["deleted", "merged"]


def merged(document: Document, ids: Collection[ObjectId], report: Report) -> Iterator[Part]:
    """Objects become one, which keeps the lowest id; `report.number` are those that have a pixel."""
    kept = min(ids)
    report.selects.add(kept)
    yield from _recolored(document, dict.fromkeys(ids, int(kept)), report)


def deleted(document: Document, ids: Collection[ObjectId], report: Report) -> Iterator[Part]:
    """The pixels of objects become unknown; `report.number` are the objects that have one."""
    yield from _recolored(document, dict.fromkeys(ids, 0), report)


def _recolored(document: Document, becomes: Mapping[ObjectId, int], report: Report) -> Iterator[Part]:
    count = len(document.class_lookup())
    lookup, wanted, met = np.arange(count, dtype=np.uint32), np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    for object_id, after in becomes.items():
        lookup[object_id], wanted[object_id] = after, True

    def parts() -> Iterator[Part]:
        for plane in range(len(document.raster.sizes)):
            for key, tile in tiles_with(document.raster, plane, wanted):
                before, origins = expanded(tile)
                ids = lookup[before]
                report.pixels += int(np.count_nonzero(ids != before))
                met[before] = True
                yield from changed_tile(key, tile, ids, np.where(ids == 0, np.uint8(0), origins))
        report.number = int(np.count_nonzero(met & wanted))

    yield from whole(document, parts())

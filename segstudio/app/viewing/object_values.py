"""The objects of an image as scripts read them: plain dictionaries, over all planes, measured when asked for."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from segstudio.app.viewing.object_rows import measured_tiles
from segstudio.labels.document import Document
from segstudio.labels.measure.sums import added
from segstudio.labels.measure.table import ORIGIN_NAMES, ObjectTable, object_table
from segstudio.labels.model import ClassId, ClassTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segstudio.geometry import Rect

    Samples = Callable[[int, Rect], NDArray[Any]]

__all__ = ["object_values"]


def object_values(document: Document, classes: ClassTable, samples: "Samples | None") -> list[dict[str, Any]]:
    """Of every object: id, class, locked, planes, area_px, area and its unit, rect (x, y, w, h), origins and mean.

    Background and ignore are no objects, and a semantic class is one. `samples(plane, rect)` are the image's values
    (h, w, c); without them, or where none is a number, the mean is None. Of several channels it is a tuple.
    """

    def nothing(_plane: int, rect: "Rect") -> "NDArray[Any]":
        return np.zeros((rect.h, rect.w, 0), np.uint8)

    read = samples or nothing
    raster = document.raster
    by_plane = [
        measured_tiles(raster, plane, lambda rect, plane=plane: read(plane, rect), _channels(read, plane))
        for plane in range(len(raster.sizes))
    ]
    channels = max((sums.sums.shape[1] for sums in by_plane), default=0)
    whole = object_table(added(by_plane, channels), document.class_lookup(), classes, document.lock_lookup())
    on = [frozenset(sums.ids.tolist()) for sums in by_plane]
    return [_row(whole, row, classes, on) for row in range(len(whole))]


def _channels(read: "Samples", plane: int) -> int:
    from segstudio.geometry import Rect

    return int(read(plane, Rect(0, 0, 1, 1)).shape[2])


def _row(table: ObjectTable, row: int, classes: ClassTable, on: list[frozenset[int]]) -> dict[str, Any]:
    area, rect, parts = int(table.areas[row]), table.rect(row), table.parts(row)
    means = tuple(None if np.isnan(mean) else float(mean) for mean in table.means[row])
    return {
        "id": int(table.ids[row]),
        "class": classes[ClassId(int(table.class_ids[row]))].name,
        "locked": bool(table.locked[row]),
        "planes": [plane for plane, ids in enumerate(on) if not ids.isdisjoint(parts)],
        "area_px": area,
        "area": float(area),
        "unit": "px",
        "rect": (rect.x, rect.y, rect.w, rect.h),
        "origins": {
            name: int(table.sums.origins[row, origin])
            for origin, name in ORIGIN_NAMES.items()
            if table.sums.origins[row, origin]
        },
        "mean": means[0] if len(means) == 1 else means or None,
    }

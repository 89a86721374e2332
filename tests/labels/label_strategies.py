"""What the tests of the label document share: naive pictures of brush and tiles, and strategies."""

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect
from segstudio.labels.document import Document
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind, LabelClass
from segstudio.labels.paint.stroke import Spans
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import Constant, Tile, frozen

TOP_ID = 2**32 - 1

few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
many = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def a_class(id_: int, kind: Kind, name: str = "", **columns: object) -> LabelClass:
    made = LabelClass(ClassId(id_), name or f"class {id_}", "#808080", kind, id_ - 1, id_)
    return replace(made, **columns)  # type: ignore[arg-type]


def with_columns(table: ClassTable, id_: int, columns: dict[str, object]) -> ClassTable:
    """A table in which some columns of one class are changed."""
    return table.with_class(replace(table[ClassId(id_)], **columns))  # type: ignore[arg-type]


def spans_mask(spans: Spans, rect: Rect) -> NDArray[np.bool_]:
    """The covered pixels of a rectangle as a bool array (h, w)."""
    mask = np.zeros((rect.h, rect.w), np.bool_)
    for y, (left, right) in enumerate(zip(spans.left, spans.right, strict=True), start=spans.top):
        if rect.y <= y < rect.bottom:
            mask[y - rect.y, max(int(left) - rect.x, 0) : max(int(right) - rect.x, 0)] = True
    return mask


def a_document(*sizes: tuple[int, int]) -> Document:
    return Document(ImageId(1), Raster(sizes or [(300, 270)]))


def pixels(document: Document, plane: int = 0) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    return document.raster.read(plane, document.raster.bounds(plane))


def state(document: Document) -> tuple[object, ...]:
    """Everything an edit may change, comparable."""
    planes = [pixels(document, plane) for plane in range(len(document.raster.sizes))]
    return (
        [(ids.tobytes(), origins.tobytes()) for ids, origins in planes],
        dict(document.objects),
        document.class_lookup()[: document.next_object].tolist(),
        sorted(document.locked),
        document.status,
    )


@st.composite
def tiles(draw: st.DrawFn) -> Tile:
    """Constant and dense tiles: blocks, noise, many or few ids, small and huge."""
    origin = draw(st.integers(0, 5))
    if draw(st.booleans()):
        return Constant(draw(st.sampled_from([0, 1, 2, TOP_ID])), origin)
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    palette = np.array(draw(st.lists(st.integers(0, TOP_ID), min_size=1, max_size=5)), np.uint32)
    block = draw(st.sampled_from([1, 16, 128]))
    coarse = rng.integers(0, len(palette), (TILE // block, TILE // block))
    ids = palette[np.kron(coarse, np.ones((block, block), np.int64))]
    return frozen(ids, ((ids != 0) * np.uint8(origin)).astype(np.uint8))


def brush_mask(a: tuple[int, int], b: tuple[int, int], radius: int, clip: Rect, unit: int) -> NDArray[np.bool_]:
    """The contract's sentence about the brush in whole numbers, lengths counted in 1 / unit pixels (unit even)."""
    x = (np.arange(clip.x, clip.right) * unit + unit // 2)[None, :]
    y = (np.arange(clip.y, clip.bottom) * unit + unit // 2)[:, None]
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    along = (x - a[0]) * dx + (y - a[1]) * dy
    across = (x - a[0]) * dy - (y - a[1]) * dx
    to_a, to_b = (x - a[0]) ** 2 + (y - a[1]) ** 2, (x - b[0]) ** 2 + (y - b[1]) ** 2
    square = radius * radius
    beside = np.where(along >= length, to_b <= square, across**2 <= square * length)
    return np.where(along <= 0, to_a <= square, beside)

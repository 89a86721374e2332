"""Random label images with objects over tile borders, and the plain models that operations on objects are held to."""

from collections import deque
from collections.abc import Iterable

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassId, ClassTable, Kind, Origin, Seq
from segstudio.labels.tiles.streamed import Part, collected
from tests.labels.label_strategies import a_class, a_document, state
from tests.labels.regions import region_of

__all__ = ["CLASSES", "applied", "flooded", "painted_document", "parts_of_mask", "plates"]

CLASSES = ClassTable(
    [
        a_class(1, Kind.BACKGROUND),
        a_class(2, Kind.SEMANTIC),
        a_class(3, Kind.INSTANCE),
        a_class(4, Kind.INSTANCE, locked=True),
    ]
)
SIZE = (300, 40)
"""Over the border of two tiles, and cut by the image's edge."""
_CLASS_OF = (0, 1, 2, 3, 3, 3, 4)
"""Class of the objects 1 ... 6; 0 is unknown."""


def painted_document(ids: NDArray[np.int_], origins: NDArray[np.int_] | None = None) -> Document:
    """A document of one plane with objects 1 ... 6, of the classes background, semantic, three of 3, and the locked."""
    h, w = ids.shape
    document = a_document((w, h))
    bounds = document.raster.bounds(0)
    gesture = Gesture(document, Cause.PAINT)
    for object_id in range(1, len(_CLASS_OF)):
        assert gesture.new_object(ClassId(_CLASS_OF[object_id])) == object_id
        for origin in (Origin.PAINTED, Origin.ACCEPTED):
            made = np.full(ids.shape, Origin.PAINTED) if origins is None else origins
            where = (ids == object_id) & (made == origin)
            gesture.paint_region(0, region_of(bounds, where), object_id, origin)
    gesture.commit()
    return document


@st.composite
def plates(draw: st.DrawFn, size: tuple[int, int] = SIZE) -> NDArray[np.int_]:
    """Object ids (h, w): blocks, noise and holes of the objects 1 ... 6; each has a pixel."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    w, h = size
    block = draw(st.sampled_from([2, 5, 13]))
    values = np.array(draw(st.lists(st.integers(0, 6), min_size=1, max_size=5)))
    coarse = values[rng.integers(0, len(values), (h // block + 1, w // block + 1))]
    ids = np.kron(coarse, np.ones((block, block), np.int_))[:h, :w]
    ids[rng.random(ids.shape) < draw(st.sampled_from([0.0, 0.1, 0.4]))] = 0
    ids[0, min(250, w - 6) : min(256, w)] = range(1, 7)
    return ids


def applied(document: Document, parts: Iterable[Part]) -> Edit | None:
    """The operation as one edit, made on the document; taking it back and making it again are exact."""
    before = state(document)
    edit = collected(Edit(document.image, Cause.OBJECTS), parts)
    assert state(document) == before, "an operation only reads"
    if edit is None:
        return None
    document.apply(edit)
    after = state(document)
    undo = edit.inverted(Seq(1), Cause.UNDO)
    document.apply(undo)
    assert state(document)[0] == before[0]
    assert state(document)[1] == before[1]
    document.apply(undo.inverted(Seq(2), Cause.REDO))
    assert state(document) == after
    return edit


def flooded(mask: NDArray[np.bool_], connectivity: int = 8) -> list[list[tuple[int, int]]]:
    """The connected parts by a flood from every pixel not yet seen."""
    near = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if connectivity == 8 or abs(dy) + abs(dx) == 1]
    left, found = set(map(tuple, np.argwhere(mask).tolist())), []
    while left:
        queue, members = deque([left.pop()]), []
        while queue:
            y, x = queue.popleft()
            members.append((y, x))
            more = {(y + dy, x + dx) for dy, dx in near} & left
            left -= more
            queue.extend(more)
        found.append(sorted(members))
    return sorted(found)


def parts_of_mask(mask: NDArray[np.bool_], connectivity: int = 8) -> list[NDArray[np.bool_]]:
    """The same as masks, in reading order of their first pixels."""
    out = []
    for members in flooded(mask, connectivity):
        part = np.zeros(mask.shape, np.bool_)
        part[tuple(np.array(members).T)] = True
        out.append(part)
    return out

"""Objects become another class, or unknown: what changes, as the parts of one edit. The document is only read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UserError
from segstudio.labels.document import Document
from segstudio.labels.edit import RowChange, Table, TileChange
from segstudio.labels.model import ClassId, ClassTable, Kind, ObjectId
from segstudio.labels.tiles.streamed import Part
from segstudio.labels.tiles.tile import Constant, Tile, frozen, writable_copy
from segstudio.text import _

__all__ = ["Reclass", "reclass_of", "reclass_parts"]


@dataclass(frozen=True, slots=True)
class Reclass:
    """The pixels of `moved` objects go to the object `into` (0 = unknown), and `rows` change their class."""

    moved: frozenset[ObjectId]
    into: ObjectId
    rows: tuple[RowChange, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not self.moved and not self.rows


def reclass_of(document: Document, classes: ClassTable, ids: Iterable[ObjectId], class_id: ClassId | None) -> Reclass:
    """What makes these objects ones of a class, or with None unknown; ids without an object are passed over.

    Objects of an instance class keep their ids and origins, and no pixel is touched. A class with one object an image
    takes their pixels into that; where it has none yet, the lowest id becomes it. Raises `UserError` where the class,
    or that of one of the objects, is locked.
    """
    known = sorted(id_ for id_ in set(ids) if id_ in document.objects)
    target = None if class_id is None else classes[class_id]
    for found in (classes.effective(document.objects[id_]) for id_ in known):
        if found is not None and found.locked:
            raise UserError(_("Nothing was changed: the class '{name}' is locked. Unlock it first.", name=found.name))
    if target is None:
        return Reclass(frozenset(known), ObjectId(0))
    if target.locked:
        raise UserError(_("Nothing was changed: the class '{name}' is locked. Unlock it first.", name=target.name))
    if target.kind is Kind.INSTANCE:
        others = [id_ for id_ in known if document.objects[id_] != target.id]
        return Reclass(frozenset(), ObjectId(0), tuple(_row(document, id_, target.id) for id_ in others))
    into = document.single_object(target.id)
    if into is None and known:
        into = known[0]
        return Reclass(frozenset(known[1:]), into, (_row(document, into, target.id),))
    return Reclass(frozenset(known) - {into}, into or ObjectId(0))


def _row(document: Document, id_: ObjectId, class_id: ClassId) -> RowChange:
    return RowChange(Table.OBJECTS, id_, {"class_id": document.objects[id_]}, {"class_id": class_id})


def reclass_parts(document: Document, work: Reclass, step: Callable[[], None] = lambda: None) -> Iterator[Part]:
    """The rows and tiles that change, one tile in memory at a time; `step` is called for each tile looked at."""
    yield from work.rows
    if not work.moved:
        return
    moves = np.zeros(max(work.moved) + 2, np.bool_)  # the last entry stands for every id beyond
    moves[list(work.moved)] = True
    raster = document.raster
    for plane in range(len(raster.sizes)):
        for key in raster.keys(plane):
            step()
            before = raster.look(key)
            after = _moved(before, moves, work.into)
            if after is not None:
                yield key, TileChange(before, after)


def _moved(tile: Tile, moves: NDArray[np.bool_], into: ObjectId) -> Tile | None:
    """The tile after it; None where it has no pixel that moves."""
    if isinstance(tile, Constant):
        here = tile.id < len(moves) and bool(moves[tile.id])
        return Constant(into, tile.origin if into else 0) if here else None
    mask = np.take(moves, tile.ids, mode="clip")
    if not mask.any():
        return None
    ids, origins = writable_copy(tile)
    ids[mask] = into
    if not into:
        origins[mask] = 0
    return frozen(ids, origins)

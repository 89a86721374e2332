"""How unsure a version is of the pixels of a plane, asked of the engine and stored nowhere."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.engine.client import EngineClient
from segstudio.engine.protocol import Doubt, DoubtTile, Target
from segstudio.geometry import Rect, tiles_of
from segstudio.labels.model import ImageId
from segstudio.labels.proposal import decode_confidence
from segstudio.runs import Measure

__all__ = ["DoubtProgress", "Doubts", "doubt"]

_LOOK_S = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Doubts:
    """By tile (ty, tx): uncertainty of cells of 4 x 4 pixels in levels 0..15 (64, 64); and how many `classes` the
    version tells apart, 0 where no tile came.
    """

    tiles: Mapping[tuple[int, int], NDArray[np.uint8]]
    classes: int


@dataclass(frozen=True, slots=True)
class DoubtProgress:
    """`done` of `total` tiles."""

    done: int
    total: int


def doubt(
    engine: EngineClient, image: ImageId, plane: int, bounds: Rect, *, version: str, measure: Measure
) -> Generator[DoubtProgress, None, Doubts]:
    """Ask how unsure a version is of a plane of this size. Closing cancels. Raises `EngineDied`, `WeightsDamaged`,
    `NotEnoughLabels`, `UnreadableImage`, and `UserError` if memory runs out.
    """
    found: dict[tuple[int, int], NDArray[np.uint8]] = {}
    classes, total = 0, sum(1 for _tile in tiles_of(bounds))
    with engine.call(Doubt(target=Target(int(image), plane), measure=measure, version=version)) as call:
        while not call.ended:
            reply = call.wait(_LOOK_S)
            if isinstance(reply, DoubtTile):
                found[reply.ty, reply.tx] = decode_confidence(reply.levels)
                classes = reply.classes
            yield DoubtProgress(len(found), total)
    return Doubts(found, classes)

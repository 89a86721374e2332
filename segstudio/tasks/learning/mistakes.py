"""Labels that are probably mistakes, asked of the engine."""

import zlib
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.engine.client import EngineClient
from segstudio.engine.protocol import FindMistakes, Mistake, MistakesLooked
from segstudio.geometry import Rect
from segstudio.labels.model import ClassId, ImageId

__all__ = ["Doubted", "MistakesProgress", "find_mistakes"]

_LOOK_S = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Doubted:
    """A region of one labelled class of which a model that has not seen the image says another: its box, and its pixels
    within it, bool (h, w). The greater `score`, the graver.
    """

    image: ImageId
    plane: int
    rect: Rect
    mask: NDArray[np.bool_]
    labelled: ClassId
    said: ClassId
    score: float


@dataclass(frozen=True, slots=True)
class MistakesProgress:
    """`done` of `total` labelled planes, 0 while that is not known; `found` has just been found."""

    done: int
    total: int
    found: Doubted | None = None


def find_mistakes(engine: EngineClient, *, device: str = "auto") -> Generator[MistakesProgress, None, list[Doubted]]:
    """Look at every labelled plane; the result is all that was found, the gravest first. Closing cancels.

    Raises `EngineDied`, `NoSuchDevice`, and `NotEnoughLabels` if fewer than two groups of images have labels.
    """
    every: list[Doubted] = []
    done = total = 0
    with engine.call(FindMistakes(device=device)) as call:
        while not call.ended:
            reply = call.wait(_LOOK_S)
            found = None
            if isinstance(reply, Mistake):
                found = _doubted(reply)
                every.append(found)
            elif isinstance(reply, MistakesLooked):
                done, total = reply.done, reply.total
            yield MistakesProgress(done, total, found)
    return sorted(every, key=lambda doubted: -doubted.score)


def _doubted(reply: Mistake) -> Doubted:
    rect = Rect(*reply.rect)
    bits = np.unpackbits(np.frombuffer(zlib.decompress(reply.mask), np.uint8), count=rect.area)
    mask = bits.reshape(rect.h, rect.w).astype(np.bool_)
    image, labelled, said = ImageId(reply.image), ClassId(reply.labelled), ClassId(reply.said)
    return Doubted(image, reply.plane, rect, mask, labelled, said, reply.score)

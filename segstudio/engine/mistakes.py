"""The engine's job that looks for labels that are probably mistakes."""

import zlib
from collections.abc import Generator

import numpy as np

from segstudio.engine.predicting import Step
from segstudio.engine.protocol import Done, FindMistakes, Mistake, MistakesLooked
from segstudio.engine.workshop import Workshop
from segstudio.learn.device import no_memory, resolve, saying_memory
from segstudio.learn.doubts import Doubt

__all__ = ["mistakes_job"]


def mistakes_job(shop: Workshop, request: FindMistakes) -> Generator[Step, None, None]:
    """Look at every labelled plane. Raises `NoSuchDevice`, `NotEnoughLabels`, and `UserError` if memory runs out."""
    data, device = shop.view(), resolve(request.device)
    for found in saying_memory(shop.doubts(device, data), lambda: no_memory(device)):
        if isinstance(found, Doubt):
            rect, mask = found.rect, zlib.compress(np.packbits(found.mask).tobytes())
            box = (rect.x, rect.y, rect.w, rect.h)
            yield Mistake(
                request.id, found.image, found.plane, box, mask, found.labelled, found.said, round(found.score, 3)
            )
        elif found is None:
            yield None
        else:
            yield MistakesLooked(request.id, *found)
    yield Done(request.id)

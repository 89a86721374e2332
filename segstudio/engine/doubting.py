"""The engine's job that says how unsure a version is of the pixels of a plane; what it finds is stored nowhere."""

from collections.abc import Generator

from segstudio.engine.agenda import Priority
from segstudio.engine.predicting import Step
from segstudio.engine.protocol import Done, Doubt, DoubtTile
from segstudio.engine.workshop import Workshop
from segstudio.labels.proposal import encode_confidence, quantised_confidence
from segstudio.learn.uncertainty import uncertain_tiles

__all__ = ["doubt_job"]

_FIRST_STEPS = 4
"""So many go before a run, for a person waits; after that both have their turns."""


def doubt_job(shop: Workshop, request: Doubt) -> Generator[Step, None, None]:
    """Send the uncertainty of every tile of a plane; nothing if it is no longer there. Raises as predicting does, and
    `UnreadableImage`.
    """
    data = shop.view()
    model = yield from shop.model(request.version, request.device, data)
    entry = data.entry(request.target.image, request.target.plane)
    steps = 0
    for found in uncertain_tiles(model, data, entry, request.measure) if entry is not None else ():
        if found is None:
            steps += 1
            yield Priority.VISIBLE if steps < _FIRST_STEPS else Priority.TRAIN
            continue
        (ty, tx), unsure = found
        levels = encode_confidence(quantised_confidence(unsure))
        yield DoubtTile(request.id, ty, tx, levels, len(model.outputs))
    yield Done(request.id)

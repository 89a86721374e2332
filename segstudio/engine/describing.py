"""The engine's job that describes planes, for choosing which image to label next."""

from collections.abc import Generator

import numpy as np

from segstudio.engine.predicting import Step
from segstudio.engine.protocol import Describe, Described, Done
from segstudio.engine.workshop import Workshop
from segstudio.errors import UnreadableImage
from segstudio.learn.describing import Description, described
from segstudio.learn.device import no_memory, saying_memory
from segstudio.runs import EMBEDDED

__all__ = ["describe_job"]


def describe_job(shop: Workshop, request: Describe) -> Generator[Step, None, None]:
    """Describe planes one by one; one that cannot be read is left out. Raises as predicting does, and
    `UserError` if memory runs out."""
    data = shop.view()
    model = yield from shop.model(request.version, request.device, data)
    other = None
    if request.against and request.against != model.name:
        other = yield from shop.model(request.against, request.device, data)
    base = yield from shop.model(EMBEDDED, request.device, data)
    for target in request.targets:
        entry = data.entry(target.image, target.plane)
        found: Description | None = None
        try:
            steps = described(model, other, base, data, entry, request.measure) if entry is not None else iter(())
            for step in saying_memory(steps, lambda: no_memory(base.device)):
                found = step
                yield None
        except UnreadableImage:
            found = None
        if found is not None:
            features = found.features.astype(np.float16).tobytes()
            yield Described(
                request.id, target.image, target.plane, model.name, found.uncertainty, found.disagreement, features
            )
    yield Done(request.id)

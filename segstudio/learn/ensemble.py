"""A version and the instant learner that was fitted to the same labels answer together.

The mean of learners of different kinds errs less than either: one saw whole shapes in a few pictures, the other single
pixels and what lies around them. How much of the mean is the instant learner's, is decided on held-out pixels.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import cast

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.learn.data import Dataset, PlaneEntry
from segstudio.learn.instant import InstantNetwork, instant_model
from segstudio.learn.instant.network import Head
from segstudio.learn.model import Model, Partner, Seconds, TileProbabilities
from segstudio.learn.predict import predict_tiles
from segstudio.learn.weights import embedded_card

__all__ = ["SHARE", "InstantPart", "joined_tiles", "part_of", "partner_of", "restored", "split", "tensors_of"]

SHARE = 0.5
"""Of the mean, the instant learner's; 0.3 gained less on the sets for choosing."""

PREFIX = "instant."
"""Of the instant learner's tensors among those of a version."""

Tensors = Mapping[str, torch.Tensor]


class InstantPart(msgspec.Struct, frozen=True):
    """What a version's card says of the instant learner beside it. `base` is the digest (hex) of the embedded weights
    on whose features it rests: others make it useless.
    """

    share: float
    outputs: tuple[int, ...]
    channels: int
    base: str


def partner_of(
    instant: Callable[[], Model],
    own: Sequence[int],
    outputs: Sequence[int],
    counts_as: Mapping[int, int],
    share: float,
) -> Partner:
    """An instant learner with outputs of its `own` as the partner of a model with these `outputs`; `counts_as` as in
    `Dataset.counts_as`.
    """
    place = {class_id: i for i, class_id in enumerate(outputs)}
    return Partner(instant, share, tuple(place.get(counts_as.get(id_, 0), -1) for id_ in own))


def part_of(instant: Model, share: float) -> InstantPart:
    """What a card says of an instant learner."""
    return InstantPart(share, instant.outputs, instant.channels, embedded_card("base").sha256)


def tensors_of(instant: Model) -> dict[str, torch.Tensor]:
    """What a file of weights holds of an instant learner."""
    return {PREFIX + name: tensor for name, tensor in _head(instant).state_dict().items()}


def split(tensors: Tensors) -> tuple[Tensors, Tensors]:
    """The tensors of a version's network, and those of the instant learner beside it."""
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith(PREFIX)}
    return own, {name: tensor for name, tensor in tensors.items() if name not in own}


def restored(
    part: InstantPart, tensors: Tensors, device: torch.device, *, bfloat16: bool
) -> Callable[[], Model] | None:
    """What makes the instant learner of a version when it is first asked, because what is on screen never asks it; None
    if it rests on the features of other embedded weights than today's.

    Raises `RuntimeError` or `KeyError` if the tensors are not those of the card.
    """
    if part.base != embedded_card("base").sha256:
        return None
    found = {name.removeprefix(PREFIX): tensor.float() for name, tensor in tensors.items()}
    (hidden, near), far = found["near.weight"].shape, found["far.weight"].shape[1]
    linear = torch.nn.Linear
    head = Head(linear(near, hidden), linear(far, hidden), linear(hidden, len(part.outputs)))
    head.load_state_dict(found)

    @cache
    def made() -> Model:
        model = instant_model(part.channels, device, bfloat16=bfloat16)
        cast(InstantNetwork, model.net).head = head.to(device).requires_grad_(False)
        model.outputs = part.outputs
        return model

    return made


def joined_tiles(
    model: Model,
    data: Dataset,
    entry: PlaneEntry,
    *,
    tiles: Sequence[tuple[int, int]] | None = None,
    first: Rect | None = None,
    seconds: Seconds | None = None,
    mirrored: bool = False,
) -> Iterator[TileProbabilities | None]:
    """As `predict_tiles`, of a model and its partner together, if it has one. What the partner says of all tiles is
    kept until the end, in half precision, so this is for planes of a few megapixels.
    """
    partner = model.partner
    said: dict[tuple[int, int], NDArray[np.float16]] = {}
    if partner is not None:
        for found in predict_tiles(partner.model(), data, entry, tiles=tiles, first=first, seconds=seconds):
            if found is not None:
                said[found.ty, found.tx] = found.values.astype(np.float16)
            yield None
    for found in predict_tiles(model, data, entry, tiles=tiles, first=first, seconds=seconds, mirrored=mirrored):
        if found is None or partner is None:
            yield found
        else:
            yield replace(found, values=partner.mixed(found.values, said.pop((found.ty, found.tx))))


def _head(instant: Model) -> Head:
    return cast(Head, cast(InstantNetwork, instant.net).head)

"""Which image to label next: descriptions asked of the engine, and the orders that they make."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from segstudio.engine.client import EngineClient
from segstudio.engine.protocol import Describe, Described, Target
from segstudio.labels.model import ImageId
from segstudio.runs import Measure

__all__ = ["DescribeProgress", "Description", "Order", "describe", "ordered"]

_LOOK_S = 0.2


class Order(StrEnum):
    """What makes an image the next one: its place in the list, how unsure the version in force is of it, how different
    it is from all that is done, or how much the version and the one before it disagree on it.
    """

    LIST = "list"
    UNSURE = "unsure"
    DIFFERENT = "different"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """What `version` says of an image: `unsure` and `disputed` in 0..1 (None without another version), and features
    float32 (d) of length 1.
    """

    version: str
    unsure: float
    disputed: float | None
    features: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DescribeProgress:
    """`done` of `total` images; `image` has just been described."""

    done: int
    total: int
    image: ImageId | None = None
    description: Description | None = None


def describe(
    engine: EngineClient,
    images: Sequence[ImageId],
    *,
    version: str = "current",
    against: str = "",
    measure: Measure = "margin",
    device: str = "auto",
) -> Generator[DescribeProgress, None, None]:
    """Describe the first plane of each image with a version, and how unsure it is by `measure`; an image that cannot be
    read is left out. Closing cancels. Raises `EngineDied`, `NoSuchDevice`, `WeightsDamaged`, `NotEnoughLabels`.
    """
    done = 0
    targets = [Target(int(image), 0) for image in images]
    asked = Describe(targets=targets, version=version, against=against, measure=measure, device=device)
    with engine.call(asked) as call:
        while not call.ended:
            reply = call.wait(_LOOK_S)
            if isinstance(reply, Described):
                done += 1
                features = np.frombuffer(reply.features, np.float16).astype(np.float32)
                found = Description(reply.version, reply.uncertainty, reply.disagreement, features)
                yield DescribeProgress(done, len(images), ImageId(reply.image), found)
            else:
                yield DescribeProgress(done, len(images))


def ordered(
    order: Order, candidates: Sequence[ImageId], known: Mapping[ImageId, Description], done: Sequence[ImageId]
) -> list[ImageId]:
    """The candidates, the one to label next first; those without a description come last, as they are listed."""
    there = [image for image in candidates if image in known]
    rest = [image for image in candidates if image not in known]
    if order is Order.LIST:
        return list(candidates)
    if order is Order.DIFFERENT:
        return _far_apart(there, known, [known[image].features for image in done if image in known]) + rest
    if order is Order.UNSURE:
        return sorted(there, key=lambda image: -known[image].unsure) + rest
    apart = {image: found for image in there if (found := known[image].disputed) is not None}
    return sorted(apart, key=lambda image: -apart[image]) + [image for image in candidates if image not in apart]


def _far_apart(
    images: Sequence[ImageId], known: Mapping[ImageId, Description], labelled: Sequence[NDArray[np.float32]]
) -> list[ImageId]:
    """k-centre, greedily: always the image farthest from all that are labelled or chosen already (Gonzalez 1985; Sener
    and Savarese 2018). Where nothing is labelled, the one nearest the middle of all begins.
    """
    if not images:
        return []
    features = np.stack([known[image].features for image in images])
    if labelled:
        nearest, chosen = np.min(1 - features @ np.stack(labelled).T, 1), []
    else:
        chosen = [int(np.argmax(features @ features.mean(0)))]
        nearest = 1 - features @ features[chosen[0]]
    nearest[chosen] = -np.inf
    while len(chosen) < len(images):
        at = int(np.argmax(nearest))
        chosen.append(at)
        nearest = np.where(np.isinf(nearest), nearest, np.minimum(nearest, 1 - features @ features[at]))
        nearest[at] = -np.inf
    return [images[at] for at in chosen]

"""Fitting the instant learner to a project: windows, features, pixels, net."""

import contextlib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from segstudio.errors import NotEnoughLabels, UnreadableImage
from segstudio.geometry import Rect
from segstudio.learn.data import ClassEntry, Dataset, Part, PlaneEntry, padded_pixels
from segstudio.learn.fusing import fused
from segstudio.learn.instant.examples import PIXELS, Sample, View, chosen, labels_of, views, views_of
from segstudio.learn.instant.fitting import class_shares, fitted_head
from segstudio.learn.instant.keeping import FeatureKeeper
from segstudio.learn.instant.network import InstantNetwork, values_at
from segstudio.learn.networks import DEFAULT_NETWORK, NETWORKS
from segstudio.learn.predict import Model
from segstudio.learn.sampling import with_channels
from segstudio.learn.weights import embedded_card, load_base, normalisation_of
from segstudio.runs import INSTANT, Block
from segstudio.text import _

__all__ = ["fit_instant", "instant_model", "look_ahead"]

_AHEAD = 4


def fit_instant(
    data: Dataset,
    classes: Sequence[ClassEntry],
    blocks: Sequence[Block],
    margin_px: int,
    device: torch.device,
    *,
    bfloat16: bool,
    seed: int = 0,
    keeper: FeatureKeeper | None = None,
    planes: Sequence[PlaneEntry] | None = None,
) -> Iterator[Model | None]:
    """Fit to the known pixels of the training side: yields None between windows, the model at the end. The margin is
    at most an eighth of an image. With a `keeper`, features of what is known to it are not computed again; `planes`
    are those to learn from, whatever side they are on.

    Raises `NotEnoughLabels` if fewer than two classes have known pixels.
    """
    model = _unfitted(data, device, bfloat16=bfloat16, keeper=keeper)
    net = cast(InstantNetwork, model.net)
    lookup = np.full(max((c.id for c in classes), default=0) + 2, -1, np.int64)
    for place, entry in enumerate(classes):
        lookup[entry.id] = place
    rng = np.random.default_rng(seed)
    samples: list[Sample] = []
    trained = [entry for entry in data.planes() if entry.part is Part.TRAIN] if planes is None else planes
    found = views(data, trained, model.context, rng)
    damaged: set[tuple[int, int]] = set()
    for view in found:
        labels = labels_of(data, view, lookup, blocks, margin_px)
        picked = chosen(labels, len(classes), PIXELS // len(found), rng)
        plane = (view.entry.image, view.entry.plane)
        if len(picked) and plane not in damaged:
            try:
                parts = _features(model, data, view, keeper)
            except UnreadableImage:  # learn from the other images; the data set reports which one it is
                damaged.add(plane)
                continue
            samples.append(_sample(net, parts, labels, picked, len(classes)))
        yield None
    places = torch.unique(torch.cat([s.classes for s in samples])) if samples else torch.zeros(0)
    if len(places) < 2:
        raise NotEnoughLabels(
            _("The instant learner needs labelled pixels of at least two classes that are not held out."),
            todo=_("Paint some pixels of the object and some of the background."),
        )
    x = torch.cat([s.features for s in samples])
    y = torch.searchsorted(places, torch.cat([s.classes for s in samples]))
    shares = class_shares([s.known for s in samples], places.tolist())
    net.head = fitted_head(x, y, shares, samples[0].encoded, seed)
    model.outputs = tuple(classes[int(place)].id for place in places)
    yield model


def look_ahead(
    data: Dataset, entry: PlaneEntry, visible: Rect, device: torch.device, *, bfloat16: bool, keeper: FeatureKeeper
) -> Iterator[None]:
    """Compute and keep the features of what is in view, before there is anything to learn from; yields between windows.

    Raises `UnreadableImage`.
    """
    model = _unfitted(data, device, bfloat16=bfloat16, keeper=keeper)
    for view in views_of(entry, model.context, [visible])[:_AHEAD]:
        yield
        _features(model, data, view, keeper)


def _unfitted(data: Dataset, device: torch.device, *, bfloat16: bool, keeper: FeatureKeeper | None) -> Model:
    """As `instant_model`, for as many channels as the image with the most has, three at least."""
    channels = max([3, *(entry.channels for entry in data.planes())])
    return instant_model(channels, device, bfloat16=bfloat16, keeper=keeper)


def instant_model(channels: int, device: torch.device, *, bfloat16: bool, keeper: FeatureKeeper | None = None) -> Model:
    """The instant learner without a head and outputs, which are put in later. `channels` are three or more."""
    mean, std = normalisation_of(embedded_card("base").normalisation)
    return Model(
        name=INSTANT,
        net=InstantNetwork(_base(device, bfloat16), channels, keeper),
        outputs=(),
        channels=channels,
        mean=_for_channels(mean, channels),
        std=_for_channels(std, channels),
        pitch=32,
        device=device,
        bfloat16=bfloat16,
        channels_last=True,
        context=NETWORKS[DEFAULT_NETWORK].context,
    )


@cache
def _base(device: torch.device, bfloat16: bool) -> nn.Module:
    """The embedded base, frozen, once for all instant learners of a device and precision. It is fused here, for a model
    would fuse a copy, and the features that its keeper has would not be those of another's.
    """
    return fused(load_base(), 3, device, bfloat16=bfloat16)


def _for_channels(values: Sequence[float], channels: int) -> tuple[float, ...]:
    """A figure of each channel: those of red, green and blue, then their mean."""
    return (*values, *[sum(values) / len(values)] * (channels - len(values)))


@torch.inference_mode()
def _features(model: Model, data: Dataset, view: View, keeper: FeatureKeeper | None) -> list[torch.Tensor]:
    """The features of a view, read and computed as prediction does. Raises `UnreadableImage`."""
    window = view.window
    pixels = with_channels(padded_pixels(data, view.entry, window.image), model.channels)
    inner = None if window.net == window.seen else [window.net.moved(-window.seen.x, -window.seen.y)]
    with contextlib.nullcontext() if keeper is None else keeper.learning():
        return model.apply(cast(InstantNetwork, model.net).features, pixels[None], inner)


@torch.inference_mode()
def _sample(
    net: InstantNetwork, parts: Sequence[torch.Tensor], labels: NDArray[np.int64], picked: NDArray[np.int64], n: int
) -> Sample:
    """What is learned from the picked pixels of a view, flat positions in its labels (h, w)."""
    device = parts[0].device
    flat = labels.ravel()
    y, x = np.divmod(picked, labels.shape[1])
    return Sample(
        values_at(parts, torch.from_numpy(y).to(device), torch.from_numpy(x).to(device)),
        net.encoded(parts),
        torch.from_numpy(flat[picked]).to(device),
        np.bincount(flat[flat >= 0], minlength=n).astype(np.float64),
    )

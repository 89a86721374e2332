"""Weights on disk: the embedded models with their cards, new heads made from them, and the weights of a project's
versions.

Only safetensors files are read or written, never a pickle, and nothing is ever fetched from a server. Cards are JSON
beside the files under `resources/models`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NewType

import msgspec
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as encode_safetensors
from torch import nn

from segstudio.assets import asset
from segstudio.durable import write_durably
from segstudio.errors import DiskRefused, WeightsDamaged
from segstudio.learn.heads import Head, HeadMatch, match_heads
from segstudio.learn.networks import adapt_stem, build, head_conv, stem_conv
from segstudio.text import _

__all__ = [
    "EMBEDDED",
    "Card",
    "Check",
    "Head",
    "HeadMatch",
    "ModelCheck",
    "Normalisation",
    "base_for",
    "check_model",
    "check_values",
    "embedded_card",
    "load_base",
    "load_imagenet",
    "load_weights",
    "match_head",
    "normalisation_of",
    "save_weights",
    "sha256_of",
]

EMBEDDED = ("imagenet", "base")

Tensors = NewType("Tensors", dict[str, torch.Tensor])


class Normalisation(msgspec.Struct, frozen=True):
    """The input of an encoder: (pixel / divide_by - mean) / std, by channel red, green, blue, pixels from 0 to 255."""

    divide_by: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class Check(msgspec.Struct, frozen=True):
    """Numbers that a model must give for the check picture, within `tolerance` of max(1, |value|)."""

    values: tuple[float, ...]
    tolerance: float


class Card(msgspec.Struct, frozen=True):
    """What the program needs from the card of an embedded model; the file holds more, for people."""

    name: str
    network: str
    normalisation: Normalisation
    sha256: str
    check: Check
    heads: tuple[Head, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """Whether an embedded model is complete and computes what it did when it was made; `message` is one sentence."""

    ok: bool
    sha256: str
    message: str


def embedded_card(name: str = "base") -> Card:
    """The card of an embedded model. Raises WeightsDamaged if it is missing or not a card."""
    path = asset("models", f"{name}.json")
    try:
        return msgspec.json.decode(path.read_bytes(), type=Card)
    except OSError as error:
        raise WeightsDamaged(
            _("The card of the embedded model '{name}' is missing.", name=name), todo=_("Install SegStudio again.")
        ) from error
    except msgspec.MsgspecError as error:
        sentence = _("The card of the embedded model '{name}' cannot be read: {error}.", name=name, error=error)
        raise WeightsDamaged(sentence, todo=_("Install SegStudio again.")) from error


def normalisation_of(found: Normalisation) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and spread by channel for pixels in 0..1."""
    scale = found.divide_by / 255.0
    return tuple(m * scale for m in found.mean), tuple(s * scale for s in found.std)


def load_imagenet(net: nn.Module) -> Normalisation:
    """Fill the encoder of `net` (made by `networks.build`, any number of input channels) with the ImageNet weights.

    Returns the normalisation that goes with them. Raises WeightsDamaged if the file is broken or made for another
    network.
    """
    tensors = {f"encoder.{key}": value for key, value in _read(asset("models", "imagenet.safetensors")).items()}
    _fill(net, tensors, only="encoder.", file="imagenet.safetensors")
    return embedded_card("imagenet").normalisation


def load_base(channels: int = 3) -> nn.Module:
    """The embedded base model with its full head, in evaluation mode, for `channels` input channels."""
    card = embedded_card("base")
    net = build(card.network, channels=channels, classes=max(head.channels[1] for head in card.heads))
    _fill(net, _read(asset("models", "base.safetensors")), only="", file="base.safetensors")
    return net.eval()


def match_head(names: Sequence[str], *, background: int | None = None, grey: bool | None = None) -> HeadMatch:
    """The slice of the embedded head that fits a project's class names, else `foreground` (see `heads.match_heads`)."""
    return match_heads(names, embedded_card("base").heads, background=background, grey=grey)


def base_for(
    names: Sequence[str], *, channels: int = 3, background: int | None = None, grey: bool | None = None, seed: int = 0
) -> nn.Module:
    """The embedded base with a head for the classes `names`, so that it already proposes what it knows.

    Rows of the head whose class matches an embedded one are copied, and so is the background's. With no such class the
    foreground row goes to the first class that is not the background. The other rows begin as the mean of the slice,
    which alone is never the most likely class, plus noise of a tenth of the head's spread from `seed`.
    """
    base = load_base(channels)
    old_weight, old_bias = _head_of(base)
    match = match_head(names, background=background, grey=grey)
    net = build(embedded_card("base").network, channels=channels, classes=len(names))
    with torch.no_grad():
        rows, bias = old_weight[match.start : match.stop], old_bias[match.start : match.stop]
        noise = torch.randn((len(names), *rows.shape[1:]), generator=torch.Generator().manual_seed(seed))
        weight = rows.mean(0) + 0.1 * rows.std() * noise
        biases = bias.mean().repeat(len(names))
        for k, channel in enumerate(match.from_channel):
            if channel is not None:
                weight[k], biases[k] = old_weight[channel], old_bias[channel]
        body = {key: value for key, value in base.state_dict().items() if not key.startswith("segmentation_head.")}
        net.load_state_dict(body, strict=False)
        new_weight, new_bias = _head_of(net)
        new_weight.copy_(weight)
        new_bias.copy_(biases)
    return net


def save_weights(path: Path, net: nn.Module, metadata: Mapping[str, str] | None = None, *, half: bool = False) -> str:
    """Write the weights of `net` durably and at once: no reader ever sees a part of the file. Returns its SHA-256.

    `half` stores half precision where a tensor's values fit it. Two or more entries of `metadata` come in any order, so
    that the bytes differ from run to run. Raises DiskRefused if the disk refuses; the previous file at `path` then
    stays.
    """
    tensors = {
        key: _stored(value, half) for key, value in net.state_dict().items() if not key.endswith("num_batches_tracked")
    }
    data = encode_safetensors(tensors, dict(metadata) if metadata else None)
    try:
        write_durably(path, data)
    except OSError as error:
        sentence = _(
            "The weights could not be written to {file}: {reason}.", file=path.name, reason=error.strerror or error
        )
        raise DiskRefused(
            sentence, safe=_("The previous file was not changed."), todo=_("Free some space and try again.")
        ) from error
    return hashlib.sha256(data).hexdigest()


def load_weights(path: Path, net: nn.Module, sha256: str | None = None) -> None:
    """Fill `net` with weights that `save_weights` wrote for the same network, number of channels and classes.

    Raises WeightsDamaged if the file is missing, truncated, not safetensors, made for another network, or, if `sha256`
    is given, not the one that was written.
    """
    _fill(net, _read(path, sha256), only="", file=path.name)


def check_model(name: str) -> ModelCheck:
    """Whether the embedded model `name` is the file its card describes and gives the card's check output. Takes about a
    second.
    """
    digest = ""
    try:
        card = embedded_card(name)
        digest = sha256_of(asset("models", f"{name}.safetensors"))
        if digest != card.sha256:
            return ModelCheck(
                False,
                digest,
                _("The file of the embedded model '{name}' is not the one its card describes.", name=name),
            )
        net = build(card.network, classes=1) if name == "imagenet" else load_base()
        if name == "imagenet":
            load_imagenet(net)
        found = check_values(net, card.normalisation, encoder_only=name == "imagenet")
    except WeightsDamaged as error:
        return ModelCheck(False, digest, error.sentence)
    except OSError:
        return ModelCheck(False, digest, _("The file of the embedded model '{name}' is missing.", name=name))
    apart = [abs(a - b) / max(1.0, abs(b)) for a, b in zip(found, card.check.values, strict=False)]
    if len(found) != len(card.check.values) or not max(apart) <= card.check.tolerance:
        return ModelCheck(
            False, digest, _("The embedded model '{name}' computes wrong values on this machine.", name=name)
        )
    return ModelCheck(
        True, digest, _("The embedded model '{name}' is complete and computes what it should.", name=name)
    )


@torch.no_grad()
def check_values(net: nn.Module, normalisation: Normalisation, *, encoder_only: bool) -> tuple[float, ...]:
    """Mean and spread of each feature map (encoder) or output channel, for the check picture of 64 x 64 pixels."""
    image = _check_picture(normalisation)
    net.eval()
    maps = net.get_submodule("encoder")(image)[1:] if encoder_only else net(image)[0]
    return tuple(round(float(value), 5) for part in maps for value in (part.mean(), part.std()))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _head_of(net: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    conv = head_conv(net)
    if conv.bias is None:
        raise ValueError("the head of a network needs a bias")
    return conv.weight, conv.bias


def _check_picture(normalisation: Normalisation) -> torch.Tensor:
    """A fixed picture (1, 3, 64, 64) made by whole-number arithmetic, the same on every machine; normalised."""
    y, x = np.mgrid[0:64, 0:64]
    bytes_by_channel = [(x * (3 + c) + y * y // (5 + c) + x * y // 7) % 256 for c in range(3)]
    pixels = torch.from_numpy(np.stack(bytes_by_channel).astype(np.float32))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (normalisation.mean, normalisation.std))
    return ((pixels / normalisation.divide_by - mean) / std)[None]


def _read(path: Path, sha256: str | None = None) -> Tensors:
    """Tensors of a safetensors file, in single precision."""
    try:
        data = path.read_bytes()
    except OSError as error:
        sentence = _("The weights {file} cannot be read: {reason}.", file=path.name, reason=error.strerror or error)
        raise WeightsDamaged(sentence, todo=_("Choose another version, or train again.")) from error
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise WeightsDamaged(
            _("The weights {name} are not those that were written.", name=path.name), todo=_("Choose another version.")
        )
    try:
        tensors = parse_safetensors(data)
    except (SafetensorError, ValueError, KeyError) as error:
        sentence = _("{file} holds no weights: it is truncated or not a safetensors file.", file=path.name)
        raise WeightsDamaged(sentence, todo=_("Choose another version, or train again.")) from error
    return Tensors({key: value.float() if value.is_floating_point() else value for key, value in tensors.items()})


def _fill(net: nn.Module, tensors: Mapping[str, torch.Tensor], *, only: str, file: str) -> None:
    """Copy tensors into the parts of `net` whose names begin with `only`; every one must be there and fit.

    A stem for three channels is adapted to the number of input channels of `net`.
    """
    own = {
        key: value
        for key, value in net.state_dict().items()
        if key.startswith(only) and not key.endswith("num_batches_tracked")
    }
    given = dict(tensors)
    stem = "encoder.conv_stem.weight"
    channels = stem_conv(net).weight.shape[1]
    if stem in given and given[stem].ndim == 4 and given[stem].shape[1] == 3 != channels:
        given[stem] = adapt_stem(given[stem], channels)
    wrong = [
        key
        for key in own.keys() | given.keys()
        if key not in own or key not in given or own[key].shape != given[key].shape
    ]
    if wrong:
        sentence = _(
            "The weights in {file} were made for another network ({tensor} does not fit).", file=file, tensor=min(wrong)
        )
        raise WeightsDamaged(sentence, todo=_("Choose another version, or train again."))
    with torch.no_grad():
        for key, value in own.items():
            value.copy_(given[key])


def _stored(value: torch.Tensor, half: bool) -> torch.Tensor:
    value = value.detach().cpu().contiguous()
    if half and value.is_floating_point():
        small = value.half()
        return small if bool(torch.isfinite(small).all()) else value
    return value

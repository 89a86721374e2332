"""Models ready to predict: the embedded guess, and the versions of a project with their weights and cards as bytes."""

from collections.abc import Mapping, Sequence

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as encode_safetensors
from torch import nn

from segstudio.errors import WeightsDamaged
from segstudio.learn.data import ClassEntry, Dataset
from segstudio.learn.networks import DEFAULT_NETWORK, build, head_conv
from segstudio.learn.predict import Model
from segstudio.learn.weights import (
    HeadMatch,
    Normalisation,
    base_for,
    embedded_card,
    load_base,
    load_imagenet,
    match_head,
)
from segstudio.runs import EMBEDDED, Plan

__all__ = [
    "VersionCard",
    "embedded_model",
    "encode_weights",
    "normalisation_of",
    "starting_network",
    "trained_model",
    "version_card",
    "version_model",
]


class VersionCard(msgspec.Struct, frozen=True):
    """What is needed to use a version's weights; its card holds more, for people."""

    network: str
    channels: int
    outputs: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    pitch: int
    precision: str = "float32"
    channels_last: bool = False


class _Slice(nn.Module):
    """A slice of the embedded head as one output a class: channels of the same class are added as probabilities."""

    def __init__(self, net: nn.Module, start: int, stop: int, outputs: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.net = net
        self._range = (start, stop)
        self._outputs = [list(channels) for channels in outputs]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = self.net(x)[:, self._range[0] : self._range[1]].float()
        return torch.stack([logits[:, channels].logsumexp(1) for channels in self._outputs], 1)


def normalisation_of(found: Normalisation) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and spread by channel for pixels in 0..1."""
    scale = found.divide_by / 255.0
    return tuple(m * scale for m in found.mean), tuple(s * scale for s in found.std)


def embedded_model(classes: Sequence[ClassEntry], grey: bool, device: torch.device, *, bfloat16: bool) -> Model:
    """The embedded guess for a project's classes, at scale 1: the head whose names fit, else its foreground.

    Foreground means the first class that is no background.
    """
    card = embedded_card("base")
    match = _match(classes, grey)
    by_class: dict[int, list[int]] = {}
    for channel, place in enumerate(match.to_class):
        by_class.setdefault(0 if place is None else classes[place].id, []).append(channel)
    mean, std = normalisation_of(card.normalisation)
    return Model(
        name=EMBEDDED,
        net=_Slice(load_base(), match.start, match.stop, list(by_class.values())),
        outputs=tuple(by_class),
        channels=3,
        mean=mean,
        std=std,
        pitch=32,
        device=device,
        bfloat16=bfloat16,
        channels_last=True,
    )


def starting_network(plan: Plan, data: Dataset, classes: Sequence[ClassEntry], grey: bool) -> nn.Module:
    """The network of a plan with the weights of its base. Raises `WeightsDamaged`."""
    torch.manual_seed(plan.seed)
    if plan.base == EMBEDDED and plan.network == DEFAULT_NETWORK:
        known = [next(c for c in classes if c.id == output.id) for output in plan.classes]
        background = next((i for i, c in enumerate(known) if c.background), None)
        names = [c.name for c in known]
        return base_for(names, channels=plan.channels, background=background, grey=grey, seed=plan.seed)
    net = build(plan.network, channels=plan.channels, classes=len(plan.classes))
    if plan.base == "imagenet" and plan.network == DEFAULT_NETWORK:
        load_imagenet(net)
    elif plan.base not in (EMBEDDED, "imagenet", "scratch"):
        _continue_from(net, plan, data)
    return net


def encode_weights(net: nn.Module, facts: Mapping[str, str]) -> bytes:
    """The weights of a network as a safetensors file."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in net.state_dict().items()}
    return encode_safetensors(tensors, dict(facts))


def version_card(plan: Plan) -> VersionCard:
    """What a version made by a plan needs to be used."""
    return VersionCard(
        plan.network,
        plan.channels,
        tuple(c.id for c in plan.classes),
        plan.mean,
        plan.std,
        plan.pitch,
        plan.recipe.precision,
        plan.recipe.channels_last,
    )


def trained_model(name: str, net: nn.Module, card: VersionCard, device: torch.device, *, bfloat16: bool) -> Model:
    """A network that was trained, ready to predict."""
    return Model(
        name=name,
        net=net,
        outputs=card.outputs,
        channels=card.channels,
        mean=card.mean,
        std=card.std,
        pitch=card.pitch,
        device=device,
        bfloat16=bfloat16,
        channels_last=card.channels_last,
    )


def version_model(name: str, data: Dataset, device: torch.device, *, bfloat16: bool) -> Model:
    """A version of the project, ready to predict. Raises `WeightsDamaged`."""
    card = read_card(name, data)
    net = build(card.network, channels=card.channels, classes=len(card.outputs))
    _load(net, _tensors(name, data), name)
    return trained_model(name, net, card, device, bfloat16=bfloat16)


def read_card(name: str, data: Dataset) -> VersionCard:
    """The card of a version. Raises `WeightsDamaged`."""
    try:
        return msgspec.convert(data.card(name), VersionCard, strict=False)
    except msgspec.ValidationError as error:
        raise WeightsDamaged(f"The card of version {name} cannot be read.", todo="Choose another version.") from error


def _match(classes: Sequence[ClassEntry], grey: bool) -> HeadMatch:
    background = next((i for i, c in enumerate(classes) if c.background), None)
    return match_head([c.name for c in classes], background=background, grey=grey)


def _continue_from(net: nn.Module, plan: Plan, data: Dataset) -> None:
    """Fill a network with a version's weights. Outputs are carried over by class; new ones begin at the mean."""
    card = read_card(plan.base, data)
    if (card.network, card.channels) != (plan.network, plan.channels):
        raise WeightsDamaged(
            f"Version {plan.base} is another kind of network than this run needs.", todo="Choose another base."
        )
    parent = build(card.network, channels=card.channels, classes=len(card.outputs))
    _load(parent, _tensors(plan.base, data), plan.base)
    body = {k: v for k, v in parent.state_dict().items() if not k.startswith("segmentation_head.")}
    net.load_state_dict(body, strict=False)
    old, new = head_conv(parent), head_conv(net)
    with torch.no_grad():
        for place, output in enumerate(plan.classes):
            found = card.outputs.index(output.id) if output.id in card.outputs else None
            for a, b in zip(new.parameters(), old.parameters(), strict=True):
                a[place] = b.mean(0) if found is None else b[found]


def _tensors(name: str, data: Dataset) -> dict[str, torch.Tensor]:
    try:
        return parse_safetensors(data.weights(name))
    except (SafetensorError, ValueError, KeyError) as error:
        raise WeightsDamaged(
            f"The weights of version {name} are damaged and cannot be used.", todo="Choose another version."
        ) from error


def _load(net: nn.Module, tensors: Mapping[str, torch.Tensor], name: str) -> None:
    try:
        net.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise WeightsDamaged(
            f"The weights of version {name} do not fit its network.", todo="Choose another version."
        ) from error

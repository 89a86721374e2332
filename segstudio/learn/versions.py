"""Models ready to predict: the embedded guess, and the versions of a project with their weights and cards as bytes."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as encode_safetensors
from torch import nn

from segstudio.errors import WeightsDamaged
from segstudio.learn.data import ByChannel, ClassEntry, Dataset
from segstudio.learn.ensemble import InstantPart, partner_of, restored, split, tensors_of
from segstudio.learn.networks import DEFAULT_NETWORK, NETWORKS, build, draw, head_conv, network_named
from segstudio.learn.predict import Model
from segstudio.learn.weights import (
    HeadMatch,
    base_for,
    embedded_card,
    load_base,
    load_imagenet,
    match_head,
    normalisation_of,
)
from segstudio.runs import EMBEDDED, Plan, Separation
from segstudio.text import _

__all__ = [
    "VersionCard",
    "embedded_model",
    "encode_weights",
    "starting_network",
    "trained_model",
    "version_card",
    "version_model",
]


class VersionCard(msgspec.Struct, frozen=True):
    """The part of a card that is needed to use a version's weights; the card holds more, for people.

    `levels` as in a plan: a version of an earlier release has none and sees each plane between its own. `instant` is
    the instant learner beside it, if it has one. `separation` was tuned on held-out objects; one of an earlier release
    has the default.
    """

    network: str
    channels: int
    outputs: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    pitch: int
    precision: str = "float32"
    channels_last: bool = False
    levels: ByChannel = ()
    instant: InstantPart | None = None
    separation: Separation = Separation()


class _Grouped(nn.Module):
    """Channels of a head as one output per class: those of the same class are added as probabilities; those of no class
    are left out before anything is compared, so that the next best class takes their pixels.
    """

    def __init__(self, net: nn.Module, outputs: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.net = net
        self.encoder = net.encoder
        self._outputs = [list(channels) for channels in outputs]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.changed(self.net(x))

    def draw(self, levels: list[torch.Tensor]) -> torch.Tensor:
        return self.changed(draw(self.net, levels))

    def changed(self, logits: torch.Tensor) -> torch.Tensor:
        """One output per class."""
        logits = logits.float()
        return torch.stack([logits[:, channels].logsumexp(1) for channels in self._outputs], 1)


def embedded_model(classes: Sequence[ClassEntry], grey: bool, device: torch.device, *, bfloat16: bool) -> Model:
    """The embedded guess for a project's classes, at scale 1: the head whose names match, else its foreground.

    Foreground means the first class that is not the background.
    """
    card = embedded_card("base")
    match = _match(classes, grey)
    by_class: dict[int, list[int]] = {}
    for channel, place in enumerate(match.to_class, match.start):
        by_class.setdefault(0 if place is None else classes[place].id, []).append(channel)
    mean, std = normalisation_of(card.normalisation)
    return Model(
        name=EMBEDDED,
        net=_Grouped(load_base(), list(by_class.values())),
        outputs=tuple(by_class),
        channels=3,
        mean=mean,
        std=std,
        pitch=32,
        device=device,
        bfloat16=bfloat16,
        channels_last=True,
        context=NETWORKS[DEFAULT_NETWORK].context,
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


def encode_weights(net: nn.Module, facts: Mapping[str, str], instant: Model | None = None) -> bytes:
    """The weights of a network, and of the instant learner beside it, as a safetensors file."""
    beside = {} if instant is None else tensors_of(instant)
    tensors = {k: v.detach().cpu().contiguous() for k, v in (net.state_dict() | beside).items()}
    return encode_safetensors(tensors, dict(facts))


def version_card(plan: Plan) -> VersionCard:
    """The card of a version made by a plan."""
    return VersionCard(
        plan.network,
        plan.channels,
        tuple(c.id for c in plan.classes),
        plan.mean,
        plan.std,
        plan.pitch,
        plan.recipe.precision,
        plan.recipe.channels_last,
        plan.levels,
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
        levels=card.levels,
        separation=card.separation,
        context=network_named(card.network).context,
    )


def version_model(name: str, data: Dataset, device: torch.device, *, bfloat16: bool) -> Model:
    """A version of the project, ready to predict what its outputs count as today. Raises `WeightsDamaged`.

    What it learned of merged classes is added up; what it learned of a class that was removed, or no longer has a known
    pixel, is left out. With no class left it finds nothing (class 0) everywhere.
    """
    card = read_card(name, data)
    net = _network_of(card)
    own, beside = split(_tensors(name, data))
    _load(net, own, name)
    groups = _channels_by_class(card, data) or {0: list(range(len(card.outputs)))}
    if list(groups.items()) != [(id_, [channel]) for channel, id_ in enumerate(card.outputs)]:
        net, card = _Grouped(net, list(groups.values())), msgspec.structs.replace(card, outputs=tuple(groups))
    model = trained_model(name, net, card, device, bfloat16=bfloat16)
    if card.instant is not None:
        instant = _instant(name, card.instant, beside, device, bfloat16=bfloat16)
        if instant is not None:
            model.partner = partner_of(
                instant, card.instant.outputs, model.outputs, data.counts_as(), card.instant.share
            )
    return model


def read_card(name: str, data: Dataset) -> VersionCard:
    """The card of a version. Raises `WeightsDamaged`."""
    try:
        return msgspec.convert(data.card(name), VersionCard, strict=False)
    except msgspec.ValidationError as error:
        raise WeightsDamaged(
            _("The card of version {name} cannot be read.", name=name), todo=_("Choose another version.")
        ) from error


def _match(classes: Sequence[ClassEntry], grey: bool) -> HeadMatch:
    background = next((i for i, c in enumerate(classes) if c.background), None)
    return match_head([c.name for c in classes], background=background, grey=grey)


def _channels_by_class(card: VersionCard, data: Dataset) -> dict[int, list[int]]:
    """The channels of a version by the class that they count as today; those that count as nothing are left out."""
    counts_as = data.counts_as()
    groups: dict[int, list[int]] = {}
    for channel, id_ in enumerate(card.outputs):
        if found := counts_as.get(id_, 0):
            groups.setdefault(found, []).append(channel)
    return groups


def _continue_from(net: nn.Module, plan: Plan, data: Dataset) -> None:
    """Fill a network with a version's weights. Outputs are carried over by class, those of
    merged classes as their mean; new ones begin at the mean of all.
    """
    card = read_card(plan.base, data)
    if (card.network, card.channels) != (plan.network, plan.channels):
        raise WeightsDamaged(
            _("Version {base} has a different network from the one this run needs.", base=plan.base),
            todo=_("Choose another base."),
        )
    parent = _network_of(card)
    _load(parent, split(_tensors(plan.base, data))[0], plan.base)
    for part in ("encoder", "decoder"):
        net.get_submodule(part).load_state_dict(parent.get_submodule(part).state_dict())
    groups = _channels_by_class(card, data)
    with torch.no_grad():
        for place, output in enumerate(plan.classes):
            found = groups.get(output.id, list(range(len(card.outputs))))
            for a, b in zip(head_conv(net).parameters(), head_conv(parent).parameters(), strict=True):
                a[place] = b[found].mean(0)


def _network_of(card: VersionCard) -> nn.Module:
    """The network of a version, with random weights."""
    return build(card.network, channels=card.channels, classes=len(card.outputs))


def _tensors(name: str, data: Dataset) -> dict[str, torch.Tensor]:
    try:
        return parse_safetensors(data.weights(name))
    except (SafetensorError, ValueError, KeyError) as error:
        raise WeightsDamaged(
            _("The weights of version {name} are damaged and cannot be used.", name=name),
            todo=_("Choose another version."),
        ) from error


def _load(net: nn.Module, tensors: Mapping[str, torch.Tensor], name: str) -> None:
    try:
        net.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise _misfit(name) from error


def _instant(
    name: str, part: InstantPart, tensors: Mapping[str, torch.Tensor], device: torch.device, *, bfloat16: bool
) -> Callable[[], Model] | None:
    try:
        return restored(part, tensors, device, bfloat16=bfloat16)
    except (RuntimeError, KeyError, ValueError) as error:
        raise _misfit(name) from error


def _misfit(name: str) -> WeightsDamaged:
    return WeightsDamaged(
        _("The weights of version {name} do not fit its network.", name=name), todo=_("Choose another version.")
    )

"""The two that learn from the annotator: the program, and RootPainter's way. Each is asked at a time of the clock.

What a training computes depends on labels and steps alone, so it is computed when it begins and counts when the clock
says that it has ended.
"""

from dataclasses import dataclass, field
from typing import Protocol, cast

import msgspec
import numpy as np
import torch
from in_memory import InMemory
from numpy.typing import NDArray

from annotator.clock import Timeline
from segstudio.engine.protocol import Blob, Measured, RunPlanned, Train, Trained
from segstudio.engine.training import Stopping, train_job
from segstudio.engine.workshop import CURRENT, Workshop
from segstudio.errors import NotEnoughLabels
from segstudio.labels.model import Origin
from segstudio.learn.augment import Augmenter
from segstudio.learn.data import Dataset, Part
from segstudio.learn.facts import Facts, survey
from segstudio.learn.networks import DEFAULT_NETWORK, build
from segstudio.learn.plan import Machine, make_plan
from segstudio.learn.predict import Model, predict_tiles
from segstudio.learn.sampling import UNKNOWN, Sampler
from segstudio.learn.weights import embedded_card, normalisation_of
from segstudio.runs import INSTANT, Choices, Plan

__all__ = ["Contender", "Product", "Rates", "RootPainter", "rootpainter_loss", "shown_by"]

_CPU = torch.device("cpu")


class Rates(msgspec.Struct, frozen=True):
    """What a free machine does: steps a second of the program's run of a minute (its late stages counted in) and of the
    whole network, seconds for a fit of the instant learner, for one proposal, and around a run (start and gate).
    """

    run_steps_s: float
    whole_steps_s: float
    instant_s: float
    proposal_s: float
    around_run_s: float
    measured: str = ""


class Contender(Protocol):
    """Someone who proposes."""

    def proposal(self, image: int) -> NDArray[np.int64]:
        """Classes 0..n-1 (h, w) for a picture by what is learned now, -1 where nothing is proposed."""
        ...

    def advance(self) -> bool:
        """Learn up to the time that it is; whether other proposals are made from now on."""
        ...

    def finished(self, image: int, shown: NDArray[np.int64]) -> None:
        """The person is done with a picture; `shown` is the proposal that was corrected."""
        ...

    def state(self) -> dict[str, object]:
        """What is needed to go on from here, beside the data and the clock."""
        ...

    def restore(self, state: dict[str, object]) -> None:
        """Go on from there."""
        ...


def shown_by(model: Model, data: InMemory, image: int) -> NDArray[np.int64]:
    """Classes 0..n-1 (h, w) by a model; an output of no class counts as the background."""
    entry = data.planes()[image]
    found = np.full((entry.height, entry.width), UNKNOWN, np.int64)
    place = np.array([max(output - 1, 0) for output in model.outputs])
    for tile in predict_tiles(model, cast(Dataset, data), entry):
        if tile is not None:
            r = tile.rect
            found[r.y : r.bottom, r.x : r.right] = place[tile.values.argmax(0)]
    return found


@dataclass(frozen=True, slots=True)
class _Run:
    """A run whose result counts from a time on."""

    ends: float
    version: str
    current: str
    promoted: bool
    weights: bytes
    card: dict[str, object]


@dataclass(slots=True)
class Product:
    """The program: guess, instant learner, runs of a minute and the gate, through the engine's own jobs.

    The person accepts what was right of a proposal, and asks for a run whenever none is under way and two classes
    train. Where nothing new is labelled the next run is twice as long, as the program advises, and no longer: at three
    minutes it would be of another kind, with steps of another length.
    """

    data: InMemory
    clock: Timeline
    rates: Rates
    seed: int
    seconds: float = 60.0
    choices: Choices = Choices(device="cpu")  # noqa: RUF009  (frozen)
    number: int = 0
    longer: int = 1
    run: _Run | None = None
    begun_at: int = -1
    verdicts: list[tuple[float, str, bool]] = field(default_factory=list)
    shop: Workshop = field(init=False)

    def __post_init__(self) -> None:
        """The models are made when they are asked for."""
        self.shop = Workshop(lambda: self.data.view())

    def proposal(self, image: int) -> NDArray[np.int64]:
        view = self.data.view()
        model = _result(self.shop.model(CURRENT, "cpu", view))
        return shown_by(model, view, image)

    @property
    def instant(self) -> bool:
        """Whether the instant learner proposes: it is fitted again for every picture that is opened."""
        return self.shop.resolved(CURRENT, self.data.view()) == INSTANT

    def advance(self) -> bool:
        changed = False
        while self.run is not None and self.run.ends <= self.clock.now:
            ended, self.run = self.run, None
            self.data.versions[ended.version] = (ended.weights, ended.card)
            changed |= ended.current != self.data.current
            self.data.current = ended.current
            self.data.promoted = ended.version if ended.promoted else self.data.promoted
            self.verdicts.append((round(ended.ends, 1), ended.version, ended.promoted))
            self._begin()
        self._begin()
        return changed

    def finished(self, image: int, shown: NDArray[np.int64]) -> None:
        labels, _origins = self.data.labels(image, 0, self.data.planes()[image].bounds)
        self.data.label(image, labels == 0, shown, Origin.ACCEPTED)
        self.data.finish(image)

    def state(self) -> dict[str, object]:
        names = ("number", "longer", "run", "begun_at", "verdicts")
        return {name: getattr(self, name) for name in names}

    def restore(self, state: dict[str, object]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def _begin(self) -> None:
        if self.run is not None or len(self.data.known_classes(Part.TRAIN)) < 2:
            return
        self.longer = 1 if self.begun_at != self.data.seq else 2
        self.begun_at = self.data.seq
        self.number += 1
        steps = round(self.seconds * self.longer * self.rates.run_steps_s)
        try:
            self.run = self._computed(steps)
        except NotEnoughLabels:
            return  # all that is labelled of a class is held out; it is tried again with the next label

    def _computed(self, steps: int) -> _Run:
        version = f"v{self.number}"
        choices = msgspec.structs.replace(self.choices, max_steps=steps, seed=self.seed + self.number)
        request = Train(id=self.number, run=f"r{self.number}", version=version, choices=choices)
        weights, plan, trained = b"", None, None
        for found in train_job(self.shop, request, Stopping()):
            if isinstance(found, Measured):
                self.data.keep(found.stamp, found.facts)
            elif isinstance(found, RunPlanned):
                plan = found.plan
                self.data.held_blocks = plan.blocks
            elif isinstance(found, Blob) and found.kind == "weights":
                weights += found.data
            elif isinstance(found, Trained):
                trained = found
        assert plan is not None
        assert trained is not None
        ends = self.clock.given(steps / self.rates.run_steps_s + self.rates.around_run_s)
        return _Run(ends, version, trained.current, trained.promoted, weights, _card(plan, trained))


def _card(plan: Plan, trained: Trained) -> dict[str, object]:
    images = [{"path": p.path, "plane": p.plane, "part": p.part, "edit": p.seq} for p in plan.planes]
    learned = sorted((p.path, p.seq) for p in plan.planes if p.part == "train")
    own = {"train_groups": plan.groups("train"), "learned": learned, "steps": trained.steps}
    return {**trained.card, **own, "data": {"images": images}}


@dataclass(slots=True)
class RootPainter:
    """The same network from random weights, trained without pause on what is finished (Smith et al., RootPainter, New
    Phytologist 2022): Dice plus 0.3 of cross-entropy, no held-out images, the weights of the moment propose.

    `unpainted`: whether pixels of a finished picture that nobody painted are taught as background, or not at all.
    """

    data: InMemory
    clock: Timeline
    rates: Rates
    seed: int
    unpainted: bool
    bfloat16: bool = False
    network: str = DEFAULT_NETWORK
    step: int = 0
    net: torch.nn.Module | None = None
    _optimiser: torch.optim.Optimizer | None = None
    _sampler: Sampler | None = None
    _plan: Plan | None = None

    def proposal(self, image: int) -> NDArray[np.int64]:
        if self.net is None or self._plan is None or not self.step:
            entry = self.data.planes()[image]
            return np.full((entry.height, entry.width), UNKNOWN, np.int64)
        plan = self._plan
        outputs = tuple(c.id for c in plan.classes)
        model = Model("", self.net, outputs, plan.channels, plan.mean, plan.std, plan.pitch, _CPU, self.bfloat16)
        return shown_by(model, self.data, image)

    def advance(self) -> bool:
        if self._sampler is None:
            self.clock.given(0.0)
            return False
        steps = self.clock.steps_due(self.rates.whole_steps_s)
        for _ in range(steps):
            self._learn()
        return steps > 0

    def finished(self, image: int, shown: NDArray[np.int64]) -> None:
        self.advance()  # what was due before these labels
        labels, _origins = self.data.labels(image, 0, self.data.planes()[image].bounds)
        if self.unpainted:
            self.data.label(image, labels == 0, np.zeros(labels.shape, np.int64), Origin.IMPORTED)
        self.data.finish(image)
        self._look()

    def state(self) -> dict[str, object]:
        kept = None
        if self.net is not None and self._optimiser is not None:
            kept = (self.net.state_dict(), self._optimiser.state_dict())
        return {"step": self.step, "kept": kept}

    def restore(self, state: dict[str, object]) -> None:
        self._look()
        self.step = cast(int, state["step"])
        if state["kept"] is not None and self.net is not None and self._optimiser is not None:
            net, optimiser = cast(tuple[dict[str, object], dict[str, object]], state["kept"])
            self.net.load_state_dict(net)
            self._optimiser.load_state_dict(optimiser)

    def _look(self) -> None:
        """Take in the labels as they are now."""
        view = self.data.view()
        view.parts = dict.fromkeys(view.parts, Part.TRAIN)
        done = {image: labels for image, labels in view.given.items() if labels.finished}
        view.given = done
        facts = next(found for found in survey(view) if isinstance(found, Facts))
        if (facts.known.sum(0) > 0).sum() < 2:
            return
        mean, std = normalisation_of(embedded_card("imagenet").normalisation)
        on = Machine("cpu", torch.get_num_threads(), self.bfloat16)
        trained = [entry.group for entry in facts.planes]  # no block is held out in what was learned from
        choices = Choices(max_steps=1, seed=self.seed, network=self.network)
        plan = make_plan(facts, choices, on, base="scratch", mean=mean, std=std, trained=trained)
        if self.net is None:
            torch.manual_seed(self.seed)
            self.net = build(self.network, channels=plan.channels, classes=len(view.classes()))
            self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self._optimiser = torch.optim.Adam(self.net.parameters(), lr=1e-3)
            self.clock.given(0.0)
        # A class that is not labelled yet has its output all the same: the network is built once.
        every = tuple(msgspec.structs.replace(plan.classes[0], id=c.id, name=c.name) for c in view.classes())
        self._plan = msgspec.structs.replace(plan, classes=every)
        self._sampler = Sampler(facts, self._plan, cast(Dataset, view))

    def _learn(self) -> None:
        net, optimiser, sampler, plan = self.net, self._optimiser, self._sampler, self._plan
        if net is None or optimiser is None or sampler is None or plan is None:
            raise AssertionError("nothing is learned before a picture is finished")
        batch = sampler.batch(self.step + 1)  # the patches of step 0 come from two pictures
        pixels = Augmenter(plan.recipe).lit(torch.from_numpy(batch.pixels), plan.seed, self.step)
        mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (plan.mean, plan.std))
        x = ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)
        net.train()
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            logits = net(x)
        rootpainter_loss(logits.float(), torch.from_numpy(batch.labels)).backward()
        optimiser.step()
        net.eval()
        self.step += 1


def rootpainter_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Dice loss plus 0.3 of cross-entropy (Smith et al., Segmentation of roots in soil with U-Net, Plant Methods 2020,
    which RootPainter names), over the known pixels; Dice as the mean over the classes but the background.

    `logits` (n, classes, h, w), `labels` int64 (n, h, w), `UNKNOWN` where nobody painted.
    """
    known = labels != UNKNOWN
    count = known.sum().clamp(min=1)
    entropy = torch.nn.functional.cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="sum") / count
    truth = torch.nn.functional.one_hot(labels.clamp(min=0), logits.shape[1]).movedim(-1, 1)[:, 1:] * known[:, None]
    found = torch.where(known[:, None], logits.softmax(1)[:, 1:], 0)
    both, size = ((part).sum((0, 2, 3)) for part in (found * truth, found + truth))
    dice = 1 - ((2 * both + 1) / (size + 1)).mean()
    return dice + 0.3 * entropy


def _result(job: object) -> Model:
    """What a generator returns at its end."""
    while True:
        try:
            next(job)  # type: ignore[call-overload]
        except StopIteration as end:
            return end.value

"""The best weights of a run so far, by the held-out groups that it watches; the gate judges by the others.

A run watches only once there are groups enough for two halves. What is kept stands in the plan (`kept_at`), so that a
repeated plan keeps the same weights whatever it measures, and in every checkpoint.
"""

from collections.abc import Callable, Generator, Iterator, Mapping

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from torch import nn

from segstudio.errors import WeightsDamaged
from segstudio.learn.trainer import Trainer
from segstudio.runs import Evaluated, Event, Figures, Stepped
from segstudio.text import _

__all__ = ["BestSoFar"]

_PREFIX, _IOU = "best.", "_mean_iou"


class BestSoFar:
    """Keeps a copy of a trainer's average each time it is measured better than before.

    `watches`: measurements are of a half that the gate does not look at. `follows`: the plan says already at which step
    the average is kept, or that the last one is.
    """

    def __init__(self, trainer: Trainer, *, watches: bool, follows: bool) -> None:
        self._trainer = trainer
        self._watches = watches and not follows
        self._follows = follows
        self._weights: dict[str, torch.Tensor] = {}
        self._mean_iou = -1.0

    def see(self, event: Event | None) -> None:
        """Take in what the run has just done."""
        if self._follows:
            if isinstance(event, Stepped) and event.step == self._trainer.plan.kept_at:
                self._keep()
        elif self._watches and isinstance(event, Evaluated) and event.held_out.mean_iou >= self._mean_iou:
            self._mean_iou = event.held_out.mean_iou
            self._keep()
            self._note(event.step)

    @property
    def tensors(self) -> Mapping[str, torch.Tensor]:
        """What a checkpoint needs of it, beside the trainer's own."""
        if not self._weights:
            return {}
        named = {_PREFIX + name: tensor for name, tensor in self._weights.items()}
        return named | {f"{_PREFIX}{_IOU}": torch.tensor(self._mean_iou, dtype=torch.float64)}

    def restore(self, checkpoint: bytes) -> None:
        """Go to what a checkpoint has of it. Raises `WeightsDamaged`."""
        try:
            found = parse_safetensors(checkpoint)
        except (ValueError, SafetensorError) as error:
            raise WeightsDamaged(_("The checkpoint of this run cannot be read."), todo=_("Start a new run.")) from error
        self._weights = {name[len(_PREFIX) :]: t for name, t in found.items() if name.startswith(_PREFIX)}
        if self._weights:
            self._mean_iou = float(self._weights.pop(_IOU))

    def settled(self, measure: Callable[[nn.Module], Iterator[Figures | None]]) -> Generator[None, None, None]:
        """Leave in the trainer's average what was best: the last one is measured too, yielding between windows."""
        if not self._weights:
            self._note(None)
            return
        if not self._follows:
            last = None
            for last in measure(self._trainer.averaged):
                if last is None:
                    yield
            if last is None or last.mean_iou >= self._mean_iou:
                self._note(None)
                return
        self._trainer.averaged.load_state_dict(self._weights)

    def _keep(self) -> None:
        self._weights = {name: t.detach().clone() for name, t in self._trainer.averaged.state_dict().items()}

    def _note(self, step: int | None) -> None:
        self._trainer.plan = msgspec.structs.replace(self._trainer.plan, kept_at=step)

"""What the engine's jobs share: the data, the device, and the models that are ready to predict."""

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Sequence

import torch

from segstudio.errors import NotEnoughLabels, UnreadableImage
from segstudio.geometry import Rect
from segstudio.learn import precision
from segstudio.learn.data import Dataset, Part, PlaneEntry
from segstudio.learn.device import resolve, usable_threads
from segstudio.learn.doubts import Doubt, doubts
from segstudio.learn.facts import knows_two_classes
from segstudio.learn.instant import FeatureKeeper, fit_instant, look_ahead
from segstudio.learn.instant.keeping import KEPT_BYTES
from segstudio.learn.networks import DEFAULT_NETWORK
from segstudio.learn.plan import Machine
from segstudio.learn.predict import Model
from segstudio.learn.split import MARGIN_PX, in_force
from segstudio.learn.versions import embedded_model, read_card, version_model
from segstudio.runs import EMBEDDED, INSTANT, Block
from segstudio.text import _

__all__ = ["Workshop", "is_grey"]

CURRENT = "current"
"""Stands for the version that proposes."""

_KEPT_MODELS = 3


class Workshop:
    """One source of data and one owner of the device. The last used models are kept, by what they were made from.

    `view` gives the data as they are now; jobs see nothing else of a project.
    """

    def __init__(self, view: Callable[[], Dataset]) -> None:
        self.view = view
        self.threads = usable_threads()
        self._models: OrderedDict[tuple[object, ...], Model] = OrderedDict()
        self._measured: dict[tuple[object, ...], precision.Measured] = {}
        self._unfit: int | None = None
        self._keeper = FeatureKeeper()

    def bfloat16(self, device: torch.device, network: str = DEFAULT_NETWORK) -> bool:
        """Whether a network predicts in half precision on a device; measured once."""
        key = "predicting", str(device), network
        if key not in self._measured:
            self._measured[key] = precision.predicting(device, network)
        return self._measured[key].bfloat16

    def machine(self, device: torch.device, network: str, patch_px: int, *, pools: bool) -> Machine:
        """What a device can do for a run that learns on kept levels, if it `pools`, or else not; measured once."""
        key = "training", str(device), network, patch_px, pools
        if key not in self._measured:
            torch.set_num_threads(self.threads)
            self._measured[key] = precision.training(device, network, patch_px, pools=pools)
        found = self._measured[key]
        return Machine(str(device), self.threads, found.bfloat16, found.seconds)

    def resolved(self, version: str, data: Dataset) -> str:
        """The version that a name stands for: 'current' is the version in force, else the instant learner if two
        classes have known pixels, else the embedded guess.
        """
        if version != CURRENT:
            return version
        found = data.current_version()
        if found is not None and found not in (INSTANT, EMBEDDED):
            return found
        return INSTANT if knows_two_classes(data) and self._unfit != data.last_edit() else EMBEDDED

    def model(self, version: str, device_name: str, data: Dataset) -> Generator[None, None, Model]:
        """A model ready to predict. Raises `NoSuchDevice`, `WeightsDamaged`, and `NotEnoughLabels` for 'instant'."""
        device = resolve(device_name)
        try:
            return (yield from self._kept(self.resolved(version, data), device, data))
        except NotEnoughLabels:
            if version != CURRENT:
                raise
            # All labels are in held-out blocks, or in images that cannot be read.
            self._unfit = data.last_edit()
            return (yield from self._kept(EMBEDDED, device, data))

    def _kept(self, name: str, device: torch.device, data: Dataset) -> Generator[None, None, Model]:
        key = self._key(name, str(device), data)
        if key not in self._models:
            made = yield from self._made(name, device, data)
            self._models[key] = made
            while len(self._models) > _KEPT_MODELS:
                self._models.popitem(last=False)
        self._models.move_to_end(key)
        return self._models[key]

    def instant(
        self, device: torch.device, data: Dataset, blocks: tuple[Block, ...], margin_px: int
    ) -> Generator[None, None, Model | None]:
        """The instant learner fitted outside some blocks; None if too little is labelled."""
        try:
            found = None
            for found in self._fitting(device, data, blocks, margin_px):
                if found is None:
                    yield
            return found
        except NotEnoughLabels:
            return None

    def look_ahead(self, device_name: str, data: Dataset, entry: PlaneEntry, visible: Rect) -> Iterator[None]:
        """Keep the features of what is in view for the instant learner, whose first proposal then needs no encoder."""
        device = resolve(device_name)
        try:
            yield from look_ahead(data, entry, visible, device, bfloat16=self.bfloat16(device), keeper=self._keeper)
        except UnreadableImage:
            return  # its proposal has reported it

    def doubts(self, device: torch.device, data: Dataset) -> "Iterator[Doubt | tuple[int, int] | None]":
        """Labels that are probably mistakes, as `segstudio.learn.doubts` finds them. Features are kept for this search
        alone: they would push out those of what is on screen.
        """
        return doubts(data, device, bfloat16=self.bfloat16(device), keeper=FeatureKeeper(KEPT_BYTES // 2))

    def _fitting(
        self, device: torch.device, data: Dataset, blocks: Sequence[Block], margin_px: int
    ) -> Iterator[Model | None]:
        bfloat16 = self.bfloat16(device)
        return fit_instant(data, data.classes(), blocks, margin_px, device, bfloat16=bfloat16, keeper=self._keeper)

    def _key(self, name: str, device: str, data: Dataset) -> tuple[object, ...]:
        if name == INSTANT:
            held_out = frozenset(plane.group for plane in data.planes() if plane.part is Part.HELD_OUT)
            return name, device, data.last_edit(), held_out, tuple(in_force(data))
        if name == EMBEDDED:
            return name, device, tuple(data.classes()), is_grey(data)
        return name, device, tuple(data.counts_as().items())

    def _made(self, name: str, device: torch.device, data: Dataset) -> Generator[None, None, Model]:
        if name == EMBEDDED:
            return embedded_model(data.classes(), is_grey(data), device, bfloat16=self.bfloat16(device))
        if name == INSTANT:
            found = None
            for found in self._fitting(device, data, in_force(data), MARGIN_PX):
                if found is None:
                    yield
            if found is None:
                raise NotEnoughLabels(_("The instant learner has nothing to learn from yet."))
            return found
        bfloat16 = self.bfloat16(device, read_card(name, data).network)
        return version_model(name, data, device, bfloat16=bfloat16)


def is_grey(data: Dataset) -> bool:
    """Whether every image has one channel."""
    return all(entry.channels == 1 for entry in data.planes())

"""What learning needs from a project: one small interface that knows neither database nor file formats.

Class ids are those of the project; 0 stands for a pixel without a label to use: unknown, ignored, or removed class.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.runs import Block, LabelStamp, PlaneFacts, PlanPlane

__all__ = [
    "ByChannel",
    "ClassEntry",
    "Dataset",
    "LearnedPlane",
    "Part",
    "PlaneEntry",
    "learned_planes",
    "made_before",
    "padded_labels",
    "padded_pixels",
    "resized_labels",
]


ByChannel = tuple[tuple[float, float], ...]
"""Sample values that count as 0 and as 1, by channel; () for those that each plane has of its own."""


class Part(StrEnum):
    """The side of the split that a group is on."""

    TRAIN = "train"
    HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True)
class ClassEntry:
    """A class in use that a network may predict."""

    id: int
    name: str
    background: bool
    instances: bool


@dataclass(frozen=True, slots=True)
class PlaneEntry:
    """One plane of an image: its size in pixels, its group and side of the split, the last edit of its image; whether
    pixels may lie outside the picture.
    """

    image: int
    plane: int
    path: str
    width: int
    height: int
    channels: int
    group: str
    part: Part
    finished: bool
    seq: int
    bounded: bool = False

    @property
    def bounds(self) -> Rect:
        """All its pixels."""
        return Rect(0, 0, self.width, self.height)


class LearnedPlane(msgspec.Struct, frozen=True):
    """A plane as the card of a version names it: what it was for, the edit its labels were read at, and its labelled
    pixels as (class id, pixels); none in cards of earlier releases.
    """

    path: str
    plane: int
    part: str
    edit: int
    labelled: tuple[tuple[int, int], ...] = ()


class _Images(msgspec.Struct):
    images: list[LearnedPlane]


class _Card(msgspec.Struct):
    data: _Images


def learned_planes(card: Mapping[str, object]) -> Sequence[LearnedPlane]:
    """The planes that a version has learned from, by its card; none if the card does not say."""
    try:
        images = msgspec.convert(card, _Card).data.images
    except msgspec.ValidationError:
        return ()
    return [plane for plane in images if plane.part == Part.TRAIN]


class _Course(msgspec.Struct):
    steps_before: int = 0


def made_before(card: Mapping[str, object]) -> int:
    """Steps of the runs that the run of a version resumed, by its card; 0 if the card does not say."""
    try:
        return msgspec.convert(card, _Course).steps_before
    except msgspec.ValidationError:
        return 0


class Dataset(Protocol):
    """Pixels, labels and weights, wherever they come from: all that a job of the engine sees of a project.

    It shows one moment. Rectangles are within the plane.
    """

    def classes(self) -> Sequence[ClassEntry]:
        """Classes in use, without those that are ignored, in the order of the list."""
        ...

    def counts_as(self) -> Mapping[int, int]:
        """What a network's output for a class counts as today, by the id of every class ever made: the class itself or
        the one it was merged into; 0 where that is removed, ignored, or without a known pixel while others have some.
        """
        ...

    def planes(self) -> Sequence[PlaneEntry]:
        """Every plane of every image in use."""
        ...

    def entry(self, image: int, plane: int) -> PlaneEntry | None:
        """One of `planes`; None if it does not exist."""
        ...

    def last_edit(self) -> int:
        """Number of the newest edit of the project: labels read at the same number are the same."""
        ...

    def newest_edit(self) -> int:
        """As `last_edit`, at this moment: greater where something was edited since the view was made."""
        ...

    def learnable(self, image: int) -> bool:
        """Whether an image has labels, and its file is there with the content that was labelled. Decodes nothing."""
        ...

    def known_classes(self, part: Part) -> Set[int]:
        """Classes with a known pixel on one side of the split; stops once two are found. Reads no label."""
        ...

    def kept(self, image: int, plane: int) -> PlaneFacts | None:
        """Facts measured earlier on the labels that a plane has now; None if there are none."""
        ...

    def stamp(self, image: int, plane: int) -> LabelStamp:
        """Which labels of a plane this view gives, so that facts measured on them can be kept; they have been read."""
        ...

    def pixels(self, image: int, plane: int, rect: Rect, levels: ByChannel = ()) -> NDArray[np.float32]:
        """Pixels (h, w, channels) in 0..1: between the plane's own levels, or, in a plane that is not of 8 bits and has
        as many channels, between these. Raises `UnreadableImage`.
        """
        ...

    def own_levels(self, image: int, plane: int) -> ByChannel | None:
        """The levels of a plane by channel; None if it is of 8 bits. Raises `UnreadableImage`."""
        ...

    def unreadable(self) -> Sequence[str]:
        """A sentence for each image whose pixels were requested and cannot be read, in the order they were found."""
        ...

    def readable(self, image: int, plane: int) -> bool:
        """Whether nothing found so far keeps the pixels of a plane from being read."""
        ...

    def outside(self, image: int, plane: int, rect: Rect) -> NDArray[np.bool_] | None:
        """Which pixels (h, w) of a `bounded` plane lie outside the picture; None where none does. Raises
        `UnreadableImage`.
        """
        ...

    def labels(self, image: int, plane: int, rect: Rect) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Class ids (h, w), 0 where nothing is known or outside the picture, and origins (h, w)."""
        ...

    def objects(self, image: int, plane: int, rect: Rect) -> NDArray[np.uint32]:
        """Object ids (h, w), 0 where nothing is known, of the same labels as `labels`; all 0 where those are gone."""
        ...

    def labelled(self, image: int, plane: int) -> Sequence[Rect]:
        """Rectangles (the label tiles) outside of which nothing is labelled."""
        ...

    def blocks(self) -> Sequence[Block]:
        """Blocks that were held out before, and remain so."""
        ...

    def trained_groups(self) -> frozenset[str]:
        """Names of the groups that some version has trained on: they can no longer be held out."""
        ...

    def current_version(self) -> str | None:
        """Name of the version in force: a trained one, 'instant', or None if no version was ever promoted."""
        ...

    def promoted_version(self) -> str | None:
        """Name of the last trained version that was promoted, None if there is none."""
        ...

    def weights(self, version: str) -> bytes:
        """The safetensors file of a trained version. Raises `WeightsDamaged`."""
        ...

    def card(self, version: str) -> dict[str, object]:
        """The card of a trained version. Raises `WeightsDamaged`."""
        ...

    def tries(self, planes: Sequence[PlanPlane], steps: int) -> int:
        """How many versions have learned from nearly the same labels of these training planes (`learn.tries`), in half
        as many steps or more, with those of the runs they resumed: a run twice as long as those before is no
        repetition.
        """
        ...

    def checkpoint(self, run: str) -> bytes | None:
        """The last checkpoint of a run, None if there is none."""
        ...


def padded_pixels(data: Dataset, entry: PlaneEntry, rect: Rect, levels: ByChannel = ()) -> NDArray[np.float32]:
    """Pixels (h, w, channels) of a rectangle that may reach beyond the plane, which is mirrored at its edges;
    `levels` as for `Dataset.pixels`.
    """
    inside = rect.intersected(entry.bounds)
    if inside.empty:
        raise ValueError("the rectangle does not touch the plane")
    pixels = data.pixels(entry.image, entry.plane, inside, levels)
    top, left = inside.y - rect.y, inside.x - rect.x
    bottom, right = rect.bottom - inside.bottom, rect.right - inside.right
    if not (top or left or bottom or right):
        return pixels
    rows = _mirrored(inside.h, top, bottom)
    columns = _mirrored(inside.w, left, right)
    return np.ascontiguousarray(pixels[rows[:, None], columns])


def padded_labels(data: Dataset, entry: PlaneEntry, rect: Rect) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Class ids and origins (h, w) of a rectangle that may reach beyond the plane, where nothing is known."""
    classes = np.zeros((rect.h, rect.w), np.int32)
    origins = np.zeros((rect.h, rect.w), np.uint8)
    inside = rect.intersected(entry.bounds)
    if not inside.empty:
        target = np.s_[inside.y - rect.y : inside.bottom - rect.y, inside.x - rect.x : inside.right - rect.x]
        classes[target], origins[target] = data.labels(entry.image, entry.plane, inside)
    return classes, origins


def resized_labels(classes: NDArray[np.int64], width: int, height: int) -> NDArray[np.int64]:
    """Labels (h, w) at another size: each pixel takes that of the pixel its centre falls on."""
    if classes.shape == (height, width):
        return classes
    rows = ((np.arange(height) + 0.5) * (classes.shape[0] / height)).astype(np.int64)
    columns = ((np.arange(width) + 0.5) * (classes.shape[1] / width)).astype(np.int64)
    return np.ascontiguousarray(classes[rows[:, None], columns])


def _mirrored(length: int, before: int, after: int) -> NDArray[np.int64]:
    """Indices into 0..length-1 of a row extended by reflection about its end pixels."""
    at = np.arange(-before, length + after)
    if length == 1:
        return np.zeros(len(at), np.int64)
    period = 2 * (length - 1)
    at = np.abs(at) % period
    return np.where(at < length, at, period - at)

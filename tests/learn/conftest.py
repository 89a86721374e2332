"""Data sets in memory for the tests of learning: no project, no files."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import TILE, Rect, tiles_of
from segstudio.learn.data import ByChannel, ClassEntry, Part, PlaneEntry
from segstudio.runs import Block, LabelStamp, PlaneFacts, PlanPlane

BACKGROUND, BRIGHT = 1, 2
CLASSES = (ClassEntry(BACKGROUND, "background", True, False), ClassEntry(BRIGHT, "blob", False, False))


@dataclass
class MemoryData:
    """Fulfils `learn.data.Dataset` from arrays: pixels (h, w, c) in 0..1, class ids and origins (h, w) by image."""

    pictures: dict[int, NDArray[np.float32]]
    ids: dict[int, NDArray[np.int32]]
    origins: dict[int, NDArray[np.uint8]]
    parts: dict[int, Part] = field(default_factory=dict)
    finished: set[int] = field(default_factory=set)
    seqs: dict[int, int] = field(default_factory=dict)
    entries: Sequence[ClassEntry] = CLASSES
    held_blocks: Sequence[Block] = ()
    counting: Mapping[int, int] | None = None
    measured: Mapping[tuple[int, int], PlaneFacts] = field(default_factory=dict)
    damaged: Set[int] = frozenset()
    asked: list[int] = field(default_factory=list)
    labels_asked: list[int] = field(default_factory=list)
    drawn: dict[int, NDArray[np.int32]] = field(default_factory=dict)

    def classes(self) -> Sequence[ClassEntry]:
        return self.entries

    def counts_as(self) -> Mapping[int, int]:
        return {c.id: c.id for c in self.entries} if self.counting is None else self.counting

    def planes(self) -> Sequence[PlaneEntry]:
        return [
            PlaneEntry(
                image=i,
                plane=0,
                path=f"{i}.png",
                width=p.shape[1],
                height=p.shape[0],
                channels=p.shape[2],
                group=f"{i}.png",
                part=self.parts.get(i, Part.TRAIN),
                finished=i in self.finished,
                seq=self.seqs.get(i, i),
            )
            for i, p in self.pictures.items()
        ]

    def entry(self, image: int, plane: int) -> PlaneEntry | None:
        return next((e for e in self.planes() if (e.image, e.plane) == (image, plane)), None)

    def stamp(self, image: int, plane: int) -> LabelStamp:
        return LabelStamp(image, plane, self.seqs.get(image, image), int((self.ids[image] > 0).sum()))

    def unreadable(self) -> Sequence[str]:
        return [f"{image}.png cannot be read." for image in dict.fromkeys(self.asked) if image in self.damaged]

    def readable(self, image: int, plane: int) -> bool:
        return image not in self.damaged

    def trained_groups(self) -> frozenset[str]:
        return frozenset()

    def last_edit(self) -> int:
        return 1

    def newest_edit(self) -> int:
        return 1

    def learnable(self, image: int) -> bool:
        return bool(self.ids[image].any())

    def known_classes(self, part: Part) -> Set[int]:
        images = [i for i in self.ids if self.parts.get(i, Part.TRAIN) is part]
        return {int(id_) for i in images for id_ in np.unique(self.ids[i])} - {0}

    def kept(self, image: int, plane: int) -> PlaneFacts | None:
        return self.measured.get((image, plane))

    def own_levels(self, image: int, plane: int) -> ByChannel | None:
        return None

    def pixels(self, image: int, plane: int, rect: Rect, levels: ByChannel = ()) -> NDArray[np.float32]:
        self.asked.append(image)
        if image in self.damaged:
            raise UnreadableImage(f"{image}.png cannot be read.")
        return self.pictures[image][rect.y : rect.bottom, rect.x : rect.right]

    def labels(self, image: int, plane: int, rect: Rect) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        self.labels_asked.append(image)
        window = np.s_[rect.y : rect.bottom, rect.x : rect.right]
        return self.ids[image][window].copy(), self.origins[image][window].copy()

    def objects(self, image: int, plane: int, rect: Rect) -> NDArray[np.uint32]:
        ids = self.drawn.get(image, self.ids[image])
        return ids[rect.y : rect.bottom, rect.x : rect.right].astype(np.uint32)

    def labelled(self, image: int, plane: int) -> Sequence[Rect]:
        ids = self.ids[image]
        bounds = Rect(0, 0, ids.shape[1], ids.shape[0])
        rects = [Rect(tx * TILE, ty * TILE, TILE, TILE).intersected(bounds) for ty, tx in tiles_of(bounds)]
        return [r for r in rects if ids[r.y : r.bottom, r.x : r.right].any()]

    def blocks(self) -> Sequence[Block]:
        return self.held_blocks

    def current_version(self) -> str | None:
        return None

    def promoted_version(self) -> str | None:
        return None

    def weights(self, version: str) -> bytes:
        raise KeyError(version)

    def card(self, version: str) -> dict[str, object]:
        raise KeyError(version)

    def tries(self, planes: Sequence[PlanPlane], steps: int) -> int:
        return 0

    def checkpoint(self, run: str) -> bytes | None:
        return None


class StackData(MemoryData):
    """The same arrays, of which number n is plane n - 1 of one image."""

    def planes(self) -> Sequence[PlaneEntry]:
        return [
            replace(entry, image=1, plane=entry.image - 1, path="stack", group="stack", part=Part.TRAIN)
            for entry in super().planes()
        ]

    def learnable(self, image: int) -> bool:
        return any(ids.any() for ids in self.ids.values())

    def stamp(self, image: int, plane: int) -> LabelStamp:
        return LabelStamp(image, plane, image, int((self.ids[plane + 1] > 0).sum()))

    def pixels(self, image: int, plane: int, rect: Rect, levels: ByChannel = ()) -> NDArray[np.float32]:
        return super().pixels(plane + 1, 0, rect, levels)

    def labels(self, image: int, plane: int, rect: Rect) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        return super().labels(plane + 1, 0, rect)

    def labelled(self, image: int, plane: int) -> Sequence[Rect]:
        return super().labelled(plane + 1, 0)


def blobs(seed: int, side: int = 128, channels: int = 3) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A picture of bright discs on a dark, noisy ground, and its classes."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side]
    inside = np.zeros((side, side), np.bool_)
    for cy, cx in rng.uniform(0.1, 0.9, (5, 2)) * side:
        inside |= (y - cy) ** 2 + (x - cx) ** 2 < (side / 10) ** 2
    grey = np.where(inside, 0.8, 0.2) + rng.normal(0, 0.05, (side, side))
    picture = np.repeat(np.clip(grey, 0, 1)[..., None], channels, 2).astype(np.float32)
    return picture, np.where(inside, BRIGHT, BACKGROUND).astype(np.int32)


def blob_data(n: int = 4, side: int = 128, *, origin: int = 3) -> MemoryData:
    """Images 1..n of discs, wholly labelled; the last one is held out where there are four."""
    drawn = {i: blobs(i, side) for i in range(1, n + 1)}
    return MemoryData(
        {i: picture for i, (picture, _) in drawn.items()},
        {i: ids for i, (_, ids) in drawn.items()},
        {i: np.full(ids.shape, origin, np.uint8) for i, (_, ids) in drawn.items()},
        parts={n: Part.HELD_OUT} if n >= 4 else {},
    )


def stack_data(n: int, side: int = 128) -> StackData:
    """One image of n planes of discs, wholly labelled."""
    data = blob_data(n, side=side)
    return StackData(data.pictures, data.ids, data.origins)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Small arrays are quickest on one thread, and threads that wait spin."""
    torch.set_num_threads(1)


@pytest.fixture
def discs() -> MemoryData:
    """Three images to learn from and one held out, of 128 x 128 pixels."""
    return blob_data()

"""A project without files: labelled pictures of an open set in memory, as `learn.data.Dataset` shows them.

Labels are given as a person or an import would; which groups train and which are held out follows by the store's rule
the moment a group first gets labels. `view()` is one moment, which later labels do not change.
"""

import json
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segstudio.geometry import TILE, Rect, tiles_of
from segstudio.labels.model import Origin
from segstudio.learn.data import ByChannel, ClassEntry, Part, PlaneEntry
from segstudio.runs import Block, LabelStamp, PlaneFacts, PlanPlane
from segstudio.store.catalog.split import Split, decide

__all__ = ["InMemory", "Picture", "labelled", "pictures_of", "split_by_group"]

UNKNOWN = -1
_IGNORED = 255


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Pixels float32 (h, w, 3) in 0..1 and the truth int64 (h, w): 0..n-1, `UNKNOWN` where nobody knows."""

    name: str
    group: str
    pixels: NDArray[np.float32]
    truth: NDArray[np.int64]

    def quarters(self) -> "list[Picture]":
        """Its four quarters, of the same group."""
        height, width = (n // 2 for n in self.truth.shape)
        corners = [(y, x) for y in (0, height) for x in (0, width)]
        return [
            replace(
                self,
                name=f"{self.name}-{i}",
                pixels=self.pixels[y : y + height, x : x + width],
                truth=self.truth[y : y + height, x : x + width],
            )
            for i, (y, x) in enumerate(corners)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class _Labels:
    """Class ids int32 (h, w), 0 unknown, and origins uint8 (h, w) of a picture; never changed in place."""

    ids: NDArray[np.int32]
    origins: NDArray[np.uint8]
    known: frozenset[int] = frozenset()
    finished: bool = False
    seq: int = 0


@dataclass(slots=True)
class InMemory:
    """Pictures and their labels, and the versions made of them by name: weights and card."""

    pictures: Sequence[Picture]
    names: Sequence[str]
    given: dict[int, _Labels] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    facts: dict[tuple[int, int], PlaneFacts] = field(default_factory=dict)
    versions: dict[str, tuple[bytes, dict[str, object]]] = field(default_factory=dict)
    held_blocks: tuple[Block, ...] = ()
    current: str | None = None
    promoted: str | None = None
    seq: int = 0

    def view(self) -> "InMemory":
        """The data as they are now."""
        given, parts, facts, versions = (dict(d) for d in (self.given, self.parts, self.facts, self.versions))
        return replace(self, given=given, parts=parts, facts=facts, versions=versions)

    def label(self, image: int, where: NDArray[np.bool_], values: NDArray[np.int64], origin: Origin) -> None:
        """Label the pixels `where` (h, w) of a picture with the classes 0..n-1 of `values`; others are left alone."""
        before = self._of(image)
        where = where & (values >= 0)
        ids, origins = before.ids.copy(), before.origins.copy()
        ids[where], origins[where] = values[where] + 1, origin
        known = frozenset(np.flatnonzero(np.bincount(ids.ravel())).tolist()) - {0}
        self._given(image, replace(before, ids=ids, origins=origins, known=known))

    def finish(self, image: int) -> None:
        """Mark a picture done."""
        self._given(image, replace(self._of(image), finished=True))

    def _given(self, image: int, labels: _Labels) -> None:
        self.seq += 1
        self.given[image] = replace(labels, seq=self.seq)
        group = self.pictures[image].group
        if group not in self.parts and labels.known:
            counts = [sum(part is which for part in self.parts.values()) for which in (Part.TRAIN, Part.HELD_OUT)]
            self.parts[group] = Part.TRAIN if decide(group, *counts) is Split.TRAIN else Part.HELD_OUT

    def _of(self, image: int) -> _Labels:
        shape = self.pictures[image].truth.shape
        return self.given.get(image) or _Labels(np.zeros(shape, np.int32), np.zeros(shape, np.uint8))

    def classes(self) -> Sequence[ClassEntry]:
        return [ClassEntry(i + 1, name, i == 0, False) for i, name in enumerate(self.names)]

    def counts_as(self) -> Mapping[int, int]:
        known = self.known_classes(Part.TRAIN) | self.known_classes(Part.HELD_OUT)
        return {c.id: c.id if c.id in known or not known else 0 for c in self.classes()}

    def planes(self) -> Sequence[PlaneEntry]:
        return [self._entry(i) for i in range(len(self.pictures))]

    def _entry(self, image: int) -> PlaneEntry:
        picture, labels = self.pictures[image], self.given.get(image)
        height, width = picture.truth.shape
        part = self.parts.get(picture.group, Part.TRAIN)
        finished, seq = (labels.finished, labels.seq) if labels else (False, 0)
        return PlaneEntry(image, 0, picture.name, width, height, 3, picture.group, part, finished, seq)

    def entry(self, image: int, plane: int) -> PlaneEntry | None:
        return self._entry(image) if plane == 0 and 0 <= image < len(self.pictures) else None

    def last_edit(self) -> int:
        return self.seq

    def newest_edit(self) -> int:
        return self.seq

    def learnable(self, image: int) -> bool:
        return bool(self._of(image).known)

    def known_classes(self, part: Part) -> Set[int]:
        images = [i for i in self.given if self.parts.get(self.pictures[i].group) is part]
        return {id_ for i in images for id_ in self.given[i].known}

    def stamp(self, image: int, plane: int) -> LabelStamp:
        labels = self._of(image)
        return LabelStamp(image, plane, labels.seq, int(np.count_nonzero(labels.ids)))

    def kept(self, image: int, plane: int) -> PlaneFacts | None:
        return self.facts.get((image, self._of(image).seq))

    def keep(self, stamp: LabelStamp, facts: PlaneFacts) -> None:
        """Remember what was measured on the labels of a picture."""
        self.facts[stamp.image, stamp.seq] = facts

    def own_levels(self, image: int, plane: int) -> None:
        """Pictures of 8 bits have none."""

    def pixels(self, image: int, plane: int, rect: Rect, levels: ByChannel = ()) -> NDArray[np.float32]:
        return self.pictures[image].pixels[rect.y : rect.bottom, rect.x : rect.right]

    def unreadable(self) -> Sequence[str]:
        return ()

    def readable(self, image: int, plane: int) -> bool:
        return True

    def labels(self, image: int, plane: int, rect: Rect) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        labels, window = self._of(image), np.s_[rect.y : rect.bottom, rect.x : rect.right]
        return labels.ids[window], labels.origins[window]

    def objects(self, image: int, plane: int, rect: Rect) -> NDArray[np.uint32]:
        return self.labels(image, plane, rect)[0].astype(np.uint32)

    def labelled(self, image: int, plane: int) -> Sequence[Rect]:
        bounds = self._entry(image).bounds
        rects = [Rect(tx * TILE, ty * TILE, TILE, TILE).intersected(bounds) for ty, tx in tiles_of(bounds)]
        return [r for r in rects if self.labels(image, plane, r)[0].any()]

    def blocks(self) -> Sequence[Block]:
        return self.held_blocks

    def trained_groups(self) -> frozenset[str]:
        every = [card["train_groups"] for _weights, card in self.versions.values()]
        return frozenset(group for groups in every for group in groups)  # type: ignore[attr-defined]

    def current_version(self) -> str | None:
        return self.current

    def promoted_version(self) -> str | None:
        return self.promoted

    def weights(self, version: str) -> bytes:
        return self.versions[version][0]

    def card(self, version: str) -> dict[str, object]:
        return self.versions[version][1]

    def tries(self, planes: Sequence[PlanPlane], steps: int) -> int:
        wanted = sorted((p.path, p.seq) for p in planes if p.part == "train")
        cards = [card for _weights, card in self.versions.values()]
        return sum(card["learned"] == wanted and 2 * card["steps"] >= steps for card in cards)  # type: ignore[operator]

    def checkpoint(self, run: str) -> bytes | None:
        return None


def labelled(pictures: Sequence[Picture], names: Sequence[str], images: int) -> InMemory:
    """The first pictures with the whole truth as imported labels, done."""
    data = InMemory(pictures, names)
    for image in range(images):
        truth = pictures[image].truth
        data.label(image, truth >= 0, truth, Origin.IMPORTED)
        data.finish(image)
    return data


def pictures_of(folder: Path, only: Collection[str] | None = None) -> tuple[list[Picture], list[str]]:
    """The pictures of an open set (images, masks, card.json) by name, or those whose stems are named, and its classes.

    Instances are taken as their class.
    """
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    names = [c["name"] for c in card["classes"] if c["value"] != _IGNORED]
    groups = card.get("groups") or {}
    found = []
    for file in sorted((folder / "images").iterdir()):
        if only is not None and file.stem not in only:
            continue
        with Image.open(file) as image, Image.open(folder / "masks" / f"{file.stem}.png") as mask:
            pixels = np.asarray(image.convert("RGB"), np.float32) / 255
            truth = np.asarray(mask).astype(np.int64)
        truth = np.minimum(truth, 1) if card["kind"] == "instance" else truth
        truth = np.where(truth < len(names), truth, UNKNOWN)
        found.append(Picture(file.stem, str(groups.get(file.stem, file.stem)), pixels, truth))
    return found, names


def split_by_group(
    pictures: Sequence[Picture], most: int, rng: np.random.Generator
) -> tuple[list[Picture], list[Picture]]:
    """About `most` pictures of whole groups drawn by chance, at most half of all; and the others. Both in its order."""
    groups = sorted({picture.group for picture in pictures})
    rng.shuffle(groups)
    order = [picture for group in groups for picture in pictures if picture.group == group]
    wanted = min(most, len(pictures) // 2)
    inside: set[str] = set()
    taken = 0
    for group in groups:
        size = sum(picture.group == group for picture in pictures)
        if taken + size <= wanted:
            inside.add(group)
            taken += size
    first = [picture for picture in order if picture.group in inside]
    rest = [picture for picture in order if picture.group not in inside]
    return first, rest

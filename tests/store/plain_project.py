"""A project of a few images in plain words: whole arrays, a table of classes and a list of edits with what was before
and after each, so that taking back is looking up. It knows no tile, delta, index or file.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from segstudio.labels.model import ImageId, LabelClass
from tests.store.plain_labels import Labels, sha

__all__ = ["Entry", "Figures", "Past", "Picture", "PlainProject", "same_picture"]

Classes = dict[int, LabelClass]


@dataclass(frozen=True)
class Figures:
    """Of one object: pixels of origins 1 to 5, and the box (left, top, right, bottom) of all planes together."""

    by_origin: tuple[int, ...]
    box: tuple[int, int, int, int] | None


class Picture(Labels):
    """The labels of one image; never changed once they stand in a project: `copy` it first."""

    @cached_property
    def sha(self) -> str:
        """The digest of DOCUMENT section 4."""
        return sha(self)

    @cached_property
    def figures(self) -> dict[int, Figures]:
        """Of every object, those without a pixel too."""
        length = 6 * (max(self.objects, default=0) + 1)
        counts = np.bincount(self.ids.ravel().astype(np.int64) * 6 + self.origins.ravel(), minlength=length)
        found: dict[int, Figures] = {}
        for id_ in self.objects:
            own = tuple(counts[6 * id_ + 1 : 6 * id_ + 6].tolist())
            mask = (self.ids == id_).any(0)
            ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            box = (int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1) if len(xs) else None
            found[id_] = Figures(own, box)
        return found


def same_picture(one: Picture, other: Picture) -> bool:
    """Whether two images say the same."""
    alike = one is other or (np.array_equal(one.ids, other.ids) and np.array_equal(one.origins, other.origins))
    rows = one.objects == other.objects and one.locked == other.locked
    return alike and rows and (one.status, one.done) == (other.status, other.done)


@dataclass
class Entry:
    """One edit, of an image or (None) of the classes: what that was before it and after it."""

    image: ImageId | None
    before: Picture | Classes
    after: Picture | Classes
    undoes: int | None = None
    live: bool = True
    batch: int | None = None

    @property
    def made(self) -> set[int]:
        """The classes that it made."""
        if isinstance(self.before, Picture) or isinstance(self.after, Picture):
            return set()
        return self.after.keys() - self.before.keys()


@dataclass(frozen=True)
class Past:
    """What a snapshot has to bring back."""

    seq: int
    images: dict[ImageId, Picture]
    classes: Classes


class PlainProject:
    """Images, classes, edits, snapshots; `floor` is the last edit that can no longer be taken back."""

    def __init__(self, images: Iterable[ImageId], planes: int, width: int, height: int, classes: Classes) -> None:
        self.images = {image: Picture.blank(planes, width, height) for image in images}
        self.classes = dict(classes)
        self.entries: dict[int, Entry] = {}
        self.next_object = dict.fromkeys(self.images, 1)
        self.next_class = max(classes) + 1
        self.floor = 0
        self.snapshots: dict[str, Past] = {}

    def get(self, image: ImageId | None) -> Picture | Classes:
        return self.classes if image is None else self.images[image]

    def note(
        self, image: ImageId | None, after: Picture | Classes, undoes: int | None = None, batch: int | None = None
    ) -> int:
        """Take in the next edit; its number."""
        seq = len(self.entries) + 1
        self.entries[seq] = Entry(image, self.get(image), after, undoes, batch=batch)
        if isinstance(after, Picture):
            assert image is not None
            self.images[image] = after
            self.next_object[image] = max(self.next_object[image], *(o + 1 for o in after.objects), 1)
        else:
            self.classes = after
            self.next_class = max(self.next_class, *(id_ + 1 for id_ in after))
        if undoes is not None:
            target = self.entries[undoes]
            target.live = False
            if target.undoes is not None:
                self.entries[target.undoes].live = True
        return seq

    def note_reverted(self, seq: int, batch: int | None = None) -> None:
        target = self.entries[seq]
        self.note(target.image, target.before, undoes=seq, batch=batch)

    def note_batch(self, changes: Iterable[tuple[ImageId | None, Picture | Classes]]) -> None:
        first = len(self.entries) + 1
        for image, after in changes:
            self.note(image, after, batch=first)

    # --- undo and redo

    def listed(self, image: ImageId) -> dict[int, Entry]:
        return {seq: e for seq, e in self.entries.items() if e.image in (image, None)}

    def undoable(self, image: ImageId) -> list[int]:
        return [seq for seq, e in self.listed(image).items() if e.undoes is None and e.live and seq > self.floor]

    def redoable(self, image: ImageId) -> list[int]:
        stack: list[int] = []
        for seq, e in self.listed(image).items():
            if e.undoes is None:
                stack = []
            elif e.undoes in stack:
                stack.remove(e.undoes)
            elif self.inverse(seq):
                stack.append(seq)
        return [seq for seq in stack if seq > self.floor]

    def inverse(self, seq: int) -> bool:
        """Whether it takes back a new edit, and does not make one again."""
        undoes = self.entries[seq].undoes
        return undoes is not None and self.entries[undoes].undoes is None

    def together(self, seq: int) -> list[int]:
        """An edit and what of its batch is in force, newest first."""
        batch = self.entries[seq].batch
        alone = [seq] if batch is None else [n for n, e in self.entries.items() if e.batch == batch and e.live]
        return sorted(alone, reverse=True)

    def may_be_taken_back(self, seq: int) -> bool:
        """Whether it is what its own list would take back, or do again, next; the other lists do not count."""
        image, redo = self.entries[seq].image, self.entries[seq].undoes is not None
        own = {n: e for n, e in self.entries.items() if e.image == image}
        new = [n for n, e in own.items() if e.undoes is None and e.live]
        undone = [n for n, e in own.items() if self.inverse(n) and e.live]
        if redo:
            return undone[-1] == seq and max(new, default=0) < (self.entries[seq].undoes or 0)
        return new[-1] == seq

    def depends(self, seq: int) -> bool:
        """Whether an image that is not taken back with it has an object of a class that this edit made."""
        entry = self.entries[seq]
        if entry.undoes is not None:
            return False
        besides = set() if entry.batch is None else {e.image for e in self.entries.values() if e.batch == entry.batch}
        used = {c for image, p in self.images.items() if image not in besides for c in p.objects.values()}
        return bool(entry.made & used)

    # --- the past

    def keep(self, name: str) -> None:
        self.snapshots[name] = Past(len(self.entries), dict(self.images), self.classes)

    def restored(self, past: Past, wanted: ImageId | None) -> list[tuple[ImageId | None, Picture | Classes]]:
        """What restoring changes: classes made since are out of use, never gone."""
        changes: list[tuple[ImageId | None, Picture | Classes]] = []
        since = {id_: c for id_, c in self.classes.items() if id_ not in past.classes}
        out = {
            id_: c if c.removed or c.merged_into is not None else replace(c, removed=True) for id_, c in since.items()
        }
        if wanted is None and {**past.classes, **out} != self.classes:
            changes.append((None, {**past.classes, **out}))
        for image, picture in past.images.items():
            if wanted in (None, image) and not same_picture(picture, self.images[image]):
                changes.append((image, picture))
        return changes

    def at(self, seq: int) -> dict[ImageId, Picture]:
        """The images after an edit."""
        found = dict(self.images)
        for entry in reversed([e for n, e in self.entries.items() if n > seq]):
            if entry.image is not None and isinstance(entry.before, Picture):
                found[entry.image] = entry.before
        return found

    def whole_batches(self, seq: int) -> int:
        """This number, or the one before the batch that it would divide."""
        batches = [self.entries[n].batch if n in self.entries else None for n in (seq, seq + 1)]
        if batches[0] is None or batches[0] != batches[1]:
            return seq
        return min(n for n, e in self.entries.items() if e.batch == batches[0]) - 1

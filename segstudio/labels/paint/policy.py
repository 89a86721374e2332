"""What a stroke may touch, and which object it paints. Pure decisions, no pixels written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.class_lookup import class_lookup
from segstudio.labels.document import Document
from segstudio.labels.edit import TileKey
from segstudio.labels.gesture import Paintable
from segstudio.labels.model import ClassId, ClassTable, Kind, LabelClass, ObjectId, Touch
from segstudio.labels.paint.limits import Limits, ValueRange

__all__ = [
    "MayTouch",
    "Samples",
    "Touch",
    "class_at",
    "effective_lookup",
    "is_locked",
    "locked_lookup",
    "may_touch",
    "may_touch_anywhere",
    "object_at",
    "paintable",
    "paintable_objects",
    "target_object",
    "within_ranges",
]

_NO_CLASS = ClassId(0)

Samples = Callable[[Rect], NDArray[Any]]
"""The image's values (h, w, c) in a rectangle of the plane painted on, clipped to it."""


@dataclass(frozen=True, slots=True)
class MayTouch:
    """The policy of one gesture, decided at its first point: see `may_touch`.

    `class_id` counts for CLASS (0 = unlabelled), `objects` for OBJECT, `ranges` for RANGE.
    """

    touch: Touch = Touch.ALL
    class_id: ClassId = _NO_CLASS
    objects: frozenset[ObjectId] = frozenset()
    ranges: tuple[ValueRange, ...] = ()


def may_touch(
    document: Document,
    classes: ClassTable,
    touch: Touch,
    limits: Limits,
    at: tuple[float, float, int],
    selected: frozenset[ObjectId] = frozenset(),
) -> MayTouch:
    """The policy of a gesture that begins at (x, y, plane) while these objects are selected.

    A class that was chosen and has gone out of use is the one under the first point; where nothing is labelled there,
    the unlabelled pixels are meant.
    """
    chosen = may_touch_anywhere(classes, touch, limits, selected)
    if chosen is not None:
        return chosen
    under = object_at(document, *at)
    if touch is Touch.CLASS:
        return MayTouch(touch, class_id=ClassId(int(effective_lookup(document, classes)[under])))
    return MayTouch(touch, objects=frozenset({under} - {ObjectId(0)}))


def may_touch_anywhere(
    classes: ClassTable, touch: Touch, limits: Limits, selected: frozenset[ObjectId] = frozenset()
) -> MayTouch | None:
    """The policy of what has no first point; None where the class or the object under that is meant."""
    if touch is Touch.CLASS:
        chosen = None if limits.class_id is None else classes.effective(limits.class_id)
        return None if chosen is None else MayTouch(touch, class_id=chosen.id)
    if touch is Touch.OBJECT:
        return MayTouch(touch, objects=selected) if selected else None
    return MayTouch(touch, ranges=limits.ranges if touch is Touch.RANGE else ())


def paintable(
    document: Document,
    classes: ClassTable,
    may: MayTouch,
    painted: ClassId | None = None,
    samples: Samples | None = None,
    target: ObjectId | None = None,
) -> Paintable:
    """Which pixels a gesture of this policy may change that paints with the class `painted`, or makes unknown (None).

    `target` is the object that it goes on with, if it does: no pixel may be changed where that is locked. `samples` are
    asked for by the policy RANGE alone, by tile: without them nothing may be changed.
    """
    objects = paintable_objects(document, classes, may.touch, painted)
    if target is not None and is_locked(document, classes, target):
        objects = np.zeros(len(document.class_lookup()), np.bool_)
    if may.touch is Touch.CLASS or may.touch is Touch.OBJECT:
        owner = effective_lookup(document, classes)
        free = np.ones(len(owner), np.bool_) if objects is None else objects
        if may.touch is Touch.CLASS:
            objects = free & (owner == may.class_id)
        else:
            objects = free & np.isin(np.arange(len(owner)), list(may.objects))
    within = _Within(may.ranges, samples) if may.touch is Touch.RANGE and may.ranges else None
    return Paintable(objects, within)


class _Within:
    """The mask (TILE, TILE) of a tile where the values lie within the ranges; each is computed once."""

    def __init__(self, ranges: tuple[ValueRange, ...], samples: Samples | None) -> None:
        self._ranges, self._samples = ranges, samples
        self._masks: dict[TileKey, NDArray[np.bool_]] = {}

    def __call__(self, key: TileKey) -> NDArray[np.bool_]:
        found = self._masks.get(key)
        if found is None:
            found = np.zeros((TILE, TILE), np.bool_)
            if self._samples is not None:
                inside = within_ranges(self._samples(tile_rect(*key[1:])), self._ranges)
                found[: inside.shape[0], : inside.shape[1]] = inside
            self._masks[key] = found
        return found


def within_ranges(samples: NDArray[Any], ranges: tuple[ValueRange, ...]) -> NDArray[np.bool_]:
    """Where values (h, w, c) lie within all ranges, (h, w); nowhere for a channel that is not there."""
    inside = np.ones(samples.shape[:2], np.bool_)
    for one in ranges:
        if one.channel is None:
            values = samples[..., 0] if samples.shape[2] == 1 else samples.mean(axis=2, dtype=np.float64)
        elif one.channel < samples.shape[2]:
            values = samples[..., one.channel]
        else:
            return np.zeros(samples.shape[:2], np.bool_)
        inside &= (values >= one.low) & (values <= one.high)
    return inside


def effective_lookup(document: Document, classes: ClassTable) -> NDArray[np.int32]:
    """By object id: the class it counts as today, merges followed; 0 for unknown and where the class is removed."""
    return class_lookup(classes)[document.class_lookup()]


def locked_lookup(document: Document, classes: ClassTable) -> NDArray[np.bool_]:
    """By object id: whether its pixels may not change, since it is locked, or the class that it counts as today.

    The pixels of a class merged into a locked one are locked, and those of a removed class are unlabelled, as they
    look: no lock counts there.
    """
    owner = effective_lookup(document, classes)
    return np.isin(owner, [c.id for c in classes if c.locked]) | (document.lock_lookup() & (owner != 0))


def is_locked(document: Document, classes: ClassTable, object_id: ObjectId) -> bool:
    """The same of one object; an id that no object has is not locked."""
    class_id = document.objects.get(object_id)
    today = None if class_id is None else classes.effective(class_id)
    return today is not None and (today.locked or object_id in document.locked)


def paintable_objects(
    document: Document, classes: ClassTable, touch: Touch, class_id: ClassId | None = None
) -> NDArray[np.bool_] | None:
    """By object id (0 = unknown): whether its pixels may be changed; None where all may, the common case.

    Nothing may be painted with a class `class_id` that is locked; what is locked stays as it is (`locked_lookup`).
    """
    if touch is Touch.ALL and not document.locked and not any(c.locked for c in classes):
        return None
    owner = effective_lookup(document, classes)
    painted = None if class_id is None else classes.effective(class_id)
    if painted is not None and painted.locked:
        return np.zeros(len(owner), np.bool_)
    allowed = ~locked_lookup(document, classes)
    if touch is Touch.UNLABELLED:
        allowed &= owner == 0
    elif touch is Touch.LABELLED:
        allowed &= owner != 0
    return allowed


def target_object(
    document: Document,
    label_class: LabelClass,
    x: float,
    y: float,
    plane: int,
    classes: ClassTable | None = None,
) -> ObjectId | None:
    """The object that a stroke of this class beginning at (x, y) goes on with; None = it makes a new one.

    A class with one object an image goes on with that. An instance class goes on with the object under the first
    point, so that one can mend it, and makes a new one anywhere else; given `classes`, also with one of a class that
    was merged into it.
    """
    if label_class.kind is not Kind.INSTANCE:
        return document.single_object(label_class.id)
    under = object_at(document, x, y, plane)
    owner = document.objects.get(under)
    if owner is not None and classes is not None:
        today = classes.effective(owner)
        owner = None if today is None else today.id
    return under if owner == label_class.id else None


def object_at(document: Document, x: float, y: float, plane: int) -> ObjectId:
    """The object under a point; 0 where nothing is labelled, and outside the image."""
    ids, _ = document.raster.read(plane, Rect(int(x // 1), int(y // 1), 1, 1))
    return ObjectId(int(ids[0, 0]))


def class_at(document: Document, x: float, y: float, plane: int, classes: ClassTable) -> LabelClass | None:
    """What a point is labelled with, as it counts today; None where it is nothing, or its class was removed."""
    class_id = ClassId(int(document.class_lookup()[object_at(document, x, y, plane)]))
    return classes.effective(class_id) if class_id else None

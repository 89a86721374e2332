"""Two images' labels as plain arrays: what the policies, the locks, and every operation on objects make of them.

It knows nothing of the program's tiles, gestures, edits and ids: an object is a key of its own here, and `agrees` wants
one key for each id and one id for each key.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.labels.model import Touch

__all__ = [
    "CLASSES", "INSTANCES", "H", "Mask", "Plain", "Point", "Rules", "W", "around", "box", "even_odd", "filled", "grown",
    "oval", "parts", "picture", "shrunk", "smoothed",
]  # fmt: skip

W, H = 300, 280
"""Four tiles, none of them whole but one."""
Point = tuple[float, float]
Mask = NDArray[np.bool_]
CLASSES = {"background": 1, "nucleus": 2, "lumen": 3, "cell": 4, "grain": 5}
INSTANCES = (4, 5)
_keys = count(100)


def picture() -> NDArray[np.uint8]:
    """A ramp from 60 to 120 with a bright disc and two dark boxes: something for each tool that looks at the image."""
    grey = np.repeat(np.linspace(60, 120, W).astype(np.uint8)[None], H, 0)
    cv2.circle(grey, (150, 150), 60, 210, -1)
    grey[20:80, 220:280], grey[200:260, 20:60] = 15, 25
    return np.repeat(grey[..., None], 3, 2)


# -- regions -----------------------------------------------------------------------------------------------------------


def even_odd(points: Iterable[Point]) -> Mask:
    """The pixels whose centre lies inside, by the crossings of a ray to the left of each."""
    ring = list(points)
    y, x = np.mgrid[:H, :W] + 0.5
    inside = np.zeros((H, W), np.bool_)
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if ay != by:
            crosses = (np.minimum(ay, by) <= y) & (y < np.maximum(ay, by))
            inside ^= crosses & (ax + (y - ay) / (by - ay) * (bx - ax) <= x)
    return inside


def box(a: Point, b: Point) -> Mask:
    """The pixels whose centre lies in a rectangle."""
    y, x = np.mgrid[:H, :W] + 0.5
    (left, right), (top, bottom) = sorted((a[0], b[0])), sorted((a[1], b[1]))
    return (left <= x) & (x < right) & (top <= y) & (y < bottom)


def oval(a: Point, b: Point) -> Mask:
    """The pixels whose centre lies in the ellipse that fills a rectangle."""
    y, x = np.mgrid[:H, :W] + 0.5
    rx, ry = abs(b[0] - a[0]) / 2, abs(b[1] - a[1]) / 2
    return ((x - (a[0] + b[0]) / 2) / rx) ** 2 + ((y - (a[1] + b[1]) / 2) / ry) ** 2 < 1


def parts(mask: Mask, connectivity: int = 8) -> list[Mask]:
    """The connected parts, in no order that matters."""
    number, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=connectivity)
    return [labels == n for n in range(1, number)]


def around(mask: Mask, x: int, y: int) -> Mask:
    """The 4-connected part of a mask that has a pixel."""
    return next(part for part in parts(mask, 4) if part[y, x])


def grown(mask: Mask, by: int) -> Mask:
    """With what is within a distance between centres."""
    disc = np.hypot(*np.mgrid[-by : by + 1, -by : by + 1]) <= by
    return cv2.dilate(mask.astype(np.uint8), disc.astype(np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0


def shrunk(mask: Mask, by: int) -> Mask:
    """Without what is within a distance of something else; what lies beyond the image is nothing."""
    return mask & ~grown(~mask, by)


def smoothed(mask: Mask, by: int) -> Mask:
    """Opened, then closed by a disc; as it is where it is nowhere wide enough."""
    opened = grown(shrunk(mask, by), by)
    return shrunk(grown(opened, by), by) if opened.any() else mask


def filled(mask: Mask) -> Mask:
    """With what it encloses, off the edge of the image."""
    edge = np.zeros_like(mask)
    edge[[0, -1]], edge[:, [0, -1]] = True, True
    return np.logical_or.reduce([mask, *(hole for hole in parts(~mask, 4) if not (hole & edge).any())])


# -- the rules ---------------------------------------------------------------------------------------------------------


@dataclass
class Rules:
    """What a person has chosen: it holds for both images, and no undo takes it back."""

    touch: Touch = Touch.ALL
    touch_class: int | None = None
    values: tuple[float, float] | None = None
    locked: set[int] = field(default_factory=set)
    new_object: bool = False
    grey: NDArray[np.float64] = field(default_factory=lambda: picture()[..., 0].astype(np.float64))


@dataclass(frozen=True)
class _State:
    ids: NDArray[np.int64]
    owner: dict[int, int]


_BARRIER = _State(np.zeros((0, 0), np.int64), {})


class Plain:
    """One image: `ids` are keys of objects (0 = unknown), `owner` their classes, and what can be undone and redone."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.ids = np.zeros((H, W), np.int64)
        self.owner: dict[int, int] = {}
        self.selected: set[int] = set()
        self._before: list[_State] = []
        self._after: list[_State] = []

    @property
    def classes(self) -> NDArray[np.int64]:
        """The class of each pixel, 0 for none."""
        out = np.zeros((H, W), np.int64)
        for key in self.present:
            out[self.ids == key] = self.owner[key]
        return out

    @property
    def present(self) -> list[int]:
        """The objects that have a pixel."""
        return [int(key) for key in np.unique(self.ids) if key]

    def at(self, point: Point) -> int:
        """The object under a point; 0 for none, and beside the image."""
        x, y = int(point[0] // 1), int(point[1] // 1)
        return int(self.ids[y, x]) if 0 <= x < W and 0 <= y < H else 0

    # -- undo ----------------------------------------------------------------------------------------------------------

    def _become(self, ids: NDArray[np.int64], owner: dict[int, int]) -> bool:
        if np.array_equal(ids, self.ids) and all(owner.get(key) == self.owner.get(key) for key in self.present):
            return False
        self._before.append(_State(self.ids, self.owner))
        self._after.clear()
        self.ids, self.owner = ids, owner
        return True

    def bar(self) -> None:
        """A change of the classes was made: it stands in the history, and no random step goes back beyond it."""
        self._before.append(_BARRIER)
        self._after.clear()

    @property
    def may_undo(self) -> bool:
        """Whether the next edit to be undone is one of labels, or there is none."""
        return not self._before or self._before[-1] is not _BARRIER

    def undo(self) -> None:
        """Take the last edit back."""
        if self._before:
            self._after.append(_State(self.ids, self.owner))
            self.ids, self.owner = self._before[-1].ids, self._before.pop().owner

    def redo(self) -> None:
        """Make it again."""
        if self._after:
            self._before.append(_State(self.ids, self.owner))
            self.ids, self.owner = self._after[-1].ids, self._after.pop().owner

    # -- painting ------------------------------------------------------------------------------------------------------

    def refuses(self, first: Point, class_id: int) -> bool:
        """Whether a press paints nothing at all; class 0 makes unknown."""
        nowhere = self.rules.touch is Touch.OBJECT and not self.selected and not self.at(first)
        return class_id in self.rules.locked or nowhere

    def paint(self, mask: Mask, class_id: int, first: Point, policy_of: tuple[int, int] | None = None) -> None:
        """Paint these pixels from a first point on; class 0 makes them unknown. `policy_of`: see `allowed`."""
        if self.refuses(first, class_id):
            return
        under, new = self.at(first), self.rules.new_object
        one = class_id not in INSTANCES
        key = class_id if one else under if not new and self.owner.get(under) == class_id else next(_keys)
        painted = np.where(mask & self.allowed(policy_of or self.under(first)), key, self.ids)
        made = key not in self.owner and not one
        if self._become(painted, self.owner | ({key: class_id} if key else {})) and made:
            self.rules.new_object = False

    def under(self, point: Point) -> tuple[int, int]:
        """The object under a point, and its class."""
        return self.at(point), self.owner.get(self.at(point), 0)

    def allowed(self, under: tuple[int, int] = (0, 0)) -> Mask:
        """Which pixels may be changed by what begins on an object of a class."""
        rules, classes = self.rules, self.classes
        free = ~np.isin(classes, list(rules.locked))
        match rules.touch:
            case Touch.UNLABELLED:
                free &= classes == 0
            case Touch.LABELLED:
                free &= classes != 0
            case Touch.CLASS:
                free &= classes == (rules.touch_class or under[1])
            case Touch.OBJECT:
                free &= np.isin(self.ids, list(self.selected or {under[0]})) & (self.ids > 0)
            case Touch.RANGE if rules.values is not None:
                free &= (rules.grey >= rules.values[0]) & (rules.grey <= rules.values[1])
            case _:
                pass
        return free

    @property
    def has_no_first_point(self) -> bool:
        """Whether the policy is about a first point, so that an operation on objects is refused."""
        touch = self.rules.touch
        return (touch is Touch.CLASS and self.rules.touch_class is None) or (
            touch is Touch.OBJECT and not self.selected
        )

    # -- whole objects -------------------------------------------------------------------------------------------------

    def _is_free(self, keys: Iterable[int]) -> bool:
        return not any(self.owner[key] in self.rules.locked for key in keys)

    def merge(self) -> None:
        """The selected objects become one."""
        keys = sorted(self.selected)
        if len(keys) > 1 and len({self.owner[key] for key in keys}) == 1 and self._is_free(keys):
            self._become(np.where(np.isin(self.ids, keys), keys[0], self.ids), self.owner)
            self.selected = {keys[0]}

    def delete(self) -> None:
        """The selected objects become unknown."""
        if self.selected and self._is_free(self.selected):
            self._become(np.where(np.isin(self.ids, list(self.selected)), 0, self.ids), self.owner)

    def separate(self) -> None:
        """Each part of the selected objects is one of its own."""
        if not self._is_free(self.selected):
            return
        ids, owner = self.ids.copy(), dict(self.owner)
        for key in self.selected:
            for part in parts(self.ids == key)[1:]:
                new = next(_keys)
                ids[part], owner[new] = new, owner[key]
        self._become(ids, owner)

    def reshape(self, shaped: Callable[[Mask], Mask], *, takes: bool) -> None:
        """One selected object has another shape; what it `takes` is unlabelled or of a class with one area."""
        (key,) = self.selected
        if not self._is_free([key]) or (takes and self.has_no_first_point):
            return
        before = self.ids == key
        after = shaped(before)
        free = self.allowed() & ~np.isin(self.classes, INSTANCES) & ~before
        ids = np.where(before & ~after, 0, self.ids)
        self._become(np.where(after & ~before & free, key, ids) if takes else ids, self.owner)

    def drop_parts(self, keys: Iterable[int], keeps: Callable[[list[Mask]], list[bool]]) -> None:
        """Of these objects only some parts stay."""
        ids = self.ids.copy()
        for key in keys:
            found = parts(self.ids == key)
            for part, stays in zip(found, keeps(found), strict=True):
                ids[part & (not stays)] = 0
        self._become(ids, self.owner)

    def specks(self, below: int) -> None:
        """Small parts of whatever is not locked become unknown."""
        free = [key for key in self.present if self._is_free([key])]
        self.drop_parts(free, lambda found: [int(part.sum()) >= below for part in found])

    def reclass(self, class_id: int) -> None:
        """The selected objects are of another class; one with a single area takes them into it."""
        if class_id in self.rules.locked or not self._is_free(self.selected):
            return
        ids, owner = self.ids.copy(), dict(self.owner)
        for key in sorted(self.selected):
            if owner[key] == class_id:
                continue
            new = class_id if class_id not in INSTANCES else key if key >= 100 else next(_keys)
            ids[ids == key], owner[new] = new, class_id
            if new != key:
                del owner[key]
        self._become(ids, owner)

    def copies(self) -> list[tuple[int, Mask]]:
        """The selected objects, to be pasted."""
        return [(self.owner[key], self.ids == key) for key in sorted(self.selected)]

    def paste(self, copies: list[tuple[int, Mask]]) -> None:
        """Put copies into their place."""
        if self.has_no_first_point:
            return
        ids, owner, free = self.ids.copy(), dict(self.owner), self.allowed()
        for class_id, mask in copies:
            if class_id not in self.rules.locked and (mask & free).any():
                key = next(_keys) if class_id in INSTANCES else class_id
                ids[mask & free], owner[key] = key, class_id
        self._become(ids, owner)

    # -- beside the program --------------------------------------------------------------------------------------------

    def pairs(self, found: NDArray[np.uint32]) -> dict[int, int]:
        """The key that each id stands for; an id that stands for several is there with the last."""
        return {int(id_): int(key) for id_, key in zip(*self._both(found), strict=True) if id_ or key}

    def agrees(self, found: NDArray[np.uint32]) -> bool:
        """Whether the program's ids part the image into the same objects."""
        ids, keys = self._both(found)
        one_to_one = len(ids) == len(np.unique(ids)) == len(np.unique(keys))
        return one_to_one and bool(((ids == 0) == (keys == 0)).all())

    def _both(self, found: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pairs of id and key that pixels have."""
        pairs = np.unique((found.astype(np.int64) << 32) | self.ids)
        return pairs >> 32, pairs & 0xFFFFFFFF

    def adopt(self, found: NDArray[np.uint32], class_of: Callable[[int], int]) -> None:
        """Take what the program made where no plain rule says it; the caller has checked what must hold."""
        known = {id_: key for id_, key in self.pairs(found).items() if id_ and key}
        ids, owner, used = np.zeros_like(self.ids), dict(self.owner), set[int]()
        for id_ in (int(id_) for id_ in np.unique(found) if id_):
            class_id = class_of(id_)
            key = class_id if class_id not in INSTANCES else known.get(id_, 0)
            if not key or key in used or owner.get(key, class_id) != class_id:
                key = next(_keys)
            used.add(key)
            ids[found == id_], owner[key] = key, class_id
        self._become(ids, owner)

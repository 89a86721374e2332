"""The same for what works on whole objects and for what is chosen: pick, split, the operations, policies and locks."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt

from segstudio.app.editing.tools.options import STEP
from segstudio.labels.model import ClassId, Touch
from segstudio.labels.paint.limits import ValueRange
from tests.ui.tools_hand import SHIFT, Hand
from tests.ui.tools_model import CLASSES, INSTANCES, H, Mask, Point, W, filled, grown, parts, shrunk, smoothed

__all__ = ["ObjectHand"]

PLAIN = Qt.KeyboardModifier.NoModifier
BY = 2
SMALL = 30


class ObjectHand(Hand):
    """`copies` are what was copied."""

    copies: list[tuple[int, Mask]] | None = None

    # -- pick and split ------------------------------------------------------------------------------------------------

    def ids_of(self, keys: set[int]) -> list[int]:
        """The program's ids of objects."""
        return [id_ for id_, key in self.plain.pairs(self.ids()).items() if key in keys]

    def chosen(self) -> set[int]:
        """What the program has selected."""
        pairs = self.plain.pairs(self.ids())
        return {pairs[id_] for id_ in self.desk.documents.selection.ids if id_ in pairs}

    def pick(self) -> None:
        """A click selects the object under it, with Shift in addition."""
        at, more, before = self.point(inside=True), self.rng.random() < 0.5, self.plain.selected
        self.desk.session.set_tool("pick")
        self.drag([at], held=SHIFT if more else PLAIN)
        found = {self.plain.at(at)} - {0}
        assert self.chosen() == (before ^ found if more else found)

    def pick_box(self) -> None:
        """A box selects what has a pixel in it."""
        a, b = self.point(), self.point()
        if max(abs(a[0] - b[0]), abs(a[1] - b[1])) < 20:
            return
        self.desk.session.set_tool("pick")
        self.drag([a, b])
        self.quiet()
        (left, right), (top, bottom) = sorted((a[0], b[0])), sorted((a[1], b[1]))
        rows, columns = (
            slice(max(int(top // 1), 0), int(bottom // 1) + 1),
            slice(max(int(left // 1), 0), int(right // 1) + 1),
        )
        assert self.chosen() == {int(key) for key in np.unique(self.plain.ids[rows, columns])} - {0}

    def split(self) -> None:
        """A line makes several objects of one: no pixel changes its class, and no two objects become one."""
        a, b = self.point(), self.point()
        plain, before = self.plain, self.ids()
        classes, meant = plain.classes, plain.selected or set(plain.present)
        self.desk.session.set_tool("split")
        self.drag([a, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), b])
        self.quiet()
        after = self.ids()
        changed = after != before
        assert np.array_equal(self.desk.class_ids(), classes)
        assert np.isin(classes[changed], INSTANCES).all()
        assert not np.isin(classes[changed], list(self.rules.locked)).any()
        assert set(np.unique(plain.ids[changed])) <= meant or not _on(plain.ids, meant, a, b)
        assert all(len(np.unique(before[after == id_])) == 1 for id_ in np.unique(after))
        self.adopt()

    def adopt(self) -> None:
        """Go on from what the program made."""
        owners = self.desk.document.objects
        self.plain.adopt(self.ids(), lambda id_: int(owners[id_]))  # type: ignore[index]

    # -- whole objects -------------------------------------------------------------------------------------------------

    def select(self, most: int, of: tuple[int, ...] = (1, 2, 3, 4, 5)) -> bool:
        """Select some objects of these classes; whether there are any."""
        plain = self.plain
        there = [key for key in plain.present if plain.owner[key] in of]
        if there:
            keys = {int(key) for key in self.rng.permutation(there)[: int(self.rng.integers(1, most + 1))]}
            self.desk.session.select(self.ids_of(keys))
            plain.selected = keys
        return bool(there)

    def merge(self) -> None:
        """Two or three become one."""
        if self.select(3, INSTANCES):
            self.desk.session.merge_selected()
            self.quiet()
            self.plain.merge()

    def delete(self) -> None:
        """They become unknown."""
        if self.select(2):
            self.desk.session.delete_selected()
            self.quiet()
            self.plain.delete()

    def separate(self) -> None:
        """Each part is an object."""
        if self.select(2, INSTANCES):
            self.desk.opened.objects.separate()
            self.quiet()
            self.plain.separate()

    def reshape(self) -> None:
        """Grow, shrink, smooth, or fill holes."""
        if not self.select(1):
            return
        objects = self.desk.opened.objects
        self.desk.session.tools.keep_option(STEP, BY)
        ways: list[tuple[Callable[[], None], Callable[[Mask], Mask], bool]] = [
            (objects.grow, lambda mask: grown(mask, BY), True),
            (objects.shrink, lambda mask: shrunk(mask, BY), False),
            (objects.smooth, lambda mask: smoothed(mask, BY), True),
            (objects.fill_holes, filled, True),
        ]
        make, shaped, takes = ways[int(self.rng.integers(len(ways)))]
        make()
        self.quiet()
        self.plain.reshape(shaped, takes=takes)

    def keep_largest(self) -> None:
        """Parts go, but for the largest."""
        if self.select(2) and (keys := self.untied()):
            self.desk.opened.objects.keep_largest()
            self.quiet()
            self.plain.drop_parts(keys, lambda found: [part is _largest(found) for part in found])

    def drop_small(self) -> None:
        """Small parts go, but for the largest."""
        if self.select(2) and (keys := self.untied()):
            self.desk.opened.objects.drop_small()
            self.quiet()
            below = self.desk.opened.objects.smaller_than
            self.plain.drop_parts(
                keys, lambda found: [part is _largest(found) or int(part.sum()) >= below for part in found]
            )

    def untied(self) -> set[int]:
        """The selected objects; none where one is locked, or has two largest parts, of which either may stay."""
        plain = self.plain
        for key in plain.selected:
            sizes = sorted(int(part.sum()) for part in parts(plain.ids == key))
            if sizes[-2:-1] == sizes[-1:] or plain.owner[key] in self.rules.locked:
                return set()
        return plain.selected

    def drop_part(self) -> None:
        """The part under the pointer goes."""
        at = self.point(inside=True)
        x, y = int(at[0]), int(at[1])
        key = self.plain.at(at)
        self.desk.opened.objects.drop_part(x, y)
        self.quiet()
        if key and self.plain.owner[key] not in self.rules.locked:
            self.plain.drop_parts([key], lambda found: [not part[y, x] for part in found])

    def specks(self) -> None:
        """Small parts of everything go."""
        self.desk.opened.objects.erase_specks(SMALL)
        self.quiet()
        self.plain.specks(SMALL)

    def reclass(self) -> None:
        """They are of another class."""
        if self.select(2):
            class_id = int(self.rng.choice(list(CLASSES.values())))
            self.desk.opened.objects.reclass(ClassId(class_id))
            self.quiet()
            self.plain.reclass(class_id)

    def copy(self) -> None:
        """Keep copies."""
        if self.select(2):
            before = len(self.desk.said)
            self.desk.opened.objects.copy()
            self.desk.wait(lambda: len(self.desk.said) > before)
            self.copies = self.plain.copies()

    def paste(self) -> None:
        """Put them where they were, on either image."""
        if self.copies is None:
            self.copy()
        if self.copies is not None:
            self.desk.opened.objects.paste()
            self.quiet()
            self.plain.paste(self.copies)

    def restart(self) -> None:
        """Copies are not kept."""
        super().restart()
        self.copies = None

    # -- what is chosen ------------------------------------------------------------------------------------------------

    def choose_touch(self) -> None:
        """Another policy."""
        rules, tools = self.rules, self.desk.session.tools
        rules.touch = [Touch.ALL, *Touch][int(self.rng.integers(len(Touch) + 1))]
        rules.touch_class = int(self.rng.choice([2, 3, 4])) if self.rng.random() < 0.5 else None
        low = float(self.rng.integers(0, 200))
        rules.values = (low, low + 60.0)
        tools.set_touch(rules.touch)
        tools.limit_class(None if rules.touch_class is None else ClassId(rules.touch_class))
        tools.limit_values([ValueRange(*rules.values)])

    def touch_all(self) -> None:
        """No policy."""
        self.rules.touch = Touch.ALL
        self.desk.session.set_touch(Touch.ALL)

    def lock(self) -> None:
        """Lock a class, or unlock it."""
        name = str(self.rng.choice(["lumen", "cell", "background"]))
        locked = self.rules.locked ^ {CLASSES[name]}
        self.desk.opened.classes.change(name, locked=CLASSES[name] in locked)
        self.rules.locked = locked
        for plain in self.images:
            plain.bar()

    def begin_new(self) -> None:
        """The next object is a new one, also where it begins on one."""
        self.desk.opened.objects.begin_new()
        self.rules.new_object ^= self.class_id in INSTANCES

    def steps(self) -> list[tuple[Callable[[], None], float]]:
        """With everything."""
        return [
            *super().steps(),
            (self.pick, 1), (self.pick_box, 0.5), (self.split, 1), (self.merge, 1), (self.delete, 0.5),
            (self.separate, 0.7), (self.reshape, 2), (self.keep_largest, 0.5), (self.drop_small, 0.5),
            (self.drop_part, 0.5), (self.specks, 0.3), (self.reclass, 1), (self.copy, 0.7), (self.paste, 1),
            (self.choose_touch, 1.5), (self.touch_all, 0.7), (self.lock, 0.4), (self.begin_new, 1),
        ]  # fmt: skip


def _largest(found: list[Mask]) -> Mask:
    return max(found, key=lambda part: int(part.sum()))


def _on(ids: np.ndarray, keys: set[int], a: Point, b: Point) -> bool:
    """Whether a line passes over one of these objects, by many points of it."""
    share = np.linspace(0, 1, 4000)
    x, y = (a[0] + (b[0] - a[0]) * share).astype(int), (a[1] + (b[1] - a[1]) * share).astype(int)
    there = (x >= 0) & (x < W) & (y >= 0) & (y < H)
    return bool(np.isin(ids[y[there], x[there]], list(keys)).any())

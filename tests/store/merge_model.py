"""A merge in plain words, pixel by pixel over whole planes (alike pixels once), and random labels to merge."""

import shutil
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from hypothesis import strategies as st

from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row, new_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ClassId, ClassTable, ImageId, Kind, LabelClass, folded_name
from segstudio.store.merge.projects import MergeReport
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane
from segstudio.tasks.keeping.merge import merge
from segstudio.tasks.progress import finished
from tests.store.store_painting import commit, flushed, painted, redo, undo

SIZE = (270, 12)
"""Two tiles, the second one cut."""
PLANES = 2
CLASSES = (
    NewClass("background", kind=Kind.BACKGROUND),
    NewClass("cell", kind=Kind.INSTANCE),
    NewClass("vessel"),
    NewClass("nerve"),
)
CELL, VESSEL, NERVE = 2, 3, 4

Op = tuple[Any, ...]
T = TypeVar("T")


def merged(a: Path, b: Path, out: Path) -> MergeReport:
    return finished(merge(a, b, out))


def images(root: Path, numbers: range = range(2), folder: str = "field") -> list[NewImage]:
    planes = tuple(NewPlane(f"page {i}", *SIZE) for i in range(PLANES))
    return [NewImage(f"{folder}/{n}.png", root, 100 + n, 1, f"{n:040x}", planes, 3, "uint8", "png") for n in numbers]


def _rects() -> st.SearchStrategy[Rect]:
    sides = st.tuples(st.integers(0, 262), st.integers(0, 10), st.sampled_from([3, 9, 60, 270]), st.integers(1, 12))
    return sides.map(lambda s: Rect(*s).intersected(Rect(0, 0, *SIZE)))


def ops() -> st.SearchStrategy[list[Op]]:
    where = (st.integers(1, 2), st.integers(0, PLANES - 1), _rects())
    paint = st.tuples(st.just("paint"), *where, st.sampled_from(["background", "cell", "vessel", "nerve", "extra"]))
    erase = st.tuples(st.just("erase"), *where)
    again = st.tuples(st.sampled_from(["undo", "redo"]), st.integers(1, 2))
    classes = st.tuples(st.sampled_from(["remove", "merge", "add"]))
    return st.lists(st.one_of(paint, paint, paint, paint, erase, again, classes), max_size=8)


def play(project: Project, todo: list[Op], origin: int) -> None:
    """Do what was drawn, as a session would; what has no meaning just then is left out."""
    for op in todo:
        if op[0] in ("remove", "merge", "add"):
            _play_class(project, op[0])
        else:
            _play_image(project, op, origin)
    flushed(project)


def _play_class(project: Project, what: str) -> None:
    assert project.writer is not None
    flushed(project)
    classes = project.classes()
    vessel = classes[ClassId(VESSEL)]
    if what == "add" and classes.named("extra") is None:
        id_, value = project.next_class()
        row = new_class_row(LabelClass(id_, "extra", f"#00{value:02d}00", Kind.INSTANCE, value, 9 + value))
    elif what == "remove" and not vessel.removed and vessel.merged_into is None:
        row = changed_class_row(vessel, removed=True)
    elif what == "merge" and not vessel.removed and vessel.merged_into is None:
        row = changed_class_row(vessel, merged_into=NERVE)
    else:
        return
    project.writer.submit(Edit(None, Cause.CLASSES, rows=(row,)))
    flushed(project)


def _play_image(project: Project, op: Op, origin: int) -> None:
    image = ImageId(op[1])
    document = project.document(image)
    if op[0] in ("undo", "redo"):
        history = project.history(image)
        seq = history.next_undo() if op[0] == "undo" else history.next_redo()
        if seq is not None and project.load_edit(seq, document.raster.tile).image is not None:
            (undo if op[0] == "undo" else redo)(project, document, seq)
    elif op[0] == "erase":
        edit = painted(document, op[3], 0, plane=op[2])
        if not edit.empty:
            commit(project, document, edit)
    elif (found := project.classes().named(op[4])) is not None:
        single = document.single_object(found.id) if found.one_object else None
        new = None if single is not None else found.id
        edit = painted(document, op[3], single or document.next_object, origin, plane=op[2], new_class=new)
        if edit.tiles:
            commit(project, document, edit)
    flushed(project)


# --- what a project says


@dataclass
class Said:
    """Class table, and for each image objects, those locked, status, and by plane ids and origins."""

    classes: ClassTable
    objects: dict[int, dict[int, int]] = field(default_factory=dict)
    locked: dict[int, set[int]] = field(default_factory=dict)
    status: dict[int, str] = field(default_factory=dict)
    ids: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    origins: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)


def said(project: Project) -> Said:
    out = Said(project.classes())
    for row in project.images():
        document = project.document(row.id)
        out.objects[row.id] = {int(o): int(c) for o, c in document.objects.items()}
        out.locked[row.id] = {int(o) for o in document.locked}
        out.status[row.id] = document.status.value
        for plane in range(len(row.planes)):
            read = document.raster.read(plane, document.raster.bounds(plane))
            out.ids[row.id, plane], out.origins[row.id, plane] = read[0].astype(np.int64), read[1]
    return out


def copied(project: Project, path: Path) -> Path:
    """A copy as a person makes one: of the folder, while it is closed."""
    project.close()
    return Path(shutil.copytree(project.path, path))


Pixel = tuple[int, int]
"""Object id and origin."""
Meant = tuple[str | None, tuple[str, int] | None, int]
"""Name of the class in C, object of an instance class, origin."""


class Model:
    """The merge of two sides; `base` where they are copies. Meanings are names of classes and objects of one side.

    A class that the sides have in common keeps its name where neither or one of them renamed it.
    """

    def __init__(self, a: Said, b: Said, base: Said | None) -> None:
        self.a, self.b, self.base = a, b, base
        tables = [side.classes for side in (a, b)]
        self._instances = {folded_name(c.name) for t in tables for c in t.all if c.kind is Kind.INSTANCE}
        self._painted_a, self._painted_b = self._painted(a), self._painted(b)

    def _painted(self, side: Said) -> set[int]:
        """Classes that a side has painted with, or given to objects, since the last common edit."""
        found: set[int] = set()
        for (image, plane), ids in side.ids.items() if self.base is not None else ():
            assert self.base is not None
            then = self.base.objects[image]
            changed = (ids != self.base.ids[image, plane]) | (
                side.origins[image, plane] != self.base.origins[image, plane]
            )
            objects = side.objects[image]
            moved = [o for o in set(np.unique(ids).tolist()) & then.keys() if self._counts(side, then[o], objects[o])]
            for o in {*np.unique(ids[changed]).tolist(), *moved} - {0}:
                counted = side.classes.effective(ClassId(objects[o]))
                found |= set() if counted is None else {int(counted.id)}
        return found

    def _counts(self, side: Said, then: int, now: int) -> bool:
        """Whether two classes count as two different ones on a side."""
        first, second = (
            side.classes.effective(ClassId(c)) if ClassId(c) in side.classes else None for c in (then, now)
        )
        return first is None or second is None or first.id != second.id

    def name(self, side: Said, class_id: int) -> str | None:
        """What a class of one side is called in C, None where it is out of use there."""
        if self.base is None:
            found = side.classes.effective(ClassId(class_id))
            return None if found is None else folded_name(found.name)
        tables = (self.base.classes, self.a.classes, self.b.classes)
        seen = class_id
        while True:
            if not all(seen in table for table in tables):
                c = side.classes[ClassId(seen)]
                state, name = (c.removed, c.merged_into), c.name
            else:
                states = [_state(table, seen) for table in tables]
                state = _changed_by_one(*states)
                given_up_by_b = states[0] == states[1] and seen in self._painted_a
                if given_up_by_b or (states[0] == states[2] and seen in self._painted_b):
                    state = states[0]
                name = _changed_by_one(*(table[ClassId(seen)].name for table in tables))
            if state[0]:
                return None
            if state[1] is None:
                return folded_name(name)
            seen = int(str(state[1]))

    def status(self, image: int, *, in_conflict: bool) -> str:
        """A side that changed alone wins; otherwise an image on which the sides differ is in progress."""
        a, b = self.a.status[image], self.b.status[image]
        then = "new" if self.base is None else self.base.status[image]
        if in_conflict:
            return "in-progress"
        if b in (a, then):
            return a
        return b if a == then else "in-progress"

    def pixel(
        self, image: int, of_a: Pixel, of_b: Pixel, then: Pixel | None, same: dict[int, int]
    ) -> tuple[Meant, bool]:
        """What a pixel is in C, and whether it is in conflict."""
        (id_a, from_a), (id_b, from_b) = of_a, of_b
        name_a = self.name(self.a, self.a.objects[image][id_a]) if id_a else None
        name_b = self.name(self.b, self.b.objects[image][id_b]) if id_b else None
        object_a = ("a", id_a) if name_a in self._instances else None
        object_b = None
        if name_b in self._instances:
            object_b = ("a", same[id_b]) if id_b in same else ("b", id_b)
        pixel_a, pixel_b = (name_a, object_a, from_a if name_a else 0), (name_b, object_b, from_b if name_b else 0)
        if then is not None:
            if of_b == then and id_b not in self._moved(self.b, image):
                return pixel_a, False
            alone = of_a == then and id_a not in self._moved(self.a, image)
            if alone and not (id_b and name_b is None):
                return pixel_b, False
        if name_b is None:
            return pixel_a, False
        if name_a is None:
            return pixel_b, False
        return pixel_a, pixel_a[:2] != pixel_b[:2]

    def _moved(self, side: Said, image: int) -> set[int]:
        """Objects of the common past that this side gave another class."""
        then = {} if self.base is None else self.base.objects[image]
        return {o for o, c in side.objects[image].items() if o in then and then[o] != c}

    def same(self, image: int) -> dict[int, int]:
        """Objects of B that are objects of A: of the common past, else those with an IoU above a half."""
        past = set(self.base.objects[image]) if self.base is not None else set()
        past -= self._moved(self.a, image) | self._moved(self.b, image)
        names_a = {o: self.name(self.a, c) for o, c in self.a.objects[image].items()}
        names_b = {o: self.name(self.b, c) for o, c in self.b.objects[image].items()}
        same = {o: o for o in past & set(names_a) & set(names_b) if names_a[o] == names_b[o]}
        pixels_a, pixels_b = _whole(self.a, image), _whole(self.b, image)
        area_a, area_b = np.bincount(pixels_a), np.bincount(pixels_b)
        there_a, there_b = (set(np.flatnonzero(area).tolist()) - {0} for area in (area_a, area_b))
        for o_b in there_b - same.keys():
            for o_a in there_a - (same.keys() & there_b):
                both = int(np.count_nonzero((pixels_a == o_a) & (pixels_b == o_b)))
                if names_a[o_a] == names_b[o_b] and 2 * both > int(area_a[o_a]) + int(area_b[o_b]) - both:
                    same[o_b] = o_a
        return same


def _changed_by_one(then: T, in_a: T, in_b: T) -> T:
    return in_b if in_a == then else in_a


def _state(table: ClassTable, id_: int) -> tuple[bool, object]:
    c = table[ClassId(id_)]
    return c.removed, c.merged_into


def _whole(side: Said, image: int) -> np.ndarray:
    """The ids of all planes in one row."""
    return np.concatenate([ids.ravel() for (i, _), ids in side.ids.items() if i == image])


# --- C held against the model


def assert_merged(
    model: Model, report: MergeReport, c: Project, earlier: Set[tuple[ImageId, int]] = frozenset()
) -> None:
    """C is what the model says, for every pixel: class, object and origin; so are conflicts and their proposals.

    `earlier` are planes of A with the proposal of an earlier merge, which goes along.
    """
    found = said(c)
    expected_conflicts: set[tuple[str, int, int, tuple[int, int, int, int]]] = set()
    for row in c.images():
        same = model.same(row.id)
        objects: dict[tuple[str, int], set[int]] = {}
        in_conflict = False
        for plane in range(len(row.planes)):
            conflict = _assert_plane(model, found, row.id, plane, same, objects)
            if conflict.any():
                in_conflict = True
                expected_conflicts.add((row.path, plane, int(np.count_nonzero(conflict)), _box(conflict)))
            if conflict.any() or (row.id, plane) not in earlier:
                _assert_proposed(model, c, row.id, plane, conflict)
            else:
                assert c.proposals.read(row.id, plane) is not None
        for which, ids_of in objects.items():
            assert len(ids_of) == 1, which
            if which[0] == "a":
                assert ids_of == {which[1]}
        assert len({next(iter(ids_of)) for ids_of in objects.values()}) == len(objects)
        assert found.status[row.id] == model.status(row.id, in_conflict=in_conflict)
        _assert_locks(model, found, row.id)
    assert {(x.path, x.plane, x.pixels, x.rect) for x in report.conflicts} == expected_conflicts
    assert len(report.conflicts) == len(expected_conflicts)


def _assert_locks(model: Model, found: Said, image: int) -> None:
    """What both have from their past is locked as the side has it that changed it alone; else A's are as in A."""
    for o, was in ((o, o in model.a.locked[image]) for o in model.a.objects[image]):
        shared = model.base is not None and o in model.base.objects[image] and o in model.b.objects[image]
        expected = _changed_by_one(o in model.base.locked[image], was, o in model.b.locked[image]) if shared else was
        assert (o in found.locked[image]) == expected


def _assert_plane(
    model: Model, found: Said, image: int, plane: int, same: dict[int, int], objects: dict[tuple[str, int], set[int]]
) -> np.ndarray:
    """Hold a plane of C against the model, and give its pixels in conflict; `objects` gathers the ids of each."""
    sides = [model.a, model.b, *([] if model.base is None else [model.base]), found]
    layers = [layer[image, plane] for side in sides for layer in (side.ids, side.origins)]
    conflict = np.zeros(layers[0].shape, np.bool_)
    kinds, where = _distinct(layers)
    for kind, values in enumerate(kinds):
        of_a, of_b, *then, in_c = ((values[n], values[n + 1]) for n in range(0, len(values), 2))
        (name, which, origin), clash = model.pixel(image, of_a, of_b, then[0] if then else None, same)
        id_, from_ = in_c
        counted = found.classes.effective(ClassId(found.objects[image][id_])) if id_ else None
        got = None if counted is None else folded_name(counted.name)
        assert (got, from_ if got else 0) == (name, origin), (image, plane, values)
        if which is not None:
            objects.setdefault(which, set()).add(id_)
        if clash:
            conflict |= where == kind
    return conflict


def _distinct(layers: list[np.ndarray]) -> tuple[list[list[int]], np.ndarray]:
    """Each combination of values that a pixel has in some layers, and an array that says which one is where."""
    mixed = np.zeros(layers[0].shape, np.int64)
    for layer in layers:
        mixed = mixed * (int(layer.max()) + 1) + layer
        mixed = (np.cumsum(np.bincount(mixed.ravel()) > 0) - 1)[mixed]  # numbered without holes, and without a sort
    first = np.zeros(int(mixed.max()) + 1, np.int64)
    first[mixed.ravel()] = np.arange(mixed.size)
    return [[int(layer.flat[n]) for layer in layers] for n in first.tolist()], mixed


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(mask)
    x, y = int(xs.min()), int(ys.min())
    return x, y, int(xs.max()) - x + 1, int(ys.max()) - y + 1


def _assert_proposed(model: Model, c: Project, image: ImageId, plane: int, conflict: np.ndarray) -> None:
    proposal = c.proposals.read(image, plane)
    if not conflict.any():
        assert proposal is None
        return
    assert proposal is not None
    assert proposal.version == "merged"
    height, width = conflict.shape
    class_ids = proposal.class_ids(Rect(0, 0, width, height))
    assert np.array_equal(class_ids > 0, conflict)
    classes = c.classes()
    for class_id, id_b in _distinct([class_ids[conflict], model.b.ids[image, plane][conflict]])[0]:
        theirs = model.name(model.b, model.b.objects[image][id_b])
        assert folded_name(classes[ClassId(class_id)].name) == theirs

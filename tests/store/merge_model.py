"""A merge in plain words, pixel by pixel over whole planes, and random labels to merge."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from store_painting import commit, flushed, painted, redo, undo

from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row, new_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ClassId, ClassTable, ImageId, Kind, LabelClass, folded_name
from segstudio.store.merge import MergeReport
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane
from segstudio.tasks.merge import merge
from segstudio.tasks.progress import finished

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
    """Class table, and for each image objects and by plane ids and origins."""

    classes: ClassTable
    objects: dict[int, dict[int, int]] = field(default_factory=dict)
    ids: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    origins: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)


def said(project: Project) -> Said:
    out = Said(project.classes())
    for row in project.images():
        document = project.document(row.id)
        out.objects[row.id] = {int(o): int(c) for o, c in document.objects.items()}
        for plane in range(len(row.planes)):
            read = document.raster.read(plane, document.raster.bounds(plane))
            out.ids[row.id, plane], out.origins[row.id, plane] = read[0].astype(np.int64), read[1]
    return out


def copied(project: Project, path: Path) -> Path:
    """A copy as a person makes one: of the folder, while it is closed."""
    project.close()
    return Path(shutil.copytree(project.path, path))


class Model:
    """The merge of two sides; `base` where they are copies. Meanings are names of classes and objects of one side."""

    def __init__(self, a: Said, b: Said, base: Said | None) -> None:
        self.a, self.b, self.base = a, b, base
        self.painted_a, self.painted_b = self._painted(a), self._painted(b)

    def _painted(self, side: Said) -> set[int]:
        """Classes that a side has painted with since the last common edit."""
        found: set[int] = set()
        for where, ids in side.ids.items() if self.base is not None else ():
            assert self.base is not None
            changed = (ids != self.base.ids[where]) | (side.origins[where] != self.base.origins[where])
            for o in set(np.unique(ids[changed]).tolist()) - {0}:
                counted = side.classes.effective(ClassId(side.objects[where[0]][o]))
                found |= set() if counted is None else {int(counted.id)}
        return found

    def name(self, side: Said, class_id: int) -> str | None:
        """What a class of one side is called in C, None where it is out of use there."""
        if self.base is None:
            found = side.classes.effective(ClassId(class_id))
            return None if found is None else folded_name(found.name)
        then = self.base.classes
        seen = class_id
        for _ in range(9):
            if seen not in then:
                c = side.classes[ClassId(seen)]
                state: tuple[object, object] = (c.removed, c.merged_into)
            else:
                state_0, state_a, state_b = (_state(t, seen) for t in (then, self.a.classes, self.b.classes))
                if state_a == state_0:
                    state = state_a if seen in self.painted_a else state_b
                else:
                    state = state_0 if state_b == state_0 and seen in self.painted_b else state_a
            if state[0]:
                return None
            if state[1] is None:
                break
            seen = int(str(state[1]))
        table = then if seen in then else side.classes
        return folded_name(table[ClassId(seen)].name)

    def instance(self, name: str) -> bool:
        return name in ("cell", "extra")

    def merged(self, image: int) -> tuple[dict[int, list[list[tuple[Any, Any, int]]]], dict[int, set[tuple[int, int]]]]:
        """By plane: (class name, object, origin) of each pixel [y][x], and the pixels (x, y) in conflict."""
        same = self._same(image)
        out: dict[int, list[list[tuple[Any, Any, int]]]] = {}
        conflicts: dict[int, set[tuple[int, int]]] = {}
        for plane in range(PLANES):
            rows = []
            for y in range(SIZE[1]):
                row = []
                for x in range(SIZE[0]):
                    pixel, conflict = self._pixel(image, plane, x, y, same)
                    row.append(pixel)
                    if conflict:
                        conflicts.setdefault(plane, set()).add((x, y))
                rows.append(row)
            out[plane] = rows
        return out, conflicts

    def _pixel(self, image: int, plane: int, x: int, y: int, same: dict[int, int]) -> tuple[tuple[Any, Any, int], bool]:
        id_a, id_b = int(self.a.ids[image, plane][y, x]), int(self.b.ids[image, plane][y, x])
        from_a, from_b = int(self.a.origins[image, plane][y, x]), int(self.b.origins[image, plane][y, x])
        name_a = self.name(self.a, self.a.objects[image][id_a]) if id_a else None
        name_b = self.name(self.b, self.b.objects[image][id_b]) if id_b else None
        object_a = ("a", id_a) if name_a and self.instance(name_a) else None
        object_b = None
        if name_b and self.instance(name_b):
            object_b = ("a", same[id_b]) if id_b in same else ("b", id_b)
        pixel_a, pixel_b = (name_a, object_a, from_a if name_a else 0), (name_b, object_b, from_b if name_b else 0)
        if self.base is not None:
            then = int(self.base.ids[image, plane][y, x]), int(self.base.origins[image, plane][y, x])
            if (id_b, from_b) == then:
                return pixel_a, False
            if (id_a, from_a) == then and not (id_b and name_b is None):
                return pixel_b, False
        if name_b is None:
            return pixel_a, False
        if name_a is None:
            return pixel_b, False
        return pixel_a, pixel_a[:2] != pixel_b[:2]

    def _same(self, image: int) -> dict[int, int]:
        """Objects of B that are objects of A: of the common past, else those with an IoU above a half."""
        past = set(self.base.objects[image]) if self.base is not None else set()
        names_a = {o: self.name(self.a, c) for o, c in self.a.objects[image].items()}
        names_b = {o: self.name(self.b, c) for o, c in self.b.objects[image].items()}
        same = {o: o for o in past & set(names_a) & set(names_b)}
        pixels_a, pixels_b = self._pixels(self.a, image), self._pixels(self.b, image)
        kept = {o for o in same if o in pixels_b}
        for o_b in pixels_b.keys() - same.keys():
            for o_a in pixels_a.keys() - kept:
                alike = names_a[o_a] == names_b[o_b]
                mine, theirs = pixels_a[o_a], pixels_b[o_b]
                if alike and len(mine & theirs) / len(mine | theirs) > 0.5:
                    same[o_b] = o_a
        return same

    def _pixels(self, side: Said, image: int) -> dict[int, set[tuple[int, int, int]]]:
        found: dict[int, set[tuple[int, int, int]]] = {}
        for plane in range(PLANES):
            ids = side.ids[image, plane]
            for o in set(np.unique(ids).tolist()) - {0}:
                ys, xs = np.nonzero(ids == o)
                found.setdefault(o, set()).update((plane, int(x), int(y)) for x, y in zip(xs, ys, strict=True))
        return found


def _state(table: ClassTable, id_: int) -> tuple[bool, object]:
    c = table[ClassId(id_)]
    return c.removed, c.merged_into


def assert_merged(model: Model, report: MergeReport, c: Project) -> None:
    """C is what the model says, for every pixel: class, object and origin; so are conflicts and their proposals."""
    found = said(c)
    expected_conflicts: set[tuple[str, int, int, tuple[int, int, int, int]]] = set()
    for row in c.images():
        pixels, conflicts = model.merged(row.id)
        objects: dict[Any, set[int]] = {}
        for plane in range(PLANES):
            ids, origins = found.ids[row.id, plane], found.origins[row.id, plane]
            for y in range(SIZE[1]):
                for x in range(SIZE[0]):
                    name, which, origin = pixels[plane][y][x]
                    id_ = int(ids[y, x])
                    counted = found.classes.effective(ClassId(found.objects[row.id][id_])) if id_ else None
                    got = None if counted is None else folded_name(counted.name)
                    assert (got, int(origins[y, x]) if got else 0) == (name, origin), (row.path, plane, x, y)
                    if which is not None:
                        objects.setdefault(which, set()).add(id_)
            here = conflicts.get(plane, set())
            if here:
                xs, ys = [p[0] for p in here], [p[1] for p in here]
                box = (min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1)
                expected_conflicts.add((row.path, plane, len(here), box))
            _assert_proposed(model, c, row.id, plane, here)
        for which, ids_of in objects.items():
            assert len(ids_of) == 1, which
            if which[0] == "a":
                assert ids_of == {which[1]}
        assert len({next(iter(ids_of)) for ids_of in objects.values()}) == len(objects)
    assert {(x.path, x.plane, x.pixels, x.rect) for x in report.conflicts} == expected_conflicts
    assert len(report.conflicts) == len(expected_conflicts)


def _assert_proposed(model: Model, c: Project, image: ImageId, plane: int, conflict: set[tuple[int, int]]) -> None:
    proposal = c.proposals.read(image, plane)
    if not conflict:
        assert proposal is None
        return
    assert proposal is not None
    assert proposal.version == "merged"
    class_ids = proposal.class_ids(Rect(0, 0, *SIZE))
    ys, xs = np.nonzero(class_ids)
    assert set(zip(xs.tolist(), ys.tolist(), strict=True)) == conflict
    classes = c.classes()
    for x, y in conflict:
        theirs = model.name(model.b, model.b.objects[image][int(model.b.ids[image, plane][y, x])])
        assert folded_name(classes[ClassId(int(class_ids[y, x]))].name) == theirs

"""Gesture, policy, document and edits against arrays: strokes, aborts, undo and redo in any order."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from segstudio.errors import EditConflict
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, RowChange, Table, decode_edit, encode_edit, equal, squash
from segstudio.labels.gesture import Gesture, Paintable
from segstudio.labels.model import Cause, ClassTable, Kind, Origin, Seq, Status
from segstudio.labels.paint.limits import Limits, ValueRange
from segstudio.labels.paint.policy import MayTouch, Touch, may_touch, paintable, target_object
from segstudio.labels.paint.stroke import Spans, capsule_spans
from segstudio.labels.tiles.tile import Dense
from tests.labels.label_strategies import a_class, a_document, brush_mask, pixels, with_columns

SIZES = [(530, 524), (270, 20)]
UNIT = 4
CLASSES = [
    a_class(1, Kind.BACKGROUND),
    a_class(2, Kind.SEMANTIC),
    a_class(3, Kind.INSTANCE),
    a_class(4, Kind.IGNORE),
    a_class(5, Kind.INSTANCE),
]
TILE_CENTRES = [(512, 512), (1536, 512), (1536, 1536)]
places = st.one_of(
    st.tuples(st.integers(-60, 2300), st.integers(-60, 2300)),
    st.tuples(st.integers(980, 1080), st.integers(30, 90)),  # a tile border of both planes, so that strokes overlap
    st.sampled_from(TILE_CENTRES),
)
SAMPLES = [np.random.default_rng(n).integers(0, 200, (h, w, 3)).astype(np.uint8) for n, (w, h) in enumerate(SIZES)]
value_ranges = st.lists(
    st.builds(ValueRange, st.integers(0, 120), st.integers(60, 200), st.sampled_from([None, 0, 2])), max_size=2
).map(tuple)
radii = st.one_of(st.integers(1, 60), st.integers(700, 1500))


def clipped(samples, rect):
    """A rectangle of samples (h, w, c), as an image gives it."""
    return samples[max(rect.y, 0) : rect.bottom, max(rect.x, 0) : rect.right]


@dataclass(frozen=True)
class Model:
    """What a document holds, as whole arrays; copied, never written."""

    ids: tuple[np.ndarray, ...]
    origins: tuple[np.ndarray, ...]
    objects: dict[int, int]
    status: Status
    locked: frozenset[int] = frozenset()
    """Objects locked by themselves."""

    def painted(self, plane, mask, object_id, origin):
        ids, origins = list(self.ids), list(self.origins)
        ids[plane] = np.where(mask, object_id, ids[plane]).astype(np.uint32)
        origins[plane] = np.where(mask, origin, origins[plane]).astype(np.uint8)
        return replace(self, ids=tuple(ids), origins=tuple(origins))

    def same_pixels(self, other):
        pairs = zip((*self.ids, *self.origins), (*other.ids, *other.origins), strict=True)
        return all(np.array_equal(a, b) for a, b in pairs)


@dataclass
class Stroke:
    """A gesture under way, and what it does to the model."""

    gesture: Gesture
    plane: int
    object_id: int
    class_id: int
    origin: Origin
    radius: int
    touch: Touch
    locked: frozenset[int]
    at: tuple[int, int]
    allowed: Paintable
    may: MayTouch
    before: Model
    next_object: int
    done: Spans | None = None


class GestureMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.document = a_document(*SIZES)
        empty = [np.zeros((h, w), np.uint32) for w, h in SIZES]
        self.model = Model(tuple(empty), tuple(a.astype(np.uint8) for a in empty), {}, Status.NEW)
        self.start = self.model
        self.next_object = 1
        self.classes = ClassTable(CLASSES)
        self.stroke: Stroke | None = None
        self.journal: list[Edit] = []
        self.undoable: list[tuple[Edit, Model, Model]] = []
        self.redoable: list[tuple[Edit, Model, Model]] = []

    def idle(self):
        return self.stroke is None

    def painting(self):
        return self.stroke is not None

    @precondition(idle)
    @rule(class_id=st.integers(1, 5))
    def lock_or_unlock(self, class_id):
        self.classes = with_columns(self.classes, class_id, {"locked": not self.classes[class_id].locked})

    @precondition(lambda self: self.idle() and self.model.objects)
    @rule(pick=st.integers(0, 9))
    def lock_or_unlock_an_object(self, pick):
        object_id = sorted(self.model.objects)[pick % len(self.model.objects)]
        locked = object_id in self.model.locked
        row = RowChange(Table.OBJECTS, object_id, {"locked": locked}, {"locked": not locked})
        edit = Edit(self.document.image, Cause.OBJECTS, rows=(row,))
        self.document.apply(edit)
        before, self.model = self.model, replace(self.model, locked=self.model.locked ^ {object_id})
        self.journal.append(edit)
        self.undoable.append((edit, before, self.model))
        self.redoable.clear()

    @precondition(idle)
    @rule(
        plane=st.sampled_from([0, 0, 1]),
        at=places,
        class_id=st.integers(0, 5),
        touch=st.sampled_from(Touch),
        radius=radii,
        policy_first=st.booleans(),
        origin=st.sampled_from([Origin.PAINTED, Origin.ACCEPTED, Origin.COMPUTED]),
        limits=st.builds(Limits, st.sampled_from([None, 2, 4, 5]), value_ranges),
        selected=st.frozensets(st.integers(1, 9), max_size=2),
    )
    def press(self, plane, at, class_id, touch, radius, policy_first, origin, limits, selected):
        """Class 0 is the eraser."""
        erases = class_id == 0
        point = at[0] / UNIT, at[1] / UNIT
        gesture = Gesture(self.document, Cause.ERASE if erases else Cause.PAINT)
        before, next_object = self.model, self.next_object
        locked = frozenset(c.id for c in self.classes if c.locked)

        may = may_touch(self.document, self.classes, touch, limits, (*point, plane), selected)
        assert may == self.meant(touch, limits, point, plane, selected)

        def policy():
            painted, samples = None if erases else class_id, SAMPLES[plane]
            return paintable(self.document, self.classes, may, painted, lambda rect: clipped(samples, rect), extended)

        extended = None
        allowed = policy() if policy_first and erases else None
        object_id = 0
        if not erases:
            found = target_object(self.document, self.classes[class_id], *point, plane, self.classes)
            extended = found
            allowed = policy() if policy_first else None
            object_id = gesture.new_object(class_id) if found is None else found
            assert object_id == self.target(class_id, point, plane)
            if found is None:
                self.model = replace(self.model, objects={**self.model.objects, object_id: class_id})
                self.next_object += 1
        allowed = allowed or policy()
        origin = Origin.NONE if erases else origin
        self.stroke = Stroke(
            gesture, plane, object_id, class_id, origin, radius, touch, locked, at, allowed, may, before, next_object
        )
        self.paint(at)

    def target(self, class_id, point, plane):
        mine = [o for o, c in self.model.objects.items() if c == class_id]
        if self.classes[class_id].kind is not Kind.INSTANCE:
            return min(mine, default=self.next_object)
        under = self.under(point, plane)
        return under if under in mine else self.next_object

    def under(self, point, plane):
        x, y = int(np.floor(point[0])), int(np.floor(point[1]))
        w, h = SIZES[plane]
        return int(self.model.ids[plane][y, x]) if 0 <= x < w and 0 <= y < h else 0

    def meant(self, touch, limits, point, plane, selected):
        """What a policy comes to at the first point."""
        under = self.under(point, plane)
        chosen = self.model.objects.get(under, 0) if limits.class_id is None else limits.class_id
        return MayTouch(
            touch,
            class_id=chosen if touch is Touch.CLASS else 0,
            objects=(selected or ({under} - {0})) if touch is Touch.OBJECT else frozenset(),
            ranges=limits.ranges if touch is Touch.RANGE else (),
        )

    def paint(self, to):
        stroke, document = self.stroke, self.document
        assert stroke is not None
        bounds = document.raster.bounds(stroke.plane)
        a, b = ((p[0] / UNIT, p[1] / UNIT) for p in (stroke.at, to))
        spans = capsule_spans(a, b, stroke.radius / UNIT, bounds)
        changed = stroke.gesture.paint_spans(
            stroke.plane, spans, stroke.object_id, stroke.origin, paintable=stroke.allowed, done=stroke.done
        )
        mask = brush_mask(stroke.at, to, stroke.radius, bounds, UNIT) & self.may_change(stroke)
        before = self.model
        self.model = before.painted(stroke.plane, mask, stroke.object_id, stroke.origin)
        differs = self.model.ids[stroke.plane] != before.ids[stroke.plane]
        differs |= self.model.origins[stroke.plane] != before.origins[stroke.plane]
        inside = np.zeros_like(differs)
        inside[changed.y : changed.bottom, changed.x : changed.right] = True
        assert not (differs & ~inside).any(), "a pixel outside the rectangle was changed"
        stroke.done, stroke.at = spans, to

    def may_change(self, stroke):
        """The pixels that policy lets the stroke change; what it has painted itself it would paint the same."""
        ids = self.model.ids[stroke.plane]
        if stroke.class_id in stroke.locked or stroke.object_id in self.model.locked:
            return np.zeros(ids.shape, np.bool_)
        of_class = [o for o, c in self.model.objects.items() if c == stroke.may.class_id]
        in_range = np.ones(ids.shape, np.bool_)
        for one in stroke.may.ranges:
            values = SAMPLES[stroke.plane]
            grey = values.mean(axis=2) if one.channel is None else values[..., one.channel]
            in_range &= (grey >= one.low) & (grey <= one.high)
        allowed = {
            Touch.ALL: ids >= 0,
            Touch.UNLABELLED: ids == 0,
            Touch.LABELLED: ids != 0,
            Touch.CLASS: np.isin(ids, of_class) if stroke.may.class_id else ids == 0,
            Touch.OBJECT: np.isin(ids, list(stroke.may.objects)),
            Touch.RANGE: in_range,
        }[stroke.touch]
        closed = {o for o, c in self.model.objects.items() if c in stroke.locked} | self.model.locked
        return allowed & ~np.isin(ids, list(closed))

    @precondition(painting)
    @rule(step=st.tuples(st.integers(-40, 40), st.integers(-40, 40)))
    def move_a_little(self, step):
        assert self.stroke is not None
        self.paint((self.stroke.at[0] + step[0], self.stroke.at[1] + step[1]))

    @precondition(painting)
    @rule(to=places)
    def move_far(self, to):
        self.paint(to)

    @precondition(painting)
    @rule()
    def abort(self):
        assert self.stroke is not None
        self.stroke.gesture.abort()
        self.model, self.next_object = self.stroke.before, self.stroke.next_object
        self.stroke = None

    @precondition(painting)
    @rule()
    def commit(self):
        stroke = self.stroke
        assert stroke is not None
        edit = stroke.gesture.commit()
        self.stroke = None
        changed = not self.model.same_pixels(stroke.before)
        assert (edit is not None) == changed
        if edit is None:
            self.model, self.next_object = stroke.before, stroke.next_object
            return
        used = {int(i) for ids in self.model.ids for i in np.unique(ids)}
        new = set(self.model.objects) - set(stroke.before.objects)
        if new and not new & used:
            self.next_object = stroke.next_object
        objects = {o: c for o, c in self.model.objects.items() if o not in new or o in used}
        status = Status.IN_PROGRESS if stroke.before.status is Status.NEW else stroke.before.status
        self.model = replace(self.model, objects=objects, status=status)
        assert equal(decode_edit(encode_edit(edit)), edit)
        assert all(self.document.raster.tile(key) is change.after for key, change in edit.tiles.items())
        self.journal.append(edit)
        self.undoable.append((edit, stroke.before, self.model))
        self.redoable.clear()

    @precondition(lambda self: self.idle() and self.undoable)
    @rule()
    def undo(self):
        edit, before, after = self.undoable.pop()
        undo = decode_edit(encode_edit(edit.inverted(Seq(len(self.journal)), Cause.UNDO)))
        self.document.apply(undo)
        self.journal.append(undo)
        self.redoable.append((undo, before, after))
        self.model = before

    @precondition(lambda self: self.idle() and self.redoable)
    @rule()
    def redo(self):
        undo, before, after = self.redoable.pop()
        redo = undo.inverted(Seq(len(self.journal)), Cause.REDO)
        self.document.apply(redo)
        self.journal.append(redo)
        self.undoable.append((redo, before, after))
        self.model = after

    @precondition(lambda self: self.idle() and self.journal)
    @rule()
    def apply_once_too_often(self):
        with pytest.raises(EditConflict):
            self.document.apply(self.journal[-1])

    @invariant()
    def document_and_model_are_the_same(self):
        if not hasattr(self, "document"):
            return
        agrees(self.document, self.model)
        assert self.document.next_object == self.next_object
        if self.stroke is None:
            for tile in self.document.raster.in_memory().values():
                if isinstance(tile, Dense):
                    assert not tile.ids.flags.writeable
                    assert not tile.origins.flags.writeable

    def teardown(self):
        if not hasattr(self, "document"):
            return
        if self.stroke is not None:
            self.commit()
        replayed = a_document(*SIZES)
        for edit in self.journal:
            replayed.apply(edit)
        agrees(replayed, self.model)
        if self.journal:
            total = self.journal[0]
            for edit in self.journal[1:]:
                total = squash(total, edit)
            at_once = a_document(*SIZES)
            at_once.apply(total)
            agrees(at_once, self.model)
            at_once.apply(total.inverted(Seq(1), Cause.UNDO))
            agrees(at_once, self.start)


def agrees(document: Document, model: Model) -> None:
    for plane in range(len(SIZES)):
        ids, origins = pixels(document, plane)
        np.testing.assert_array_equal(ids, model.ids[plane])
        np.testing.assert_array_equal(origins, model.origins[plane])
    assert document.objects == model.objects
    assert document.locked == model.locked
    assert document.status is model.status


# A failure is made small for up to five minutes, and only then said.
TestGestures = pytest.mark.timeout(600)(GestureMachine.TestCase)
TestGestures.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

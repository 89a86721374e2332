"""The live raster as a cache: random edits, evictions, saves and refused disks read as a raster without bounds does."""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from segstudio.geometry import TILE, Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit, TileKey
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassId, ImageId, Origin, Seq
from segstudio.labels.paint.stroke import Spans, capsule_spans
from segstudio.labels.tiles.raster import Raster, TileBudget
from segstudio.labels.tiles.streamed import TILE_BYTES
from segstudio.labels.tiles.tile import EMPTY, Dense, Tile
from tests.labels.label_strategies import state

SIZES = [(3 * TILE, 2 * TILE - 10), (TILE + 5, TILE)]
LIMIT = 2
PLACES = st.tuples(st.integers(0, 3 * TILE), st.integers(0, 2 * TILE))


class CacheMachine(RuleBasedStateMachine):
    """A document over a disk with room for two tiles, beside one that never lets a tile go."""

    def __init__(self) -> None:
        super().__init__()
        self.disk: dict[TileKey, Tile] = {}
        self.budget = TileBudget(LIMIT * TILE_BYTES)
        self.plain = Document(ImageId(1), Raster(SIZES))
        self.queue: list[tuple[int, Edit]] = []
        self.seq = 0
        self.history: list[Edit] = []
        self.open()

    def open(self) -> None:
        raster = Raster(SIZES, lambda key: self.disk.get(key, EMPTY), set(self.disk))
        raster.share(self.budget)
        self.cached = Document(ImageId(1), raster, self.plain.objects, self.plain.next_object, self.plain.status)

    def spans(self, place: tuple[int, int], radius: int, plane: int) -> Spans:
        return capsule_spans(place, (place[0] + 40, place[1]), radius, self.plain.raster.bounds(plane))

    @rule(place=PLACES, radius=st.sampled_from([3, 40, 400]), plane=st.integers(0, 1), erase=st.booleans())
    def stroke(self, place: tuple[int, int], radius: int, plane: int, erase: bool) -> None:
        edits = []
        for document in (self.cached, self.plain):
            gesture = Gesture(document, Cause.PAINT)
            id_ = 0 if erase else gesture.new_object(ClassId(2))
            gesture.paint_spans(plane, self.spans(place, radius, plane), id_, Origin.PAINTED)
            self.look_about()
            edits.append(gesture.commit())
        assert (edits[0] is None) == (edits[1] is None)
        if edits[0] is not None:
            self.submit(edits[0])
            self.history.append(edits[0])

    @rule(place=PLACES, plane=st.integers(0, 1))
    def stroke_and_escape(self, place: tuple[int, int], plane: int) -> None:
        gesture = Gesture(self.cached, Cause.PAINT)
        gesture.paint_spans(plane, self.spans(place, 60, plane), gesture.new_object(ClassId(2)), Origin.PAINTED)
        self.save(1)
        self.look_about()
        gesture.abort()

    @precondition(lambda self: self.history)
    @rule()
    def undo(self) -> None:
        edit = self.history.pop().inverted(Seq(1), Cause.UNDO)
        self.cached.apply(edit)
        self.plain.apply(edit)
        self.submit(edit)

    def submit(self, edit: Edit) -> None:
        self.seq += 1
        self.queue.append((self.seq, edit))
        self.cached.raster.written(edit.tiles, self.seq)

    @rule(edits=st.integers(1, 4))
    def save(self, edits: int) -> None:
        """The disk takes some of what waits; while it refuses, this rule is not drawn."""
        for seq, edit in self.queue[:edits]:
            self.disk.update({key: change.after for key, change in edit.tiles.items()})
            self.cached.raster.saved(seq)
        del self.queue[:edits]

    @precondition(lambda self: not self.queue)
    @rule()
    def open_anew(self) -> None:
        self.cached.raster.leave()
        assert self.budget.bytes_held == 0
        self.open()

    @precondition(lambda self: not self.queue)
    @rule()
    def forget(self) -> None:
        self.cached.raster.forget(self.disk)

    @rule()
    def look_about(self) -> None:
        """Views and the hand read every tile."""
        for plane in range(len(SIZES)):
            for key in self.cached.raster.keys(plane):
                self.cached.raster.look(key)
                self.cached.raster.tile(key)

    @invariant()
    def reads_as_one_without_bounds(self) -> None:
        assert state(self.cached) == state(self.plain)

    @invariant()
    def memory_is_within_the_budget_but_for_what_must_stay(self) -> None:
        raster = self.cached.raster
        dense = {key for key, tile in raster.in_memory().items() if isinstance(tile, Dense)}
        unsaved = {key for _, edit in self.queue for key in edit.tiles}
        assert self.budget.bytes_held == len(dense) * TILE_BYTES
        assert len(dense - unsaved) <= max(LIMIT - len(dense & unsaved), 0)
        for _, edit in self.queue:
            assert all(key in raster.in_memory() for key in edit.tiles)


TestCacheMachine = CacheMachine.TestCase
TestCacheMachine.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_view_of_everything_does_not_push_out_what_the_hand_uses() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 9, (TILE, TILE)).astype(np.uint32)
    asked: list[TileKey] = []

    def load(key: TileKey) -> Tile:
        asked.append(key)
        return Dense(ids, np.ones((TILE, TILE), np.uint8))

    raster, budget = Raster([(8 * TILE, TILE)], load), TileBudget(2 * TILE_BYTES)
    raster.share(budget)
    raster.tile((0, 0, 0))
    raster.read(0, Rect(0, 0, 8 * TILE, TILE))
    assert budget.bytes_held == 2 * TILE_BYTES
    asked.clear()
    raster.tile((0, 0, 0))
    raster.tile((0, 0, 1))
    assert asked == []
    raster.tile((0, 0, 7))
    raster.tile((0, 0, 1))
    assert asked == [(0, 0, 7)]
    assert (0, 0, 0) not in raster.in_memory()


def test_tiles_of_two_rasters_share_one_budget_least_recently_used_first() -> None:
    ids = np.arange(TILE * TILE, dtype=np.uint32).reshape(TILE, TILE)

    def load(_: TileKey) -> Tile:
        return Dense(ids, np.ones((TILE, TILE), np.uint8))

    budget = TileBudget(2 * TILE_BYTES)
    first, second = Raster([(TILE, TILE)], load), Raster([(2 * TILE, TILE)], load)
    for raster in (first, second):
        raster.share(budget)
    first.tile((0, 0, 0))
    second.tile((0, 0, 0))
    first.tile((0, 0, 0))
    second.tile((0, 0, 1))
    assert list(first.in_memory()) == [(0, 0, 0)]
    assert list(second.in_memory()) == [(0, 0, 1)]
    first.leave()
    assert budget.bytes_held == TILE_BYTES

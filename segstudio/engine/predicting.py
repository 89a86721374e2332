"""The engine's prediction job: planes to proposals, tile by tile, what is on screen first."""

import time
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from segstudio.engine.agenda import Priority
from segstudio.engine.protocol import Done, Predict, PredictedImage, PredictedTile, Reply, Target
from segstudio.engine.workshop import Workshop
from segstudio.errors import UnreadableImage
from segstudio.geometry import TILE, Rect, tiles_of
from segstudio.labels.proposal import encode_confidence, quantised_confidence
from segstudio.labels.tiles.codec import encode_tile
from segstudio.labels.tiles.lookup import PLACES, looked_up
from segstudio.labels.tiles.tile import frozen
from segstudio.labels.touching import separated
from segstudio.learn.data import Dataset, PlaneEntry
from segstudio.learn.ensemble import joined_tiles
from segstudio.learn.predict import Model, Seconds, TileProbabilities, predict_tiles
from segstudio.runs import EMBEDDED, INSTANT, Separation
from segstudio.text import _

__all__ = ["Looking", "Step", "predict_job"]

T = TypeVar("T")

Step = Reply | Priority | None
"""What a job yields: something to send, a new place in the agenda, or only its turn."""

_INSTANCE_PIXELS = 64 << 20
"""Larger planes are not kept whole: each class is one object, and accepting finds the components."""

_FIRST_WINDOWS = 4
"""So many windows of what came on screen go before everything else; after that a run gets its turns too."""

_CAREFUL_PIXELS = 2 << 20
"""Planes of so many pixels at most are predicted with more care where nobody waits: seconds for a better proposal."""

_PARTS_EVERY_S = 0.5

_FEW = 16

Rows = list[tuple[int, int, float]]
Place = tuple[int, int]


class Looking:
    """The part of a request on screen: `at` is a plane and its visible part, `times` counts how often that changed."""

    def __init__(self, at: Target | None = None) -> None:
        self.at = at
        self.times = 0

    def turn(self, at: Target) -> None:
        """Note that something else is on screen now."""
        self.at, self.times = at, self.times + 1

    def part_of(self, entry: PlaneEntry) -> Rect | None:
        """The visible part of a plane; None if it is not on screen."""
        at = self.at
        if at is None or at.visible is None or (at.image, at.plane) != (entry.image, entry.plane):
            return None
        return Rect(*at.visible).intersected(entry.bounds)


def predict_job(shop: Workshop, request: Predict, looking: Looking) -> Generator[Step, None, None]:
    """Predict every target of a request. A file that cannot be read is reported, and the others continue."""
    data = shop.view()
    model, fit_s = yield from _timed(shop.model(request.version, request.device, data))
    left = {(target.image, target.plane): target for target in request.targets}
    while left:
        target = _next(left, looking)
        entry = data.entry(target.image, target.plane)
        if entry is None:
            yield _problem(request, target, model, _("This image is no longer in the project."))
            continue
        try:
            yield from _plane(_Work(request, entry, model, data, looking, fit_s))
            fit_s = 0.0
        except UnreadableImage as error:
            yield _problem(request, target, model, error.sentence)
    yield Done(request.id)
    if model.name == EMBEDDED:
        yield from _look_ahead(shop, request, data, looking)


def _look_ahead(shop: Workshop, request: Predict, data: Dataset, looking: Looking) -> Generator[Step, None, None]:
    """After a guess: the features by which the instant learner will be fitted, while nothing else is asked for."""
    at = looking.at
    entry = None if at is None else data.entry(at.image, at.plane)
    visible = None if entry is None else looking.part_of(entry)
    if entry is not None and visible is not None and not visible.empty:
        yield Priority.REST
        yield from shop.look_ahead(request.device, data, entry, visible)


def _next(left: dict[tuple[int, int], Target], looking: Looking) -> Target:
    """Take the plane on screen, else the first that is left."""
    key = None if looking.at is None else (looking.at.image, looking.at.plane)
    return left.pop(key) if key is not None and key in left else left.pop(next(iter(left)))


def _timed(steps: Generator[None, None, T]) -> Generator[None, None, tuple[T, float]]:
    """A generator's result, and the seconds it took without those spent by others between its steps."""
    spent = 0.0
    while True:
        begun = time.perf_counter()
        try:
            next(steps)
        except StopIteration as end:
            return end.value, spent + time.perf_counter() - begun
        spent += time.perf_counter() - begun
        yield None


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """Everything the prediction of one plane needs."""

    request: Predict
    entry: PlaneEntry
    model: Model
    data: Dataset
    looking: Looking
    fit_s: float


def _plane(work: _Work) -> Generator[Step, None, None]:
    """Tiles of one plane, those on screen first, even if that changes meanwhile."""
    entry, model, seconds = work.entry, work.model, Seconds()
    instances = {c.id for c in work.data.classes() if c.instances} & set(model.outputs)
    instances = instances if entry.bounds.area <= _INSTANCE_PIXELS else set()
    drawing = _Drawing(entry, model.outputs, instances, model.separation)
    left = dict.fromkeys(tiles_of(entry.bounds))
    shown_at = 0.0
    while left:
        turn, careful = _Turn(work.looking, entry, left), _is_careful(work)
        yield turn.priority
        fresh = False
        tiles_made = partial(joined_tiles, mirrored=True) if careful else predict_tiles
        for found in tiles_made(model, work.data, entry, tiles=list(left), first=turn.first, seconds=seconds):
            if found is not None:
                del left[found.ty, found.tx]
                fresh = True
                beyond = work.data.outside(entry.image, entry.plane, found.rect) if entry.bounded else None
                yield _tile_reply(work.request, entry, found.ty, found.tx, *drawing.add(found, beyond))
                continue
            ended = turn.made_window(left)
            if not left:
                break  # send the end at once: a finished plane must not wait for a run
            if fresh and (ended or time.perf_counter() - shown_at >= _PARTS_EVERY_S):
                yield _image_reply(work, drawing.rows(), seconds, part=True)
                fresh, shown_at = False, time.perf_counter()
            yield turn.priority
            if turn.is_over(left):
                break
    for key, ids, levels in drawing.with_instances():
        yield _tile_reply(work.request, entry, *key, ids, levels)
    yield _image_reply(work, drawing.rows(), seconds, part=False)


def _is_careful(work: _Work) -> bool:
    """Whether a plane is predicted mirrored too and by both learners: by a version that was trained, where it is small
    and nobody waits for it.
    """
    entry = work.entry
    trained = work.model.name not in (EMBEDDED, INSTANT)
    return trained and entry.bounds.area <= _CAREFUL_PIXELS and work.looking.part_of(entry) is None


class _Turn:
    """One look at the screen: what is made first until it changes, and with which priority."""

    def __init__(self, looking: Looking, entry: PlaneEntry, left: Collection[Place]) -> None:
        self._looking, self._entry, self._times = looking, entry, looking.times
        self._windows = 0
        self.first = looking.part_of(entry)
        self._waiting = _within(self.first, left)

    @property
    def priority(self) -> Priority:
        """Of the next window."""
        if not self._waiting:
            return Priority.REST
        return Priority.VISIBLE if self._windows < _FIRST_WINDOWS else Priority.TRAIN

    def made_window(self, left: Collection[Place]) -> bool:
        """Note that a window is done; whether it was the last of what is on screen."""
        self._windows += 1
        waited = bool(self._waiting)
        self._waiting = {key for key in self._waiting if key in left}
        return waited and not self._waiting

    def is_over(self, left: Collection[Place]) -> bool:
        """Whether something else is on screen by now and still to be made."""
        if self._times == self._looking.times:
            return False
        self._times = self._looking.times
        first = self._looking.part_of(self._entry)
        return first != self.first and bool(_within(first, left))


def _within(rect: Rect | None, left: Collection[Place]) -> set[Place]:
    return set() if rect is None else {key for key in tiles_of(rect) if key in left}


@dataclass(slots=True)
class _Score:
    pixels: int = 0
    total: float = 0.0


class _Drawing:
    """Objects of a plane as its tiles come in: one per class, and in the end one per component for instance classes."""

    def __init__(self, entry: PlaneEntry, outputs: Sequence[int], instances: set[int], how: Separation) -> None:
        self._entry, self._how = entry, how
        self._outputs = np.array(outputs, np.int32)
        self._table = None
        if len(outputs) < PLACES:
            self._table = np.zeros(PLACES, np.int32)
            self._table[: len(outputs)] = self._outputs
        self._instances = instances
        self._scores: dict[int, _Score] = {}
        self._class_of: dict[int, int] = {}
        shape = (entry.height, entry.width) if instances else (0, 0)
        self._classes = np.zeros(shape, np.int32)
        self._best = np.zeros(shape, np.float16)
        self._levels: dict[tuple[int, int], NDArray[np.uint8]] = {}

    def add(
        self, found: TileProbabilities, outside: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        """Object ids (256, 256) and confidence levels (64, 64) of a tile, each class being one object; nothing is
        proposed outside the picture.
        """
        place, best = best_of(found.values)
        counted = (place, best) if outside is None else (place[~outside], best[~outside])
        for class_id, count, total in zip(
            self._outputs.tolist(), *totals_of(*counted, len(self._outputs)), strict=True
        ):
            if class_id and count:
                score = self._scores.setdefault(class_id, _Score())
                score.pixels += count
                score.total += total
                self._class_of[class_id] = class_id
        classes = (
            self._outputs[place] if self._table is None else looked_up(place.astype(np.uint8, copy=False), self._table)
        )
        if outside is not None:
            classes = np.where(outside, np.int32(0), classes)
        if outside is not None or not self._outputs.all():
            best[classes == 0] = 0.0
        levels = quantised_confidence(best)
        if self._instances:
            rect = found.rect
            self._classes[rect.y : rect.bottom, rect.x : rect.right] = classes
            self._best[rect.y : rect.bottom, rect.x : rect.right] = best
            self._levels[found.ty, found.tx] = levels
        return _whole(classes.view(np.uint32)), levels

    def with_instances(self) -> list[tuple[tuple[int, int], NDArray[np.uint32], NDArray[np.uint8]]]:
        """Every tile again, each object of an instance class by itself, those that touch taken apart."""
        if not self._instances:
            return []
        ids = self._classes.astype(np.uint32)
        next_id = int(self._outputs.max()) + 1
        for class_id in sorted(self._instances):
            n, parts = separated(self._classes == class_id, self._how)
            pixels = np.bincount(parts.ravel(), minlength=n + 1)
            totals = np.bincount(parts.ravel(), self._best.ravel(), minlength=n + 1)
            inside = parts > 0
            ids[inside] = parts[inside].astype(np.uint32) + np.uint32(next_id - 1)
            self._scores.pop(class_id, None)
            for part in range(1, n + 1):
                self._class_of[next_id + part - 1] = class_id
                self._scores[next_id + part - 1] = _Score(int(pixels[part]), float(totals[part]))
            next_id += n
        out = []
        for (ty, tx), levels in self._levels.items():
            part = Rect(tx * TILE, ty * TILE, TILE, TILE).intersected(self._entry.bounds)
            out.append(((ty, tx), _whole(ids[part.y : part.bottom, part.x : part.right]), levels))
        return out

    def rows(self) -> Rows:
        """Object id, class id and mean probability of every object so far."""
        return [(id_, self._class_of[id_], score.total / score.pixels) for id_, score in self._scores.items()]


def best_of(values: NDArray[np.float32]) -> tuple[NDArray[np.integer], NDArray[np.float32]]:
    """Which of the outputs (outputs, h, w) is the greatest at each pixel, the first of equal ones, and its value.

    numpy's own `argmax` over a first axis takes ten times as long as comparing output by output.
    """
    best, n = values.max(0), len(values)
    if n > np.iinfo(np.uint8).max:
        return values.argmax(0), best
    from_behind = np.zeros(best.shape, np.uint8)
    for place in range(n):
        np.maximum(from_behind, (values[place] == best).view(np.uint8) * np.uint8(n - place), out=from_behind)
    return np.minimum(n - from_behind, n - 1).astype(np.uint8), best


def totals_of(place: NDArray[np.integer], best: NDArray[np.float32], outputs: int) -> tuple[list[int], list[float]]:
    """How many pixels (h, w) each output has, and the sum of their values."""
    if outputs > _FEW:
        counts = np.bincount(place.ravel(), minlength=outputs)
        return counts.tolist(), np.bincount(place.ravel(), best.ravel(), minlength=outputs).tolist()
    # Few outputs, each on its own: a third of the time of counting, which widens all numbers first.
    inside = [place == output for output in range(outputs)]
    return (
        [int(np.count_nonzero(of)) for of in inside],
        [float(np.dot(best.ravel(), of.ravel().astype(np.float32))) for of in inside],
    )


def _whole(part: NDArray) -> NDArray:
    """A tile's array (256, 256), zero beyond the plane."""
    if part.shape == (TILE, TILE):
        return np.ascontiguousarray(part)
    out = np.zeros((TILE, TILE), part.dtype)
    out[: part.shape[0], : part.shape[1]] = part
    return out


def _tile_reply(
    request: Predict, entry: PlaneEntry, ty: int, tx: int, ids: NDArray[np.uint32], levels: NDArray[np.uint8]
) -> PredictedTile:
    labels = encode_tile(frozen(ids, np.zeros((TILE, TILE), np.uint8)))
    return PredictedTile(request.id, entry.image, entry.plane, ty, tx, labels, encode_confidence(levels))


def _image_reply(work: _Work, rows: Rows, seconds: Seconds, *, part: bool) -> PredictedImage:
    return PredictedImage(
        id=work.request.id,
        image=work.entry.image,
        plane=work.entry.plane,
        version=work.model.name,
        rows=rows,
        part=part,
        scale=32 / work.model.pitch,
        network_pixels=seconds.network_pixels,
        decode_s=seconds.decode,
        network_s=seconds.network,
        fit_s=work.fit_s,
    )


def _problem(request: Predict, target: Target, model: Model, sentence: str) -> PredictedImage:
    return PredictedImage(id=request.id, image=target.image, plane=target.plane, version=model.name, problem=sentence)

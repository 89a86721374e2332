"""The engine's prediction job: planes to proposals, tile by tile, what is on the screen first."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.engine.agenda import Priority
from segstudio.engine.project_data import ProjectData
from segstudio.engine.protocol import Done, Predict, PredictedImage, PredictedTile, Reply, Target
from segstudio.engine.workshop import Workshop
from segstudio.errors import UnreadableImage
from segstudio.geometry import TILE, Rect, tiles_of
from segstudio.labels.codec import encode_tile
from segstudio.labels.proposal import encode_confidence, quantised_confidence
from segstudio.labels.tile import frozen
from segstudio.learn.data import PlaneEntry
from segstudio.learn.predict import Model, Seconds, TileProbabilities, predict_tiles

__all__ = ["Step", "predict_job"]

Step = Reply | Priority | None
"""What a job yields: something to send, a new place in the agenda, or nothing but the turn."""

_INSTANCE_PIXELS = 64 << 20
"""Larger planes are not held whole: there each class is one object, and accepting finds the components."""

Rows = list[tuple[int, int, float]]


def predict_job(shop: Workshop, request: Predict) -> Generator[Step, None, None]:
    """Predict every target of a request. A file that cannot be read is reported, and the others are done."""
    data = shop.view()
    model = yield from shop.model(request.version, request.device, data)
    for target in sorted(request.targets, key=lambda t: t.visible is None):
        yield Priority.REST if target.visible is None else Priority.VISIBLE
        entry = data.entry(target.image, target.plane)
        if entry is None:
            yield _problem(request, target, model, "The project has no such image any more.")
            continue
        try:
            yield from _plane(request, target, entry, model, data)
        except UnreadableImage as error:
            yield _problem(request, target, model, error.sentence)
    yield Done(request.id)


def _plane(
    request: Predict, target: Target, entry: PlaneEntry, model: Model, data: ProjectData
) -> Generator[Step, None, None]:
    seconds = Seconds()
    instances = {c.id for c in data.classes() if c.instances} & set(model.outputs)
    drawing = _Drawing(entry, model.outputs, instances if entry.bounds.area <= _INSTANCE_PIXELS else set())
    first = None if target.visible is None else Rect(*target.visible).intersected(entry.bounds)
    shown = set() if first is None else set(tiles_of(first))
    waiting = shown if shown < set(tiles_of(entry.bounds)) else set()
    for found in predict_tiles(model, data, entry, first=first, seconds=seconds):
        if found is None:
            yield None
            continue
        yield _tile_reply(request, entry, found.ty, found.tx, *drawing.add(found))
        if waiting:
            waiting.discard((found.ty, found.tx))
            if not waiting:
                yield _image_reply(request, entry, model, drawing.rows(), seconds, part=True)
                yield Priority.REST
    for key, ids, levels in drawing.with_instances():
        yield _tile_reply(request, entry, *key, ids, levels)
    yield _image_reply(request, entry, model, drawing.rows(), seconds, part=False)


@dataclass(slots=True)
class _Score:
    pixels: int = 0
    total: float = 0.0


class _Drawing:
    """Objects of a plane as its tiles come in: one a class, and at the end one a component for instance classes."""

    def __init__(self, entry: PlaneEntry, outputs: Sequence[int], instances: set[int]) -> None:
        self._entry = entry
        self._outputs = np.array(outputs, np.int32)
        self._instances = instances
        self._scores: dict[int, _Score] = {}
        self._class_of: dict[int, int] = {}
        shape = (entry.height, entry.width) if instances else (0, 0)
        self._classes = np.zeros(shape, np.int32)
        self._best = np.zeros(shape, np.float16)
        self._levels: dict[tuple[int, int], NDArray[np.uint8]] = {}

    def add(self, found: TileProbabilities) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        """Object ids (256, 256) and confidence levels (64, 64) of a tile, each class being one object."""
        place = found.values.argmax(0)
        best = np.take_along_axis(found.values, place[None], 0)[0]
        classes = self._outputs[place]
        for class_id in np.unique(classes).tolist():
            mask = classes == class_id
            if class_id:
                score = self._scores.setdefault(class_id, _Score())
                score.pixels += int(mask.sum())
                score.total += float(best[mask].sum())
                self._class_of[class_id] = class_id
        best = np.where(classes > 0, best, np.float32(0))
        levels = quantised_confidence(_whole(best))
        if self._instances:
            rect = found.rect
            self._classes[rect.y : rect.bottom, rect.x : rect.right] = classes
            self._best[rect.y : rect.bottom, rect.x : rect.right] = best
            self._levels[found.ty, found.tx] = levels
        return _whole(classes.astype(np.uint32)), levels

    def with_instances(self) -> list[tuple[tuple[int, int], NDArray[np.uint32], NDArray[np.uint8]]]:
        """Every tile again, each 8-connected component of an instance class an object of its own."""
        if not self._instances:
            return []
        ids = self._classes.astype(np.uint32)
        next_id = int(self._outputs.max()) + 1
        for class_id in sorted(self._instances):
            n, parts = cv2.connectedComponents((self._classes == class_id).astype(np.uint8), connectivity=8)
            pixels = np.bincount(parts.ravel(), minlength=n)
            totals = np.bincount(parts.ravel(), self._best.ravel(), minlength=n)
            inside = parts > 0
            ids[inside] = parts[inside].astype(np.uint32) + np.uint32(next_id - 1)
            self._scores.pop(class_id, None)
            for part in range(1, n):
                self._class_of[next_id + part - 1] = class_id
                self._scores[next_id + part - 1] = _Score(int(pixels[part]), float(totals[part]))
            next_id += n - 1
        out = []
        for (ty, tx), levels in self._levels.items():
            part = Rect(tx * TILE, ty * TILE, TILE, TILE).intersected(self._entry.bounds)
            out.append(((ty, tx), _whole(ids[part.y : part.bottom, part.x : part.right]), levels))
        return out

    def rows(self) -> Rows:
        """Object id, class id and mean probability of every object so far."""
        return [(id_, self._class_of[id_], score.total / score.pixels) for id_, score in self._scores.items()]


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


def _image_reply(
    request: Predict, entry: PlaneEntry, model: Model, rows: Rows, seconds: Seconds, *, part: bool
) -> PredictedImage:
    return PredictedImage(
        id=request.id,
        image=entry.image,
        plane=entry.plane,
        version=model.name,
        rows=rows,
        part=part,
        scale=32 / model.pitch,
        network_pixels=seconds.network_pixels,
        decode_s=seconds.decode,
        network_s=seconds.network,
    )


def _problem(request: Predict, target: Target, model: Model, sentence: str) -> PredictedImage:
    return PredictedImage(id=request.id, image=target.image, plane=target.plane, version=model.name, problem=sentence)

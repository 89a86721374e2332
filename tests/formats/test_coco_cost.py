"""What an export to COCO costs: pixels are read a number of times that has nothing to do with the number of objects."""

import gc
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from segstudio.formats import coco
from segstudio.formats.coco import CocoWriter
from segstudio.formats.values import ExportPlan, FormatClass, LabelPlane
from segstudio.labels.model import Kind

SIDE = 384
CELL = FormatClass(4, "cell", "#56B4E9", Kind.INSTANCE)


class _Pixels(np.ndarray):
    """Pixels of a plane; `read` counts those that any operation was given."""

    read = 0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        _Pixels.read += sum(x.size for x in inputs if isinstance(x, _Pixels))
        if "out" in options:
            options["out"] = tuple(_plain(x) for x in options["out"])
        return getattr(ufunc, method)(*map(_plain, inputs), **options)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        _Pixels.read += sum(x.size for x in args if isinstance(x, _Pixels))
        return super().__array_function__(func, types, args, kwargs)


def _plain(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, _Pixels) else x


def _plane(objects: int, name: str) -> LabelPlane:
    """Small squares in a grid, each an object of its own; the rest is not exported."""
    ids = np.zeros((SIDE, SIDE), np.uint32)
    for n in range(objects):
        y, x = divmod(n, SIDE // 12)
        ids[12 * y + 2 : 12 * y + 8, 12 * x + 2 : 12 * x + 8] = n + 1
    return LabelPlane(name, 0, 1, np.where(ids, 4, -1).astype(np.int32), ids)


def _counted(pixels: NDArray[Any]) -> NDArray[Any]:
    return pixels.view(_Pixels)


def _reads(folder: Path, objects: int) -> int:
    """Pixels read while a plane of so many objects is written and compared."""
    plane = _plane(objects, "a.png")
    folder.mkdir()
    writer = CocoWriter(folder, ExportPlan((CELL,), (("a.png", 1),)))
    _Pixels.read = 0
    writer.add(replace(plane, values=_counted(plane.values), objects=_counted(plane.objects)))
    writer.finish()
    assert (folder / "coco.json").read_text().count('"iscrowd"') == objects
    return _Pixels.read


def test_each_pixel_is_read_a_bounded_number_of_times_however_many_objects_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    down, decode = coco.down_columns, coco_mask.decode

    def decoded(areas: Any) -> NDArray[np.uint8]:
        masks = decode(areas)
        _Pixels.read += masks.size
        return masks

    monkeypatch.setattr(coco, "down_columns", lambda plane: _counted(down(plane)))
    monkeypatch.setattr(coco_mask, "decode", decoded)
    few, many = _reads(tmp_path / "few", 10), _reads(tmp_path / "many", 1000)
    assert SIDE * SIDE < few < 15 * SIDE * SIDE
    assert many < 1.5 * few


def _peak(folder: Path, planes: list[LabelPlane]) -> int:
    """Most bytes that were taken at once while these planes were written."""
    folder.mkdir()
    gc.collect()
    tracemalloc.start()
    writer = CocoWriter(folder, ExportPlan((CELL,), tuple((p.path, 1) for p in planes)))
    for plane in planes:
        writer.add(plane)
    writer.finish()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_the_objects_of_one_image_at_a_time_are_in_memory(tmp_path: Path) -> None:
    planes = [_plane(1000, f"{n}.png") for n in range(12)]
    _peak(tmp_path / "warm", planes[:1])
    one, twelve = _peak(tmp_path / "one", planes[:1]), _peak(tmp_path / "twelve", planes)
    assert twelve < 1.25 * one
    assert one < 60 * SIDE * SIDE  # a mask of each object would be a thousand times the plane

"""COCO (Lin et al., Microsoft COCO: Common Objects in Context, 2014): one coco.json, always RLE, `iscrowd` 0.

A semantic class is one annotation per image, every instance one of its own; ignored pixels are left out, and so is the
background unless asked for. Each plane of an image with several is an image entry of its own, with its number as
`plane`.

Annotations are written plane by plane, one per line, and read back at once: only the objects of one plane are in
memory.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from segstudio.errors import ExportMismatch
from segstudio.formats.rle import Runs, down_columns, runs_of, unpacked
from segstudio.formats.values import AnnotationReader, ExportPlan, LabelPlane
from segstudio.labels.model import Kind
from segstudio.text import _

__all__ = ["FILE", "CocoWriter", "annotation_reader", "earlier", "is_own", "writer"]

FILE = "coco.json"
_DESCRIPTION = "exported by SegStudio"
_HEAD_BYTES = 4096
_READ_BYTES = 1 << 20


class _Rle(msgspec.Struct, frozen=True):
    size: tuple[int, int]
    counts: str


class _Annotation(msgspec.Struct, frozen=True):
    id: int
    image_id: int
    category_id: int
    segmentation: _Rle
    area: int
    bbox: tuple[int, int, int, int]
    iscrowd: int = 0


def is_own(path: Path) -> bool:
    """Whether a file begins like those made by `CocoWriter`. Raises `OSError`."""
    with path.open("rb") as file:
        return _DESCRIPTION.encode() in file.read(_HEAD_BYTES)


def earlier(_out: Path) -> Iterable[tuple[PurePosixPath, str]]:
    """See `FormatModule`: each export replaces the one file."""
    return ()


def writer(folder: Path, plan: ExportPlan) -> "CocoWriter":
    """A writer of one file."""
    return CocoWriter(folder, plan)


def annotation_reader(path: Path) -> AnnotationReader:
    """A reader of such a file, of any program. Raises `UserError` if it is of another kind."""
    from segstudio.formats.coco_reader import CocoReader

    return CocoReader(path)


class CocoWriter:
    """See `MaskWriter`. Each plane's annotations are compared as soon as they are written, the file at the end."""

    def __init__(self, folder: Path, plan: ExportPlan) -> None:
        self._file = folder / FILE
        self._classes = {
            c.value: c
            for c in plan.classes
            if c.kind in (Kind.SEMANTIC, Kind.INSTANCE) or (c.kind is Kind.BACKGROUND and plan.background)
        }
        self._values = np.array(list(self._classes), np.int32)
        self._instance = np.array([v for v, c in self._classes.items() if c.kind is Kind.INSTANCE], np.int32)
        self._images: list[dict[str, Any]] = []
        self._annotations = 0
        self._written = hashlib.sha256()
        info = msgspec.json.encode({"description": _DESCRIPTION, "version": "1.0"})
        # The description comes first: `is_own` recognises our files by it.
        self._head = b'{"info": ' + info + b',\n"licenses": [],\n"annotations": ['

    def add(self, labels: LabelPlane) -> None:
        """Write one plane and read it back."""
        height, width = labels.values.shape
        entry: dict[str, Any] = {
            "id": len(self._images) + 1,
            "width": width,
            "height": height,
            "file_name": labels.path,
        }
        if labels.planes > 1:
            entry["plane"] = labels.plane
        self._images.append(entry)
        columns = _Columns(labels)
        runs = columns.runs(self._values, self._instance)
        lines = [msgspec.json.encode(annotation) for annotation in self._annotated(runs, entry)]
        text = b"".join((b",\n" if at or self._annotations else b"\n") + line for at, line in enumerate(lines))
        self._compare(self._write(text), columns, entry, len(lines))
        self._annotations += len(lines)

    def names_of(self, path: str) -> Iterable[PurePosixPath]:
        """See `MaskWriter`: all images share one file."""
        return ()

    def finish(self) -> Iterable[PurePosixPath]:
        """Write what follows the annotations, and compare the whole file with what was compared plane by plane."""
        categories = [
            {"id": c.value, "name": c.name, "supercategory": "", "isthing": int(c.kind is Kind.INSTANCE)}
            for c in self._classes.values()
        ]
        tail = msgspec.json.encode({"images": self._images, "categories": categories})
        self._write(b"\n],\n" + tail[1:] + b"\n", sync=True)
        found = hashlib.sha256()
        with self._file.open("rb") as file:
            while part := file.read(_READ_BYTES):
                found.update(part)
        if found.digest() != self._written.digest():
            raise ExportMismatch(_("{file} does not hold what was written to it, and nothing was exported.", file=FILE))
        return [PurePosixPath(FILE)]

    def _write(self, data: bytes, *, sync: bool = False) -> int:
        """Append to the file; returns where the data begins."""
        with self._file.open("ab") as out:
            if not out.tell():
                out.write(self._head)
                self._written.update(self._head)
            begin = out.tell()
            out.write(data)
            self._written.update(data)
            if sync:
                out.flush()
                os.fsync(out.fileno())
            return begin

    def _annotated(self, runs: Runs, entry: dict[str, Any]) -> Iterable[_Annotation]:
        from pycocotools import mask as coco_mask

        size = (entry["height"], entry["width"])
        plain: Any = [
            {"size": list(size), "counts": counts} for counts in runs.counts()
        ]  # its stubs know packed ones only
        packed = coco_mask.frPyObjects(plain, *size) if plain else []
        known = zip((runs.keys >> 32).tolist(), packed, runs.areas().tolist(), runs.boxes().tolist(), strict=True)
        for number, (value, rle, area, box) in enumerate(known, start=self._annotations + 1):
            yield _Annotation(number, entry["id"], value, _Rle(size, rle["counts"].decode("ascii")), area, tuple(box))

    def _compare(self, begin: int, columns: "_Columns", entry: dict[str, Any], wanted: int) -> None:
        """Read the last annotations back. Raises `ExportMismatch` unless they are those of the plane."""
        with self._file.open("rb") as file:
            file.seek(begin)
            _unused, *lines = file.read().split(b"\n")
        try:
            found = [_decoder.decode(line.removesuffix(b",")) for line in lines]
        except msgspec.DecodeError as error:
            raise ExportMismatch(
                _("{file} could not be read back after writing, and nothing was exported.", file=FILE)
            ) from error
        size = (entry["height"], entry["width"])
        numbers = range(self._annotations + 1, self._annotations + wanted + 1)
        right = [a.id for a in found] == list(numbers) and all(
            a.image_id == entry["id"] and a.segmentation.size == size and not a.iscrowd for a in found
        )
        if not right or not columns.are_those_of(found, self._values, self._instance):
            raise ExportMismatch(
                _(
                    "{file} does not hold the labels of {image}, and nothing was exported.",
                    file=FILE,
                    image=entry["file_name"],
                )
            )


_decoder = msgspec.json.Decoder(_Annotation)


class _Columns:
    """A plane down its columns (w * h): class values and object ids, as `down_columns` gives them."""

    def __init__(self, labels: LabelPlane) -> None:
        self.values, self.objects = down_columns(labels.values), down_columns(labels.objects)
        self._height, self._size = labels.values.shape[0], labels.values.size
        self._nothing = int(np.iinfo(self.values.dtype).max)
        self._present: tuple[int, ...] = ()

    def runs(self, wanted: NDArray[np.int32], instance: NDArray[np.int32]) -> Runs:
        """The runs of each annotation. A key holds the class in its high bits and the object in its low bits.

        The object is 0 for a class that is not an instance class: it is one annotation.
        """
        new = self.values[1:] != self.values[:-1]
        new |= self.objects[1:] != self.objects[:-1]
        starts = np.concatenate([[0], np.flatnonzero(new) + 1])
        values, objects = self.values[starts].astype(np.int64), self.objects[starts].astype(np.int64)
        self._present = tuple(np.unique(values).tolist())
        keys = values << 32 | np.where(np.isin(values, instance), objects, 0)
        return runs_of(np.where(np.isin(values, wanted), keys, -1), starts, self._height, self._size)

    def are_those_of(
        self, found: Sequence[_Annotation], wanted: NDArray[np.int32], instance: NDArray[np.int32]
    ) -> bool:
        """Whether annotations describe every pixel: the plane is rebuilt from them and compared.

        Changes `values`: what is not exported is removed from them.
        """
        if not found:
            return not np.isin(self._present, wanted).any()
        runs = unpacked([a.segmentation.counts.encode() for a in found], self._height, self._size)
        if runs is None or runs.areas().tolist() != [a.area for a in found]:
            return False
        if runs.boxes().tolist() != [list(a.bbox) for a in found]:
            return False
        categories = np.array([a.category_id for a in found])
        single = np.isin(categories, instance)
        objects = np.where(single, self.objects[runs.starts[runs.firsts[:-1]]], 0)
        apart = len(set(zip(categories.tolist(), objects.tolist(), strict=True))) == len(found)
        if not apart or not np.isin(categories, wanted).all():
            return False
        order = np.argsort(runs.starts)
        starts, stops = runs.starts[order], runs.stops[order]
        gaps = starts - np.concatenate([[0], stops[:-1]])
        if gaps.min() < 0:
            return False  # two annotations share a pixel
        lengths = np.append(np.stack([gaps, stops - starts], 1).reshape(-1), self._size - stops[-1])
        owner = np.repeat(runs.keys, np.diff(runs.firsts))[order]
        for value in set(self._present).difference(wanted.tolist(), [self._nothing]):
            np.putmask(self.values, self.values == value, self._nothing)
        turns = np.full(len(lengths), self._nothing, self.values.dtype)
        turns[1::2] = categories[owner]
        if not np.array_equal(np.repeat(turns, lengths), self.values):
            return False
        one = single[owner]
        return self._of_one_object(starts[one], stops[one], objects[owner[one]])

    def _of_one_object(self, starts: NDArray[np.int64], stops: NDArray[np.int64], objects: NDArray[np.integer]) -> bool:
        """Whether all pixels of each of these runs belong to its object."""
        if not len(starts):
            return True
        changes = np.flatnonzero(self.objects[1:] != self.objects[:-1]) + 1
        inside = np.searchsorted(changes, stops) - np.searchsorted(changes, starts, side="right")
        return not inside.any() and np.array_equal(self.objects[starts], objects)

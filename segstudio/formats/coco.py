"""COCO (Lin et al., Microsoft COCO: Common Objects in Context, 2014): one coco.json, always RLE, `iscrowd` 0.

A semantic class is one annotation an image, every instance one of its own; ignored pixels are left out, and so is the
background unless asked for. A plane of an image with several is an image entry of its own, with its number as `plane`.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from segstudio.errors import ExportMismatch
from segstudio.formats.rle import object_runs
from segstudio.formats.values import ExportPlan, FormatClass, LabelPlane
from segstudio.imaging.readers.refusal import quiet
from segstudio.labels.model import Kind

__all__ = ["FILE", "CocoWriter", "is_own_coco"]

FILE = "coco.json"
_DESCRIPTION = "exported by SegStudio"
_HEAD_BYTES = 4096


def is_own_coco(path: Path) -> bool:
    """Whether a file begins as those that `CocoWriter` makes. Raises `OSError`."""
    with path.open("rb") as file:
        return _DESCRIPTION.encode() in file.read(_HEAD_BYTES)


class CocoWriter:
    """See `MaskWriter`. Keeps a digest of each plane's annotations, and compares when the file is read back."""

    def __init__(self, folder: Path, plan: ExportPlan) -> None:
        self._folder = folder
        self._classes = {
            c.value: c
            for c in plan.classes
            if c.kind in (Kind.SEMANTIC, Kind.INSTANCE) or (c.kind is Kind.BACKGROUND and plan.background)
        }
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []
        self._digests: list[bytes] = []

    def add(self, labels: LabelPlane) -> None:
        """Take in one plane."""
        from pycocotools import mask as coco_mask

        height, width = labels.values.shape
        image_id = len(self._images) + 1
        entry: dict[str, Any] = {"id": image_id, "width": width, "height": height, "file_name": labels.path}
        if labels.planes > 1:
            entry["plane"] = labels.plane
        self._images.append(entry)
        numbers, values = _annotation_numbers(labels, self._classes)
        self._digests.append(_digest(numbers))
        for runs in object_runs(numbers):
            counts: Any = {"size": [height, width], "counts": runs.counts}  # its stubs know only packed ones
            packed = coco_mask.frPyObjects(counts, height, width)
            self._annotations.append(
                {
                    "id": len(self._annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(values[runs.number]),
                    "segmentation": {"size": [height, width], "counts": packed["counts"].decode("ascii")},
                    "area": runs.area,
                    "bbox": list(runs.box),
                    "iscrowd": 0,
                }
            )

    def finish(self) -> Iterable[PurePosixPath]:
        """Write coco.json and compare every annotation in it with what was exported."""
        file = self._folder / FILE
        categories = [
            {"id": c.value, "name": c.name, "supercategory": "", "isthing": int(c.kind is Kind.INSTANCE)}
            for c in self._classes.values()
        ]
        content = {
            "info": {"description": _DESCRIPTION, "version": "1.0"},
            "licenses": [],
            "images": self._images,
            "categories": categories,
            "annotations": self._annotations,
        }
        with file.open("wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(content), indent=1))
            out.flush()
            os.fsync(out.fileno())
        _compare(file, self._digests, {c.value for c in self._classes.values()})
        return [PurePosixPath(FILE)]


def _annotation_numbers(
    labels: LabelPlane, classes: dict[int, FormatClass]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The number 1, 2, ... of each pixel's annotation (0 = none), uint32 (h, w), and the class value by number."""
    instance = np.isin(labels.values, [v for v, c in classes.items() if c.kind is Kind.INSTANCE])
    wanted = np.isin(labels.values, list(classes))
    # One key a pixel: the class above, the object below (0 for a semantic class, which is one annotation).
    keys = (labels.values.astype(np.int64) << 32) | np.where(instance, labels.objects, 0).astype(np.int64)
    keys = np.where(wanted, keys, -1)
    found, numbers = np.unique(keys, return_inverse=True)
    if len(found) and found[0] == -1:
        values = found >> 32
        return numbers.reshape(keys.shape).astype(np.uint32), values
    return (numbers.reshape(keys.shape) + 1).astype(np.uint32), np.concatenate([[-1], found >> 32])


def _digest(numbers: NDArray[np.uint32]) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(numbers, "<u4").data).digest()


def _compare(file: Path, digests: list[bytes], categories: set[int]) -> None:
    """Decode every annotation of a file with pycocotools and compare with the digests of what was exported.

    Raises `ExportMismatch` at the first difference.
    """
    from pycocotools import mask as coco_mask

    try:
        content = msgspec.json.decode(file.read_bytes())
    except msgspec.DecodeError as error:
        raise ExportMismatch(f"{FILE} could not be read back after writing; nothing was exported.") from error
    by_image: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for annotation in content["annotations"]:
        by_image[annotation["image_id"]].append(annotation)
    if len(content["images"]) != len(digests) or {c["id"] for c in content["categories"]} != categories:
        raise ExportMismatch(f"{FILE} lacks images or categories that were written to it; nothing was exported.")
    for image, digest in zip(content["images"], digests, strict=True):
        numbers = np.zeros((image["height"], image["width"]), np.uint32)
        right = True
        for number, annotation in enumerate(by_image[image["id"]], start=1):
            with quiet():  # pycocotools 2.0.11 uses a form of NumPy's that 2.4 warns of
                mask = coco_mask.decode(annotation["segmentation"]).astype(bool)
            box = coco_mask.toBbox(annotation["segmentation"]).tolist()
            right &= int(mask.sum()) == annotation["area"] and box == annotation["bbox"]
            right &= not bool(numbers[mask].any())
            numbers[mask] = number
        if not right or _digest(numbers) != digest:
            raise ExportMismatch(
                f"{FILE} does not hold what was exported of {image['file_name']}; nothing was exported."
            )

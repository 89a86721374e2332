"""COCO files written by hand: plain JSON, with a run-length code of its own, so that no reader checks itself."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["area", "coco_file", "counts_of", "packed", "rectangle"]


def counts_of(mask: NDArray[np.bool_]) -> list[int]:
    """Lengths of unset and set runs by turns, down the columns, unset ones first."""
    counts, value = [0], False
    for pixel in mask.T.ravel().tolist():
        if pixel == value:
            counts[-1] += 1
        else:
            counts.append(1)
            value = pixel
    return counts


def packed(counts: list[int]) -> str:
    """The same as text: from the third count on as the difference to the last but one, 5 bits a character."""
    text = ""
    for at, count in enumerate(counts):
        rest = count - counts[at - 2] if at > 2 else count
        while True:
            bits, rest = rest & 31, rest >> 5
            more = not (rest == -1 if bits & 16 else rest == 0)
            text += chr(48 + (bits | 32 if more else bits))
            if not more:
                break
    return text


def area(mask: NDArray[np.bool_], image: int, category: object, *, pack: bool = False, **more: object) -> dict:
    """An annotation of these pixels."""
    counts = counts_of(mask)
    segmentation = {"size": list(mask.shape), "counts": packed(counts) if pack else counts}
    return {"image_id": image, "category_id": category, "segmentation": segmentation, "iscrowd": 0, **more}


def rectangle(x: float, y: float, w: float, h: float) -> list[float]:
    """A polygon around the pixels x ... x + w - 1 and y ... y + h - 1."""
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def coco_file(
    path: Path,
    annotations: list[dict],
    images: list[dict] | None = None,
    categories: list[dict] | None = None,
) -> Path:
    """The file; by default of `a.png`, 40 x 30, with the classes of the small projects."""
    content = {
        "images": images or [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "annotations": [{"id": at, **annotation} for at, annotation in enumerate(annotations, start=1)],
        "categories": categories or [{"id": 7, "name": "leaf"}, {"id": 9, "name": "cell"}],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path

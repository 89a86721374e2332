"""Awkward and broken files of other projects: each reads equal to a reference, or is refused in one sentence."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.readers.frames import upright
from segstudio.imaging.source import open_image

pytestmark = pytest.mark.data

# Pillow is at fault, and no reader among our dependencies reads them safely; to be looked at with the formats.
NOT_YET = {
    "images/png/ip_cicp_pq.png": "Pillow refuses the wrong checksum of a chunk that says nothing about pixels",
    "images/jpeg/tm_0x00-to-0xFF-between-segments.jpg": "Pillow does not skip bytes between segments",
    "images/bmp/pil_rgb32-111110.bmp": "an order of colour bits that Pillow does not know",
    "images/bmp/pil_rgb32bf.bmp": "an order of colour bits that Pillow does not know",
}


def sha256(array: NDArray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()).hexdigest()


def forms(pixels: NDArray, alpha: NDArray | None, orientation: int) -> list[NDArray]:
    """The layouts in which a reference may hold these samples (h, w, c)."""
    back = {6: 8, 8: 6}.get(orientation, orientation)
    pixels, alpha = upright(pixels, back), None if alpha is None else upright(alpha, back)
    wide = [pixels] if alpha is None else [pixels, np.dstack([pixels, alpha])]
    if alpha is not None and pixels.shape[2] == 1:
        wide.append(np.dstack([pixels] * 3 + [alpha]))
    flat = [a[..., 0] for a in wide if (a[..., :3] == a[..., :1]).all()]
    return [*wide, *flat, *(a // 255 for a in flat if a.dtype == np.uint8), *(a.transpose(2, 0, 1) for a in wide)]


def volumes(planes: list[NDArray], shape: list[int], rescale: tuple[float, float]) -> list[NDArray]:
    """Planes as the volume (x, y, z, ...) that nibabel gives, as stored and after rescale."""
    stored = np.stack([plane[..., 0].T for plane in planes], -1).reshape(shape, order="F")
    return [stored, stored * np.float64(rescale[0]) + np.float64(rescale[1])]


@pytest.mark.parametrize("family", ["png", "jpeg", "webp", "bmp", "gif", "npy", "tiff", "geotiff", "dicom", "nifti"])
def test_files_read_equal_to_a_reference_or_are_refused_in_a_sentence(robust_files: Path, family: str) -> None:
    references = json.loads((robust_files / "reference.json").read_text())["files"]
    with (robust_files / "index.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["family"] == family and "annot" not in row["path"]]
    wrong: list[str] = []
    # Every file of the small families, every second of PNG and TIFF: the whole takes seconds.
    for row in rows[:: 2 if len(rows) > 150 else 1]:
        found = outcome(robust_files / row["path"], row, references.get(row["path"], {}))
        if found and row["path"] not in NOT_YET:
            wrong.append(f"{row['path']}: {found}")
    assert not wrong, "\n".join(wrong)


def outcome(path: Path, row: dict[str, str], reference: dict) -> str:
    """What is wrong with how we treat the file; empty where nothing is."""
    tolerant = row["other_ok"] == "yes"
    try:
        source = open_image(path)
        planes = source.info.planes
        rects = [Rect(0, 0, plane.width, plane.height) for plane in planes]
        pixels, alpha = source.read(rects[0]), source.alpha(0, rects[0])
        every = [source.read(rect, plane=plane) for plane, rect in enumerate(rects)]
        assert all(found.shape == (r.h, r.w, source.info.channels) for found, r in zip(every, rects, strict=True))
        source.close()
    except UnreadableImage as error:
        if path.name not in error.line or "\n" in error.line:
            return f"an unclear sentence: {error.line}"
        return "" if tolerant or row["expected"] == "refuse" else f"refused: {error.line}"
    if row["expected"] == "refuse":
        return "" if tolerant else "read, though it should be refused"
    if tolerant or family_shows_otherwise(row):
        return ""
    shapes = forms(pixels, alpha, int(row["orientation"] or 1))
    if row["family"] == "nifti":
        shapes = volumes(every, reference["references"][0]["shape"], source.rescale(0))
    elif len(every) > 1 and row["family"] == "dicom":
        shapes = [np.stack(every), np.stack(every)[..., 0]]
    for entry in reference["references"]:
        for form in shapes:
            if list(form.shape) != entry["shape"][-form.ndim :]:
                continue
            if sha256(form) == entry["sha256"] or (reference.get("lossy") and abs(form.mean() - entry["mean"]) <= 1):
                return ""
    return f"differs from its references ({pixels.shape} {pixels.dtype}, {len(planes)} planes)"


def family_shows_otherwise(row: dict[str, str]) -> bool:
    """TIFFs whose samples we show by rule and not as stored: CMYK as RGB, few bits spread over 0..255, grey turned
    round, several planes or series."""
    special = row["special"]
    few_bits = any(special.startswith(f"{n} bit") or f", {n} bit" in special for n in (2, 3, 4, 5, 6, 7))
    return row["family"] == "tiff" and (
        few_bits or "SEPARATED" in special or "MINISWHITE" in special or "pages" in special
    )

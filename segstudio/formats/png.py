"""Masks as PNG: one file a plane, the pixel is the class's value, 255 (65535 in 16 bits) is unknown or ignored.

Palette files in the classes' colours while every value fits, else 16-bit grey. Written by `png_file`, read back and
imported by Pillow: two programs have to agree on every file.
"""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import ExportMismatch, MaskMismatch, UnreadableImage
from segstudio.formats.naming import mask_paths
from segstudio.formats.png_file import write_grey, write_palette
from segstudio.formats.values import NOTHING, ExportPlan, LabelPlane, MaskFile, MaskValues
from segstudio.imaging.readers.pillow import opened_by_pillow, reading_by_pillow
from segstudio.imaging.readers.table import Content, content_of
from segstudio.labels.model import Kind

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

__all__ = ["FOLDER", "PngReader", "PngWriter", "is_own_png", "mask_size", "read_mask"]

FOLDER = "masks"
UNKNOWN_8, UNKNOWN_16 = 255, 65535
_HIGHEST_8 = 254
# The colour that VOC's masks have where nothing is said.
_UNKNOWN_COLOR = (224, 224, 192)


def is_own_png(path: Path) -> bool:
    """Whether a file bears the mark of the masks that `PngWriter` makes."""
    return content_of(path) is Content.OWN_MASK


class PngWriter:
    """See `MaskWriter`. Each file is read back as soon as it is written."""

    def __init__(self, folder: Path, plan: ExportPlan) -> None:
        self._folder = folder
        self._names = {path: names for (path, _), names in zip(plan.images, mask_paths(plan.images), strict=True)}
        values = [c.value for c in plan.classes if c.kind is not Kind.IGNORE]
        self._wide = max(values, default=0) > _HIGHEST_8
        self._palette = np.zeros((256, 3), np.uint8)
        self._palette[UNKNOWN_8] = _UNKNOWN_COLOR
        if not self._wide:
            for c in plan.classes:
                if c.kind is not Kind.IGNORE:
                    self._palette[c.value] = [int(c.color[i : i + 2], 16) for i in (1, 3, 5)]
        self._files: list[PurePosixPath] = []

    def add(self, labels: LabelPlane) -> None:
        """Write one mask and read it back."""
        name = PurePosixPath(FOLDER, self._names[labels.path][labels.plane])
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if self._wide:
            write_grey(file, self._stored(labels.values, UNKNOWN_16).astype(np.uint16))
        else:
            write_palette(file, self._stored(labels.values, UNKNOWN_8).astype(np.uint8), self._palette)
        self._compare(file, name, labels.values)
        self._files.append(name)

    def finish(self) -> Iterable[PurePosixPath]:
        """The files written; all of them are compared already."""
        return self._files

    @staticmethod
    def _stored(values: NDArray[np.int32], unknown: int) -> NDArray[np.int32]:
        return np.where(values == NOTHING, np.int32(unknown), values)

    def _compare(self, file: Path, name: PurePosixPath, values: NDArray[np.int32]) -> None:
        try:
            found = read_mask(file)
        except (UnreadableImage, MaskMismatch) as error:
            raise ExportMismatch(f"{name} could not be read back after writing; nothing was exported.") from error
        unknown = UNKNOWN_16 if self._wide else UNKNOWN_8
        if found.unknown != unknown or not np.array_equal(found.values, self._stored(values, unknown)):
            raise ExportMismatch(f"{name} does not hold what was written to it; nothing was exported.")


class PngReader:
    """See `MaskReader`."""

    def find(self, path: Path) -> list[MaskFile]:
        """The PNG files below a folder, in its `masks` folder where it has one (an export), or the one file."""
        if path.is_file():
            return [MaskFile(path, path.name)]
        base = path / FOLDER if (path / FOLDER).is_dir() else path
        found = [
            file
            for file in base.rglob("*")
            if file.suffix.lower() == ".png" and file.is_file() and not _hidden(file.relative_to(base))
        ]
        return sorted((MaskFile(f, f.relative_to(base).as_posix()) for f in found), key=lambda m: m.name)

    def size(self, mask: MaskFile) -> tuple[int, int]:
        """See `mask_size`."""
        return mask_size(mask.file)

    def read(self, mask: MaskFile) -> MaskValues:
        """See `read_mask`."""
        return read_mask(mask.file)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def mask_size(file: Path) -> tuple[int, int]:
    """Width and height of a mask, from its header. Raises `UnreadableImage` where it is no PNG."""
    with _opened(file) as image:
        return image.size


def read_mask(file: Path) -> MaskValues:
    """The values of a palette or grey PNG of 1 to 16 bits as they are stored.

    Raises `UnreadableImage` where it is no PNG or is damaged, `MaskMismatch` where it is a colour picture.
    """
    with _opened(file) as image, reading_by_pillow(file):
        mode = image.mode
        stored = str(image.tile[0].args if image.tile else "")
        if mode not in ("P", "L", "1") and not mode.startswith("I"):
            raise MaskMismatch(
                f"{file.name} is a colour picture ({mode}), no mask: masks are grey or palette PNG of class values."
            )
        values = np.asarray(image).astype(np.int32)
    # Pillow spreads grey of 2 and 4 bits over 0..255; the file's own values are wanted.
    spread = {"L;2": 85, "L;4": 17}.get(stored, 1)
    return MaskValues(values // spread, UNKNOWN_16 if mode.startswith("I") else UNKNOWN_8)


def _opened(file: Path) -> "ImageFile":
    if not file.is_file():
        raise UnreadableImage(f"{file.name} cannot be read: there is no such file.")
    with file.open("rb") as start:
        if start.read(8) != b"\x89PNG\r\n\x1a\n":
            raise UnreadableImage(f"{file.name} is no mask: its content is not PNG.")
    return cast("ImageFile", opened_by_pillow(file, ("PNG",)))

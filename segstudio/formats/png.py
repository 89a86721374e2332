"""Masks as PNG: one file per plane; a pixel is the class's value, 255 (65535 in 16 bits) is unknown or ignored.

Palette files in the classes' colours if every value fits, else 16-bit grey; plain grey on request. Written by
`png_file`, read back and imported by Pillow, so that two programs must agree on every file.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import ExportMismatch, MaskMismatch, UnreadableImage
from segstudio.formats.mask_folder import FOLDER, below, earlier_masks, is_own, others_below
from segstudio.formats.mask_values import UNKNOWN_8, UNKNOWN_16, storage_of
from segstudio.formats.naming import mask_paths
from segstudio.formats.png_file import project_of, write_grey, write_palette
from segstudio.formats.values import ExportPlan, LabelPlane, MaskFile, MaskValues
from segstudio.imaging.readers.pillow import opened_by_pillow, reading_by_pillow
from segstudio.text import _

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

__all__ = [
    "FOLDER",
    "PngReader",
    "PngWriter",
    "earlier",
    "is_own",
    "mask_reader",
    "mask_size",
    "picture_values",
    "read_mask",
    "writer",
]

_ENDING = ".png"
_LARGEST_PICTURE_COLORS = 4096
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_VALUES = (0, 3)
"""PNG colour types with one number per pixel: grey and palette."""


def earlier(out: Path) -> Iterator[tuple[PurePosixPath, str]]:
    """See `earlier_masks`."""
    return earlier_masks(out, _ENDING, project_of)


def writer(folder: Path, plan: ExportPlan) -> "PngWriter":
    """A writer of masks."""
    return PngWriter(folder, plan)


def mask_reader() -> "PngReader":
    """The reader of masks."""
    return PngReader()


class PngWriter:
    """See `MaskWriter`. Each file is read back as soon as it is written."""

    def __init__(self, folder: Path, plan: ExportPlan) -> None:
        self._folder = folder
        named = zip(plan.images, mask_paths(plan.images, _ENDING), strict=True)
        self._names = {path: names for (path, _), names in named}
        self._project, self._storage = plan.project, storage_of(plan)
        self._files: list[PurePosixPath] = []

    def add(self, labels: LabelPlane) -> None:
        """Write one mask and read it back."""
        name = PurePosixPath(FOLDER, self._names[labels.path][labels.plane])
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        stored, palette = self._storage.stored(labels.values), self._storage.palette
        if palette is None:
            write_grey(file, stored, project=self._project)
        else:
            write_palette(file, stored, palette, project=self._project)
        self._compare(file, name, labels.values)
        self._files.append(name)

    def names_of(self, path: str) -> Iterable[PurePosixPath]:
        """See `MaskWriter`."""
        return [PurePosixPath(FOLDER, name) for name in self._names[path]]

    def finish(self) -> Iterable[PurePosixPath]:
        """The files written; all of them have been compared."""
        return self._files

    def _compare(self, file: Path, name: PurePosixPath, values: NDArray[np.int32]) -> None:
        try:
            found = read_mask(file)
        except (UnreadableImage, MaskMismatch) as error:
            raise ExportMismatch(
                _("{name} could not be read back after writing, and nothing was exported.", name=name)
            ) from error
        if found.unknown != self._storage.unknown or not np.array_equal(found.values, self._storage.stored(values)):
            raise ExportMismatch(_("{name} does not hold what was written to it, and nothing was exported.", name=name))


class PngReader:
    """See `MaskReader`."""

    def find(self, path: Path) -> list[MaskFile]:
        """The PNG files below a folder, in its `masks` folder if it has one (an export), or the one file."""
        if path.is_file():
            return [] if self.others(path) else [MaskFile(path, path.name)]
        return [mask for mask in below(path) if mask.file.suffix.lower() == _ENDING]

    def others(self, path: Path) -> list[MaskFile]:
        """See `MaskReader`."""
        return others_below(path, (_ENDING,))

    def holds_values(self, mask: MaskFile) -> bool:
        """See `MaskReader`."""
        try:
            with mask.file.open("rb") as file:
                head = file.read(26)
        except OSError:
            return False
        return head.startswith(_SIGNATURE) and head[25:] in (bytes([kind]) for kind in _VALUES)

    def size(self, mask: MaskFile) -> tuple[int, int]:
        """See `mask_size`."""
        return mask_size(mask.file)

    def read(self, mask: MaskFile, *, pictures: bool = False) -> MaskValues:
        """See `read_mask`."""
        return read_mask(mask.file, pictures=pictures)


def mask_size(file: Path) -> tuple[int, int]:
    """Width and height of a mask, from its header. Raises `UnreadableImage` if it is not PNG."""
    with _opened(file) as image:
        return image.size


def read_mask(file: Path, *, pictures: bool = False) -> MaskValues:
    """The stored values of a palette or grey PNG of 1 to 16 bits and, with `pictures`, of a colour picture.

    Raises `UnreadableImage` if it is not PNG or is damaged, `MaskMismatch` if it is a colour picture and not wanted, or
    has more colours than any mask.
    """
    with _opened(file) as image, reading_by_pillow(file):
        mode = image.mode
        stored = str(image.tile[0].args if image.tile else "")
        if mode not in ("P", "L", "1") and not mode.startswith("I"):
            if pictures:
                return picture_values(file, np.asarray(image.convert("RGBA")))
            raise MaskMismatch(
                _(
                    "{name} is a colour picture ({mode}), not a mask: masks are grey or palette PNGs of class values.",
                    name=file.name,
                    mode=mode,
                ),
                todo=_("If its colours stand for classes, map them: --map '#RRGGBB=CLASS,...'."),
            )
        values = np.asarray(image).astype(np.int32)
        palette = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3) if mode == "P" else None
    # Pillow spreads grey of 2 and 4 bits over 0..255, but the file's own values are needed.
    spread = {"L;2": 85, "L;4": 17}.get(stored, 1)
    if mode.startswith("I"):
        return MaskValues(values, UNKNOWN_16)
    return MaskValues(
        values // spread, UNKNOWN_8, _ramp(255 if mode == "1" else spread) if palette is None else palette
    )


def _ramp(step: int) -> NDArray[np.uint8]:
    """The greys (n, 3) of the values of a grey picture: n = 2, 4, 16 or 256."""
    return np.repeat(np.arange(0, 256, step, dtype=np.uint8)[:, None], 3, 1)


def picture_values(file: Path, pixels: NDArray[np.uint8]) -> MaskValues:
    """A colour picture (h, w, RGBA) as places in the list of its colours; transparent pixels are unknown."""
    rgb = pixels[..., 0].astype(np.int32) << 16 | pixels[..., 1].astype(np.int32) << 8 | pixels[..., 2]
    clear = pixels[..., 3] == 0
    seen = np.zeros(1 << 24, np.bool_)
    seen[rgb[~clear]] = True
    colors = np.flatnonzero(seen).astype(np.int32)
    if len(colors) > _LARGEST_PICTURE_COLORS:
        raise MaskMismatch(_("{name} is not a mask: it has {colors:,} colours.", name=file.name, colors=len(colors)))
    values = np.where(clear, np.int32(len(colors)), np.searchsorted(colors, rgb).astype(np.int32))
    table = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], 1).astype(np.uint8)
    return MaskValues(values, len(colors), table, picture=True)


def _opened(file: Path) -> "ImageFile":
    if not file.is_file():
        raise UnreadableImage(_("{name} cannot be read: there is no such file.", name=file.name))
    with file.open("rb") as start:
        if start.read(8) != _SIGNATURE:
            raise UnreadableImage(_("{name} is not a mask: its content is not PNG.", name=file.name))
    return cast("ImageFile", opened_by_pillow(file, ("PNG",)))

"""Masks as PNG: one file per plane; a pixel is the class's value, 255 (65535 in 16 bits) is unknown or ignored.

Palette files in the classes' colours if every value fits, else 16-bit grey; plain grey on request. Written by
`png_file`, read back and imported by Pillow, so that two programs must agree on every file.
"""

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import ExportMismatch, MaskMismatch, UnreadableImage, UserError
from segstudio.formats.naming import mask_paths
from segstudio.formats.png_file import project_of, write_grey, write_palette
from segstudio.formats.values import NOTHING, ExportPlan, LabelPlane, MaskFile, MaskValues
from segstudio.imaging.readers.pillow import opened_by_pillow, reading_by_pillow
from segstudio.imaging.readers.table import FAMILIES, Content, content_of
from segstudio.labels.model import Kind
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
    "read_mask",
    "writer",
]

FOLDER = "masks"
_ENDING = ".png"
UNKNOWN_8, UNKNOWN_16 = 255, 65535
_HIGHEST_8 = 254
_LARGEST_PICTURE_COLORS = 4096
# The colour of unlabelled pixels in the masks of Pascal VOC.
_UNKNOWN_COLOR = (224, 224, 192)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_VALUES = (0, 3)
"""PNG colour types with one number per pixel: grey and palette."""

_NO_IMAGES = frozenset({".pgm", ".pbm", ".nii", ".gz", ".mat", ".dcm", ".nrrd", ".mha", ".jp2", ".npz", ".svg", ".h5"})
"""Further endings that masks may have. A text or JSON file beside an image is not taken for a mask."""


@cache
def _other_masks() -> frozenset[str]:
    """Endings of files that may be masks in a format that is not read, including those of other packages' readers."""
    return frozenset(ending for family in FAMILIES.rows for ending in family.extensions) - {_ENDING} | _NO_IMAGES


def is_own(path: Path) -> bool:
    """Whether a file has the mark of masks made by `PngWriter`."""
    return content_of(path) is Content.OWN_MASK


def earlier(out: Path) -> Iterator[tuple[PurePosixPath, str]]:
    """Masks below an export's folder that have our mark: path below `out`, and the project that wrote each ('': not
    known). Raises `OSError`, also for a folder that may not be read."""

    def refuse(error: OSError) -> None:
        raise error

    base = out / FOLDER
    if not base.is_dir():
        return
    for folder, _unused, files in os.walk(base, onerror=refuse):
        for name in sorted(files):
            file = Path(folder, name)
            if name.lower().endswith(_ENDING) and is_own(file):
                yield PurePosixPath(file.relative_to(out).as_posix()), project_of(file)


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
        self._grey, self._project = plan.grey, plan.project
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
            write_grey(file, self._stored(labels.values, UNKNOWN_16).astype(np.uint16), project=self._project)
        elif self._grey:
            write_grey(file, self._stored(labels.values, UNKNOWN_8).astype(np.uint8), project=self._project)
        else:
            indices = self._stored(labels.values, UNKNOWN_8).astype(np.uint8)
            write_palette(file, indices, self._palette, project=self._project)
        self._compare(file, name, labels.values)
        self._files.append(name)

    def names_of(self, path: str) -> Iterable[PurePosixPath]:
        """See `MaskWriter`."""
        return [PurePosixPath(FOLDER, name) for name in self._names[path]]

    def finish(self) -> Iterable[PurePosixPath]:
        """The files written; all of them have been compared."""
        return self._files

    @staticmethod
    def _stored(values: NDArray[np.int32], unknown: int) -> NDArray[np.int32]:
        return np.where(values == NOTHING, np.int32(unknown), values)

    def _compare(self, file: Path, name: PurePosixPath, values: NDArray[np.int32]) -> None:
        try:
            found = read_mask(file)
        except (UnreadableImage, MaskMismatch) as error:
            raise ExportMismatch(
                _("{name} could not be read back after writing, and nothing was exported.", name=name)
            ) from error
        unknown = UNKNOWN_16 if self._wide else UNKNOWN_8
        if found.unknown != unknown or not np.array_equal(found.values, self._stored(values, unknown)):
            raise ExportMismatch(_("{name} does not hold what was written to it, and nothing was exported.", name=name))


class PngReader:
    """See `MaskReader`."""

    def find(self, path: Path) -> list[MaskFile]:
        """The PNG files below a folder, in its `masks` folder if it has one (an export), or the one file."""
        if path.is_file():
            return [] if self.others(path) else [MaskFile(path, path.name)]
        return [mask for mask in _below(path) if mask.file.suffix.lower() == _ENDING]

    def others(self, path: Path) -> list[MaskFile]:
        """See `MaskReader`."""
        masks = [MaskFile(path, path.name)] if path.is_file() else _below(path)
        return [mask for mask in masks if mask.file.suffix.lower() in _other_masks()]

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


def _below(path: Path) -> list[MaskFile]:
    """Every plain file below a folder except hidden ones, sorted by name."""

    def refuse(error: OSError) -> NoReturn:
        raise UserError(_("{path} cannot be read: {reason}.", path=error.filename, reason=error.strerror)) from error

    base = path / FOLDER if os.path.isdir(path / FOLDER) else path
    found: list[MaskFile] = []
    for folder, folders, files in os.walk(base, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inner = Path(folder).relative_to(base)
        for name in files:
            file = Path(folder, name)
            try:
                plain = not name.startswith(".") and file.is_file()
            except PermissionError as error:  # the folder may be listed but not entered
                refuse(error)
            if plain:
                found.append(MaskFile(file, (inner / name).as_posix()))
    return sorted(found, key=lambda mask: mask.name)


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
                return _picture(file, np.asarray(image.convert("RGBA")))
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


def _picture(file: Path, pixels: NDArray[np.uint8]) -> MaskValues:
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

"""Two people's labels of the same images compared: figures, and maps of where they agree. Changes nothing.

Images are paired by content and classes by name, as in a merge. Tiles are read one at a time; with maps a plane's map
is held in memory too.
"""

import contextlib
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from segstudio.errors import ExportMismatch, UserError
from segstudio.formats.naming import mask_paths
from segstudio.formats.png import read_mask
from segstudio.formats.png_file import write_palette
from segstudio.geometry import Rect, tile_rect, tiles_of
from segstudio.labels.agreement import Verdict, agreement_map
from segstudio.labels.class_lookup import class_lookup, object_lookup
from segstudio.labels.model import ClassTable, Kind, LabelClass, folded_name
from segstudio.labels.tiles.raster import read_tiles
from segstudio.metrics import IGNORED, UNKNOWN, Agreement, ObjectCounts, agreement, pair_counts
from segstudio.store.merging import KnownImage, PairedImage, paired_images
from segstudio.store.project import ImageRow, Project
from segstudio.tasks.images.selection import selected_images
from segstudio.tasks.labels.export import move_all, staging_folder
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = ["COLORS", "FOLDER", "CompareReport", "ImageAgreement", "compare"]

FOLDER = "agreement"
"""Where the maps stand below the folder that is written to."""

COLORS: Mapping[Verdict, tuple[int, int, int]] = {
    Verdict.NOBODY: (0, 0, 0),
    Verdict.AGREE: (0, 158, 115),
    Verdict.DIFFER: (213, 94, 0),
    Verdict.ONLY_A: (86, 180, 233),
    Verdict.ONLY_B: (240, 228, 66),
    Verdict.IGNORED: (128, 128, 128),
}
"""Colours of a map's values, told apart without red and green (Okabe and Ito, Color Universal Design, 2008)."""


@dataclass(frozen=True, slots=True)
class ImageAgreement:
    """One image by its path in A and in B, its figures, and its maps below the folder that was written to."""

    path: str
    path_b: str
    figures: Agreement
    maps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompareReport:
    """Figures of all images together and of each, and how many images were left out: labelled on neither side."""

    overall: Agreement
    images: tuple[ImageAgreement, ...]
    left_out: int

    def as_json(self) -> dict[str, Any]:
        """The object that `segstudio compare --json` prints."""
        return {
            "images": [
                {"path": i.path, "path_b": i.path_b, **_plain(i.figures), "maps": list(i.maps)} for i in self.images
            ],
            "overall": _plain(self.overall),
            "legend": {verdict.name.lower().replace("_", "-"): int(verdict) for verdict in Verdict},
            "left_out": self.left_out,
        }


def _plain(figures: Agreement) -> dict[str, Any]:
    return msgspec.to_builtins(figures)


def compare(
    a: Project, b: Project, *, images: str | None = None, out: Path | None = None
) -> Generator[Progress, None, CompareReport]:
    """Compare the labels of every image that both projects have and one of them has labelled.

    `images` is a glob over A's paths; with `out` a map of each plane is written there, read back and compared, and
    moved into place when all are whole. Raises `UserError` where there is no such image, `DiskRefused`,
    `ExportMismatch`, `ProjectDamaged`.
    """
    rows_a, rows_b = a.images(), {row.id: row for row in b.images()}
    chosen = rows_a if images is None else selected_images(rows_a, images)
    pairs, _unused = paired_images([_known(row) for row in chosen], [_known(row) for row in rows_b.values()])
    by_id = {row.id: row for row in chosen}
    both = [(by_id[pair.c], rows_b[pair.b], pair) for pair in pairs]
    wanted = sorted(
        (found for found in both if found[0].labelled_pixels or found[1].labelled_pixels),
        key=lambda found: found[0].path,
    )
    if not wanted:
        raise UserError(_("There is nothing to compare: no labelled image is in both projects."))
    comparison = _Comparison(a, b)
    paths = mask_paths([(row.path, len(row.planes)) for row in rows_a], ".png")
    names = dict(zip((row.id for row in rows_a), paths, strict=True))
    done: list[ImageAgreement] = []
    with contextlib.nullcontext() if out is None else staging_folder(out) as staging:
        for number, (row_a, row_b, pair) in enumerate(wanted):
            yield Progress(number, len(wanted), row_a.path)
            maps = None if staging is None else _Maps(staging, names[row_a.id])
            figures = comparison.image(row_a, row_b, pair, maps)
            done.append(ImageAgreement(row_a.path, row_b.path, figures, () if maps is None else maps.files))
        if out is not None and staging is not None:
            move_all(staging, out, [PurePosixPath(name) for image in done for name in image.maps])
    return CompareReport(comparison.overall(), tuple(done), len(both) - len(wanted))


def _known(row: ImageRow) -> KnownImage:
    identity = (row.size, row.quick_hash, row.planes)
    return KnownImage(
        row.id, folded_name(row.path), identity, (row.content_hash,), tuple(str(p) for p in range(len(row.planes)))
    )


class _Maps:
    """Writes the maps of one image, and reads each back."""

    def __init__(self, staging: Path, names: list[str]) -> None:
        self._staging = staging
        self.files = tuple(f"{FOLDER}/{name}" for name in names)

    def write(self, plane: int, verdicts: NDArray[np.uint8]) -> None:
        """Write one plane. Raises `ExportMismatch`, `OSError`."""
        file = self._staging / self.files[plane]
        file.parent.mkdir(parents=True, exist_ok=True)
        palette = np.zeros((256, 3), np.uint8)
        for verdict, color in COLORS.items():
            palette[verdict] = color
        write_palette(file, verdicts, palette)
        if not np.array_equal(read_mask(file).values, verdicts):
            raise ExportMismatch(
                _("{files} does not hold what was written to it; nothing was written.", files=self.files[plane])
            )


@dataclass(slots=True)
class _Counts:
    """What is counted of one image, or of all."""

    pixels: NDArray[np.int64]
    objects: dict[str, ObjectCounts] = field(default_factory=dict[str, ObjectCounts])

    def add(self, other: "_Counts") -> None:
        self.pixels += other.pixels
        for name, counts in other.objects.items():
            self.objects.setdefault(name, ObjectCounts()).join(counts)


class _Comparison:
    """What is the same for every image: the classes of both by name, and the counts so far."""

    def __init__(self, a: Project, b: Project) -> None:
        self._a, self._b = a, b
        self._tables = a.classes(), b.classes()
        background = folded_name(self._tables[0].background.name)
        self._names: dict[str, str] = {}
        self._instances: dict[int, str] = {}
        for table in self._tables:
            for c in table:
                if c.kind is not Kind.IGNORE:
                    key = background if c.kind is Kind.BACKGROUND else folded_name(c.name)
                    self._names.setdefault(key, c.name)
        self._places = {key: place for place, key in enumerate(self._names)}
        self._background = background
        for place, key in enumerate(self._names):
            found = [c for table in self._tables for c in table if folded_name(c.name) == key]
            if any(c.kind is Kind.INSTANCE for c in found):
                self._instances[place] = self._names[key]
        self._all = self._nothing()

    def _nothing(self) -> _Counts:
        n = len(self._names) + 1
        return _Counts(np.zeros((n, n), np.int64), {name: ObjectCounts() for name in self._instances.values()})

    def overall(self) -> Agreement:
        """The figures of every image so far."""
        return agreement(self._all.pixels, list(self._names.values()), self._all.objects)

    def image(self, row_a: ImageRow, row_b: ImageRow, pair: PairedImage, maps: _Maps | None) -> Agreement:
        """Compare all planes of an image."""
        counts = self._nothing()
        lookups = self._lookup(self._a, row_a, self._tables[0]), self._lookup(self._b, row_b, self._tables[1])
        for plane_b, plane_a in enumerate(pair.planes):
            width, height = row_a.planes[plane_a]
            verdicts = None if maps is None else np.zeros((height, width), np.uint8)
            for rect, ids_a, ids_b in self._tiles(row_a, row_b, plane_a, plane_b):
                self._count(counts, lookups, ids_a, ids_b, rect, verdicts)
            if maps is not None and verdicts is not None:
                maps.write(plane_a, verdicts)
        for objects in counts.objects.values():
            objects.close_image()
        self._all.add(counts)
        return agreement(counts.pixels, list(self._names.values()), counts.objects)

    def _lookup(self, project: Project, row: ImageRow, table: ClassTable) -> NDArray[np.int64]:
        """Class by object id: its place in the names, `UNKNOWN` or `IGNORED`."""
        place = class_lookup(table, self._place, nothing=UNKNOWN, dtype=np.int64)
        class_of = {o.id: o.class_id for o in project.objects(row.id)}
        return object_lookup(class_of, place, nothing=UNKNOWN)

    def _place(self, c: LabelClass) -> int:
        if c.kind is Kind.IGNORE:
            return IGNORED
        return self._places[self._background if c.kind is Kind.BACKGROUND else folded_name(c.name)]

    def _tiles(
        self, row_a: ImageRow, row_b: ImageRow, plane_a: int, plane_b: int
    ) -> Iterator[tuple[Rect, NDArray[np.uint32], NDArray[np.uint32]]]:
        """Object ids of both, tile by tile, cut to the image."""
        bounds = Rect(0, 0, *row_a.planes[plane_a])
        for key in tiles_of(bounds):
            rect = tile_rect(*key).intersected(bounds)
            ids_a, ids_b = (
                read_tiles({key: project.tile(row.id, (plane, *key))}, rect)[0]
                for project, row, plane in ((self._a, row_a, plane_a), (self._b, row_b, plane_b))
            )
            yield rect, ids_a, ids_b

    def _count(
        self,
        counts: _Counts,
        lookups: tuple[NDArray[np.int64], NDArray[np.int64]],
        ids_a: NDArray[np.uint32],
        ids_b: NDArray[np.uint32],
        rect: Rect,
        verdicts: NDArray[np.uint8] | None,
    ) -> None:
        a, b = lookups[0][ids_a], lookups[1][ids_b]
        counts.pixels += pair_counts(a, b, len(self._names))
        both = (a >= 0) & (b >= 0)
        for place, name in self._instances.items():
            counts.objects[name].add(
                np.where(both & (a == place), ids_a, np.uint32(0)), np.where(both & (b == place), ids_b, np.uint32(0))
            )
        if verdicts is not None:
            verdicts[rect.y : rect.bottom, rect.x : rect.right] = agreement_map(a, b)

"""Masks and annotations become labels, or proposals. All are checked before the first is taken in, and labels, with the
classes that they need, are written in one transaction: an error changes nothing."""

import sqlite3
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.formats.naming import StemPattern
from segstudio.geometry import Rect, tile_rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Batch, Edit
from segstudio.labels.model import Cause, ClassTable, ImageId, Origin, Status
from segstudio.labels.paint.fill import ClassIdsOf, Filling, NumbersOf, parts_of
from segstudio.labels.proposal import ProposalRow, ProposalTile, quantised_confidence
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.streamed import Part, StreamedEdit, collected
from segstudio.labels.user import user_name
from segstudio.store.file_check import look_at, note
from segstudio.store.label_fill import filled
from segstudio.store.progress_token import Ticker
from segstudio.store.project import ImageRow, Project
from segstudio.store.proposals import encoded
from segstudio.tasks.labels.classes import classes_edit
from segstudio.tasks.labels.incoming import Incoming, IncomingPlane, ReadPlane, reopened_by
from segstudio.tasks.labels.incoming_files import Wanted, wanted_labels
from segstudio.tasks.labels.mask_map import MaskMap
from segstudio.tasks.labels.together import counted, written_together
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = [
    "IMPORTED",
    "CheckedImport",
    "ImportReport",
    "Target",
    "check_import",
    "import_masks",
]

IMPORTED = "imported"
"""The version of proposals that came from masks."""


class Target(StrEnum):
    """What masks become."""

    LABELS = "labels"
    PROPOSALS = "proposals"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many images got masks, how many known pixels were in them, and the masks that belong to no image.

    Of a file of annotations a mask is a plane; `annotations` is how many it had for them, `notes` are sentences about
    what was left out or decided.

    `binary` are masks of only 0 and 255 (`binary_value`; 65535 in 16 bits), which was taken as unknown though
    other programs write an object so; none where one of the masks holds more. `reopened` are images of which planes
    that were done are in progress now, `new_classes` those made for the masks, `unread` files called like masks of
    images, in a format that is not read.
    """

    images: int
    masks: int
    pixels: int
    skipped: tuple[str, ...]
    binary: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    new_classes: tuple[str, ...] = ()
    binary_value: int = 255
    annotations: int = 0
    notes: tuple[str, ...] = ()
    target: Target = Target.LABELS


def import_masks(
    project: Project,
    format_: str,
    path: Path,
    *,
    target: Target = Target.LABELS,
    mapping: MaskMap | None = None,
    new_classes: bool = False,
    pattern: StemPattern | None = None,
    status: Status = Status.IN_PROGRESS,
) -> Generator[Progress, None, ImportReport]:
    """Read masks or annotations into their images: known pixels replace what is there, unknown ones leave it.

    `format_` may be '', where the path says it. With `new_classes` those that are named and the project lacks are made:
    with labels they are one batch, which is undone together; before proposals they are an edit of their own.
    `pattern` says how masks are named, `status` is set on every image that gets labels. Raises `UsageError` for a
    format or a key that it has not, `UnreadableImage`, `MaskMismatch`, `UnknownClassValue` and `UserError` before
    anything is changed, `DiskRefused` where the disk does.
    """
    writer = project.writing()
    found = yield from check_import(
        project,
        format_,
        path,
        target=target,
        mapping=mapping,
        new_classes=new_classes,
        pattern=pattern,
        status=status,
    )
    done = found.masks
    total, images, safe = 2 * done, len(found.images), _("Nothing was imported.")
    if target is Target.LABELS:
        for written in written_together(writer, found.edits, images, _batch(), safe):
            yield Progress(done + written * done // images, total, _("writing labels"))
    else:
        if found.made:
            for _written in written_together(writer, found.class_edits, len(found.made), _batch(), safe):
                yield Progress(done, total, _("adding classes"))
        for step in found.add_proposals():
            yield Progress(done + step.done, total, step.doing)
    return found.report


def check_import(
    project: Project,
    format_: str,
    path: Path,
    *,
    target: Target = Target.LABELS,
    mapping: MaskMap | None = None,
    new_classes: bool = False,
    pattern: StemPattern | None = None,
    status: Status = Status.IN_PROGRESS,
) -> Generator[Progress, None, "CheckedImport"]:
    """The first half of `import_masks`, for those who write the rest themselves: everything is read once, and fits.

    Changes no label. Takes and raises what `import_masks` does.
    """
    wanted = wanted_labels(project, format_, path, mapping, new_classes, pattern)
    incoming, planes, pixels = wanted.incoming, wanted.incoming.planes, 0
    for done, plane in enumerate(planes):
        yield Progress(done, 2 * len(planes), _("checking {name}", name=plane.name))
        pixels += int(np.count_nonzero(incoming.read(plane).class_ids))
    found = CheckedImport(project, wanted, target, status, pixels)
    if target is Target.LABELS:
        for row in found.rows:
            if not row.last_edit:  # from here on its content counts: see what it is
                note(project, row, look_at(row))
    return found


def _by_image(planes: Sequence[IncomingPlane]) -> list[list[IncomingPlane]]:
    found: defaultdict[int, list[IncomingPlane]] = defaultdict(list)
    for plane in planes:
        found[plane.image.id].append(plane)
    return list(found.values())


def _batch() -> Batch:
    return Batch(Cause.IMPORT, user_name())


class CheckedImport:
    """An import that was read once and fits: `masks` planes of `images`, and the edits that make the classes they need.

    Labels are written by `write_labels`, with the classes; of proposals the classes come first, by `write_classes`,
    then `add_proposals`; `added` is for how many masks there is one by now. `now` are the classes of the project as
    they were: nothing fits if they are others by then.
    """

    def __init__(self, project: Project, wanted: Wanted, target: Target, status: Status, pixels: int) -> None:
        self._project, self._incoming, self._classes = project, wanted.incoming, wanted.classes
        self._target, self._status, self._pixels, self._new = target, status, pixels, wanted.new
        self._planes = _by_image(wanted.incoming.planes)
        self.now = wanted.now
        self.made: list[Edit] = list(filter(None, [classes_edit(wanted.now, wanted.classes)]))
        self.masks = len(wanted.incoming.planes)
        self.added = 0

    @property
    def rows(self) -> list[ImageRow]:
        """The images."""
        return [of_one[0].image for of_one in self._planes]

    @property
    def images(self) -> frozenset[ImageId]:
        """Their ids."""
        return frozenset(row.id for row in self.rows)

    def write_labels(self, ticker: Ticker) -> "Future[int]":
        """Have classes and labels written as one batch. Raises `ReadOnly`."""
        ticker.total = len(self._planes)
        return self._project.writing().write_all(counted(self.edits, ticker), _batch())

    def write_classes(self, ticker: Ticker) -> "Future[int]":
        """Have the classes alone written. Raises `ReadOnly`."""
        return self._project.writing().write_all(counted(self.class_edits, ticker), _batch())

    def edits(self, db: sqlite3.Connection, ticker: Ticker) -> Iterator[Edit | StreamedEdit]:
        """The edit that makes classes first, for the labels have them; then one edit an image: all its planes and its
        status, streamed."""
        yield from self.made
        read = _OnePlane(self._incoming)
        for of_one in self._planes:
            work = Filling(
                {plane.plane: read.class_ids_of(plane) for plane in of_one},
                self._classes,
                Origin.IMPORTED,
                status=self._status,
                marked=[plane.plane for plane in of_one],
                numbers={plane.plane: read.numbers_of(plane) for plane in of_one if self._incoming.annotations},
            )
            header = Edit(of_one[0].image.id, Cause.IMPORT, tool="import", author=user_name())
            yield StreamedEdit(header, _cancellable(filled(db, header, work).parts, ticker))

    def class_edits(self, _db: sqlite3.Connection, _ticker: Ticker) -> Iterator[Edit]:
        """The edit that makes classes."""
        return iter(self.made)

    def add_proposals(self) -> Generator[Progress, None, None]:
        """A proposal for each plane; says how many masks are read."""
        for of_one in self._planes:
            yield Progress(self.added, self.masks, _("reading {name}", name=of_one[0].name))
            for plane in of_one:
                rows, tiles = _proposed(plane.image, plane.plane, self._incoming.read(plane), self._classes)
                blobs = {key: encoded(tile) for key, tile in tiles}
                self._project.proposals.write(plane.image.id, plane.plane, IMPORTED, rows, blobs)
                self.added += 1

    @property
    def report(self) -> ImportReport:
        """What was imported, once it is."""
        rows = self.rows if self._target is Target.LABELS else []
        reopened = () if self._status is Status.DONE or not rows else reopened_by(self._incoming.planes)
        return ImportReport(
            images=len(self._planes),
            masks=self.masks,
            pixels=self._pixels,
            skipped=self._incoming.skipped,
            binary=self._incoming.binary,
            reopened=reopened,
            unread=self._incoming.unread,
            new_classes=self._new,
            binary_value=self._incoming.binary_value,
            annotations=self._incoming.annotations,
            notes=self._incoming.notes,
            target=self._target,
        )


class _OnePlane:
    """Class ids and numbers of planes, of which one is in memory."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._held: tuple[IncomingPlane, ReadPlane] | None = None

    def class_ids_of(self, plane: IncomingPlane) -> ClassIdsOf:
        """Reads rectangles of a plane, which is decoded at its turn."""
        return lambda rect: self._read(plane).class_ids[rect.y : rect.bottom, rect.x : rect.right]

    def numbers_of(self, plane: IncomingPlane) -> NumbersOf:
        """The same for the numbers of its objects."""

        def read(rect: Rect) -> NDArray[np.uint32]:
            numbers = self._read(plane).numbers
            assert numbers is not None
            return numbers[rect.y : rect.bottom, rect.x : rect.right]

        return read

    def _read(self, plane: IncomingPlane) -> ReadPlane:
        if self._held is None or self._held[0] is not plane:
            self._held = plane, self._incoming.read(plane)
        return self._held[1]


def _proposed(
    image: ImageRow, plane: int, read: ReadPlane, classes: ClassTable
) -> tuple[dict[int, ProposalRow], Iterator[tuple[tuple[int, int], ProposalTile]]]:
    """Rows and tiles of a proposal with full confidence where the mask is known."""
    empty, class_ids, numbers = Document(image.id, Raster(image.planes)), read.class_ids, read.numbers
    numbered = {} if numbers is None else {plane: lambda r: numbers[r.y : r.bottom, r.x : r.right]}
    ids_of = {plane: lambda r: class_ids[r.y : r.bottom, r.x : r.right]}
    work = Filling(ids_of, classes, Origin.NONE, numbers=numbered)
    edit = collected(Edit(image.id, Cause.IMPORT), parts_of(empty, work))
    if edit is None:
        return {}, iter(())
    empty.apply(edit)
    rows = {int(object_id): ProposalRow(class_id, 1.0) for object_id, class_id in empty.objects.items()}
    tiles = (
        (key[1:], ProposalTile(change.after, quantised_confidence(_known(class_ids, tile_rect(*key[1:])))))
        for key, change in edit.tiles.items()
    )
    return rows, tiles


def _cancellable(parts: Iterable[Part], ticker: Ticker) -> Iterator[Part]:
    """The parts of an edit, which may be large: it can be cancelled within."""
    for part in parts:
        ticker.step(0)
        yield part


def _known(class_ids: NDArray[np.int32], rect: Rect) -> NDArray[np.float32]:
    """1 where a class is known within a tile (h, w), which the image may cut off."""
    return (class_ids[rect.y : rect.bottom, rect.x : rect.right] != 0).astype(np.float32)

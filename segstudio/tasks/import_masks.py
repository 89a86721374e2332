"""Masks become labels, or proposals. All are checked before the first is taken in, and labels are
written in one transaction: an error changes nothing."""

import sqlite3
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UsageError
from segstudio.formats.table import format_named, readable
from segstudio.formats.values import MaskReader
from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.author import user_name
from segstudio.labels.document import Document
from segstudio.labels.edit import Batch, Edit
from segstudio.labels.filling import ClassIdsOf, Filling, collected, parts_of
from segstudio.labels.model import Cause, ClassTable, Origin, Status
from segstudio.labels.proposal import ProposalRow, ProposalTile, quantised_confidence
from segstudio.labels.raster import Raster
from segstudio.labels.streamed import Part, StreamedEdit
from segstudio.store.contents import look_at, note
from segstudio.store.filling import filled
from segstudio.store.project import ImageRow, Project
from segstudio.store.proposals import encoded
from segstudio.store.ticker import Ticker
from segstudio.tasks.masks import MatchedMask, ValueTable, matched_masks, read_classes
from segstudio.tasks.progress import Progress
from segstudio.tasks.together import written_together

__all__ = ["IMPORTED", "ImportReport", "Target", "import_masks"]

IMPORTED = "imported"
"""The version of proposals that came from masks."""


class Target(StrEnum):
    """What masks become."""

    LABELS = "labels"
    PROPOSALS = "proposals"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many images got masks, how many known pixels were in them, and the masks that belong to no image.

    `binary` are masks of nothing but 0 and 255, whose 255 was taken as unknown: what ImageJ and others make of an
    object. `reopened` are images that were done and are in progress now.
    """

    images: int
    masks: int
    pixels: int
    skipped: tuple[str, ...]
    binary: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()


def import_masks(
    project: Project,
    format_: str,
    path: Path,
    *,
    target: Target = Target.LABELS,
    mapping: Mapping[int, str] | None = None,
    status: Status = Status.IN_PROGRESS,
) -> Generator[Progress, None, ImportReport]:
    """Read masks into the images they are named after: known pixels replace what is there, unknown ones leave it.

    `status` is set on every image that gets labels. Raises `UsageError` for a format, `UnreadableImage`,
    `MaskMismatch`, `UnknownClassValue` and `UserError` before anything is changed, `DiskRefused` where the disk does.
    """
    form = format_named(format_)
    if form is None or form.read is None:
        raise UsageError(f"'{format_}' is no format that can be imported; there is {', '.join(readable())}.")
    writer = project.writing()
    reader = form.read()
    classes = project.classes()
    table = ValueTable(classes, mapping or {})
    found = matched_masks(reader, path, project.images())
    total = 2 * len(found.masks)
    pixels, binary = 0, list[str]()
    for done, mask in enumerate(found.masks):
        yield Progress(done, total, f"checking {mask.mask.name}")
        ids = read_classes(reader, mask, table)
        pixels += int(np.count_nonzero(ids))
        if 255 not in (mapping or {}) and _looks_binary(ids, classes) and not form.own(mask.mask.file):
            binary.append(mask.mask.name)
    by_image: defaultdict[int, list[MatchedMask]] = defaultdict(list)
    for mask in found.masks:
        by_image[mask.image.id].append(mask)
    job = _Job(project, reader, table, classes, status)
    done = len(found.masks)
    if target is Target.LABELS:
        for masks in by_image.values():
            row = masks[0].image
            if not row.last_edit:  # from here on its content counts: see what it is
                note(project, row, look_at(row))
        batch = Batch(Cause.IMPORT, user_name())
        edits = partial(job.edits, images=by_image.values())
        for progress in written_together(writer, edits, len(by_image), batch, "Nothing was imported."):
            yield Progress(done + progress * done // len(by_image), total, "writing labels")
    else:
        for masks in by_image.values():
            yield Progress(done, total, f"reading {masks[0].mask.name}")
            job.add_proposals(masks)
            done += len(masks)
    rows = [masks[0].image for masks in by_image.values()] if target is Target.LABELS else []
    reopened = [row.path for row in rows if row.status is Status.DONE and status is not Status.DONE]
    return ImportReport(len(by_image), len(found.masks), pixels, found.skipped, tuple(binary), tuple(reopened))


def _looks_binary(ids: NDArray[np.int32], classes: ClassTable) -> bool:
    """Whether class ids come from a mask of background and unknown alone: one of 0 and 255."""
    return bool(ids.size) and set(np.unique(ids).tolist()) == {0, int(classes.background.id)}


@dataclass(frozen=True, slots=True)
class _Job:
    """What is the same for every image of an import."""

    project: Project
    reader: MaskReader
    table: ValueTable
    classes: ClassTable
    status: Status

    def edits(
        self, db: sqlite3.Connection, ticker: Ticker, images: Iterable[Sequence[MatchedMask]]
    ) -> Iterator[StreamedEdit]:
        """One edit for each image: all its planes and its status, streamed."""
        read = _OneMask(self.reader, self.table)
        for masks in images:
            planes = {mask.plane: read.part_of(mask) for mask in masks}
            work = Filling(planes, self.classes, Origin.IMPORTED, status=self.status)
            header = Edit(masks[0].image.id, Cause.IMPORT, tool="import", author=user_name())
            yield StreamedEdit(header, _cancellable(filled(db, header, work).parts, ticker))

    def add_proposals(self, masks: Sequence[MatchedMask]) -> None:
        """A proposal for each plane."""
        for mask in masks:
            ids = read_classes(self.reader, mask, self.table)
            rows, tiles = _proposed(mask.image, mask.plane, ids, self.classes)
            blobs = {key: encoded(tile) for key, tile in tiles}
            self.project.proposals.write(mask.image.id, mask.plane, IMPORTED, rows, blobs)


class _OneMask:
    """Class ids of masks, of which one is in memory."""

    def __init__(self, reader: MaskReader, table: ValueTable) -> None:
        self._reader, self._table = reader, table
        self._held: tuple[MatchedMask, NDArray[np.int32]] | None = None

    def part_of(self, mask: MatchedMask) -> ClassIdsOf:
        """Reads rectangles of a mask, which is decoded at its turn."""

        def read(rect: Rect) -> NDArray[np.int32]:
            if self._held is None or self._held[0] is not mask:
                self._held = mask, read_classes(self._reader, mask, self._table)
            return self._held[1][rect.y : rect.bottom, rect.x : rect.right]

        return read


def _proposed(
    image: ImageRow, plane: int, class_ids: NDArray[np.int32], classes: ClassTable
) -> tuple[dict[int, ProposalRow], Iterator[tuple[tuple[int, int], ProposalTile]]]:
    """Rows and tiles of a proposal with full confidence where the mask is known."""
    empty = Document(image.id, Raster(image.planes))
    work = Filling({plane: lambda r: class_ids[r.y : r.bottom, r.x : r.right]}, classes, Origin.NONE)
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
    """1 where a class is known, over a whole tile (256, 256)."""
    part = class_ids[rect.y : rect.bottom, rect.x : rect.right] != 0
    full = np.zeros((TILE, TILE), np.float32)
    full[: part.shape[0], : part.shape[1]] = part
    return full

"""Masks become labels, or proposals. All are checked before the first is taken in, and labels, with the classes that
they need, are written in one transaction: an error changes nothing."""

import sqlite3
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UsageError
from segstudio.formats.naming import StemPattern
from segstudio.formats.table import Format, format_named, readable
from segstudio.formats.values import MaskReader
from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Batch, Edit
from segstudio.labels.model import Cause, ClassTable, Origin, Status
from segstudio.labels.paint.fill import ClassIdsOf, Filling, parts_of
from segstudio.labels.proposal import ProposalRow, ProposalTile, quantised_confidence
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.streamed import Part, StreamedEdit, collected
from segstudio.labels.user import user_name
from segstudio.store.file_check import look_at, note
from segstudio.store.label_fill import filled
from segstudio.store.progress_token import Ticker
from segstudio.store.project import ImageRow, Project
from segstudio.store.proposals import encoded
from segstudio.tasks.labels.classes import AddClass, changed_classes, classes_edit
from segstudio.tasks.labels.mask_map import Color, MaskMap, ValueTable, missing_classes, must_exist, must_have_no_names
from segstudio.tasks.labels.masks import BinaryCheck, MatchedMask, matched_masks, read_classes
from segstudio.tasks.labels.together import written_together
from segstudio.tasks.progress import Progress

__all__ = ["IMPORTED", "ImportReport", "Target", "import_masks", "importable"]

IMPORTED = "imported"
"""The version of proposals that came from masks."""

_NOTHING_IMPORTED = "Nothing was imported."


class Target(StrEnum):
    """What masks become."""

    LABELS = "labels"
    PROPOSALS = "proposals"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many images got masks, how many known pixels were in them, and the masks that belong to no image.

    `binary` are masks of nothing but 0 and 255 (`binary_value`; 65535 in 16 bits), which was taken as unknown though
    other programs write an object so; none where one of the masks holds more. `reopened` are images that were done and
    are in progress now, `new_classes` those made for the masks, `unread` files called like masks of images, in a
    format that is not read.
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
    """Read masks into the images they are named after: known pixels replace what is there, unknown ones leave it.

    With `new_classes` those of `mapping` that the project lacks are made: with labels they are one batch, which is
    taken back together; before proposals they are an edit of their own. `pattern` says how masks are called, `status`
    is set on every image that gets labels. Raises `UsageError` for a format or a key that it has not,
    `UnreadableImage`, `MaskMismatch`, `UnknownClassValue` and `UserError` before anything is changed, `DiskRefused`
    where the disk does.
    """
    form = importable(format_)
    mapping = mapping or {}
    must_have_no_names(mapping, form.name)
    assert form.read is not None
    writer, reader = project.writing(), form.read()
    now = project.classes()
    if not new_classes:
        must_exist(mapping, now, "--new-classes makes those that are missing.")
    missing = missing_classes(mapping, now)
    classes = _with_classes(project, now, missing, mapping)
    table = ValueTable(classes, mapping)
    found = matched_masks(project, form, reader, path, pattern)
    total = 2 * len(found.masks)
    pixels, binary = 0, BinaryCheck()
    for done, mask in enumerate(found.masks):
        yield Progress(done, total, f"checking {mask.mask.name}")
        read = read_classes(reader, mask, table)
        pixels += int(np.count_nonzero(read.class_ids))
        binary.add(mask, read)
    by_image: defaultdict[int, list[MatchedMask]] = defaultdict(list)
    for mask in found.masks:
        by_image[mask.image.id].append(mask)
    job = _Job(project, reader, table, classes, status)
    done = len(found.masks)
    made = list(filter(None, [classes_edit(now, classes)]))
    if target is Target.LABELS:
        for masks in by_image.values():
            row = masks[0].image
            if not row.last_edit:  # from here on its content counts: see what it is
                note(project, row, look_at(row))
        edits = partial(job.edits, made=made, images=by_image.values())
        for progress in written_together(writer, edits, len(by_image), _batch(), _NOTHING_IMPORTED):
            yield Progress(done + progress * done // len(by_image), total, "writing labels")
    else:
        if made:
            for _ in written_together(writer, lambda *_: iter(made), len(made), _batch(), _NOTHING_IMPORTED):
                yield Progress(done, total, "making classes")
        for masks in by_image.values():
            yield Progress(done, total, f"reading {masks[0].mask.name}")
            job.add_proposals(masks)
            done += len(masks)
    rows = [masks[0].image for masks in by_image.values()] if target is Target.LABELS else []
    reopened = [row.path for row in rows if row.status is Status.DONE and status is not Status.DONE]
    return ImportReport(
        images=len(by_image),
        masks=len(found.masks),
        pixels=pixels,
        skipped=found.skipped,
        binary=binary.suspects,
        reopened=tuple(reopened),
        unread=found.unread,
        new_classes=missing,
        binary_value=binary.value,
    )


def importable(format_: str) -> Format:
    """The format of this name that is read. Raises `UsageError`."""
    form = format_named(format_)
    if form is None or form.read is None:
        raise UsageError(f"'{format_}' is no format that can be imported; there is {', '.join(readable())}.")
    return form


def _with_classes(project: Project, now: ClassTable, missing: Sequence[str], mapping: MaskMap) -> ClassTable:
    """The classes with those that are missing; one that is named by a colour gets that colour."""
    colors = {name: str(key) for key, name in mapping.items() if isinstance(key, Color)}
    changes = [AddClass(name, colors.get(name, "")) for name in missing]
    return changed_classes(now, changes, project.next_class(), frozenset())


def _batch() -> Batch:
    return Batch(Cause.IMPORT, user_name())


@dataclass(frozen=True, slots=True)
class _Job:
    """What is the same for every image of an import."""

    project: Project
    reader: MaskReader
    table: ValueTable
    classes: ClassTable
    status: Status

    def edits(
        self, db: sqlite3.Connection, ticker: Ticker, made: Sequence[Edit], images: Iterable[Sequence[MatchedMask]]
    ) -> Iterator[Edit | StreamedEdit]:
        """The edit that makes classes first, for the labels have them; then one edit an image: all its planes and its
        status, streamed."""
        yield from made
        read = _OneMask(self.reader, self.table)
        for masks in images:
            planes = {mask.plane: read.part_of(mask) for mask in masks}
            work = Filling(planes, self.classes, Origin.IMPORTED, status=self.status)
            header = Edit(masks[0].image.id, Cause.IMPORT, tool="import", author=user_name())
            yield StreamedEdit(header, _cancellable(filled(db, header, work).parts, ticker))

    def add_proposals(self, masks: Sequence[MatchedMask]) -> None:
        """A proposal for each plane."""
        for mask in masks:
            ids = read_classes(self.reader, mask, self.table).class_ids
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
                self._held = mask, read_classes(self._reader, mask, self._table).class_ids
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

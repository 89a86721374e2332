"""Masks become labels, or proposals. All are checked before the first is taken in, and labels, with the classes that
they need, are written in one transaction: an error changes nothing."""

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import DiskRefused, UsageError
from segstudio.formats.naming import StemPattern
from segstudio.formats.table import Format, format_named, readable
from segstudio.formats.values import MaskReader
from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.labels.author import user_name
from segstudio.labels.compose import paint_class_ids
from segstudio.labels.document import Document
from segstudio.labels.edit import Batch, Edit, RowChange, Table
from segstudio.labels.filling import filling
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassTable, Origin, Status
from segstudio.labels.proposal import ProposalRow, ProposalTile, quantised_confidence
from segstudio.labels.raster import Raster, TileBudget
from segstudio.labels.streamed import LARGEST_EDIT_BYTES, TILE_BYTES, Part, StreamedEdit
from segstudio.store.contents import look_at, note
from segstudio.store.project import ImageRow, Project
from segstudio.store.proposals import encoded
from segstudio.store.ticker import Ticker
from segstudio.store.writer import Writer
from segstudio.tasks.classes import AddClass, changed_classes, classes_edit
from segstudio.tasks.mask_map import Color, MaskMap, ValueTable, missing_classes, must_exist, must_have_no_names
from segstudio.tasks.masks import BinaryCheck, MatchedMask, matched_masks, read_classes
from segstudio.tasks.progress import Progress

__all__ = ["IMPORTED", "ImportReport", "Target", "import_masks", "importable"]

IMPORTED = "imported"
"""The version of proposals that came from masks."""

_LOOK_S = 0.1


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
    largest_edit_bytes: int = LARGEST_EDIT_BYTES,
) -> Generator[Progress, None, ImportReport]:
    """Read masks into the images they are named after: known pixels replace what is there, unknown ones leave it.

    With `new_classes` those of `mapping` that the project lacks are made: with labels they are one batch, which is
    taken back together; before proposals they are an edit of their own. `pattern` says how masks are called, `status`
    is set on every image that gets labels; edits of more than `largest_edit_bytes` are streamed. Raises `UsageError`
    for a format or a key that it has not, `UnreadableImage`, `MaskMismatch`, `UnknownClassValue` and `UserError` before
    anything is changed, `DiskRefused` where the disk does.
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
    job = _Job(project, reader, table, classes, status, largest_edit_bytes)
    done = len(found.masks)
    made = list(filter(None, [classes_edit(now, classes)]))
    if target is Target.LABELS:
        for masks in by_image.values():
            row = masks[0].image
            if not row.last_edit:  # from here on its content counts: see what it is
                note(project, row, look_at(row))
        # The classes first: the labels have them.
        for progress in _all_or_none(writer, chain(made, map(job.edit, by_image.values())), len(by_image)):
            yield Progress(done + progress * done // len(by_image), total, "writing labels")
    else:
        if made:
            for _ in _all_or_none(writer, made, len(made)):
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


def _all_or_none(writer: Writer, edits: Iterable[Edit | StreamedEdit | None], total: int) -> Iterator[int]:
    """Write edits in one transaction; gives now and then how many of them are done. Closing writes none."""
    ticker = Ticker()

    def each() -> Iterator[Edit | StreamedEdit]:
        for edit in edits:
            ticker.step(0)
            if edit is not None:
                yield edit
            ticker.step()

    future = writer.write_all(each(), Batch(Cause.IMPORT, user_name()))
    try:
        while not future.done():
            yield min(ticker.done, total)
            wait([future], _LOOK_S)
    finally:
        ticker.cancel()
    try:
        future.result()
    except DiskRefused as error:
        raise DiskRefused(error.sentence, safe="Nothing was imported.", todo=error.todo) from error


@dataclass(frozen=True, slots=True)
class _Job:
    """What is the same for every image of an import."""

    project: Project
    reader: MaskReader
    table: ValueTable
    classes: ClassTable
    status: Status
    largest_edit_bytes: int

    def edit(self, masks: Sequence[MatchedMask]) -> Edit | StreamedEdit | None:
        """One edit for one image: all its planes and its status; None where it changes nothing."""
        pixels = sum(w * h for w, h in (masks[0].image.planes[mask.plane] for mask in masks))
        if 2 * pixels * TILE_BYTES // TILE**2 > self.largest_edit_bytes:
            return self._streamed(masks)
        document = self.project.document(masks[0].image.id)
        gesture = Gesture(document, Cause.IMPORT, tool="import", author=user_name())
        for mask in masks:
            ids = read_classes(self.reader, mask, self.table).class_ids
            paint_class_ids(gesture, document, mask.plane, ids, self.classes, Origin.IMPORTED)
        gesture.set_status(self.status)
        return gesture.commit()

    def _streamed(self, masks: Sequence[MatchedMask]) -> StreamedEdit:
        """The same, a tile at a time; of the masks one is in memory."""
        image = masks[0].image.id
        document = self.project.document(image)
        document.raster.share(TileBudget(0))
        header = Edit(image, Cause.IMPORT, tool="import", author=user_name())
        return StreamedEdit(header, self._parts(document, masks))

    def _parts(self, document: Document, masks: Sequence[MatchedMask]) -> Iterator[Part]:
        for mask in masks:
            ids = read_classes(self.reader, mask, self.table).class_ids

            def of(rect: Rect, ids: NDArray[np.int32] = ids) -> NDArray[np.int32]:
                return ids[rect.y : rect.bottom, rect.x : rect.right]

            yield from filling(document, mask.plane, of, self.classes, Origin.IMPORTED)
        if document.status is not self.status:
            before, after = {"status": document.status.value}, {"status": self.status.value}
            yield RowChange(Table.IMAGES, document.image, before, after)

    def add_proposals(self, masks: Sequence[MatchedMask]) -> None:
        """A proposal for each plane."""
        for mask in masks:
            ids = read_classes(self.reader, mask, self.table).class_ids
            rows, tiles = _proposed(mask.image, mask.plane, ids, self.classes)
            blobs = {key: encoded(tile) for key, tile in tiles}
            self.project.proposals.write(mask.image.id, mask.plane, IMPORTED, rows, blobs)


def _proposed(
    image: ImageRow, plane: int, class_ids: NDArray[np.int32], classes: ClassTable
) -> tuple[dict[int, ProposalRow], Iterator[tuple[tuple[int, int], ProposalTile]]]:
    """Rows and tiles of a proposal with full confidence where the mask is known."""
    empty = Document(image.id, Raster(image.planes))
    gesture = Gesture(empty, Cause.IMPORT)
    paint_class_ids(gesture, empty, plane, class_ids, classes, Origin.NONE)
    edit = gesture.commit()
    rows = {int(object_id): ProposalRow(class_id, 1.0) for object_id, class_id in empty.objects.items()}
    keys = () if edit is None else edit.tiles
    tiles = (
        (key[1:], ProposalTile(empty.raster.tile(key), quantised_confidence(_known(class_ids, tile_rect(*key[1:])))))
        for key in keys
    )
    return rows, tiles


def _known(class_ids: NDArray[np.int32], rect: Rect) -> NDArray[np.float32]:
    """1 where a class is known, over a whole tile (256, 256)."""
    part = class_ids[rect.y : rect.bottom, rect.x : rect.right] != 0
    full = np.zeros((TILE, TILE), np.float32)
    full[: part.shape[0], : part.shape[1]] = part
    return full

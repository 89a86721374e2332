"""Compare proposals or labels with masks taken as the truth. Changes nothing."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UsageError, UserError
from segstudio.formats.naming import StemPattern
from segstudio.formats.values import NOTHING
from segstudio.labels.model import ClassTable, Kind, LabelClass
from segstudio.metrics import confusion, metrics
from segstudio.runs import Metrics
from segstudio.store.project import ImageRow, Project
from segstudio.store.values import Split
from segstudio.tasks.labels.class_values import Content, content_named, plane_values
from segstudio.tasks.labels.incoming import Incoming, IncomingPlane
from segstudio.tasks.labels.incoming_files import incoming_labels
from segstudio.tasks.labels.mask_map import MaskMap, must_exist
from segstudio.tasks.progress import Progress
from segstudio.text import N_, _

__all__ = ["EvaluateReport", "evaluate"]

UNKNOWN = "unknown"
_NO_MASK = {
    "all": N_("No mask in {truth} belongs to an image of the project."),
    Split.TRAIN: N_("No mask in {truth} belongs to a training image."),
    Split.HELD_OUT: N_("No mask in {truth} belongs to a held-out image."),
}
_NO_IMAGE = {
    Split.TRAIN: N_("The project has no training image yet."),
    Split.HELD_OUT: N_("The project has no held-out image yet."),
}


@dataclass(frozen=True, slots=True, eq=False)
class EvaluateReport:
    """Figures of `metrics` and the counts (n, n + 1) they are made of: rows are truth, the last column is unknown.

    `empty` are the images of the truth that have nothing to compare, no proposal or no label at all: every pixel of
    theirs is a miss. `unread` are files named like masks of images, in a format that is not read. `outside` counts the
    pixels of their planes that the truth says nothing of.
    """

    names: tuple[str, ...]
    counts: NDArray[np.int64]
    figures: Metrics
    images: int
    skipped: tuple[str, ...]
    content: Content = Content.PROPOSALS
    empty: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    outside: int = 0
    background: str = ""

    @property
    def in_truth(self) -> frozenset[str]:
        """The classes of which the truth has a pixel."""
        return frozenset(name for name, row in zip(self.names, self.counts, strict=True) if row.any())

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what the figures do not show."""
        return tuple(filter(None, (self.note, self._blind)))

    @property
    def _blind(self) -> str:
        """That nothing outside the truth is counted, where it has no background to find false positives in."""
        if not self.outside or not self.background or self.background in self.in_truth:
            return ""
        return _(
            "the truth has no background, so nothing found outside it counts as wrong: precision and IoU look better "
            "than they are. Add the background to the truth (in an export: --background)."
        )

    @property
    def note(self) -> str:
        """A sentence about the empty images; '' where there are none."""
        if not self.empty:
            return ""
        values = {"empty": len(self.empty), "images": self.images, "first": self.empty[0]}
        if self.content is Content.PROPOSALS:
            return _(
                "{empty} of {images} images have no proposal (the first is {first}): all their pixels count as missed. "
                "'segstudio predict --all' makes proposals.",
                **values,
            )
        return _(
            "{empty} of {images} images have no labels (the first is {first}): all their pixels count as missed.",
            **values,
        )

    def as_json(self) -> dict[str, Any]:
        """The object that `segstudio evaluate --json` prints; a class of which the truth has no pixel is None."""
        figures = msgspec.to_builtins(self.figures)
        known = self.in_truth
        return {
            "pixel_accuracy": figures["pixel_accuracy"],
            "mean": figures["mean"],
            "classes": {name: row if name in known else None for name, row in figures["classes"].items()},
            "confusion": {"labels": [*self.names, UNKNOWN], "counts": self.counts.tolist()},
            "pixels": figures["pixels"],
            "empty_images": len(self.empty),
        }


def evaluate(
    project: Project,
    truth: Path,
    *,
    format_: str = "",
    mapping: MaskMap | None = None,
    pattern: StemPattern | None = None,
    content: str = Content.PROPOSALS,
    split: str = "all",
) -> Generator[Progress, None, EvaluateReport]:
    """Count, over all pixels that the masks in `truth` know and do not ignore, what was found there.

    `format_` is that of the truth, '' where its path says it; `split` is all, train or held-out. Raises `UserError`
    where nothing there belongs to an image of that side, where the truth has no class but the background,
    or where all masks that others made hold only 0 and 255 and nobody said what 255 means; `MaskMismatch`,
    `UnknownClassValue`, `UnreadableImage`.
    """
    what = content_named(content)
    if what is Content.FINISHED:
        raise UsageError(_("Only proposals or labels can be evaluated."))
    images = project.images()
    chosen = {image.id for image in _of_split(images, split)}
    classes = project.classes()
    counted = [c for c in classes if c.kind is not Kind.IGNORE]
    found = incoming_labels(project, format_, truth, mapping, pattern)
    must_exist((c.name for c in found.missing(classes)), classes)
    found.use(classes)
    rows = _row_by_class(classes)
    counts = np.zeros((len(counted), len(counted) + 1), np.int64)
    planes: dict[int, list[IncomingPlane]] = {}
    empty: list[str] = []
    for plane in found.planes:
        if plane.image.id in chosen:
            planes.setdefault(plane.image.id, []).append(plane)
    if not planes:
        raise UserError(_(_NO_MASK[split], truth=truth))
    pixels = 0
    for done, of_image in enumerate(planes.values()):
        yield Progress(done, len(planes), of_image[0].image.path)
        pixels += sum(width * height for width, height in (p.image.planes[p.plane] for p in of_image))
        of_one, any_found = _counted(project, of_image, found, classes, rows, what)
        counts += of_one
        if not any_found:
            empty.append(of_image[0].image.path)
    _check_truth(truth, found, counts, counted)
    names = [c.name for c in counted]
    return EvaluateReport(
        tuple(names),
        counts,
        metrics(counts, names),
        len(planes),
        found.skipped,
        what,
        tuple(empty),
        found.unread,
        outside=pixels - int(counts.sum()),
        background=classes.background.name,
    )


def _check_truth(truth: Path, found: Incoming, counts: NDArray[np.int64], counted: list[LabelClass]) -> None:
    """Raises `UserError` where figures would be meaningless: an object taken for unknown, or no object at all."""
    if found.binary:
        value = found.binary_value
        raise UserError(
            _(
                "The masks in {truth} hold only 0 and {value}, and {value} means unknown: nothing was compared.",
                truth=truth,
                value=value,
            ),
            todo=_("If {value} is your object, add --map {value}=CLASS; --map {value}= keeps it unknown.", value=value),
        )
    if not any(row.any() for row, c in zip(counts, counted, strict=True) if c.kind is not Kind.BACKGROUND):
        raise UserError(
            _(
                "The masks in {truth} hold no pixel of any class but the background: there is nothing to measure.",
                truth=truth,
            )
        )


def _of_split(images: list[ImageRow], split: str) -> list[ImageRow]:
    if split == "all":
        return images
    chosen = [image for image in images if image.split is Split(split)]
    if not chosen:
        raise UserError(_(_NO_IMAGE[Split(split)]))
    return chosen


def _row_by_class(classes: ClassTable) -> NDArray[np.int64]:
    """Row of the confusion matrix by class id; -1 for unknown (id 0) and ignored."""
    counted = [c for c in classes if c.kind is not Kind.IGNORE]
    rows = np.full(max((c.id for c in classes.all), default=0) + 1, -1, np.int64)
    for row, c in enumerate(counted):
        rows[c.id] = row
    return rows


def _counted(
    project: Project,
    planes: list[IncomingPlane],
    incoming: Incoming,
    classes: ClassTable,
    rows: NDArray[np.int64],
    what: Content,
) -> tuple[NDArray[np.int64], bool]:
    """The confusion matrix of one image, and whether anything at all was found in it."""
    by_plane = {plane.plane: plane for plane in planes}
    counted = [c for c in classes if c.kind is not Kind.IGNORE]
    row_by_value = np.full(max((c.value for c in counted), default=0) + 2, -1, np.int64)
    for row, c in enumerate(counted):
        row_by_value[c.value] = row
    counts = np.zeros((len(counted), len(counted) + 1), np.int64)
    any_found = False
    for plane, found in enumerate(plane_values(project, planes[0].image, classes, what)):
        any_found = any_found or bool((found.values != NOTHING).any())
        if plane in by_plane:
            truth = rows[incoming.read(by_plane[plane]).class_ids]
            if found.outside is not None:
                truth = np.where(found.outside, -1, truth)
            # NOTHING is -1: the last entry, which is -1 too.
            counts += confusion(truth, row_by_value[found.values], len(counted))
    return counts, any_found

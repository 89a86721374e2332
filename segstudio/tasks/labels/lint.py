"""The labels of a project looked at for faults, and those faults mended: for window and command line alike.

Mending one kind is one step of undo: one edit an image, all in one batch, or one edit of the classes.
"""

import sqlite3
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect, tiles_of
from segstudio.labels.edit import Batch, Edit
from segstudio.labels.lint.finding import MENDED, MIN_AREA_PX, Finding, LintKind
from segstudio.labels.lint.image_look import ImageLook, class_findings, findings_of, look_at
from segstudio.labels.lint.mending import mended
from segstudio.labels.model import Cause, ClassTable, ImageId
from segstudio.labels.paint.fill import OutsideOf
from segstudio.labels.paint.objects.parts import Report
from segstudio.labels.tiles.streamed import StreamedEdit
from segstudio.labels.user import user_name
from segstudio.store.label_fill import changed
from segstudio.store.progress_token import Ticker
from segstudio.store.project import ImageRow, Project
from segstudio.tasks.labels.accept import outside_of
from segstudio.tasks.labels.classes import RemoveClass, change_classes
from segstudio.tasks.labels.together import Edits, counted, written_together
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = ["LintReport", "MendReport", "lint", "look_at_image", "mend", "write_mended"]


@dataclass(frozen=True, slots=True)
class LintReport:
    """What was found in the images of a project, by image, plane, kind and place, what concerns classes at the end."""

    findings: tuple[Finding, ...]
    paths: Mapping[ImageId, str]
    classes: ClassTable

    def of(self, kind: LintKind) -> list[Finding]:
        """The findings of one kind."""
        return [found for found in self.findings if found.kind is kind]

    def as_json(self) -> dict[str, Any]:
        """As `lint --json` prints it."""
        return {"findings": [self._row(found) for found in self.findings]}

    def _row(self, found: Finding) -> dict[str, Any]:
        rect = found.rect
        return {
            "path": None if found.image is None else self.paths[found.image],
            "plane": found.plane,
            "kind": found.kind.value,
            "class": None if found.class_id is None else self.classes[found.class_id].name,
            "object": found.object_id,
            "rect": None if rect is None else [rect.x, rect.y, rect.w, rect.h],
            "pixels": found.pixels,
        }


@dataclass(frozen=True, slots=True)
class MendReport:
    """What is left after mending (`after`); by kind how many were `mended`, and how many `left`: what is locked."""

    after: LintReport
    mended: Mapping[LintKind, int]
    left: Mapping[LintKind, int]


def lint(project: Project, *, below: int = MIN_AREA_PX) -> Generator[Progress, None, LintReport]:
    """Look at the labels of every image; parts and holes of fewer than `below` pixels are found. Reads only."""
    looking = _Looking(project, below)
    yield from looking.look(looking.rows)
    return looking.report()


def mend(
    project: Project, kinds: Collection[LintKind], *, below: int = MIN_AREA_PX
) -> Generator[Progress, None, MendReport]:
    """Mend all findings of these kinds, which are among `MENDED`, one kind after the other; each is undone together.

    Raises `ReadOnly`, `DiskRefused`: then nothing of that kind is mended.
    """
    writer = project.writing()
    looking = _Looking(project, below)
    yield from looking.look(looking.rows)
    done: dict[LintKind, int] = {}
    left: dict[LintKind, int] = {}
    for kind in (kind for kind in MENDED if kind in kinds):
        found = looking.report().of(kind)
        if kind is LintKind.UNUSED_CLASS:
            done[kind], left[kind] = looking.remove_classes(found), 0
            continue
        report = Report()
        by_image = _by_image(found)
        edits = _edits(project, by_image, looking.classes, report)
        safe = _("Nothing was mended.")
        if by_image:
            writing = written_together(writer, edits, len(by_image), _batch(), safe)
            yield from _shown(writing, len(by_image))
            yield from looking.look([row for row in looking.rows if row.id in by_image])
        done[kind], left[kind] = report.number, report.left
    return MendReport(looking.report(), done, left)


def look_at_image(project: Project, image: ImageId, classes: ClassTable, below: int) -> Generator[int, None, ImageLook]:
    """Look at the labels of one image, edits that are not on disk yet included; yields tiles that were looked at."""
    return (yield from look_at(project.document(image), classes, below, _outside_of(project, image)))


def _outside_of(project: Project, image: ImageId) -> OutsideOf | None:
    """What lies outside an image's picture; nothing where its file is not there to be asked: labels are looked at
    without it.
    """
    rows = project.some_images((image,))
    found = outside_of(rows[0].stored) if rows else None
    if found is None:
        return None

    def outside(plane: int, rect: Rect) -> NDArray[np.bool_] | None:
        try:
            return found(plane, rect)
        except UnreadableImage:
            return None

    return outside


def write_mended(
    project: Project, findings: Sequence[Finding], classes: ClassTable, report: Report, ticker: Ticker
) -> "Future[int]":
    """Hand the mending of findings of one kind to the writer: one transaction, one batch. The future says how many
    edits it took; `report` is filled in by then.

    Raises `ReadOnly`; the future raises `Cancelled`, `DiskRefused`.
    """
    by_image = _by_image(findings)
    ticker.total = len(by_image)
    return project.writing().write_all(counted(_edits(project, by_image, classes, report), ticker), _batch())


def _batch() -> Batch:
    return Batch(Cause.OBJECTS, user_name())


def _by_image(findings: Iterable[Finding]) -> dict[ImageId, list[Finding]]:
    out: dict[ImageId, list[Finding]] = {}
    for found in findings:
        if found.image is not None:
            out.setdefault(found.image, []).append(found)
    return out


def _edits(
    project: Project, by_image: Mapping[ImageId, Sequence[Finding]], classes: ClassTable, report: Report
) -> Edits:
    def edits(db: sqlite3.Connection, ticker: Ticker) -> Iterator[StreamedEdit]:
        for image, findings in by_image.items():
            header = Edit(image, Cause.OBJECTS, tool="mend", author=user_name())
            outside = _outside_of(project, image)
            yield changed(
                db,
                header,
                lambda document, step, findings=findings, outside=outside: mended(
                    document, classes, findings, report, step, outside
                ),
                lambda _document: 0,
                ticker,
            )

    return edits


def _shown(writing: Generator[int, None, int], total: int) -> Generator[Progress, None, int]:
    try:
        while True:
            try:
                yield Progress(next(writing), total, _("mending"))
            except StopIteration as end:
                return end.value
    finally:
        writing.close()


class _Looking:
    """What is known of each image, so that only what was mended is looked at again."""

    def __init__(self, project: Project, below: int) -> None:
        self._project, self._below = project, below
        self.rows = project.images()
        self.classes = project.classes()
        self._looks: dict[ImageId, ImageLook] = {}

    def look(self, rows: Sequence[ImageRow]) -> Generator[Progress, None, None]:
        """Look at images, or look again."""
        total, done = sum(map(_tiles, rows)), 0
        for row in rows:
            doing = _("checking {path}", path=row.path)
            steps = look_at_image(self._project, row.id, self.classes, self._below)
            yield Progress(done, total, doing)
            while True:
                try:
                    done += next(steps)
                except StopIteration as end:
                    self._looks[row.id] = end.value
                    break
                yield Progress(done, total, doing)

    def remove_classes(self, findings: Sequence[Finding]) -> int:
        """Take the classes of these findings out of use, in one edit; how many."""
        names = [self.classes[found.class_id].name for found in findings if found.class_id is not None]
        if names:
            self.classes = change_classes(self._project, [RemoveClass(name) for name in names]).classes
        return len(names)

    def report(self) -> LintReport:
        """What was found so far."""
        looks = [self._looks[row.id] for row in self.rows]
        findings = [found for look in looks for found in findings_of(look)]
        paths = {row.id: row.path for row in self.rows}
        return LintReport((*findings, *class_findings(looks, self.classes)), paths, self.classes)


def _tiles(row: ImageRow) -> int:
    return sum(sum(1 for _ in tiles_of(Rect(0, 0, w, h))) for w, h in row.planes)

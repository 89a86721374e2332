"""What an import would do, image by image: the dry run of command line and window."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segstudio.formats.naming import StemPattern
from segstudio.geometry import TILE, Rect
from segstudio.labels.model import ClassId, ClassTable, Kind
from segstudio.store.project import Project
from segstudio.tasks.labels.incoming import IncomingPlane, ReadPlane, reopened_by
from segstudio.tasks.labels.incoming_files import wanted_labels
from segstudio.tasks.labels.mask_map import MaskMap
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = ["ImportPreview", "PreviewedPlane", "preview_import"]


@dataclass(frozen=True, slots=True)
class PreviewedPlane:
    """What an import would do to a plane: from which `source`, how many objects and known pixels it brings, and how
    many pixels that are labelled now it `overwrites`."""

    path: str
    plane: int
    source: str
    objects: int
    pixels: int
    overwrites: int


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What an import would do. See `ImportReport`; nothing was changed. `reopens` are images of which labels would make
    planes that are done in progress again."""

    planes: tuple[PreviewedPlane, ...]
    skipped: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    new_classes: tuple[str, ...] = ()
    binary: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    binary_value: int = 255
    reopens: tuple[str, ...] = ()


def preview_import(
    project: Project,
    format_: str,
    path: Path,
    *,
    mapping: MaskMap | None = None,
    new_classes: bool = False,
    pattern: StemPattern | None = None,
) -> Generator[Progress, None, ImportPreview]:
    """What `import_masks` would do with the same arguments, image by image. Reads only; raises as it does."""
    wanted = wanted_labels(project, format_, path, mapping, new_classes, pattern)
    planes = wanted.incoming.planes
    found: list[PreviewedPlane] = []
    for done, plane in enumerate(planes):
        yield Progress(done, len(planes), _("checking {name}", name=plane.name))
        read = wanted.incoming.read(plane)
        found.append(
            PreviewedPlane(
                path=plane.image.path,
                plane=plane.plane,
                source=plane.name,
                objects=_objects_in(read, wanted.classes),
                pixels=int(np.count_nonzero(read.class_ids)),
                overwrites=_overwritten(project, plane, read),
            )
        )
    incoming = wanted.incoming
    return ImportPreview(
        planes=tuple(found),
        skipped=incoming.skipped,
        unread=incoming.unread,
        new_classes=wanted.new,
        binary=incoming.binary,
        notes=incoming.notes,
        binary_value=incoming.binary_value,
        reopens=reopened_by(planes),
    )


def _objects_in(read: ReadPlane, classes: ClassTable) -> int:
    """How many objects a plane would have: one a semantic class, and every instance; background is none."""
    import cv2

    found = (classes[ClassId(int(id_))] for id_ in np.unique(read.class_ids) if id_)
    present = [c for c in found if c.kind is not Kind.BACKGROUND]
    instances = [c for c in present if not c.one_object]
    if read.numbers is not None:
        of_instances = np.isin(read.class_ids, [c.id for c in instances])
        return len(present) - len(instances) + len(np.unique(read.numbers[of_instances]))
    parts = (
        cv2.connectedComponents((read.class_ids == c.id).astype(np.uint8), connectivity=8)[0] - 1 for c in instances
    )
    return len(present) - len(instances) + sum(parts)


def _overwritten(project: Project, plane: IncomingPlane, read: ReadPlane) -> int:
    """How many pixels that are labelled now would be labelled again."""
    if not plane.image.last_edit:
        return 0
    document = project.document(plane.image.id)
    width, height = plane.image.planes[plane.plane]
    bands = (Rect(0, y, width, min(TILE, height - y)) for y in range(0, height, TILE))
    return sum(
        int(np.count_nonzero((document.class_ids(plane.plane, r) != 0) & (read.class_ids[r.y : r.bottom] != 0)))
        for r in bands
    )

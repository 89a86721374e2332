"""Labels as the store has them, read away from the GUI thread: at opening, and after a change that others made."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from segstudio.app.editing.class_choice import StoredClasses, classes_of
from segstudio.labels.document import Document
from segstudio.labels.model import ImageId, Seq
from segstudio.labels.tiles.streamed import tile_bytes
from segstudio.store.project import History, Project

__all__ = ["StoredState", "primed_document", "read_state"]

_PRIMED_BYTES = 128 << 20
"""Labels that are read with a document; the rest when it is looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredState:
    """The newest edit, the classes, the history of each image asked for, and its labels where they may be others."""

    last_seq: Seq
    classes: StoredClasses
    histories: Mapping[ImageId, History]
    documents: Mapping[ImageId, Document]


def read_state(project: Project, images: Collection[ImageId], changed: frozenset[ImageId] | None) -> StoredState:
    """Read it, with the labels of those of the images that are among `changed` (None = any); for any thread."""
    last_seq, classes = project.last_seq(), classes_of(project)
    histories = {image: project.history(image) for image in images}
    documents = {image: primed_document(project, image) for image in images if changed is None or image in changed}
    return StoredState(last_seq, classes, histories, documents)


def primed_document(project: Project, image: ImageId) -> Document:
    """The labels with as many tiles in memory as fit, so that painting seldom waits for one; for any thread."""
    document = project.document(image)
    left = _PRIMED_BYTES
    for plane in range(len(document.raster.sizes)):
        tiles = project.tiles(image, plane, left) if left > 0 else {}
        document.raster.prime({(plane, *key): tile for key, tile in tiles.items()})
        left -= sum(tile_bytes(tile) for tile in tiles.values())
    return document

"""Which planes a prediction is for: those without a known pixel, all that are not done, or those of some images."""

from collections.abc import Sequence
from enum import Enum, auto

from segstudio.errors import UserError
from segstudio.store.project import ImageRow, Project
from segstudio.tasks.images.selection import selected_images
from segstudio.tasks.learning.predict import Plane
from segstudio.text import _

__all__ = ["Which", "planes_to_predict"]


class Which(Enum):
    """What a person asked for."""

    UNLABELLED = auto()
    NOT_DONE = auto()


def planes_to_predict(
    project: Project, which: Which, *, glob: str | None = None, between: tuple[int, int] | None = None
) -> list[Plane]:
    """The planes in the project's order; with a glob all of the images that fit it, whatever `which` says.

    `between` narrows them to the planes from the first to the last number (from 0, both included). Raises `UserError`
    where no image fits the glob, or none has a plane of these numbers.
    """
    images = project.images()
    if glob is not None:
        images = selected_images(images, glob)
    planes = [(row.id, plane) for row in images for plane in (_of(project, row, which) if glob is None else _all(row))]
    if between is None:
        return planes
    first, last = between
    if all(len(row.planes) <= first for row in images):
        raise UserError(_("No image has a plane {plane}: planes are counted from 0.", plane=first))
    return [(image, plane) for image, plane in planes if first <= plane <= last]


def _of(project: Project, row: ImageRow, which: Which) -> Sequence[int]:
    if which is Which.NOT_DONE:
        done = row.marks.done(len(row.planes))
        return [plane for plane in _all(row) if plane not in done]
    if not row.labelled_pixels:
        return _all(row)
    if len(row.planes) == 1:
        return ()
    known = project.known_planes(row.id)
    return [plane for plane in _all(row) if plane not in known]


def _all(row: ImageRow) -> range:
    return range(len(row.planes))

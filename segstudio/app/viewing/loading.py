"""One image from the disk: what is in the place of its file, its pixels, its labels. For a worker thread."""

from dataclasses import dataclass

from msgspec import structs

from segstudio.app.editing.open_document import OpenDocument
from segstudio.app.editing.stored_state import primed_document
from segstudio.app.viewing.display import DisplayImage
from segstudio.app.viewing.displaying import Displaying
from segstudio.errors import ImageMissing, UserError
from segstudio.store.file_check import Content, Look, look_at
from segstudio.store.project import Project
from segstudio.store.values import ImageRow
from segstudio.text import _

__all__ = ["Loaded", "load"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was found in the place of a file, and its pixels or why there are none; `opened` where labels were read."""

    look: Look
    display: DisplayImage | None = None
    opened: OpenDocument | None = None
    error: UserError | None = None


def load(project: Project, displaying: Displaying, row: ImageRow, plane: int, generation: int | None) -> Loaded:
    """Look at the file, decode a plane; with a `generation` of the documents in memory read the labels too."""
    look = Look(Content.SAME)
    try:
        look = look_at(_labelled_now(project, row))
        if look.content is Content.MISSING:
            lost = next((file for file in row.files if not file.is_file()), row.file)
            raise ImageMissing(
                _("The file of '{path}' is not at {file}.", path=row.path, file=lost),
                safe=_("Its labels are safe."),
            )
        display = displaying.load(row, plane, look)
        if generation is None:
            return Loaded(look, display)
        opened = OpenDocument(primed_document(project, row.id), project.history(row.id), 0, generation)
        return Loaded(look, display, opened)
    except UserError as error:
        return Loaded(look, error=error)


def _labelled_now(project: Project, row: ImageRow) -> ImageRow:
    """The row, with its last edit as it is by now: a restore may have labelled the image since the list was read."""
    last = max((found.last_edit for found in project.some_images((row.id,))), default=row.last_edit)
    return structs.replace(row, last_edit=max(row.last_edit, last))

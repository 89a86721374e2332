"""Why undo ends, and the words for an undo or redo that is a job."""

from segstudio.app.values import JobKind
from segstudio.store.project import History
from segstudio.text import _, count

__all__ = ["job_words", "undo_ends"]


def undo_ends(history: History) -> str:
    """Why an image that was painted has nothing to undo: its journal was compacted; else ''."""
    if not history.floor or history.next_undo() is not None:
        return ""
    return _(
        "Undo ends here: 'segstudio compact' dropped the history of this image up to edit {edit}.", edit=history.floor
    )


def job_words(redone: bool, images: int) -> tuple[JobKind, str]:
    """The kind of job, and what the window shows, where an edit of so many images is undone or redone."""
    if redone:
        kind, one = JobKind.REDO, _("Redo")
        many = count(images, "Redo in {n} image", "Redo in {n} images")
    else:
        kind, one = JobKind.UNDO, _("Undo")
        many = count(images, "Undo in {n} image", "Undo in {n} images")
    return kind, one if images < 2 else many

"""The images that a command is for: a glob over their relative paths."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from unicodedata import normalize

from segstudio.errors import UserError
from segstudio.store.values import ImageRow
from segstudio.text import _

__all__ = ["selected_images"]


def selected_images(images: Sequence[ImageRow], glob: str) -> list[ImageRow]:
    """The images whose relative path matches a glob; `*` also crosses folders, `**/` may stand for none.

    Raises `UserError` where none does.
    """
    pattern = normalize("NFC", glob.replace("\\", "/"))
    found = [image for image in images if _fits(normalize("NFC", image.path), pattern)]
    if not found:
        raise UserError(_("No image of the project matches '{glob}'.", glob=glob))
    return found


def _fits(path: str, pattern: str) -> bool:
    return path == pattern or fnmatchcase(path, pattern) or fnmatchcase(path, pattern.replace("**/", ""))

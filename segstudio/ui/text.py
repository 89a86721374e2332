"""Text in the form that widgets need."""

import os.path
import textwrap
from pathlib import Path

from segstudio.text import _

__all__ = ["beside_icon", "typed_path", "version_words", "wrapped"]


def beside_icon(text: str) -> str:
    """The words of a button with an icon, set apart from it: a style sheet cannot say how far."""
    return f" {text}"


def wrapped(text: str, width: int = 80) -> str:
    """The text in lines of at most `width` characters, for a tooltip; a name without spaces is broken too."""
    lines = (textwrap.wrap(line, width, break_on_hyphens=False) or [""] for line in text.splitlines())
    return "\n".join("\n".join(parts) for parts in lines)


def typed_path(text: str) -> Path:
    """The path in a text, its `~` filled in; that of a user whom nobody knows stays, as a path that is not there."""
    return Path(os.path.expanduser(text.strip()))


def version_words(name: str) -> str:
    """The name of a version in words."""
    return {"instant": _("instant learner"), "embedded": _("first guess")}.get(name, name)

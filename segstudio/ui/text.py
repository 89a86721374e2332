"""How the window says things: translation, and figures as people write them. English is the source language."""

import textwrap

from PySide6.QtCore import QCoreApplication

from segstudio.text import amount, clock, count, elided

__all__ = ["amount", "clock", "count", "elided", "tr", "wrapped"]

CONTEXT = "SegStudio"


def tr(text: str, **values: object) -> str:
    """The sentence in the language of the window, its {names} filled in."""
    translated = QCoreApplication.translate(CONTEXT, text)
    return translated.format(**values) if values else translated


def wrapped(text: str, width: int = 80) -> str:
    """The text in lines of at most `width` characters, as a tooltip needs it: also a name without a space is broken."""
    lines = (textwrap.wrap(line, width, break_on_hyphens=False) or [""] for line in text.splitlines())
    return "\n".join("\n".join(parts) for parts in lines)

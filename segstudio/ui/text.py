"""How the window says things: translation, and figures as people write them. English is the source language."""

import textwrap

from PySide6.QtCore import QCoreApplication

__all__ = ["amount", "clock", "count", "elided", "tr", "wrapped"]

CONTEXT = "SegStudio"


def tr(text: str, **values: object) -> str:
    """The sentence in the language of the window, its {names} filled in."""
    translated = QCoreApplication.translate(CONTEXT, text)
    return translated.format(**values) if values else translated


def count(n: int, one: str, many: str) -> str:
    """A number and its noun: `one` where n is 1, else `many`, in which {n} stands for the number."""
    return tr(one if n == 1 else many, n=f"{n:,}")


def clock(seconds: float) -> str:
    """A span of time at a glance: 42 s, 3:05 min, 1:20 h."""
    whole = max(0, round(seconds))
    if whole < 60:
        return tr("{n} s", n=whole)
    if whole < 3600:
        return tr("{n} min", n=f"{whole // 60}:{whole % 60:02d}")
    return tr("{n} h", n=f"{whole // 3600}:{whole % 3600 // 60:02d}")


def amount(value: float) -> str:
    """A figure with about three digits: 0.123, 4.56, 78.9, 1,234."""
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0}f}"


def elided(text: str, limit: int) -> str:
    """The text, its middle replaced by an ellipsis where it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def wrapped(text: str, width: int = 80) -> str:
    """The text in lines of at most `width` characters, as a tooltip needs it: also a name without a space is broken."""
    lines = (textwrap.wrap(line, width, break_on_hyphens=False) or [""] for line in text.splitlines())
    return "\n".join("\n".join(parts) for parts in lines)

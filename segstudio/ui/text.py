"""Text as widgets need it."""

import textwrap

__all__ = ["wrapped"]


def wrapped(text: str, width: int = 80) -> str:
    """The text in lines of at most `width` characters, for a tooltip: a name without a space is broken too."""
    lines = (textwrap.wrap(line, width, break_on_hyphens=False) or [""] for line in text.splitlines())
    return "\n".join("\n".join(parts) for parts in lines)

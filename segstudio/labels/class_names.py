"""What a class may be called."""

from segstudio.errors import UsageError
from segstudio.text import _

__all__ = ["valid_name"]


def valid_name(name: str) -> str:
    """The name without blanks around it. Raises `UsageError` where a class cannot be called so."""
    stripped = name.strip()
    if not stripped:
        raise UsageError(_("A class needs a name."))
    for character in stripped:
        if character in ":,=":
            raise UsageError(
                _(
                    "The class name '{stripped}' holds a '{character}'; ':', ',' and '=' are not allowed.",
                    stripped=stripped,
                    character=character,
                )
            )
        if not character.isprintable():
            shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in stripped)
            raise UsageError(
                _(
                    "The class name '{shown}' holds {character}, which is not allowed in a name.",
                    shown=shown,
                    character=_character(character),
                )
            )
    return stripped


def _character(character: str) -> str:
    """A character that cannot be seen, in words."""
    known = {"\t": "a tab", "\n": "a line break", "\r": "a line break"}
    return known.get(character) or f"the invisible character U+{ord(character):04X}"

"""The names a class may have."""

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
                    "The class name '{name}' contains '{character}'; ':', ',' and '=' are not allowed.",
                    name=stripped,
                    character=character,
                )
            )
        if not character.isprintable():
            shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in stripped)
            raise UsageError(
                _(
                    "The class name '{name}' contains {character}, which is not allowed in a name.",
                    name=shown,
                    character=_character(character),
                )
            )
    return stripped


def _character(character: str) -> str:
    """Words for an invisible character."""
    if character == "\t":
        return _("a tab")
    if character in "\n\r":
        return _("a line break")
    return _("the invisible character U+{code}", code=f"{ord(character):04X}")

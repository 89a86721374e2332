"""Words: every sentence that a person reads comes from here, in the chosen language. English is the source.

One catalogue (gettext, domain `segstudio`) serves the window, the command line and the errors of every room. A sentence
is written whole, with its values as named fields, where it is made: `_("The class '{name}' is locked.", name=name)`.
Words in a table are marked there with `N_`, before a language is chosen, and translated when they are shown.
"""

import gettext
from threading import Lock

__all__ = ["N_", "PSEUDO", "_", "amount", "clock", "count", "elided", "language", "languages", "set_language"]

PSEUDO = "pseudo"
"""A made-up language: every sentence in double brackets, so that words that bypass the catalogue stand out."""

_DOMAIN = "segstudio"
_SOURCE = gettext.NullTranslations()
_chosen: gettext.NullTranslations = _SOURCE
_code = "en"
_lock = Lock()


class _Pseudo(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{super().ngettext(msgid1, msgid2, n)}⟧"


def set_language(code: str) -> None:
    """Choose the language of every sentence from now on: 'en', `PSEUDO`, or one of `languages`.

    English if there is no such catalogue.
    """
    global _chosen, _code
    with _lock:
        _chosen = _Pseudo() if code == PSEUDO else _catalogue(code)
        _code = code


def language() -> str:
    """The code that was given to `set_language` last; 'en' at first."""
    return _code


def _catalogue(code: str) -> gettext.NullTranslations:
    if code == "en":
        return _SOURCE
    from segstudio.assets import asset

    return gettext.translation(_DOMAIN, str(asset("i18n")), [code], fallback=True)


def languages() -> tuple[str, ...]:
    """Codes of the available languages: English, and every one with a compiled catalogue."""
    from segstudio.assets import asset

    found = asset("i18n").glob(f"*/LC_MESSAGES/{_DOMAIN}.mo")
    return ("en", *sorted(path.parent.parent.name for path in found))


def _(message: str, /, **values: object) -> str:
    """The sentence in the chosen language, its {fields} filled in."""
    translated = _chosen.gettext(message)
    return translated.format(**values) if values else translated


def N_(message: str, /) -> str:
    """The same words: a mark for words that are translated when they are shown."""
    return message


def count(n: int, one: str, many: str, /, **values: object) -> str:
    """A sentence about `n` things, in the form that the language has for that number; {n} stands for the number."""
    return _chosen.ngettext(one, many, n).format(n=f"{n:,}", **values)


def clock(seconds: float) -> str:
    """A span of time at a glance: 42 s, 3:05 min, 1:20 h."""
    whole = max(0, round(seconds))
    if whole < 60:
        return _("{n} s", n=whole)
    if whole < 3600:
        return _("{n} min", n=f"{whole // 60}:{whole % 60:02d}")
    return _("{n} h", n=f"{whole // 3600}:{whole % 3600 // 60:02d}")


def amount(value: float) -> str:
    """A figure with about three digits: 0.123, 4.56, 78.9, 1,234."""
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0}f}"


def elided(text: str, limit: int) -> str:
    """The text, with its middle replaced by an ellipsis if it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"

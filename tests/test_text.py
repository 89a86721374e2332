"""Sentences in the chosen language."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from segstudio import assets
from segstudio.text import N_, PSEUDO, _, amount, clock, count, elided, languages, set_language


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    set_language("en")


def _compiled(messages: dict[str, str]) -> bytes:
    """A catalogue as msgfmt makes it (GNU gettext manual, 'The Format of GNU MO Files')."""
    pairs = sorted((key.encode(), value.encode()) for key, value in messages.items())
    ids, strings = b"", b""
    places = []
    for key, value in pairs:
        places.append((len(ids), len(key), len(strings), len(value)))
        ids += key + b"\0"
        strings += value + b"\0"
    start = 28 + 16 * len(pairs)
    keys = b"".join(struct.pack("<2I", n, start + at) for at, n, *_rest in places)
    values = b"".join(struct.pack("<2I", n, start + len(ids) + at) for *_rest, at, n in places)
    return struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0) + keys + values + ids + strings


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "i18n" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "segstudio.mo").write_bytes(
        _compiled(
            {
                "": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n",
                "'{name}' is locked.": "'{name}' ist gesperrt.",
                "{n} image\0{n} images": "{n} Bild\0{n} Bilder",
                "Brush": "Pinsel",
            }
        )
    )
    monkeypatch.setattr(assets, "asset", lambda *parts: tmp_path.joinpath(*parts))
    return "de"


def test_the_source_language_says_what_stands_in_the_code() -> None:
    assert _("'{name}' is locked.", name="cell") == "'cell' is locked."
    assert _("a brace { alone, without values") == "a brace { alone, without values"
    assert count(1, "{n} image", "{n} images") == "1 image"
    assert count(12345, "{n} image", "{n} images") == "12,345 images"


def test_a_catalogue_gives_sentences_fields_and_plurals(german: str) -> None:
    brush = N_("Brush")
    assert languages() == ("en", "de")
    set_language(german)
    assert _("'{name}' is locked.", name="cell") == "'cell' ist gesperrt."
    assert (count(1, "{n} image", "{n} images"), count(2, "{n} image", "{n} images")) == ("1 Bild", "2 Bilder")
    assert _(brush) == "Pinsel"
    assert _("not translated yet") == "not translated yet"


def test_an_unknown_language_is_english() -> None:
    set_language("xx")
    assert _("Brush") == "Brush"


def test_the_pseudo_language_marks_every_sentence() -> None:
    set_language(PSEUDO)
    assert _("'{name}' is locked.", name="cell") == "⟦'cell' is locked.⟧"
    assert count(2, "{n} image", "{n} images") == "⟦2 images⟧"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1:00 min"), (185, "3:05 min"), (4800, "1:20 h"), (-3, "0 s")],
)
def test_a_span_of_time_is_read_at_a_glance(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_figures_have_about_three_digits() -> None:
    assert [amount(v) for v in (0.1234, 4.567, 78.91, 345.6, 1234.5)] == ["0.123", "4.57", "78.9", "346", "1,234"]


def test_a_long_text_loses_its_middle() -> None:
    assert elided("a_very_long_name_of_an_image.tif", 12) == "a_very_….tif"
    assert elided("short", 12) == "short"

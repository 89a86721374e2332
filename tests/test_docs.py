"""The documents say what the program has: formats, keys; names of widgets are held in tests/ui/test_names.py."""

import re
from pathlib import Path

import pytest

from segstudio.formats.table import FORMATS, Format, formats_table
from segstudio.ui.window.actions import ACTIONS, keys_table

ROOT = Path(__file__).resolve().parent.parent


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_table_of_formats_is_the_one_of_the_program() -> None:
    assert f"\n{formats_table(FORMATS.rows)}\n" in _text("docs/formats.md")


@pytest.mark.parametrize("row", FORMATS.rows, ids=lambda row: row.name)
def test_a_format_has_a_chapter(row: Format) -> None:
    assert f"\n## {row.name}" in _text("docs/formats.md")


def test_the_page_of_keys_is_the_table_of_actions() -> None:
    assert keys_table() in _text("docs/keys.md")


def test_the_daily_keys_of_the_readme_are_keys_of_actions() -> None:
    pointer = {"left button", "right button", "wheel", "middle button"}
    known = {key for action in ACTIONS for key in action.keys}
    rows = re.findall(r"^\| (.+?) \|", _text("README.md").partition("## The daily keys")[2].partition("\n## ")[0], re.M)
    assert len(rows) > 10
    for row in rows[2:]:
        keys = set(re.findall(r"`([^`]+)`", row))
        assert keys <= known, row
        assert keys or any(word in row for word in pointer), row

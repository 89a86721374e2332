"""The documents say what the program has: formats, keys; names of widgets are held in tests/ui/test_names.py."""

import re
from pathlib import Path

import pytest

from segstudio.formats.table import FORMATS, Format
from segstudio.ui.window.actions import ACTIONS, keys_table

ROOT = Path(__file__).resolve().parent.parent


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_a_format_is_documented_with_its_directions_and_its_losses(row: Format) -> None:
    out, back = "yes" if row.write else "later", "yes" if row.read else "later"
    document = _text("docs/formats.md")
    assert f"| `{row.name}` | {out} | {back} | {row.losses} |" in document
    assert f"\n## {row.name}" in document


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

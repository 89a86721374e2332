"""Tables that other packages add rows to."""

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from segstudio import registry
from segstudio.registry import Registry


def _a_number(_name: str, row: object) -> str:
    return "" if isinstance(row, int) else "it is no number"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Installs a package of one module with entry points, as pip would leave it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "_broken", [])
    monkeypatch.setattr(registry, "_said", 0)

    def install(source: str, points: str) -> None:
        (tmp_path / "extra_rows.py").write_text(textwrap.dedent(source))
        monkeypatch.delitem(sys.modules, "extra_rows", raising=False)
        info = tmp_path / "extra_rows-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra-rows\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[segstudio.numbers]\n" + textwrap.dedent(points))

    return install


def numbers() -> Registry[int]:
    return Registry("numbers", {"one": 1, "two": 2}, _a_number)


def test_a_table_holds_its_own_rows_in_their_order():
    assert list(numbers()) == ["one", "two"]
    assert numbers().rows == (1, 2)
    assert numbers()["two"] == 2
    assert numbers().get("ten") is None
    assert "two" in numbers()
    assert len(numbers()) == 2


def test_another_package_adds_rows_behind_ours(installed):
    installed("three = 3", "three = extra_rows:three")
    assert dict(numbers()) == {"one": 1, "two": 2, "three": 3}
    assert registry.unsaid() == ()


def test_our_own_rows_are_found_without_loading_another_package(installed):
    installed("raise SystemExit('loaded')", "three = extra_rows:three")
    assert numbers()["one"] == 1
    assert "extra_rows" not in sys.modules


@pytest.mark.parametrize(
    ("source", "points", "reason"),
    [
        ("1 / 0", "three = extra_rows:three", "ZeroDivisionError: division by zero"),
        ("", "three = extra_rows:three", "AttributeError"),
        ("", "three = no_such_module:three", "ModuleNotFoundError"),
        ("three = 'drei'", "three = extra_rows:three", "it is no number"),
        ("two = 22", "two = extra_rows:two", "there is one of that name already"),
    ],
)
def test_a_broken_row_is_left_out_and_said_once(installed, source, points, reason):
    installed(source, points)
    table = numbers()
    assert dict(table) == {"one": 1, "two": 2}
    assert dict(table) == {"one": 1, "two": 2}
    (said,) = registry.unsaid()
    assert reason in said.sentence
    assert "package extra-rows" in said.sentence
    assert registry.unsaid() == ()
    assert registry.broken_rows() == (said,)


def test_a_broken_row_takes_no_other_row_along(installed):
    installed("three = 'drei'; four = 4", "three = extra_rows:three\nfour = extra_rows:four")
    assert list(numbers()) == ["one", "two", "four"]


def test_a_package_may_look_into_the_table_while_it_is_loaded(installed):
    installed(
        """
        import tests_table
        three = tests_table.TABLE["one"] + len(tests_table.TABLE)
        """,
        "three = extra_rows:three",
    )
    table = numbers()
    module = type(sys)("tests_table")
    module.TABLE = table
    sys.modules["tests_table"] = module
    try:
        assert table["three"] == 3
    finally:
        del sys.modules["tests_table"]

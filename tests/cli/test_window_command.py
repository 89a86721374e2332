import sys
import types
from pathlib import Path

import pytest

from segstudio.cli import window
from segstudio.errors import UsageError, UserError

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What would have been opened: the real modules of the window are replaced."""
    calls: list[object] = []
    for name, module_name, function in (
        ("launch", "segstudio.ui.window.launch", "run_window"),
        ("demo", "segstudio.demo.run", "run_demo"),
    ):
        module = types.ModuleType(f"segstudio.ui.{name}")
        setattr(module, function, lambda *arguments, name=name: calls.append((name, *arguments)) or 0)
        monkeypatch.setitem(sys.modules, module_name, module)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in SCREENS:
        monkeypatch.delenv(name, raising=False)
    return calls


def test_with_a_display_the_window_opens_on_what_is_named(
    opened: list[object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    assert window.run([str(tmp_path)]) == 0
    assert window.run([]) == 0
    assert window.run(["--demo"]) == 0
    assert opened == [("launch", [tmp_path], False), ("launch", [], False), ("launch", [], True)]


def test_without_one_the_demo_runs_offscreen_and_the_window_does_not_open(opened: list[object]) -> None:
    assert window.run(["--demo"]) == 0
    assert opened == [("demo",)]
    with pytest.raises(UserError, match="display"):
        window.run([])


def test_qt_told_to_draw_offscreen_needs_no_display(opened: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert window.run([]) == 0
    assert window.run(["--demo"]) == 0
    assert opened == [("launch", [], False), ("demo",)]


def test_windows_and_macos_always_have_a_display(opened: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert window.run([]) == 0


def test_what_is_neither_command_nor_file_is_a_usage_error(opened: list[object]) -> None:
    with pytest.raises(UsageError, match="'exprt'"):
        window.run(["exprt"])


def test_a_missing_system_library_is_a_sentence(opened: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise ImportError("libEGL.so.1: cannot open shared object file", name="PySide6.QtWidgets")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(sys.modules["segstudio.ui.window.launch"], "run_window", broken)
    with pytest.raises(UserError, match=r"libEGL\.so\.1"):
        window.run([])

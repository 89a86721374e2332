import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segstudio.store import filesystems
from segstudio.tasks import doctor
from segstudio.tasks.doctor import examine

GOOD: dict[str, Any] = {
    "torch": "2.15.0",
    "devices": ["cpu"],
    "gpu": {"available": False, "reason": "There is no NVIDIA driver on this machine."},
    "models": [{"name": "base", "ok": True, "sha256": "ab", "message": ""}],
    "convolution_s": 0.1,
}
Answer = Callable[..., None]


@pytest.fixture
def engine_says(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Replaces the processes that doctor starts: what the engine answers, and whether the window's library loads."""

    def answer(engine: object, stderr: str = "", window: str = "") -> None:
        def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
            if "--doctor" not in command:
                return subprocess.CompletedProcess(command, bool(window), b"", window.encode())
            if isinstance(engine, BaseException):
                raise engine
            text = engine if isinstance(engine, str) else json.dumps(engine)
            return subprocess.CompletedProcess(command, 1, text.encode(), stderr.encode())

        monkeypatch.setattr(subprocess, "run", run)

    return answer


def test_a_sound_installation_has_no_problems_and_the_keys_that_scripts_lean_on(engine_says: Answer) -> None:
    engine_says(GOOD)
    found = examine()
    assert found.stopped == []
    assert list(found.as_json())[:8] == [
        "segstudio", "python", "torch", "devices", "gpu", "models", "sqlite", "problems",
    ]  # fmt: skip
    assert found.as_json()["gpu"] == GOOD["gpu"]
    assert found.as_json()["models"] == [{"name": "base", "ok": True, "sha256": "ab"}]
    assert "no NVIDIA driver" in "\n".join(found.lines())


def test_the_version_of_the_windows_library_is_said(engine_says: Answer) -> None:
    import PySide6

    engine_says(GOOD)
    found = examine()
    assert found.as_json()["pyside6"] == PySide6.__version__
    assert f"pyside6      {PySide6.__version__}" in found.lines()


def test_no_gpu_stops_nothing_but_a_damaged_model_does(engine_says: Answer) -> None:
    model = {"name": "base", "ok": False, "sha256": "", "message": "its output differs"}
    engine_says({**GOOD, "models": [model]})
    found = examine()
    assert len(found.stopped) == 1
    assert "base" in found.stopped[0]
    assert found.problems == found.stopped


@pytest.mark.parametrize(
    ("engine", "stderr", "said"),
    [
        ("", "ImportError: libcublas.so.13: cannot open shared object file", "libcublas"),
        ("no json", "", "code 1"),
        (subprocess.TimeoutExpired("engine", 1), "", "did not answer"),
        (FileNotFoundError(2, "No such file"), "", "No such file"),
    ],
)
def test_an_engine_that_cannot_speak_is_a_problem_in_one_sentence(
    engine_says: Answer, engine: object, stderr: str, said: str
) -> None:
    engine_says(engine, stderr)
    found = examine()
    assert said in found.stopped[0]
    assert "\n" not in found.stopped[0]
    assert found.as_json()["devices"] == []


def test_a_window_that_cannot_load_names_what_it_lacks(engine_says: Answer) -> None:
    engine_says(GOOD, window="Traceback\nImportError: libEGL.so.1: cannot open shared object file")
    assert any("libEGL" in problem and "apt install" in problem for problem in examine().stopped)


def test_what_is_missing_is_said_with_what_it_is_for(engine_says: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    engine_says(GOOD)
    real = doctor.find_spec
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name in ("pycocotools", "tqdm") else real(name))
    found = examine()
    assert {m["name"]: m["for"] for m in found.missing} == {
        "pycocotools": "exporting COCO", "tqdm": "progress bars",
    }  # fmt: skip
    assert len(found.problems) == 2
    assert len(found.stopped) == 1


def test_the_place_of_a_project_is_looked_at(
    engine_says: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_says(GOOD)
    monkeypatch.setattr(filesystems, "file_system", lambda _place: "nfs4")
    folder = tmp_path / "Dropbox"
    folder.mkdir()
    problems = " ".join(examine(folder).problems)
    assert "network drive (nfs4)" in problems
    assert "a folder that Dropbox copies" in problems
    assert "does not exist" in examine(tmp_path / "gone").stopped[0]

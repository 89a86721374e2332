"""Examine this installation: what works, what is missing for what. torch is looked at in a process of its own."""

import platform
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

import segstudio
from segstudio.engine.client import engine_command, engine_environment
from segstudio.formats.table import FORMATS
from segstudio.imaging.readers.table import FAMILIES
from segstudio.registry import broken_rows
from segstudio.store import filesystems
from segstudio.tasks.keeping.project_health import Health, examine_project, is_project

__all__ = ["Examination", "examine"]

_ENGINE_S = 180.0
_WINDOW_S = 60.0
_LEAST_FREE_BYTES = 1 << 30

_NEEDED = {
    "numpy": "everything",
    "cv2": "drawing, resizing and components",
    "PIL": "reading PNG, JPEG, BMP, WebP and GIF",
    "tifffile": "reading TIFF",
    "imagecodecs": "reading compressed TIFF",
    "msgspec": "settings and messages",
    "zstandard": "storing labels",
    "torch": "learning and proposing",
    "segmentation_models_pytorch": "learning and proposing",
    "safetensors": "weights",
    "PySide6": "the window",
    "pyqtgraph": "plots in the window",
    "pycocotools": "exporting COCO",
    "tqdm": "progress bars",
    "platformdirs": "finding the user's folders",
    "psutil": "telling drives and memory",
}
_NOT_FOR_THE_MAIN_JOB = ("tqdm", "pyqtgraph")


class _Gpu(msgspec.Struct, frozen=True):
    available: bool
    reason: str = ""


class _Model(msgspec.Struct, frozen=True):
    name: str
    ok: bool
    sha256: str = ""
    message: str = ""


class _Engine(msgspec.Struct, frozen=True):
    """What the engine's process says of itself."""

    torch: str
    devices: list[str]
    gpu: _Gpu
    models: list[_Model]
    convolution_s: float = 0.0


@dataclass(slots=True)
class Examination:
    """What was found; `problems` are sentences, and those in `stopped` stop the main job."""

    python: str
    sqlite: str
    file_system: str
    engine: _Engine
    pyside6: str = ""
    project: Health | None = None
    missing: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    problems: list[str] = field(default_factory=list[str])
    stopped: list[str] = field(default_factory=list[str])

    def as_json(self) -> dict[str, Any]:
        """The object that `segstudio doctor --json` prints."""
        return {
            "segstudio": segstudio.__version__,
            "python": self.python,
            "torch": self.engine.torch,
            "devices": self.engine.devices,
            "gpu": {"available": self.engine.gpu.available, "reason": self.engine.gpu.reason},
            "models": [{"name": m.name, "ok": m.ok, "sha256": m.sha256} for m in self.engine.models],
            "sqlite": self.sqlite,
            "problems": self.problems,
            "pyside6": self.pyside6,
            "file_system": self.file_system,
            "missing": self.missing,
            "convolution_seconds": self.engine.convolution_s,
            **({} if self.project is None else {"project": self.project.as_json()}),
        }

    def lines(self) -> list[str]:
        """The same for people."""
        gpu = "available" if self.engine.gpu.available else f"none: {self.engine.gpu.reason}"
        lines = [
            f"segstudio    {segstudio.__version__}",
            f"python       {self.python} on {platform.platform()}",
            f"pyside6      {self.pyside6 or 'cannot be found'}",
            f"torch        {self.engine.torch or 'cannot be loaded'}",
            f"devices      {', '.join(self.engine.devices) or 'none'}",
            f"gpu          {gpu}",
        ]
        lines += [f"model        {m.name}: {'ok' if m.ok else m.message or 'damaged'}" for m in self.engine.models]
        lines += [f"sqlite       {self.sqlite}", f"file system  {self.file_system}"]
        if self.project is not None:
            lines.append(f"project      {self.project.images} images, {self.project.tiles} tiles of labels checked")
        lines += [f"missing      {m['name']}, for {m['for']}" for m in self.missing]
        lines += [f"problem      {problem}" for problem in self.problems] or ["problems     none"]
        return lines

    def note(self, sentence: str, *, stops: bool) -> None:
        """Add a problem."""
        self.problems.append(sentence)
        if stops:
            self.stopped.append(sentence)


def examine(project: Path | None = None) -> Examination:
    """Look at everything; takes a few seconds, most of them for torch. Changes nothing, raises nothing."""
    place = project if project is not None and project.exists() else _data_folder()
    engine, why = _engine()
    found = Examination(
        platform.python_version(), sqlite3.sqlite_version, filesystems.file_system(place), engine, _pyside6()
    )
    for name, purpose in _NEEDED.items():
        if find_spec(name) is None:
            found.missing.append({"name": name, "for": purpose})
            found.note(f"{name} is not installed; it is needed for {purpose}.", stops=name not in _NOT_FOR_THE_MAIN_JOB)
    if why:
        found.note(why, stops=True)
    for model in engine.models:
        if not model.ok:
            found.note(
                f"The embedded model {model.name} does not work: {model.message or 'its output differs'}.", stops=True
            )
    if project is not None and not project.exists():
        found.note(f"{project} does not exist.", stops=True)
    if project is not None and project.exists() and is_project(project):
        found.project = examine_project(project)
        for problem in found.project.problems:
            found.note(problem, stops=problem in found.project.damage)
    _look_at_added_rows(found)
    _look_at_window(found)
    _look_at_disk(found, place)
    return found


def _look_at_added_rows(found: Examination) -> None:
    """Readers and formats that other packages add and that could not be taken in; all others are there all the same."""
    for table in (FAMILIES, FORMATS):
        len(table)  # what packages add is looked up when a table is first asked
    for row in broken_rows():
        found.note(row.sentence, stops=False)


def _engine() -> tuple[_Engine, str]:
    """What the engine says, and a sentence where it cannot say it."""
    nothing = _Engine(_version_of("torch"), [], _Gpu(False, "PyTorch cannot be loaded"), [])
    command = [*engine_command(), "--doctor"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_ENGINE_S, env=engine_environment(), check=False)
    except subprocess.TimeoutExpired:
        return nothing, f"The engine did not answer within {_ENGINE_S:.0f} seconds."
    except OSError as error:
        return nothing, f"The engine cannot be started: {error.strerror or error}."
    try:
        return msgspec.json.decode(done.stdout.strip().rpartition(b"\n")[2], type=_Engine), ""
    except msgspec.DecodeError:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return nothing, f"The engine cannot be loaded: {last or f'it ended with code {done.returncode}'}"


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _pyside6() -> str:
    """The version of the window's library, without loading it; the whole of it brings the essentials along."""
    return _version_of("PySide6-Essentials") or _version_of("PySide6")


def _look_at_window(found: Examination) -> None:
    """Whether Qt's libraries load, in a process of its own: a missing system library would end this one."""
    if find_spec("PySide6") is None:
        return
    check = [sys.executable, "-c", "import PySide6.QtWidgets"]
    if getattr(sys, "frozen", False):
        return
    try:
        done = subprocess.run(check, capture_output=True, timeout=_WINDOW_S, check=False)
    except (subprocess.TimeoutExpired, OSError) as error:
        found.note(f"The window's library cannot be tried: {error}.", stops=False)
        return
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        found.note(
            f"The window cannot open: {last}. On Debian and Ubuntu: apt install libegl1 libgl1 libxkbcommon0.",
            stops=True,
        )


def _look_at_disk(found: Examination, place: Path) -> None:
    free = shutil.disk_usage(place).free
    if free < _LEAST_FREE_BYTES:
        found.note(f"Only {free / 1e6:.0f} MB are free at {place}.", stops=False)
    if filesystems.is_network(found.file_system):
        found.note(
            f"{place} is on a network drive ({found.file_system}): let one computer at a time have a project open.",
            stops=False,
        )
    service = filesystems.synced_by(place)
    if service:
        found.note(
            f"{place} is in a folder that {service} copies to other computers: let one at a time have a project open, "
            "and wait until it is copied.",
            stops=False,
        )


def _data_folder() -> Path:
    """The user's data folder, or the nearest folder above it that is there."""
    import platformdirs

    folder = platformdirs.user_data_path("segstudio", appauthor=False)
    return next(f for f in (folder, *folder.parents) if f.exists())

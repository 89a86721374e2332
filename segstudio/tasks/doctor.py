"""Examine this installation: what works, and what is missing. torch is tested in a separate process."""

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
from segstudio.text import N_, _, count

__all__ = ["Examination", "examine"]

_ENGINE_S = 180.0
_WINDOW_S = 60.0
_LEAST_FREE_BYTES = 1 << 30

_NEEDED = {
    "numpy": N_("everything"),
    "cv2": N_("drawing, resizing and components"),
    "PIL": N_("reading PNG, JPEG, BMP, WebP and GIF"),
    "tifffile": N_("reading TIFF"),
    "imagecodecs": N_("reading compressed TIFF"),
    "msgspec": N_("settings and messages"),
    "zstandard": N_("storing labels"),
    "torch": N_("learning and proposing"),
    "segmentation_models_pytorch": N_("learning and proposing"),
    "safetensors": N_("weights"),
    "PySide6": N_("the window"),
    "pyqtgraph": N_("plots in the window"),
    "pycocotools": N_("exporting COCO"),
    "tqdm": N_("progress bars"),
    "platformdirs": N_("finding the user's folders"),
    "psutil": N_("detecting drives and memory"),
}
"""What each package is needed for; English in JSON, translated where it is shown."""

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
    """The engine's report on itself."""

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
        gpu = self.engine.gpu
        rows = [
            ("segstudio", segstudio.__version__),
            ("python", _("{version} on {system}", version=self.python, system=platform.platform())),
            ("pyside6", self.pyside6 or _("not found")),
            ("torch", self.engine.torch or _("cannot be loaded")),
            (_("devices"), ", ".join(self.engine.devices) or _("none")),
            (_("gpu"), _("available") if gpu.available else _("none: {reason}", reason=gpu.reason)),
        ]
        rows += [(_("model"), _model_words(model)) for model in self.engine.models]
        rows += [("sqlite", self.sqlite), (_("file system"), self.file_system)]
        if self.project is not None:
            images = count(self.project.images, "{n} image", "{n} images")
            tiles = count(self.project.tiles, "{n} tile of labels", "{n} tiles of labels")
            rows.append((_("project"), _("{images}, {tiles} checked", images=images, tiles=tiles)))
        rows += [(_("missing"), _("{name}, for {purpose}", name=m["name"], purpose=_(m["for"]))) for m in self.missing]
        rows += [(_("problem"), problem) for problem in self.problems] or [(_("problems"), _("none"))]
        return [f"{name:<12} {words}" for name, words in rows]

    def note(self, sentence: str, *, stops: bool) -> None:
        """Add a problem."""
        self.problems.append(sentence)
        if stops:
            self.stopped.append(sentence)


def _model_words(model: _Model) -> str:
    if model.ok:
        return _("{name}: ok", name=model.name)
    return _("{name}: {fault}", name=model.name, fault=model.message or _("damaged"))


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
            sentence = _("{name} is not installed; it is needed for {purpose}.", name=name, purpose=_(purpose))
            found.note(sentence, stops=name not in _NOT_FOR_THE_MAIN_JOB)
    if why:
        found.note(why, stops=True)
    for model in engine.models:
        if not model.ok:
            why = model.message or _("its output is not what it must be")
            found.note(_("The embedded model {name} does not work: {why}.", name=model.name, why=why), stops=True)
    if project is not None and not project.exists():
        found.note(_("{path} does not exist.", path=project), stops=True)
    if project is not None and project.exists() and is_project(project):
        found.project = examine_project(project)
        for problem in found.project.problems:
            found.note(problem, stops=problem in found.project.damage)
    _look_at_added_rows(found)
    _look_at_window(found)
    _look_at_disk(found, place)
    return found


def _look_at_added_rows(found: Examination) -> None:
    """Note the readers and formats of other packages that could not be loaded; all others work regardless."""
    for table in (FAMILIES, FORMATS):
        len(table)  # a table looks up the rows of other packages when it is first asked
    for row in broken_rows():
        found.note(row.sentence, stops=False)


def _engine() -> tuple[_Engine, str]:
    """The engine's report, and a sentence where there is none."""
    nothing = _Engine(_version_of("torch"), [], _Gpu(False, _("PyTorch cannot be loaded")), [])
    command = [*engine_command(), "--doctor"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_ENGINE_S, env=engine_environment(), check=False)
    except subprocess.TimeoutExpired:
        return nothing, _("The engine did not answer within {n} seconds.", n=f"{_ENGINE_S:.0f}")
    except OSError as error:
        return nothing, _("The engine cannot be started: {why}.", why=error.strerror or error)
    try:
        return msgspec.json.decode(done.stdout.strip().rpartition(b"\n")[2], type=_Engine), ""
    except msgspec.DecodeError:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        why = last or _("it ended with code {code}", code=done.returncode)
        return nothing, _("The engine cannot be loaded: {why}", why=why)


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _pyside6() -> str:
    """The version of the window's library, without loading it; the full package installs the essentials too."""
    return _version_of("PySide6-Essentials") or _version_of("PySide6")


def _look_at_window(found: Examination) -> None:
    """Note whether Qt's libraries load, in a separate process: a missing system library would end this one."""
    if find_spec("PySide6") is None:
        return
    check = [sys.executable, "-c", "import PySide6.QtWidgets"]
    if getattr(sys, "frozen", False):
        return
    try:
        done = subprocess.run(check, capture_output=True, timeout=_WINDOW_S, check=False)
    except (subprocess.TimeoutExpired, OSError) as error:
        found.note(_("The window's library could not be tested: {error}.", error=error), stops=False)
        return
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        sentence = _(
            "The window cannot open: {why}. On Debian and Ubuntu: apt install libegl1 libgl1 libxkbcommon0.", why=last
        )
        found.note(sentence, stops=True)


def _look_at_disk(found: Examination, place: Path) -> None:
    free = shutil.disk_usage(place).free
    if free < _LEAST_FREE_BYTES:
        found.note(_("Only {free} MB are free at {place}.", free=f"{free / 1e6:.0f}", place=place), stops=False)
    if filesystems.is_network(found.file_system):
        sentence = _(
            "{place} is on a network drive ({system}): open a project on one computer at a time.",
            place=place,
            system=found.file_system,
        )
        found.note(sentence, stops=False)
    service = filesystems.synced_by(place)
    if service:
        sentence = _(
            "{place} is in a folder that {service} copies to other computers: open a project on one at a time, and "
            "wait until it has been copied.",
            place=place,
            service=service,
        )
        found.note(sentence, stops=False)


def _data_folder() -> Path:
    """The user's data folder, or the nearest folder above it that exists."""
    import platformdirs

    folder = platformdirs.user_data_path("segstudio", appauthor=False)
    return next(f for f in (folder, *folder.parents) if f.exists())

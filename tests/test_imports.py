"""What importing each part of the house brings along, looked up in fresh interpreters.

The import contracts in pyproject.toml hold what the source says; these tests hold what really happens.
"""

import json
import pkgutil
import subprocess
import sys
from collections.abc import Sequence

import pytest

import segstudio

QT = ("PySide6", "shiboken6")
TORCH = ("torch", "segmentation_models_pytorch", "timm")
HEAVY = ("cv2", "scipy", "pyqtgraph", "rasterio", "pydicom", "tifffile", "imagecodecs", "pycocotools", "PIL", "skimage")
WIDGETS = ("PySide6.QtWidgets", "PySide6.QtGui")

PLAIN = (*QT, *TORCH, *HEAVY)
# Part of the house -> what importing all of its modules must not bring along.
FORBIDDEN = {
    "assets": PLAIN,
    "durable": PLAIN,
    "geometry": PLAIN,
    "errors": PLAIN,
    "faults": PLAIN,
    "registry": PLAIN,
    "runs": PLAIN,
    "metrics": PLAIN,
    "imaging": PLAIN,
    "labels": PLAIN,
    "store": PLAIN,
    "formats": PLAIN,
    "tasks": PLAIN,
    "text": PLAIN,
    "learn": QT,
    "engine": QT,
    "app": (*WIDGETS, *TORCH, *HEAVY),
    "ui": (*TORCH, *HEAVY),
    "demo": (*TORCH, *HEAVY),
    "cli": PLAIN,
}
# Single modules with a promise of their own, stricter than their package's.
FORBIDDEN_IN_MODULE = {"engine.client": PLAIN, "engine.protocol": PLAIN, "cli.main": PLAIN}

PROGRAM = """
import importlib, json, sys
brought = {}
for name in sys.argv[1:]:
    importlib.import_module(name)
    for module in sys.modules:
        brought.setdefault(module, name)
print(json.dumps(brought))
"""


def _parts() -> dict[str, bool]:
    """Name of every part of the house, and whether it is a package."""
    return {info.name: info.ispkg for info in pkgutil.iter_modules(segstudio.__path__) if info.name != "__main__"}


def _modules(name: str, folders: Sequence[str], is_package: bool) -> list[str]:
    """The dotted name and every module below it, found on disk without importing any."""
    found = [name]
    if is_package:
        inside = [f"{folder}/{name.rpartition('.')[2]}" for folder in folders]
        for info in pkgutil.iter_modules(inside):
            if info.name != "__main__":
                found += _modules(f"{name}.{info.name}", inside, info.ispkg)
    return found


def _brought_by(modules: list[str], forbidden: tuple[str, ...]) -> dict[str, str]:
    """Forbidden modules that a fresh interpreter holds after importing, each with the import that brought it first."""
    command = [sys.executable, "-c", PROGRAM, *modules]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    brought: dict[str, str] = json.loads(done.stdout)
    return {name: by for name, by in brought.items() if name in forbidden}


def test_every_part_of_the_house_has_its_rule_here() -> None:
    assert set(_parts()) - set(FORBIDDEN) == set()


@pytest.mark.parametrize("part", sorted(_parts()))
def test_importing_a_part_brings_only_what_it_may(part: str) -> None:
    modules = _modules(f"segstudio.{part}", list(segstudio.__path__), _parts()[part])
    assert _brought_by(modules, FORBIDDEN[part]) == {}


@pytest.mark.parametrize("name", sorted(FORBIDDEN_IN_MODULE))
def test_importing_a_module_that_stands_alone_brings_only_what_it_may(name: str) -> None:
    assert _brought_by([f"segstudio.{name}"], FORBIDDEN_IN_MODULE[name]) == {}


def test_a_forbidden_import_would_be_found() -> None:
    assert "PIL" in _brought_by(["segstudio.geometry", "PIL"], PLAIN)

"""A tiny copy of what the training reads: four sets of small made pictures, packed."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "training"

Load = Callable[[str], ModuleType]
TINY = {
    "coating_cracks_sem": ("semantic", 1, ("background", "oxide", "crack")),
    "coffee_leaves": ("semantic", 3, ("background", "leaf", "symptom")),
    "nuclei_fluorescence": ("instance", 1, ("background", "nucleus")),
    "coco_ccby": ("instance", 3, ("background", "object")),
}


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Load:
    """A module of `training/` by name; its siblings are found through it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def _mask(rng: np.random.Generator, classes: int) -> np.ndarray:
    mask = np.zeros((96, 120), np.uint8)
    for value in range(1, classes):
        y, x = rng.integers(5, 60, 2)
        mask[y : y + 24, x : x + 30] = value
    mask[40:42, :] = classes - 1
    return mask


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder whose `train/` has four sets of six pictures of 120 x 96."""
    rng = np.random.default_rng(0)
    for name, (kind, channels, classes) in TINY.items():
        folder = tmp_path / "data" / "train" / name
        for part in ("images", "masks"):
            (folder / part).mkdir(parents=True)
        for i in range(6):
            mask = _mask(rng, len(classes))
            image = (mask * 60 + rng.integers(0, 40, mask.shape)).astype(np.uint8)
            shown = image if channels == 1 else np.repeat(image[..., None], 3, axis=2)
            Image.fromarray(shown).save(folder / "images" / f"{i}.png")
            stored = mask.astype(np.uint16) if kind == "instance" else mask
            Image.fromarray(stored).save(folder / "masks" / f"{i}.png")
        card = {
            "domain": "made",
            "kind": kind,
            "channels": channels,
            "classes": [{"value": v, "name": c} for v, c in enumerate(classes)],
            "licence": {"name": "CC0-1.0"},
            "source": {"repository": "here"},
            "groups": {str(i): f"group {i // 2}" for i in range(6)},
        }
        (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return tmp_path / "data"


@pytest.fixture
def packed(training: Load, data: Path, tmp_path: Path) -> Path:
    """The tiny sets as `pack.py` writes them."""
    pack, sets = training("pack"), training("sets")
    pack.pack(data, tmp_path / "pack", tuple(r for r in sets.RECIPES if r.folder in TINY))
    return tmp_path / "pack"

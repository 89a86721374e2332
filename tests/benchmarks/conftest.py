"""The benchmarks as modules, and an evaluation set of small made pictures."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.learn.conftest import discs  # noqa: F401

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"

Load = Callable[[str], ModuleType]


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Load:
    """A module of `benchmarks/` by name; its siblings are found through it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def picture(seed: int, height: int = 96, width: int = 130) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Noise (h, w, 3), and a bright disc that is class 1."""
    rng = np.random.default_rng(seed)
    y, x = np.ogrid[:height, :width]
    centre, radius = rng.uniform(0.3, 0.7, 2) * (height, width), rng.uniform(0.2, 0.35) * height
    classes = ((y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2).astype(np.int64)
    pixels = 0.3 + 0.4 * classes[:, :, None] + rng.normal(0, 0.05, (height, width, 3))
    return pixels.clip(0, 1).astype(np.float32), classes


@pytest.fixture
def evaluation_data(tmp_path: Path) -> Path:
    """A folder with the set 'discs': eight pictures, semantic."""
    folder = tmp_path / "data" / "discs"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for i in range(8):
        pixels, classes = picture(i)
        Image.fromarray((pixels * 255).astype(np.uint8)).save(folder / "images" / f"{i}.png")
        Image.fromarray(classes.astype(np.uint8)).save(folder / "masks" / f"{i}.png")
    classes_ = [{"value": 0, "name": "background"}, {"value": 1, "name": "disc"}]
    (folder / "card.json").write_text(json.dumps({"kind": "semantic", "classes": classes_}))
    return folder.parent

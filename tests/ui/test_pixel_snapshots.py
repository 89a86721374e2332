"""The canvas looks as it did when somebody looked at it: at four zooms, on screens of three ratios."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.ui.pinned_pictures import PICTURES

TOLERANCE = 2.0
"""Mean colours of cells may differ by so much of 255: resampling rounds differently from one processor to another."""


@pytest.mark.parametrize("ratio", list(PICTURES))
def test_the_canvas_draws_what_was_looked_at(ratio: str) -> None:
    environment = {**os.environ, "QT_SCALE_FACTOR": ratio, "QT_QPA_PLATFORM": "offscreen"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    drawn = subprocess.run(
        [sys.executable, "-m", "tests.ui.pinned_scene"], env=environment, capture_output=True, text=True, check=False
    )
    assert drawn.returncode == 0, drawn.stderr
    found = json.loads(drawn.stdout)
    assert found.keys() == PICTURES[ratio].keys()
    for zoom, pinned in PICTURES[ratio].items():
        now, then = (np.frombuffer(bytes.fromhex(text), np.uint8).astype(float) for text in (found[zoom], pinned))
        assert np.abs(now - then).max() <= TOLERANCE, f"zoom {zoom}"

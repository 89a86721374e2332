"""Where the open data sets lie, for tests that sample them."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def robust_files() -> Path:
    """The folder of awkward and broken files; the test is skipped where it is absent."""
    root = Path(os.environ.get("SEGSTUDIO_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data")
    folder = root / "robust"
    if not (folder / "reference.json").is_file():
        pytest.skip("the open data sets are absent (set SEGSTUDIO_DATA to their folder)")
    return folder

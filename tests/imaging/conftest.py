"""The awkward and broken files of the open data sets."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def robust_files(data_dir: Path) -> Path:
    """The folder of awkward and broken files; the test is skipped where the data sets are absent."""
    return data_dir / "robust"

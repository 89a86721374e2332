"""What `.ci/run` does after tests that failed: few are run once more by themselves, and fail for good or are named."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / ".ci" / "run"
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32" or not shutil.which("bash"), reason=".ci/run needs bash"),
    pytest.mark.skipif(not RUN.exists(), reason="a source distribution has no .ci/run"),
]

TESTS = """
from pathlib import Path
import pytest

def test_good():
    pass

@pytest.mark.parametrize("n", range({by_chance}))
def test_by_chance(n):
    seen = Path(__file__).with_name(f"seen{{n}}")
    again = seen.exists()
    seen.touch()
    assert again

def test_wrong():
    assert {right}
"""


def _tests(tmp_path: Path, *, by_chance: int, right: bool) -> "subprocess.CompletedProcess[str]":
    """The step of the tests, over a checkout whose tests fail by chance, once each, or are wrong."""
    checkout, temporary = tmp_path / "checkout", tmp_path / "a folder"
    (checkout / "made" / "bin").mkdir(parents=True)
    (checkout / ".ci").mkdir()
    temporary.mkdir()
    shutil.copy(RUN, checkout / ".ci" / "run")
    python = checkout / "made" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    (checkout / "README.md").write_text("cp -r made .venv && .venv/bin/python -m pytest\n", encoding="utf-8")
    (checkout / "pytest.ini").write_text("[pytest]\naddopts = -n 0\n", encoding="utf-8")
    (checkout / "test_made_up.py").write_text(TESTS.format(by_chance=by_chance, right=right), encoding="utf-8")
    return subprocess.run(
        ["bash", "-c", ". .ci/run; copy_of_checkout; step tests tests; echo the next step"],
        cwd=checkout,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHON": sys.executable},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_what_failed_and_passes_by_itself_is_named_and_the_run_goes_on(tmp_path: Path) -> None:
    done = _tests(tmp_path, by_chance=2, right=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 failed, 2 passed" in done.stdout
    assert "collected 2 items" in done.stdout, "only what failed is run again"
    named = done.stdout.split("failed under load, passed alone:\n")[1].splitlines()
    assert named[:2] == ["test_made_up.py::test_by_chance[0]", "test_made_up.py::test_by_chance[1]"]
    assert done.stdout.endswith("the next step\n")


def test_what_fails_again_ends_the_run(tmp_path: Path) -> None:
    done = _tests(tmp_path, by_chance=1, right=False)
    assert done.returncode == 1
    assert "collected 2 items" in done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert "passed alone" not in done.stdout
    assert "the next step" not in done.stdout


def test_more_than_three_that_fail_are_no_chance(tmp_path: Path) -> None:
    done = _tests(tmp_path, by_chance=4, right=True)
    assert done.returncode == 1
    assert "4 failed, 2 passed" in done.stdout
    assert "once more" not in done.stdout
    assert "the next step" not in done.stdout

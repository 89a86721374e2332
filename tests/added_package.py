"""Another package with rows for our tables, installed as pip would leave it and tried in a process of its own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

__all__ = ["install", "run"]


def install(folder: Path, source: str, table: str, *names: str) -> None:
    """A package `extra-rows` whose module `extra_rows` holds `source`; its entry points `names` are rows of a table."""
    (folder / "extra_rows.py").write_text(textwrap.dedent(source))
    info = folder / "extra_rows-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra-rows\nVersion: 1.0\n")
    points = "\n".join(f"{name} = extra_rows:{name.replace('-', '_')}" for name in names)
    (info / "entry_points.txt").write_text(f"[segstudio.{table}]\n{points}\n")


def run(folder: Path, program: str) -> str:
    """What a program prints in an interpreter that has the package. Fails where it does."""
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")]), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()

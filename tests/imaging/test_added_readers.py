"""A reader that another installed package adds, tried as a user has it: in a process of its own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import numpy as np

PACKAGE = """
from pathlib import Path

from segstudio.imaging.readers.table import Family
from segstudio.imaging.source import ImageInfo, PlaneInfo

family = Family("dots", (".dots",), lambda head: head.startswith(b"DOTS"), "dots_reader", "Dots")

def probe(path: Path) -> ImageInfo:
    return ImageInfo((PlaneInfo("0", 4, 3),), 1, "uint8", "dots")
"""


def _installed(folder: Path, source: str) -> None:
    (folder / "dots_reader.py").write_text(source)
    info = folder / "dots_reader-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dots-reader\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[segstudio.readers]\ndots = dots_reader:family\n")


def _run(folder: Path, program: str) -> str:
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")]), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


PROBE = """
    from pathlib import Path
    from segstudio.imaging.source import probe
    from segstudio.registry import unsaid
    print(probe(Path({file!r})).family, *(row.sentence for row in unsaid()))
"""


def test_its_files_are_read(tmp_path: Path) -> None:
    _installed(tmp_path, PACKAGE)
    file = tmp_path / "a.dots"
    file.write_bytes(b"DOTS and more")
    assert _run(tmp_path, PROBE.format(file=str(file))) == "dots"


def test_a_command_says_one_that_is_broken_once_and_does_its_work(tmp_path: Path) -> None:
    _installed(tmp_path, "raise OSError('half installed')")
    assert cv2.imwrite(str(tmp_path / "a.png"), np.zeros((2, 2), np.uint8))
    program = f"""
        import sys
        from segstudio.cli.main import entry
        sys.stderr = sys.stdout
        sys.exit(entry(["new", {str(tmp_path / "p")!r}, "--images", {str(tmp_path / "a.png")!r}]))
    """
    said = _run(tmp_path, program)
    assert said.count("left out of SegStudio's readers: OSError: half installed.") == 1


def test_one_that_is_broken_is_said_and_every_other_image_is_read(tmp_path: Path) -> None:
    _installed(tmp_path, "raise OSError('half installed')")
    file = tmp_path / "a.bmp"
    assert cv2.imwrite(str(file), np.zeros((2, 2), np.uint8))
    said = _run(tmp_path, PROBE.format(file=str(file)))
    assert said == "bmp 'dots' of the package dots-reader was left out of SegStudio's readers: OSError: half installed."

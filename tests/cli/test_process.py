"""The program as a process: what it imports, what it writes where, how it ends when it is interrupted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


def started(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    return subprocess.run(
        [sys.executable, "-m", "segstudio", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**env, "PYTHONPATH": str(ROOT), **environment},
        check=False,
    )


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of one picture."""
    (tmp_path / "pictures").mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "pictures/a.png")
    return tmp_path / "pictures"


def test_commands_import_neither_qt_nor_torch(pictures: Path) -> None:
    code = (
        "import sys; from segstudio.cli.main import entry\n"
        "p, images = sys.argv[1:]\n"
        "entry(['new', p, '--images', images]); entry(['info', p]); entry(['predict', p, '--images', 'none'])\n"
        "bad = sorted(m for m in sys.modules if m.split('.')[0] in ('torch', 'PySide6', 'pyqtgraph', 'scipy'))\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(pictures.parent / "p.segstudio"), str(pictures)],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_help_imports_next_to_nothing() -> None:
    code = (
        "import sys; from segstudio.cli.main import entry; entry(['--help'])\n"
        "assert not {'numpy', 'sqlite3', 'msgspec', 'PIL'} & set(sys.modules), sorted(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_the_window_without_a_display_is_one_line_that_names_the_headless_ways(pictures: Path) -> None:
    for arguments in ((), (pictures,)):
        done = started(*arguments)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        for word in ("display", "--demo", "export"):
            assert word in done.stderr
    assert not pictures.with_name("pictures.segstudio").exists()


def test_json_is_one_object_and_nothing_else(pictures: Path) -> None:
    done = started("new", pictures.parent / "p.segstudio", "--images", pictures, "--json")
    assert done.stderr == ""
    assert json.loads(done.stdout)["images"] == 1


def test_a_bug_is_one_line_and_its_trace_is_kept(tmp_path: Path) -> None:
    code = (
        "import sys, segstudio.cli.main as m\n"
        "from segstudio.cli.trouble import report_bug\n"
        "sys.excepthook = report_bug\n"
        "1 / 0\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    env["HOME"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=env, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "ZeroDivisionError" in done.stderr
    (log,) = tmp_path.rglob("bugs.log")
    assert "Traceback" in log.read_text()


@pytest.mark.parametrize("place", ["thread", "finaliser"])
def test_a_bug_elsewhere_than_in_the_main_thread_is_kept_too(tmp_path: Path, place: str) -> None:
    code = (
        "import threading\n"
        "from segstudio.cli.trouble import report_bugs\n"
        "report_bugs()\n"
        "class Thing:\n"
        "    def __del__(self): 1 / 0\n"
        f"if '{place}' == 'finaliser':\n"
        "    Thing()\n"
        "else:\n"
        "    thread = threading.Thread(target=lambda: 1 / 0)\n"
        "    thread.start(); thread.join()\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    env["HOME"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=env, check=False
    )
    assert done.stderr.count("\n") == 1
    assert "This is a bug of SegStudio (ZeroDivisionError" in done.stderr
    (log,) = tmp_path.rglob("bugs.log")
    assert "Traceback" in log.read_text()


def test_output_cut_off_by_its_reader_is_no_trace(pictures: Path) -> None:
    project = pictures.parent / "p.segstudio"
    started("new", project, "--images", pictures)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "segstudio.cli.main", "info", str(project)],
            stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=60,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
        )  # fmt: skip
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_on_a_full_disk_is_one_line_and_no_bug(pictures: Path) -> None:
    project = pictures.parent / "p.segstudio"
    started("new", project, "--images", pictures)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "segstudio.cli.main", "info", str(project), "--json"],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "segstudio: The output could not be written: No space left on device.\n"

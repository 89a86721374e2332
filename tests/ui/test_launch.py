"""The window as the command line starts and ends it, in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from segstudio.store.database.lock import is_held
from segstudio.store.project import Project
from segstudio.tasks.sample import make_demo_project

_RUN = """
import signal, sys, threading, time
from pathlib import Path
from segstudio.ui.window.launch import run_window

def tell():
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        time.sleep(0.05)
    sys.stdout.write("listens\\n"); sys.stdout.flush()

threading.Thread(target=tell, daemon=True).start()
sys.exit(run_window([Path(p) for p in sys.argv[1:]], False))
"""


def _started(*paths: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, *map(str, paths)], env=environment, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("with_project", [False, True])
def test_sigterm_closes_an_idle_window_and_frees_the_lock(tmp_path: Path, with_project: bool) -> None:
    paths = [make_demo_project(tmp_path)] if with_project else []
    process = _started(*paths)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "listens\n"
        end = time.monotonic() + 60
        while paths and not is_held(paths[0]) and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(2.0)  # idle by then: nothing of Python runs any more
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    for path in paths:
        with Project.open(path) as project:
            assert project.writable

"""How long until the window is idle for the first time, and how much memory that took, against an empty window.

    python benchmarks/startup.py [--runs 7]

Every start is a process of its own, the empty PySide6 window and ours by turns. The clock runs from before the first
import to the first time the event loop has nothing to do after the window was shown; memory is the largest resident
set (VmHWM). One JSON object on one line: the fastest start of each (what else runs on the machine only ever adds),
their ratio, the ratio of the medians beside it, memory, the machine. Both run from compiled bytecode, as an installed
program does (pip compiles): a first start of each writes it to a temporary folder, also where the environment forbids
Python to write any beside the sources.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

_EMPTY = "window = QMainWindow(); window.resize(1440, 900); window.show()"
_OURS = "from segstudio.ui import open_window; window = open_window()"
_START = """
import time; began = time.perf_counter()
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication([])
{window}
def idle():
    seconds = time.perf_counter() - began
    status = open("/proc/self/status").read() if sys.platform.startswith("linux") else ""
    kib = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
    print(seconds, kib)
    window.close()
    app.quit()
QTimer.singleShot(0, idle)
app.exec()
"""


def start(window: str, home: str) -> tuple[float, float]:
    """Seconds and MB of one start in a fresh process."""
    environment = {**os.environ, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(Path(home) / "bytecode")
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")]
    )
    command = [sys.executable, "-c", _START.format(window=window)]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]), float(out[1]) / 1024


def main() -> None:
    """Run both windows by turns and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=7, help="starts of each window (default: 7)")
    runs = parser.parse_args().runs
    figures: dict[str, list[tuple[float, float]]] = {"empty": [], "ours": []}
    with tempfile.TemporaryDirectory() as home:
        start(_EMPTY, home)
        start(_OURS, home)  # writes the bytecode, and reads the files once
        for _ in range(runs):
            figures["empty"].append(start(_EMPTY, home))
            figures["ours"].append(start(_OURS, home))
    seconds = {name: min(s for s, _ in rows) for name, rows in figures.items()}
    middle = {name: statistics.median(s for s, _ in rows) for name, rows in figures.items()}
    memory = {name: statistics.median(mb for _, mb in rows) for name, rows in figures.items()}
    report = {
        "benchmark": "startup",
        "runs": runs,
        "seconds": round(seconds["ours"], 4),
        "floor_seconds": round(seconds["empty"], 4),
        "ratio": round(seconds["ours"] / seconds["empty"], 3),
        "ratio_of_medians": round(middle["ours"] / middle["empty"], 3),
        "peak_mb": round(memory["ours"], 1),
        "floor_peak_mb": round(memory["empty"], 1),
        "memory_ratio": round(memory["ours"] / memory["empty"], 3) if memory["empty"] else None,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()

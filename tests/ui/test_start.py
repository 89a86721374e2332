"""The way to the first idle moment: in a process of its own, by what it loads."""

import json
import subprocess
import sys

HEAVY = ("torch", "numpy", "cv2", "PIL", "scipy", "pyqtgraph", "sqlite3", "zstandard", "pycocotools", "tqdm")
START = """
import json, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget
app = QApplication([])
from segstudio.ui import open_window
window = open_window()
def idle():
    names = [w.objectName() for w in window.findChildren(QWidget)]
    print(json.dumps({"modules": sorted(sys.modules), "names": names}))
    window.close()
    app.quit()
QTimer.singleShot(0, idle)
app.exec()
"""


def test_an_empty_window_has_all_its_parts_and_has_loaded_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(done.stdout)
    assert [name for name in HEAVY if name in found["modules"]] == []
    assert {"canvas", "imageList", "classPanel", "lossPlot", "iouPlot", "statusBar"} <= set(found["names"])

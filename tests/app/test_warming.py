"""The first press of a tool imports nothing: what it needs was imported on a worker while the image was looked at."""

import subprocess
import sys

SCRIPT = """
import sys
from PySide6.QtWidgets import QApplication
application = QApplication([])
import numpy as np
from tests.ui.desk import opened_desk
from segstudio.app.editing.tools import warming
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.editing.tools.table import ROWS
from segstudio.geometry import Rect

with opened_desk() as desk:
    done = []
    warm_up = warming.warm_up
    warming.warm_up = lambda: (warm_up(), done.append(True))
    desk.show({"a.png": np.tile(np.arange(200, dtype=np.uint8), (150, 1))[..., None].repeat(3, 2)})
    desk.wait(lambda: done)
    desk.paint(Rect(20, 20, 90, 90), 2)
    before = set(sys.modules)
    for row in ROWS:
        desk.session.set_tool(row.name)
        for phase, at in ((Phase.HOVER, 50), (Phase.PRESS, 50), (Phase.MOVE, 70), (Phase.RELEASE, 70)):
            desk.documents.pointer(Pointer(phase, at, at + 1, Button.NONE if phase is Phase.HOVER else Button.LEFT))
    desk.documents.cancel_gesture()
    print(sorted(name for name in set(sys.modules) - before if name.startswith(("segstudio.", "numpy.", "cv2."))))
"""


def test_after_an_image_was_looked_at_no_press_of_a_tool_imports_anything() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "[]"

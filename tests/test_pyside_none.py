"""The binding of Qt keeps count of the references to None (docs/decisions/0002-pyside-6.12.0.md)."""

import subprocess
import sys

import pytest

CALLS = 10_000
KINDS = {
    "a setter": "thing = QObject(); call = lambda: thing.setObjectName('x')",
    "a setter of a widget": "thing = QWidget(); call = lambda: thing.setEnabled(True)",
    "a signal": "thing = QObject(); call = lambda: thing.objectNameChanged.emit('x')",
    "a static function": "call = lambda: QCoreApplication.sendPostedEvents()",
    "a painter's call": "p = QPixmap(4, 4); thing = QPainter(p); call = lambda: thing.drawLine(0, 0, 3, 3)",
}
PROGRAM = """
import os
import sys
from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget
application = QApplication(["test", "-platform", "offscreen"])
{kind}
call()
before = sys.getrefcount(None)
for _ in range({calls}):
    call()
print("changed by", sys.getrefcount(None) - before, flush=True)
os._exit(0)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_calls_that_return_nothing_leave_the_count_of_references_to_none_alone(kind: str) -> None:
    """In a process of its own: a binding that drops references ends the process when none is left."""
    program = PROGRAM.format(kind=KINDS[kind], calls=CALLS)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    changed = int(done.stdout.rpartition("changed by")[2])
    assert abs(changed) < CALLS / 100, f"{CALLS} calls changed the count by {changed}"

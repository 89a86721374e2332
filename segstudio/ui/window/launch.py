"""Start the window from the command line: what to open, the copy of the sample, the end of the program."""

import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import QCoreApplication
    from PySide6.QtWidgets import QWidget

__all__ = ["run_window"]


def run_window(paths: list[Path], demo: bool) -> int:
    """Show the window with a project, a folder or images, run it to its end and return the exit code.

    The window comes first: making a project from a folder of 100,000 images takes time.
    """
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from segstudio.app.preferences import load_preferences
    from segstudio.app.sample_project import demo_project
    from segstudio.text import set_language
    from segstudio.ui import open_window

    set_language(load_preferences().language)
    app = QApplication([sys.argv[0] if sys.argv else "segstudio"])
    app.setApplicationName("segstudio")
    app.setApplicationDisplayName("SegStudio")
    app.setDesktopFileName("segstudio")
    images = [] if demo or _is_project(paths) else paths
    window = open_window(demo_project() if demo else paths[0] if paths and not images else None)
    if images:
        window.opening.open_images(images)
    QTimer.singleShot(0, window.activateWindow)
    waking = _close_on_signals(app, window)
    try:
        return int(app.exec())
    finally:
        waking.close()


def _close_on_signals(app: "QCoreApplication", window: "QWidget") -> "Waking":
    """Make Ctrl+C and SIGTERM close the window as its close button does: everything durable, the lock released."""
    waking = Waking(app)
    from PySide6.QtCore import QTimer

    for number in (signal.SIGINT, signal.SIGTERM):
        # From the event loop: a handler may run between any two instructions, even while a stroke is being ended.
        signal.signal(number, lambda *_: QTimer.singleShot(0, window.close))
    return waking


class Waking:
    """Wakes Qt's event loop when a signal arrives: Python runs handlers only between its own instructions, and an idle
    window runs none.
    """

    def __init__(self, app: "QCoreApplication") -> None:
        from PySide6.QtCore import QSocketNotifier

        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)
        self._writing.setblocking(False)
        self._before = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        self._notifier = QSocketNotifier(self._reading.fileno(), QSocketNotifier.Type.Read, app)
        self._notifier.activated.connect(self._drain)

    def _drain(self) -> None:
        try:
            self._reading.recv(64)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Stop waking the event loop."""
        signal.set_wakeup_fd(self._before)
        self._notifier.setEnabled(False)
        self._reading.close()
        self._writing.close()


def _is_project(paths: list[Path]) -> bool:
    """Whether the paths name one project rather than images."""
    return len(paths) == 1 and paths[0].suffix == ".segstudio"

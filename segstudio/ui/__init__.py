"""The window. `open_window` is all that other code needs; everything else is loaded when it is called."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["favour_the_hand", "open_window"]

_SWITCH_S = 0.0005
_AT_ONCE_S = 1.0


def favour_the_hand() -> None:
    """Let a thread that writes or counts give way to the hand after half a millisecond, not after Python's five."""
    import sys

    sys.setswitchinterval(_SWITCH_S)


def open_window(project: str | Path | None = None) -> "MainWindow":
    """Build and show the real window on the existing `QApplication`, with this project open if one is named.

    Returns before the first `imageShown`, which comes from the event loop. If the project cannot be opened, the window
    reports it in one sentence; nothing is raised.
    """
    from segstudio.app.session import Session
    from segstudio.ui.window.main_window import MainWindow

    favour_the_hand()
    window = MainWindow(Session())
    window.show()
    if project is not None:
        window.opening.open_path(Path(project))
        # A script can go on with the project at once. On a slow disk nobody is kept waiting here: whatever needs the
        # project waits for it then.
        window.session.projects.wait(_AT_ONCE_S)
    return window

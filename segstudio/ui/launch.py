"""Start the window from the command line: what to open, the demo's copy, the end of the program."""

import sys
from pathlib import Path

from segstudio.errors import UserError

__all__ = ["run_window"]


def run_window(paths: list[Path], demo: bool) -> int:
    """Show the window on a project, a folder or images, run it to its end and return the exit code."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from segstudio.ui import open_window

    app = QApplication([sys.argv[0] if sys.argv else "segstudio"])
    app.setApplicationName("segstudio")
    app.setApplicationDisplayName("SegStudio")
    app.setDesktopFileName("segstudio")
    project = demo_project() if demo else project_of(paths)
    window = open_window(project)
    window.show()
    QTimer.singleShot(0, window.activateWindow)
    return int(app.exec())


def project_of(paths: list[Path]) -> Path | None:
    """The project to open: the one named, or FOLDER.segstudio made of a folder or of images; None for none.

    Raises `UserError` where there is nothing to open.
    """
    if not paths:
        return None
    first = paths[0]
    if len(paths) == 1 and first.suffix == ".segstudio":
        return first
    if not first.exists():
        raise UserError(f"{first} does not exist.")
    from segstudio.tasks.new import new_project, project_beside

    target = project_beside(first if first.is_dir() else first.parent)
    if not target.exists():
        for _ in new_project(target, [str(path) for path in paths], []):
            pass
    return target


def demo_project(folder: Path | None = None) -> Path:
    """A fresh copy of the sample's images as a project, in the user's data folder unless another is named."""
    from segstudio.tasks.demo import make_demo_project

    if folder is None:
        from platformdirs import user_data_path

        folder = user_data_path("segstudio", appauthor=False) / "demo"
    return make_demo_project(folder)

"""Everything that opens a project in a window: paths from outside, what was dropped, the dialog, the sample."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from segstudio.app.values import JobKind
from segstudio.errors import UserError
from segstudio.text import _

if TYPE_CHECKING:
    from segstudio.app.session import Session

__all__ = ["Opening"]


class Opening(QObject):
    """Decides what paths are, and asks the session's projects for it.

    `newProjectAsked` carries the paths (list of str) from which the page for new projects should start.
    """

    newProjectAsked = Signal(list)

    def __init__(self, session: "Session", window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window

    def open_path(self, path: Path) -> None:
        """Open a project; for a folder of images, the project beside it or else the page that makes one."""
        projects = self._session.projects
        if path.suffix != ".segstudio" and path.is_dir():
            if projects.beside(path).exists():
                self.open_images([path])
            else:
                self.newProjectAsked.emit([str(path)])
            return
        self._session.notices.attempt(lambda: projects.open(path), JobKind.OPEN)

    def open_images(self, paths: list[Path]) -> None:
        """Open the project beside images or a folder of them; if there is none, make it while this window shows the
        progress. Images missing from the project are added or reported."""
        self._session.notices.attempt(lambda: self._session.projects.open_images(paths), JobKind.OPEN)

    def open_paths(self, paths: list[Path]) -> None:
        """Open a project or a folder of images; for images, the project beside them, which gets those that it lacks, or
        else the page that makes a project from them."""
        from segstudio.ui.dialogs.open_dialog import project_among

        project = project_among(paths)
        if project is not None:
            self.open_path(project)
        elif len(paths) == 1 and paths[0].is_dir():
            self.open_path(paths[0])
        elif paths and self._session.projects.beside(paths[0].parent).exists():
            self.open_images(paths)
        elif paths:
            self.newProjectAsked.emit([str(path) for path in paths])

    def take_drop(self, paths: list[Path], there_is_a_project: bool) -> None:
        """Open the project that was dropped, add images to the one that is open, or open them as any others. A project
        comes before all else; what is one is told by names alone.

        Of a selection of files those that cannot be read are skipped: nobody has chosen each of them.
        """
        from segstudio.ui.dialogs.open_dialog import project_among

        if not there_is_a_project or project_among(paths) is not None:
            self.open_paths(paths)
        elif project := self._session.projects.to_write():
            project.growing.add([str(path) for path in paths], lenient=True)

    def try_sample(self) -> None:
        """Open a fresh copy of the sample as a project."""
        from segstudio.app.sample_project import demo_project

        try:
            project = demo_project()
        except UserError as error:
            self._session.notices.fail(JobKind.OPEN, error)
        except OSError as error:
            self._session.notices.fail(JobKind.OPEN, _("The sample could not be copied: {why}", why=error))
        else:
            self.open_path(project)

    def choose(self) -> None:
        """Ask for a project, a folder of images, or images; the answer comes from the event loop."""
        from segstudio.ui.dialogs.open_dialog import OpenDialog

        dialog = OpenDialog(self._window, self._session.preferences.last_folder)
        dialog.chosen.connect(self.open_paths)
        dialog.open()

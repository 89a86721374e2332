"""What is dropped on an open project and may be its labels: masks or annotations go to the page that imports them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session

__all__ = ["DroppedMasks", "may_be_labels"]


def may_be_labels(paths: Sequence[Path]) -> Path | None:
    """The one path that may hold labels, by its name alone; None for several, or for a project."""
    if len(paths) != 1 or paths[0].suffix == ".segstudio":
        return None
    return paths[0]


class DroppedMasks(QObject):
    """`labelsDropped` carries a path and the name of its format. What is no labels of the project goes another way."""

    labelsDropped = Signal(str, str)

    def __init__(self, session: "Session", parent: QObject) -> None:
        super().__init__(parent)
        self._session = session

    def take(self, paths: Sequence[Path], otherwise: Callable[[list[Path]], object]) -> None:
        """Announce labels, or pass the paths on; the files are looked at on a thread, so it may come later."""
        project, path = self._session.project, may_be_labels(paths)
        if project is None or not project.may_write or path is None:
            otherwise(list(paths))
        else:
            project.importing.recognise(path, lambda found: self._recognised(project, path, found, otherwise))

    def _recognised(
        self, project: "OpenedProject", path: Path, format_: str, otherwise: Callable[[list[Path]], object]
    ) -> None:
        if self._session.project is not project:
            return  # another project was opened meanwhile, for which it was not dropped
        if format_:
            self.labelsDropped.emit(str(path), format_)
        else:
            otherwise([path])

"""What was dropped on the window: the one place that decides it."""

from dataclasses import dataclass
from pathlib import Path

from segstudio.ui.dialogs.open_dialog import project_among

__all__ = ["Images", "Project", "dropped"]


@dataclass(frozen=True, slots=True)
class Project:
    """A project to be opened."""

    path: Path


@dataclass(frozen=True, slots=True)
class Images:
    """Images, or folders of them; `added` to the open project, or else the beginning of a new one."""

    paths: tuple[Path, ...]
    added: bool


def dropped(paths: list[Path], there_is_a_project: bool) -> Project | Images:
    """What these paths are. A project among them comes before everything else. Looks at names alone."""
    project = project_among(paths)
    if project is not None:
        return Project(project)
    return Images(tuple(paths), added=there_is_a_project)

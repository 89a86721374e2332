"""The folders in which the program keeps something, for a person who wants to look there."""

from dataclasses import dataclass
from pathlib import Path

from segstudio.app.preferences import preferences_file
from segstudio.text import N_

__all__ = ["KeptFolder", "kept_folders", "to_show"]


@dataclass(frozen=True, slots=True)
class KeptFolder:
    """A folder, its short `name`, and what is in it; words are translated when they are shown."""

    name: str
    title: str
    about: str
    path: Path


def kept_folders(project: Path | None = None) -> tuple[KeptFolder, ...]:
    """The folders of the open project, if there is one, and of the program. Nothing is read, and they may be absent."""
    from platformdirs import user_data_path, user_log_path, user_state_path

    of_project: list[KeptFolder] = []
    if project is not None:
        of_project = [
            KeptFolder("Project", N_("This project"), N_("Labels, classes and versions"), project),
            KeptFolder("Cache", N_("Its cache"), N_("Proposals and measurements; may be deleted"), project / "cache"),
        ]
    return (
        *of_project,
        KeptFolder(
            "Data",
            N_("Other projects"),
            N_("The sample, and projects whose own place cannot be written"),
            user_data_path("segstudio", appauthor=False),
        ),
        KeptFolder(
            "Waiting",
            N_("Waiting edits"),
            N_("Edits that a disk refused, until their project is opened again"),
            user_state_path("segstudio") / "waiting",
        ),
        KeptFolder(
            "Log", N_("Log"), N_("What the engine did, and errors"), user_log_path("segstudio", appauthor=False)
        ),
        KeptFolder("Preferences", N_("Preferences"), N_("The settings of this page"), preferences_file().parent),
    )


def to_show(path: Path) -> Path:
    """The folder to show for one that may not be there yet: it, or the nearest above that is."""
    return next((folder for folder in (path, *path.parents) if folder.is_dir()), path)

"""Open the project a command names, and close it whatever happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segstudio.cli.output import complain
from segstudio.errors import NotAProject, UserError
from segstudio.store.project import Project
from segstudio.tasks.new import project_path

__all__ = ["opened", "place_of"]


def place_of(name: str) -> Path:
    """The folder of a project as it was named; its `.segstudio` may be left out."""
    path = Path(name)
    return project_path(path) if not path.exists() and project_path(path).exists() else path


@contextmanager
def opened(name: str, *, write: bool) -> Iterator[Project]:
    """The project of a path; its `.segstudio` may be left out. Raises as `Project.open` does.

    What opening it did is said at the end; where the command fails, in the one line that says so.
    """
    place = place_of(name)
    if not place.exists():
        raise NotAProject(f"There is no project at '{name}'.", todo="'segstudio new' makes one.")
    project = Project.open(place, write=write)
    try:
        with project:
            yield project
    except UserError as error:
        error.todo = " ".join(filter(None, (error.todo, project.notice)))
        raise
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(*interrupt.args, project.notice) from interrupt
    except BaseException:
        _say(project.notice)
        raise
    _say(project.notice)


def _say(notice: str) -> None:
    if notice:
        complain(notice)

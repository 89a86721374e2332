"""Open the project a command names, and close it whatever happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segstudio.cli.output import complain
from segstudio.errors import NotAProject, UserError
from segstudio.store.project import Project
from segstudio.tasks.images.new import project_path
from segstudio.tasks.keeping.project_health import is_project
from segstudio.tasks.reachable import status_of
from segstudio.text import _

__all__ = ["opened", "place_of"]


def place_of(name: str) -> Path:
    """The folder of a project as it was named; its `.segstudio` may be left out, also where a folder of images has
    the name without it: projects stand beside their images. Raises `UserError` for a path that cannot be looked at."""
    path = Path(name)
    return path if is_project(path) or status_of(project_path(path)) is None else project_path(path)


@contextmanager
def opened(name: str, *, write: bool) -> Iterator[Project]:
    """The project of a path; its `.segstudio` may be left out. Raises as `Project.open` does.

    What opening it did is said at the end; where the command fails, in the one line that says so.
    """
    place = place_of(name)
    if status_of(place) is None:
        raise NotAProject(_("There is no project at '{name}'.", name=name), todo=_("'segstudio new' makes one."))
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

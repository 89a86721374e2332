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
    """The folder of a project as it was named; `.segstudio` may be left out, even where a folder of images has the
    name without it, because projects are made beside their images. Raises `UserError` for a path that cannot be
    examined."""
    path = Path(name)
    return path if is_project(path) or status_of(project_path(path)) is None else project_path(path)


@contextmanager
def opened(name: str, *, write: bool) -> Iterator[Project]:
    """The project at a path; `.segstudio` may be left out. Raises as `Project.open` does.

    The project's notice about opening is printed at the end or, if the command fails, as part of its one error line.
    """
    place = place_of(name)
    if status_of(place) is None:
        raise NotAProject(_("There is no project at '{name}'.", name=name), todo=_("Make one with 'segstudio new'."))
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

"""What the owners of one project share: the project, its thread, and the window's notices and jobs."""

from dataclasses import dataclass

from segstudio.app.job_list import Jobs
from segstudio.app.jobs import MainThread
from segstudio.app.notices import Notices
from segstudio.store.project import Project

__all__ = ["Ground"]


@dataclass(frozen=True, slots=True)
class Ground:
    """Handed to every owner. `notices` and `jobs` outlive the project; `main` ends with it."""

    project: Project
    main: MainThread
    notices: Notices
    jobs: Jobs

"""What owners stand on in tests, and an ear for what they say and do."""

from PySide6.QtCore import QObject

from segstudio.app.ground import Ground
from segstudio.app.job_list import Jobs
from segstudio.app.jobs import MainThread
from segstudio.app.notices import Notices
from segstudio.app.values import JobState, Notice, NoticeKind
from segstudio.store.project import Project

__all__ = ["Heard", "ground_of"]


def ground_of(project: Project) -> Ground:
    """A project on a thread of its own, with nobody to hear of it yet."""
    notices = Notices()
    notices.close()
    return Ground(project, MainThread(), notices, Jobs(notices))


class Heard(QObject):
    """`words` were said in passing, `failures` are the other notices, `states` the newest job at each change."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self._jobs = ground.jobs
        self.words: list[str] = []
        self.failures: list[Notice] = []
        self.states: list[JobState | None] = []
        ground.notices.told.connect(self._told)
        ground.jobs.changed.connect(self._changed)

    def _told(self, notice: Notice) -> None:
        if notice.kind is NoticeKind.WORD:
            self.words.append(notice.sentence)
        else:
            self.failures.append(notice)

    def _changed(self) -> None:
        self.states.append(self._jobs.states[-1] if self._jobs.states else None)

"""How long a person has worked on an image: the time between changes, of which a pause counts for 30 s at most."""

from time import monotonic

from segstudio.labels.model import ImageId
from segstudio.store.project import Project

__all__ = ["WorkingTime"]

_PAUSE_S = 30.0


class WorkingTime:
    """The seconds since they were last written down, for the one image on screen."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._since = monotonic()
        self._seconds = 0.0

    def begin(self) -> None:
        """The image is on screen from now on."""
        self._since = monotonic()

    def worked(self) -> None:
        """Something was changed by hand."""
        now = monotonic()
        self._seconds += min(now - self._since, _PAUSE_S)
        self._since = now

    def note(self, image: ImageId | None, author: str) -> None:
        """Write down what there is for an image, and begin at nothing; None where there is no image to have it."""
        seconds, self._seconds = self._seconds, 0.0
        if seconds > 0 and image is not None and self._project.writer is not None:
            self._project.add_time(image, seconds, author)

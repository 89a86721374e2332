"""The owner of how many objects each class has in the image on screen: counted by the store, on a worker."""

from collections.abc import Mapping
from concurrent.futures import Future

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import UserError
from segstudio.labels.model import ClassId, ImageId, Kind

__all__ = ["ObjectCounts"]


class ObjectCounts(QObject):
    """Of instance classes alone: background, ignore and a semantic class are areas, not objects.

    What is counted is what is saved; while one count is under way the edits of that time ask for one more.
    """

    counted = Signal()

    def __init__(
        self, ground: Ground, documents: Documents, navigation: Navigation, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._project, self._notices = ground.project, ground.notices
        self._documents, self._navigation = documents, navigation
        self._worker = Worker("count", ground.main)
        self._found: Mapping[ClassId, int] | None = None
        self._of: ImageId | None = None
        self._counting: ImageId | None = None
        self._again = False
        navigation.imageLoading.connect(lambda _path: self._forget())
        navigation.imageShown.connect(self._shown)
        documents.editCommitted.connect(lambda _seq: self._count())
        documents.rewritten.connect(lambda _images: self._count())

    @property
    def by_class(self) -> Mapping[ClassId, int]:
        """Number of objects with pixels by instance class, merged ones with it; empty while it is not known."""
        classes, found = self._documents.classes, self._found
        if found is None:
            return {}
        counts = {c.id: 0 for c in classes if c.kind is Kind.INSTANCE}
        for class_id, number in found.items():
            today = classes.effective(class_id)
            if today is not None and today.id in counts:
                counts[today.id] += number
        return counts

    def close(self, wait_s: float | None = None) -> None:
        """End the worker."""
        self._worker.close(wait_s)

    def _forget(self) -> None:
        """Another image is asked for; another plane of the same one has the same objects."""
        if self._navigation.rows[self._navigation.index].id != self._of:
            self._of = self._found = None
            self.counted.emit()

    def _shown(self) -> None:
        if self._of is None or self._of != self._navigation.shown:
            self._count()

    def _count(self) -> None:
        image, project = self._navigation.shown, self._project
        if image is None:
            return
        if self._counting is not None:
            self._again = True
            return
        self._counting, self._again = image, False
        self._worker.submit(lambda: project.object_counts(image), self._arrived)

    def _arrived(self, future: "Future[Mapping[ClassId, int]]") -> None:
        image, self._counting = self._counting, None
        if self._again or image != self._navigation.shown:
            self._count()
        try:
            found = future.result()
        except UserError as error:
            self._notices.say(error.line)
            return
        if image == self._navigation.shown:
            self._of, self._found = image, found
            self.counted.emit()

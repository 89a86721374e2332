"""The owner of the specks that were found in the image on screen: counted on a worker, shown before they are erased."""

from concurrent.futures import Future

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.editing.objects import ObjectEdits
from segstudio.app.editing.tools.options import SMALLER_THAN, fitting
from segstudio.app.editing.tools.overlay import Circle, Overlay
from segstudio.app.ground import Ground
from segstudio.app.jobs import refusal
from segstudio.app.values import Changed
from segstudio.labels.paint.objects.rights import changeable
from segstudio.labels.paint.objects.specks import Specks, find_specks

__all__ = ["SpeckSearch"]

_MOST_SHOWN = 1000
_AROUND_PX = 2.0


class SpeckSearch(QObject):
    """`shown` says that a search is on screen, `found` what came of it; None while it is under way.

    What is found is of this moment: a change of the labels, another image or plane ends it.
    """

    changed = Signal()

    def __init__(
        self, ground: Ground, documents: Documents, objects: ObjectEdits, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._notices = ground.notices
        self._documents, self._objects = documents, objects
        self.shown = False
        self.found: Specks | None = None
        self._overlay: Overlay = ()
        self._newest = 0
        documents.changed.connect(self._labels_changed)
        documents.rewritten.connect(lambda _images: self.close())
        documents.tools.overlayChanged.connect(self._show_again)

    @property
    def below(self) -> int:
        """Parts of fewer pixels are specks."""
        return self._objects.smaller_than

    @property
    def marked(self) -> int:
        """How many of them are marked on the image."""
        return len(self._overlay)

    def begin(self) -> None:
        """Look for specks in all planes of the image on screen, of classes that are not locked."""
        opened = self._documents.current
        if opened is None:
            return
        self._documents.commit_gesture()
        self._newest += 1
        number, below, plane = self._newest, self.below, self._documents.plane
        document, free = opened.document.copy(), changeable(opened.document, self._documents.classes)

        def search() -> Specks:
            return find_specks(document, free, below, plane, _MOST_SHOWN, lambda: number != self._newest)

        self._become(None, shown=True)
        self._objects.worker.submit(search, lambda future: self._arrived(number, future))

    def set_below(self, pixels: float) -> None:
        """Look for smaller or larger ones."""
        value = fitting(SMALLER_THAN, pixels)
        if value is not None and int(value) != self.below:
            self._documents.tools.keep_option(SMALLER_THAN, value)
            if self.shown:
                self.begin()

    def erase(self) -> None:
        """Make what was found unknown, as one edit."""
        found = self.found
        if found is not None:
            self.close()
            self._objects.erase_specks(found.below)

    def close(self) -> None:
        """Show nothing any more."""
        self._newest += 1
        if self.shown:
            self._become(None, shown=False)

    def _arrived(self, number: int, future: "Future[Specks]") -> None:
        refused = refusal(future)
        if number != self._newest:
            return
        if refused is not None:
            self.close()
            self._notices.say(refused.line)
        else:
            self._become(future.result(), shown=True)

    def _become(self, found: Specks | None, *, shown: bool) -> None:
        before, self._overlay = self._overlay, _circles(found)
        self.found, self.shown = found, shown
        if self._documents.tools.overlay == before and not self._documents.gesture_active:
            self._documents.tools.show(self._overlay)
        self.changed.emit()

    def _show_again(self) -> None:
        """A tool has ended, and with it what it showed."""
        if self._overlay and not self._documents.tools.overlay:
            self._documents.tools.show(self._overlay)

    def _labels_changed(self, change: Changed) -> None:
        opened = self._documents.current
        if change.seq is not None and (opened is None or change.image in (None, opened.document.image)):
            self.close()


def _circles(found: Specks | None) -> Overlay:
    """A circle around each speck, so that the smallest can be seen zoomed out."""
    if found is None:
        return ()
    return tuple(
        Circle(box.x + box.w / 2, box.y + box.h / 2, max(box.w, box.h) / 2 + _AROUND_PX) for box in found.boxes
    )

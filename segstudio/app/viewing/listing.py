"""The owner of what the image list shows: the filter, the order, and the places that are left."""

from collections.abc import Collection, Sequence
from concurrent.futures import Future
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker
from segstudio.app.viewing.image_filter import ImageFilter, ImageOrder, Order, fitting, name_keys, ordered
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import UserError
from segstudio.labels.model import ImageId

__all__ = ["Listing"]

_AGAIN_MS = 400
"""How long edits are gathered before the images that have a class are read again."""


class Listing(QObject):
    """`places` are the places of the listed images in `Navigation.items`, in the order shown; `changed` says that they
    are others. Navigation steps through them.

    The image on screen stays listed when it no longer fits, until another is shown: nobody loses it under the hand.
    """

    changed = Signal()

    def __init__(
        self, ground: Ground, documents: Documents, navigation: Navigation, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._project, self._notices = ground.project, ground.notices
        self._navigation, self._documents = navigation, documents
        self._worker = Worker("listing", ground.main)
        self.filter, self.order = ImageFilter(), ImageOrder()
        self.places: Sequence[int] = range(len(navigation.items))
        self._names: list[str] | None = None
        self._sorted: Sequence[int] | None = None
        self._present: Collection[ImageId] | None = None
        self._reading = self._stale = False
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(self._read_present)
        navigation.imagesChanged.connect(self._rows_changed)
        navigation.imageLoading.connect(lambda _path: self._moved_on())
        documents.editCommitted.connect(lambda _seq: self._labels_changed())
        documents.rewritten.connect(lambda _images: self._labels_changed())
        documents.classesChanged.connect(self._classes_changed)

    @property
    def whole(self) -> bool:
        """Whether every image is listed."""
        return self.filter.empty

    @property
    def complete(self) -> bool:
        """Whether what the filter asks for is known; the images that have a class are read on a worker."""
        return self.filter.has_class is None or self._present is not None

    def prepare(self) -> None:
        """Make ready what the first keystroke would wait for: of 100,000 names that takes some 12 ms."""
        if self._names is None:
            self._names = name_keys(self._navigation.items)

    def choose(self, wanted: ImageFilter) -> None:
        """List the images that fit, the one on screen only where it does."""
        if wanted == self.filter:
            return
        other_class = wanted.has_class != self.filter.has_class
        self.filter = wanted
        if other_class:
            self._present = None
            self._again.stop()
        if wanted.has_class is not None and self._present is None:
            self._read_present()
        self._take(also=-1, always=True)

    def sort(self, order: ImageOrder) -> None:
        """List the images in another order."""
        if order != self.order:
            self.order, self._sorted = order, None
            self._take(always=True)

    def show_all(self) -> None:
        """List every image again; the order stays."""
        self.choose(ImageFilter())

    def close(self, wait_s: float | None = None) -> None:
        """End the worker."""
        self._again.stop()
        self._worker.close(wait_s)

    # -- following -----------------------------------------------------------------------------------------------------

    def _rows_changed(self, rows: tuple[int, ...]) -> None:
        """Of a row alone that is on screen, its place is found when another is shown."""
        if not rows:
            self._names = self._sorted = None
            self._take(always=True)
        elif not (self.filter.empty and self.order.plain):
            if self.order.by is not Order.NAME:
                self._sorted = None
            self._stale = True
            if any(row != self._navigation.index for row in rows):
                self._take()

    def _moved_on(self) -> None:
        if self._stale:
            self._take()

    def _labels_changed(self) -> None:
        if self.filter.has_class is not None and not self._again.isActive():
            self._again.start()

    def _classes_changed(self) -> None:
        """Ask for what a merged class counts as now; for a class that is gone nothing is asked."""
        asked = self.filter.has_class
        today = None if asked is None else self._documents.classes.effective(asked)
        if asked is not None:
            self.choose(replace(self.filter, has_class=None if today is None else today.id))
            self._labels_changed()

    # -- finding -------------------------------------------------------------------------------------------------------

    def _read_present(self) -> None:
        """Ask the store, once at a time, which images have the class."""
        wanted, project = self.filter.has_class, self._project
        if wanted is None or self._reading:
            return
        self._reading = True

        def read(future: "Future[frozenset[ImageId]]") -> None:
            self._reading = False
            if self.filter.has_class != wanted:
                self._read_present()
                return
            try:
                found = future.result()
            except UserError as error:
                self._notices.say(error.line)
                found = frozenset()
            if found != self._present:
                first, self._present = self._present is None, found
                self._take(-1 if first else None)

        self._worker.submit(lambda: project.images_with(wanted), read)

    def _take(self, also: int | None = None, *, always: bool = False) -> None:
        """Find the places anew, and say so if they are others, or `always`.

        `also` is one that stays, by default the image on screen where it is listed.
        """
        items, index = self._navigation.items, self._navigation.index
        if also is None:
            also = index if index in self.places else -1
        if not (self.filter.empty and self.order.plain):
            self.prepare()
        names = self._names or ()
        if self._sorted is None:
            self._sorted = ordered(items, names, self.order)
        self._stale = False
        found = fitting(items, names, self._sorted, self.filter, self._present, also)
        if always or found != self.places:
            self.places = self._navigation.sequence = found
            self.changed.emit()

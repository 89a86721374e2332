"""The owner of how images are shown: the pixels on screen in their view, and the views that somebody chose."""

import logging
import threading
import weakref
from collections import OrderedDict
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.app.jobs import MainThread
from segstudio.app.viewing.display import DisplayImage, load_display_image
from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging import paged
from segstudio.imaging.display import View
from segstudio.imaging.levels import EIGHT_BIT
from segstudio.labels.model import ImageId
from segstudio.store.file_check import Look
from segstudio.store.filesystems import file_system, is_network
from segstudio.store.kept_levels import FileStamp, KeptLevels
from segstudio.store.project import Project
from segstudio.store.values import ImageRow

if TYPE_CHECKING:
    from segstudio.imaging.samples import Samples

__all__ = ["Displaying"]

_KEPT_BYTES = 160 << 20
"""Pixels that are kept in memory beside those on screen: neighbours, and what was shown before."""

_KEPT_ON_DISK_BYTES = 640 << 20
"""Those of large images, which lie in files."""

_Key = tuple[ImageId, int, FileStamp]
"""An image, a plane, and the size and time of its file."""


class Displaying(QObject):
    """`display` is what is on screen. A view that was chosen is that of all planes of its image, while the project is
    open: where it names a channel that the image no longer has, the first one is shown. The last one chosen for an
    image of one channel of a modality is that of the others of this modality too, until they have their own.

    `displayChanged`: the same samples are shown in another view. `samplesArrived`: a rectangle of the plane on screen
    is decoded, and sharper than it was drawn. `samplesFailed`: the file of that plane turned out to be damaged
    (`UnreadableImage`).
    """

    displayChanged = Signal()
    samplesArrived = Signal(object)
    samplesFailed = Signal(object)

    def __init__(self, project: Project, main: MainThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._main = main
        self._kept = KeptLevels(project.path, writes=project.writer is not None)
        self._folder = _FolderForPages()
        self._chosen: dict[ImageId, View] = {}
        self._by_modality: dict[str, View] = {}
        self._image: ImageId | None = None
        self.display: DisplayImage | None = None
        self._lock = threading.Lock()
        self._loaded: OrderedDict[_Key, DisplayImage] = OrderedDict()
        self._loading: dict[_Key, threading.Event] = {}

    def load(self, row: ImageRow, plane: int, look: Look) -> DisplayImage:
        """Decode a plane and find, or look up, its levels, where it is not kept; for a worker thread.

        One that another thread decodes meanwhile is waited for. Raises `UnreadableImage`.
        """
        key = row.id, plane, look.stamp
        while True:
            with self._lock:
                if (known := self._loaded.get(key)) is not None:
                    self._loaded.move_to_end(key)
                    return known
                if (under_way := self._loading.get(key)) is None:
                    ended = self._loading[key] = threading.Event()
                    break
            under_way.wait()
        try:
            loaded = self._decoded(row, plane, look)
            with self._lock:
                self._keep(key, loaded)
            return loaded
        finally:
            with self._lock:
                del self._loading[key]
            ended.set()

    def kept(self, image: ImageId, plane: int, stamp: FileStamp) -> DisplayImage | None:
        """A plane that is in memory, of files of this size and time; None where it has to be loaded. Never waits for a
        disk."""
        with self._lock:
            found = self._loaded.get((image, plane, stamp))
            if found is not None:
                self._loaded.move_to_end((image, plane, stamp))
            return found

    def has_room(self, row: ImageRow, plane: int) -> bool:
        """Whether a plane would be kept if it were loaded ahead, as far as its size in pixels tells."""
        width, height = row.planes[plane]
        size = 4 * _with_levels(width * height)
        in_memory = size < paged.LARGE_BYTES or self._folder.path is None or self._folder.has_no_room
        return size <= (_KEPT_BYTES // 2 if in_memory else _KEPT_ON_DISK_BYTES // 4)

    def _keep(self, key: _Key, loaded: DisplayImage) -> None:
        """Keep it, and let the oldest of its kind go."""
        in_memory = loaded.stored.in_memory
        most = _KEPT_BYTES if in_memory else _KEPT_ON_DISK_BYTES
        if loaded.stored.nbytes > most:
            return
        self._loaded[key] = loaded
        alike = [(key, kept.stored.nbytes) for key, kept in self._loaded.items() if kept.stored.in_memory == in_memory]
        held = sum(size for _, size in alike)
        for old, size in alike:
            if held <= most:
                return
            del self._loaded[old]
            held -= size

    def _decoded(self, row: ImageRow, plane: int, look: Look) -> DisplayImage:
        stamp = look.stamp
        known = self._kept.get(row.id, plane, stamp)
        loaded = load_display_image(row.stored, plane, row.planes[plane], known, self._folder.path)
        if loaded.stored.nbytes >= paged.LARGE_BYTES:
            self._folder.has_no_room = loaded.stored.in_memory
        if loaded.found_stored is not None and loaded.found_stored != EIGHT_BIT:
            try:
                self._kept.keep(row.id, plane, stamp, loaded.found_stored)
            except OSError as error:
                logging.getLogger(__name__).info("the levels of %s are found again next time: %s", row.path, error)
        return loaded

    @property
    def image(self) -> ImageId | None:
        """Which image is on screen."""
        return self._image

    def show(self, image: ImageId | None, display: DisplayImage | None) -> None:
        """Take what is on screen from now on, in the view chosen for that image before."""
        if self.display is not None:
            self.display.stored.watch(None)
        if display is not None:
            display.stored.watch(_Watcher(self, self._main, display.stored))
        view = None if image is None else self._chosen.get(image)
        if view is None and display is not None and (kept := self._by_modality.get(_modality(display))) is not None:
            view = replace(kept, invert=display.first.invert)
        self._image = image
        self.display = display if display is None or view is None or not display.fits(view) else display.seen(view)

    def arrived(self, stored: "Samples", rect: Rect) -> None:
        """Samples have come; on the main thread."""
        if self.display is not None and self.display.stored is stored:
            self.samplesArrived.emit(rect)

    def failed(self, stored: "Samples", error: UnreadableImage) -> None:
        """Samples will never come; on the main thread."""
        with self._lock:
            for key in [key for key, kept in self._loaded.items() if kept.stored is stored]:
                del self._loaded[key]  # opened again, the file is read again
        if self.display is not None and self.display.stored is stored:
            self.samplesFailed.emit(error)

    def choose(self, view: View) -> None:
        """Show the image on screen in a view, now and when it is shown again; nothing where there is no image.

        Raises `ValueError` where the view names a channel that the image does not have.
        """
        if self.display is None or self._image is None or view == self.display.view:
            return
        self.display = self.display.seen(view)
        self._chosen[self._image] = view
        if modality := _modality(self.display):
            self._by_modality[modality] = view
        self.displayChanged.emit()

    def choose_first(self) -> None:
        """Show the image on screen, and others of its modality, as if nobody had chosen anything."""
        if self.display is not None and self._image is not None:
            self.choose(self.display.first)
            self._chosen.pop(self._image, None)
            self._by_modality.pop(_modality(self.display), None)


def _modality(display: DisplayImage) -> str:
    """What kind of picture it is, where its values mean the same in all pictures of the kind; else ''."""
    return display.metadata.modality if display.channels == 1 else ""


class _Watcher:
    """Hands on what is told from a decoder's thread."""

    def __init__(self, displaying: Displaying, main: MainThread, stored: "Samples") -> None:
        self._displaying, self._main, self._stored = displaying, main, weakref.ref(stored)

    def arrived(self, part: Rect) -> None:
        """Some of it has come."""
        if (stored := self._stored()) is not None:
            self._main.post(lambda: self._displaying.arrived(stored, part))

    def failed(self, error: UnreadableImage) -> None:
        """It will not come."""
        if (stored := self._stored()) is not None:
            self._main.post(lambda: self._displaying.failed(stored, error))


class _FolderForPages:
    """Where the samples of large images lie: in the user's cache folder, if that is on a disk of this computer.

    `has_no_room`: the last large image stayed in memory all the same.
    """

    has_no_room = False

    @cached_property
    def path(self) -> Path | None:
        """The folder; None where samples had better stay in memory. For a worker thread: it looks at the drive."""
        from platformdirs import user_cache_path

        folder = user_cache_path("segstudio", appauthor=False) / "samples"
        return None if is_network(file_system(folder)) else folder


def _with_levels(pixels: int) -> int:
    """Pixels of an image and of all its smaller levels."""
    return pixels * 4 // 3

"""Opens a project away from the GUI thread: bringing it up to date, saving what waits, reading its list of images.

All of that may take as long as the disk does. The owners' data is read here too, so that making them, on the
GUI thread, asks the disk for nothing.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject

from segstudio.app.editing.class_choice import StoredClasses, classes_of
from segstudio.app.jobs import MainThread
from segstudio.app.learning.versions import versions_of
from segstudio.app.values import Place, Rest, VersionItem
from segstudio.app.viewing.places import read_place
from segstudio.app.viewing.rows import ImageList, list_of
from segstudio.labels.model import Seq
from segstudio.store.check import BackgroundCheck, begin_check
from segstudio.store.project import Project
from segstudio.tasks.labels.accept import REST_SETTING, rest_of
from segstudio.tasks.learning.interrupted import Interrupted, interrupted_run

__all__ = ["Opening", "Prepared", "prepare"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An open project and what is known of it now; its receiver closes it.

    `check` looks for damage in the background, where that is due; what it finds goes to `damage`. `place` is where
    a person was in it.
    """

    project: Project
    listed: ImageList
    classes: StoredClasses
    last_seq: Seq
    versions: tuple[VersionItem, ...]
    rest: Rest
    interrupted: Interrupted | None
    check: BackgroundCheck | None
    damage: "_Damage"
    place: Place | None

    def close(self) -> None:
        """Nobody wants it."""
        if self.check is not None:
            self.check.close()
        self.project.close()


@dataclass(slots=True)
class _Damage:
    """The findings of a check, and the listener to them, whichever comes first."""

    found: list[str] = field(default_factory=list[str])
    tell: Callable[[str], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, sentence: str) -> None:
        with self._lock:
            self.found.append(sentence)
            tell = self.tell
        if tell is not None:
            tell(sentence)

    def listen(self, tell: Callable[[str], None]) -> None:
        with self._lock:
            self.tell = tell
            found = list(self.found)
        for sentence in found:
            tell(sentence)


def prepare(path: Path) -> Prepared:
    """Open a project for writing, where that is possible; for any thread. Raises as `Project.open` does."""
    with ExitStack() as undo:
        # Whatever raises on the way, the lock is free afterwards: 'segstudio repair' must be able to write.
        project = Project.open(path, write=True, read_only_ok=True)
        undo.callback(project.close)
        listed, classes, last = list_of(project), classes_of(project), project.last_seq()
        versions, rest, damage = versions_of(project), rest_of(project.setting(REST_SETTING)), _Damage()
        interrupted = interrupted_run(project) if project.writer is not None else None
        check, place = begin_check(project, damage.add), read_place(path)
        undo.pop_all()
    return Prepared(project, listed, classes, last, versions, rest, interrupted, check, damage, place)


class Opening(QObject):
    """One project that is being opened on a thread; `arrived` is called from the event loop, unless it was awaited."""

    def __init__(self, path: Path, arrived: Callable[["Opening"], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self._main = MainThread(self)
        self._future: Future[Prepared] = Future()
        self._dropped = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"open {path.name}", daemon=True)
        self._future.add_done_callback(lambda _: self._main.post(lambda: arrived(self)))
        self._thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; whether it came."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def result(self) -> Prepared:
        """The project, once, after its end. Raises what opening it raised."""
        self._main.close()
        self.deleteLater()
        self._thread.join()
        return self._future.result()

    def drop(self) -> None:
        """It is no longer wanted: its thread closes it as soon as it is open; `wait` awaits that."""
        self._main.close()
        self.deleteLater()
        with self._lock:
            self._dropped = True
            ready = self._future.done() and self._future.exception() is None
        if ready:
            self._thread = threading.Thread(target=self._future.result().close, name=f"close {self.path.name}")
            self._thread.start()

    def _run(self) -> None:
        try:
            prepared = prepare(self.path)
        except BaseException as error:  # noqa: BLE001 - the caller of `result` gets it
            self._future.set_exception(error)
            return
        with self._lock:
            dropped = self._dropped
            if not dropped:
                self._future.set_result(prepared)
        if dropped:
            prepared.close()

"""Loads heavy modules on another thread, so that the window neither starts with them nor waits for them."""

import importlib
import threading
from types import ModuleType

from PySide6.QtCore import QObject, Qt, Signal

__all__ = ["ModuleLoader"]


class ModuleLoader(QObject):
    """`load` starts once; `ready` comes on the GUI thread when `module` and the `others` are there. `close` ends it."""

    ready = Signal()
    _imported = Signal()

    def __init__(self, name: str, parent: QObject | None = None, *, others: tuple[str, ...] = ()) -> None:
        super().__init__(parent)
        self.module: ModuleType | None = None
        self._name, self._others = name, others
        self._thread: threading.Thread | None = None
        self._closed = False
        self._imported.connect(self._arrived, Qt.ConnectionType.QueuedConnection)

    def load(self) -> None:
        """Start loading; does nothing the second time."""
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._import, name=f"load {self._name}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait for loading to finish; `ready` is not emitted any more."""
        self._closed = True
        if self._thread is not None:
            self._thread.join()

    def _import(self) -> None:
        for name in self._others:
            importlib.import_module(name)
        self.module = importlib.import_module(self._name)
        self._imported.emit()

    def _arrived(self) -> None:
        if not self._closed:
            self.ready.emit()

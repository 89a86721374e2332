"""Loads a heavy module on another thread, so that the window neither starts with it nor waits for it."""

import importlib
import threading
from types import ModuleType

from PySide6.QtCore import QObject, Qt, Signal

__all__ = ["ModuleLoader"]


class ModuleLoader(QObject):
    """`load` starts once; `ready` comes on the GUI thread when `module` is there. `close` ends it."""

    ready = Signal()
    _imported = Signal()

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.module: ModuleType | None = None
        self._name = name
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
        self.module = importlib.import_module(self._name)
        self._imported.emit()

    def _arrived(self) -> None:
        if not self._closed:
            self.ready.emit()

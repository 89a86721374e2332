"""A disk under the writer of a project: it keeps edits waiting, or refuses them, until a test lets them through."""

import sqlite3
import threading
from typing import Any

import pytest

from segstudio.store.writing import fitting, journal
from segstudio.store.writing.journal import write_edit

__all__ = ["FULL", "Disk"]

FULL = "The disk that holds the project is full."
"""What the window says of it."""


class Disk:
    """Stands between the writer and the disk: lets edits through, keeps them waiting, or refuses them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.goes = threading.Event()
        self.goes.set()
        self.full = False
        for module in (fitting, journal):
            patch.setattr(module, "write_edit", self.write)

    def write(self, *arguments: Any) -> bool:
        """What the journal calls to write an edit."""
        assert self.goes.wait(60)
        if self.full:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL  # type: ignore[misc]
            raise error
        return write_edit(*arguments)

    def mend(self) -> None:
        """Let everything through."""
        self.full = False
        self.goes.set()

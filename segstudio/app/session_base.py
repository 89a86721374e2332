"""What every part of the Session stands on: its signals, the open project, and the words for what cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio import faults
from segstudio.app.editing.tool_state import ToolState
from segstudio.app.faults import Faults
from segstudio.app.preferences import Preferences, load_preferences
from segstudio.app.values import EngineState, SaveState
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.model import ClassTable

if TYPE_CHECKING:
    # A window without a project starts without NumPy, store and engine: they come with the first.
    from segstudio.app.creating import Creation
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.opening import Opening

__all__ = ["SessionBase"]

_NO_CLASSES = ClassTable(())


class SessionBase(QObject):
    """Signals and state that the parts of the Session share."""

    imageShown = Signal()
    imageLoading = Signal(str)
    displayChanged = Signal()
    editCommitted = Signal(int)
    proposalReady = Signal()
    trainingEvent = Signal(object)
    trainingFinished = Signal(object)
    exportFinished = Signal(object)
    snapshotsChanged = Signal()
    snapshotRestored = Signal(object)
    backupFinished = Signal(object)
    failed = Signal(object)

    projectChanged = Signal()
    imagesChanged = Signal(object)
    imagesAdded = Signal(object)
    imagesFound = Signal(object)
    classesChanged = Signal()
    toolChanged = Signal()
    changed = Signal(object)
    proposalChanged = Signal()
    doneStateChanged = Signal()
    objectsCounted = Signal()
    proposalAged = Signal()
    historyChanged = Signal()
    saveStateChanged = Signal(object)
    engineStateChanged = Signal(object)
    jobChanged = Signal(object)
    said = Signal(str)
    noticed = Signal(str)
    imageTroubleChanged = Signal()
    settingsChanged = Signal()
    versionsChanged = Signal()
    runRead = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.preferences: Preferences = load_preferences()
        self.remembers = True
        self._opened: OpenedProject | None = None
        self._opening: Opening | None = None
        self._wanted: tuple[int | None, Callable[[], None]] = None, lambda: None
        self.opens_later = False
        self._secured: tuple[OpenedProject, int] | None = None
        self._creation: Creation | None = None
        self.tools = ToolState(self.preferences.brush_radius, self)
        self.tools.changed.connect(self.toolChanged)
        self._visible: Rect | None = None
        self._engine_state = EngineState("off", "", "")
        self.export_folder: Path | None = None
        self.faults = Faults(self._abort_gesture, self)
        self.faults.told.connect(self.failed)

    def met(self, error: Exception, quiet_s: float = faults.QUIET_S) -> bool:
        """Say a fault that was caught at a border of the window, and end the gesture that it met.

        False for one that goes on: it was said already, and like it within the last `quiet_s` seconds.
        """
        return self.faults.met(error, quiet_s)

    def _abort_gesture(self) -> bool:
        return self._opened is not None and self._opened.documents.cancel_gesture()

    @property
    def project_path(self) -> Path | None:
        """Folder of the open project."""
        return self._opened.project.path if self._opened else None

    @property
    def project_name(self) -> str:
        """Name of the open project without its suffix; empty where none is open."""
        return self._opened.project.path.name.removesuffix(".segstudio") if self._opened else ""

    @property
    def read_only(self) -> str:
        """Why this window may not write; empty where it may."""
        return self._opened.project.why_read_only if self._opened else ""

    def wait_for_opening(self, timeout_s: float | None = None) -> bool:
        """See `Session.wait_for_opening`."""
        raise NotImplementedError

    def _may_write(self) -> bool:
        """Whether there is a project that this window may write; says so where not."""
        if self._opened is None:
            self.wait_for_opening()
        if self._opened is None:
            self.said.emit(self.tr("No project is open."))
            return False
        if self._opened.project.writer is None:
            self.said.emit(self._opened.project.why_read_only)
            return False
        return True

    def _is_shown(self) -> bool:
        """Whether the image asked for is on screen, so that an edit is made on what is seen; says so where not."""
        shown = self._opened is not None and self._opened.navigation.shown is not None
        if not shown:
            self.said.emit(self.tr("The image is still loading.") if self.loading else self.tr("No image is shown."))
        return shown

    def _is_as_labelled(self) -> bool:
        """Whether the file of the image on screen is what was labelled; says what is not done where it is another."""
        flagged = self._opened.navigation.flagged if self._opened is not None else ""
        if flagged:
            self.said.emit(flagged)
        return not flagged

    @property
    def classes(self) -> ClassTable:
        """The project's classes; number key n picks the n-th."""
        return self._opened.documents.classes if self._opened else _NO_CLASSES

    @property
    def loading(self) -> bool:
        """Whether the image asked for is still being decoded, and the one before is on screen."""
        return self._opened is not None and self._opened.navigation.loading

    def cancel_gesture(self) -> bool:
        """Abort what is unfinished; whether there was something."""
        if self._opened is None:
            return False
        return self._opened.documents.cancel_gesture() or self._opened.finishing.cancel_fill()

    @property
    def save_state(self) -> SaveState:
        """Whether everything is on disk."""
        return self._opened.documents.save_state() if self._opened else SaveState(True, "", "")

    @property
    def engine_state(self) -> EngineState:
        """What the engine process is doing, and on which device."""
        return self._engine_state

    def _say_refusal(self, call: object) -> None:
        try:
            call()  # type: ignore[operator]
        except UserError as error:
            self.said.emit(error.line)

    def _fail(self, job: str, sentence: str) -> None:
        self.failed.emit({"job": job, "sentence": sentence, "details": ""})

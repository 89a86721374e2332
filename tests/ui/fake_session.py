"""A session without project, engine or threads: the signals and state that the widgets see, and a record of calls."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.tool_state import ToolState
from segstudio.app.editing.tools.pointer import Key, KeyEvent, Pointer
from segstudio.app.job_list import Jobs
from segstudio.app.kept_preferences import KeptPreferences
from segstudio.app.notices import Notices
from segstudio.app.preferences import Preferences
from segstudio.app.values import (
    DoneState,
    EngineKind,
    EngineState,
    ImageItem,
    ImageTrouble,
    JobKind,
    Notice,
    NoticeKind,
    Place,
    SaveState,
    SnapshotItem,
    VersionItem,
)
from segstudio.app.viewing.display import DisplayImage
from segstudio.imaging.levels import EIGHT_BIT
from segstudio.labels.colors import BACKGROUND_COLOR, next_color
from segstudio.labels.document import Document
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind, LabelClass, Status
from segstudio.labels.paint.policy import Touch
from segstudio.text import _
from tests.ui.fake_project import FakeProject, drop

__all__ = ["FakeSession", "class_table", "image_items"]


def class_table(names: list[str]) -> ClassTable:
    """Background, then semantic classes of these names."""
    made = [LabelClass(ClassId(1), "background", BACKGROUND_COLOR, Kind.BACKGROUND, 0, 0)]
    for n, name in enumerate(names, 1):
        color = next_color([c.color for c in made])
        made.append(LabelClass(ClassId(n + 1), name, color, Kind.SEMANTIC, n, n))
    return ClassTable(made)


def image_items(n: int, names: list[str] | None = None) -> list[ImageItem]:
    """Rows of an image list: the first two done, the third in progress, every fifth held out."""
    out = []
    for i in range(n):
        status = Status.DONE if i < 2 else Status.IN_PROGRESS if i == 2 else Status.NEW
        split = None if status is Status.NEW else "held-out" if i % 5 == 1 else "train"
        name = names[i] if names and i < len(names) else f"plate_{i:04d}.png"
        out.append(ImageItem(i, ImageId(i + 1), name, status, split, 100 * (i < 3), 3 * (i < 3), "", 640, 480, 1))
    return out


def soft_blobs(width: int, height: int) -> DisplayImage:
    """A picture of soft blobs."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    wave = np.sin(x / 31) * np.cos(y / 23) + 0.4 * np.sin((x + y) / 57)
    grey = np.clip(90 + 55 * wave, 0, 255).astype(np.uint8)
    rgb = np.dstack([grey, (grey * 0.82).astype(np.uint8), (grey * 0.9).astype(np.uint8)])
    return DisplayImage.of(rgb, EIGHT_BIT)


class Strict(Notices):
    """A fault that the window caught fails the test: none of a widget expects one."""

    def met(self, error: Exception, quiet_s: float = 1.0) -> bool:
        sys.excepthook(type(error), error, error.__traceback__)
        return True


class FakeSession(QObject):
    """Keeps every call in `calls`; changes only what a widget would look at."""

    imageShown = Signal()
    displayChanged = Signal()
    imageLoading = Signal(str)
    editCommitted = Signal(int)
    proposalReady = Signal()
    trainingEvent = Signal(object)
    trainingFinished = Signal(object)
    exportFinished = Signal(object)
    snapshotsChanged = Signal()
    snapshotRestored = Signal(object)
    backupFinished = Signal(object)
    projectChanged = Signal()
    imagesChanged = Signal(object)
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
    said = Signal(str)
    classChosen = Signal()
    imageTroubleChanged = Signal()
    settingsChanged = Signal()
    versionsChanged = Signal()
    runRead = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []
        self.notices = Strict(parent=self)
        self.kept_preferences = KeptPreferences(self.notices, self)
        self.kept_preferences.remembers = False
        self.notices.close()
        self.notices.told.connect(self._heard)
        self.jobs = Jobs(self.notices, self)
        self.project: FakeProject | None = None
        self.projects = self
        self.opens_later = False
        self.project_path: Path | None = None
        self.read_only = ""
        self.image_trouble = ImageTrouble()
        self.image_failed = False
        self.held_out = False
        self.images: list[ImageItem] = []
        self.files: list[Path | None] = []
        self.contents: dict[int, str] = {}
        self.current_index = -1
        self.plane = 0
        self.classes = ClassTable(())
        self.current_class: LabelClass | None = None
        self.tools = ToolState()
        self.tools.changed.connect(self.toolChanged)
        self.snapshots: list[SnapshotItem] = []
        self.can_undo_restore = self.loading = False
        self.undo_ends = ""
        self.place_left: Place | None = None
        self.view_seen: tuple[float, float, float, bool] | None = None
        self.can_undo = self.can_redo = self.training = self.gesture_active = False
        self.display: DisplayImage | None = None
        self.document: Document | None = None
        self.proposal_on_screen = None
        self.proposal_is_guess = False
        self.proposal_stale = False
        self.done_rest = "proposal"
        self.done_state = DoneState.IDLE
        self.object_counts: dict[ClassId, int] = {}
        self.versions: tuple[VersionItem, ...] = ()
        self.save_state = SaveState(True, "", "")
        self.engine_state = EngineState(EngineKind.OFF, "", "")

    # -- for tests ---------------------------------------------------------------------------------------------------

    @property
    def preferences(self) -> Preferences:
        return self.kept_preferences.current

    @preferences.setter
    def preferences(self, wanted: Preferences) -> None:
        self.kept_preferences.become(wanted)

    def load(
        self, images: list[ImageItem], classes: ClassTable, *, files: list[Path | None] | None = None, why: str = ""
    ) -> None:
        """Open a project of these."""
        self.project_path = Path("/somewhere/plates.segstudio")
        self.images, self.classes, self.read_only = images, classes, why
        self.files = files or [None] * len(images)
        self.current_class = next(iter(classes.foreground), classes.background)
        self.have(FakeProject(self))
        self.toolChanged.emit()
        if images:
            self.open_image(0)

    def have(self, project: FakeProject | None) -> None:
        """Another project, or none."""
        before, self.project = self.project, project
        drop(before)
        self.projectChanged.emit()

    def _heard(self, notice: Notice) -> None:
        if notice.kind is NoticeKind.WORD:
            self.said.emit(notice.sentence)

    def close_project(self) -> None:
        """No project any more."""
        self.project_path, self.images, self.classes, self.current_index = None, [], ClassTable(()), -1
        self.current_class = self.display = self.document = None
        self.have(None)

    def job(self, job: str, running: bool, **rest: Any) -> None:
        """A job begins, goes on or ends."""
        kind = JobKind(job)
        if kind is JobKind.TRAIN and self.project is not None:
            self.training = running
        if not running:
            for state in self.jobs.of(kind):
                self.jobs.end(state.id)
        else:
            text, fraction = rest.get("text", ""), rest.get("fraction")
            cancel = (lambda: self.calls.append(("cancel_job", job))) if rest.get("cancellable", True) else None
            there = self.jobs.of(kind)
            id_ = there[-1].id if there else self.jobs.show(kind, text, None, cancel)
            self.jobs.tell(id_, text, fraction, rest.get("seconds_left"))
        if kind is JobKind.TRAIN and self.project is not None:
            self.project.training.runningChanged.emit(running)

    # -- what the widgets call ---------------------------------------------------------------------------------------

    @property
    def current_image(self) -> str | None:
        return self.images[self.current_index].name if self.current_index >= 0 else None

    def open(self, path: Path) -> None:
        self.calls.append(("open_project", path))

    def open_images(self, paths: list[Path]) -> None:
        self.calls.append(("open_images", paths))

    def new(self, path: Path, images: list[str], classes: list[str]) -> None:
        self.calls.append(("new_project", path, images, classes))

    def beside(self, folder: Path) -> Path:
        return folder.with_suffix(".segstudio")

    def open_image(self, index: int) -> None:
        self.calls.append(("open_image", index))
        self.current_index = index
        self.imageLoading.emit(self.images[index].name)
        item = self.images[index]
        self.display = soft_blobs(item.width, item.height)
        self.imageShown.emit()

    @property
    def tool(self) -> str:
        return self.tools.tool.name

    @property
    def brush_radius(self) -> float:
        return self.tools.radius

    @property
    def touch(self) -> Touch:
        return self.tools.touch

    def set_tool(self, name: str) -> None:
        self.calls.append(("set_tool", name))
        self.tools.choose(name)

    def set_brush_radius(self, px: float) -> None:
        self.calls.append(("set_brush_radius", px))
        self.tools.set_radius(px)

    def set_touch(self, touch: Touch) -> None:
        self.calls.append(("set_touch", touch))
        self.tools.set_touch(touch)

    def set_class(self, name: str) -> None:
        self.calls.append(("set_class", name))
        self.current_class = self.classes.named(name)
        self.classChosen.emit()

    def add_class(self, name: str, color: str | None = None, kind: str = "semantic") -> None:
        self.calls.append(("add_class", name, color, kind))
        all_ = self.classes.all
        chosen = color or next_color([c.color for c in all_])
        made = LabelClass(ClassId(len(all_) + 1), name, chosen, Kind(kind), len(all_), len(all_))
        self.classes = self.classes.with_class(made)
        self.classesChanged.emit()

    def rename_class(self, name: str, new_name: str) -> None:
        self.calls.append(("rename_class", name, new_name))
        self._replace(name, name=new_name)

    def change_class(self, name: str, **columns: Any) -> None:
        self.calls.append(("change_class", name, columns))
        self._replace(name, **columns)

    def remove_class(self, name: str) -> None:
        self.calls.append(("remove_class", name))
        self._replace(name, removed=True)

    def _replace(self, current: str, /, **columns: Any) -> None:
        found = self.classes.named(current)
        assert found is not None
        changed = replace(found, **columns)
        self.classes = self.classes.with_class(changed)
        if self.current_class is not None and self.current_class.id == found.id:
            self.current_class = changed
        self.classesChanged.emit()

    def to_write(self) -> FakeProject | None:
        return None if self.read_only else self.project

    def propose(self) -> None:
        self.calls.append(("propose",))

    def hold_out(self, path: int | str, held: bool) -> None:
        self.calls.append(("hold_out", path, held))

    def reject_proposal(self) -> None:
        self.calls.append(("reject_proposal",))

    def accept_proposal(self) -> None:
        self.calls.append(("accept_proposal",))

    def mark_done(self, empty: bool = False) -> None:
        self.calls.append(("mark_done", *(["empty"] * empty)))

    def use_version(self, name: str) -> None:
        self.calls.append(("use_version", name))
        self.versions = tuple(replace(item, current=item.name == name) for item in self.versions)
        self.versionsChanged.emit()

    def fine_tune(self, **options: Any) -> None:
        self.calls.append(("fine_tune", options))
        self.training = True
        self.job("train", True)

    def stop_training(self) -> None:
        self.calls.append(("stop_training",))

    def export(self, format: str, out: Path, content: str = "labels") -> None:
        self.calls.append(("export", format, out, content))

    def undo(self) -> None:
        self.calls.append(("undo",))

    def redo(self) -> None:
        self.calls.append(("redo",))

    def pointer(self, event: Pointer) -> None:
        self.calls.append(("pointer", event.phase.name))

    def cancel_gesture(self) -> bool:
        self.calls.append(("cancel_gesture",))
        return False

    def tool_takes(self, key: Key) -> bool:
        return False

    def tool_key(self, event: KeyEvent) -> bool:
        return False

    def interrupt_tool(self) -> None:
        """Nothing is ever under way here."""

    def commit_gesture(self) -> None:
        self.calls.append(("commit_gesture",))

    def value_at(self, x: int, y: int) -> tuple[str, str]:
        if self.display is None or not (0 <= x < self.display.size[0] and 0 <= y < self.display.size[1]):
            return "", ""
        return self.display.value_text(x, y), _("unknown")

    def save(self) -> SaveState:
        self.calls.append(("save",))
        return self.save_state

    ready = True

    def ready_to_close(self, wait_s: float) -> bool:
        return self.ready

    def secure(self, wait_s: float | None = None) -> None:
        self.calls.append(("secure",) if wait_s is None else ("secure", wait_s))

    def close(self, wait_s: float | None = None) -> None:
        self.calls.append(("close",))

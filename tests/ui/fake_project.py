"""The owners of a project as widgets see them, over a fake session that holds all state and keeps every call."""

from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import shiboken6
from PySide6.QtCore import QObject, Signal

from segstudio.app.exporting import ExportReport
from segstudio.app.values import DoneState, ImagesFound, JobKind, LastRun, Notice, Place, Rest, Restored
from segstudio.labels.model import Kind
from segstudio.runs import Event, TrainResult
from segstudio.store.backup import Backup

__all__ = ["FakeProject", "drop"]


class _Owner(QObject):
    def __init__(self, session: Any) -> None:
        super().__init__()
        self.session = session

    def note(self, *call: Any) -> None:
        self.session.calls.append(call)


class _Rows:
    def __init__(self, files: list[Path | None]) -> None:
        self._files = files

    def __getitem__(self, index: int) -> Any:
        return SimpleNamespace(file=self._files[index] or Path("/nowhere/at/all.png"))


class _Displaying(_Owner):
    displayChanged = Signal()


class _Navigation(_Owner):
    imageLoading = Signal(str)
    imageShown = Signal()
    imageFailed = Signal(str, str)
    imagesChanged = Signal(object)
    troubleChanged = Signal()

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self.displaying = _Displaying(session)

    items = property(lambda self: self.session.images)
    index = property(lambda self: self.session.current_index)
    path = property(lambda self: self.session.current_image)
    plane = property(lambda self: self.session.plane)
    display = property(lambda self: self.session.display)
    loading = property(lambda self: self.session.loading)
    trouble = property(lambda self: self.session.image_trouble)
    failed = property(lambda self: self.session.image_failed)

    @property
    def shown(self) -> int | None:
        return None if self.display is None or self.loading else self.items[self.index].id

    @property
    def rows(self) -> "_Rows":
        return _Rows(self.session.files)

    def content(self, index: int) -> str:
        return self.session.contents.get(self.items[index].id, "")

    def open(self, index: int) -> None:
        self.session.open_image(index)

    def step(self, by: int) -> None:
        self.note("next_image" if by > 0 else "previous_image")

    def use_new_content(self) -> None:
        self.note("use_new_content")

    def keep_content(self) -> None:
        self.note("keep_content")


class _Documents(_Owner):
    changed = Signal(object)
    editCommitted = Signal(int)
    historyChanged = Signal()
    saveStateChanged = Signal(object)
    classesChanged = Signal()
    classChosen = Signal()

    classes = property(lambda self: self.session.classes)
    current_class = property(lambda self: self.session.current_class)
    can_undo = property(lambda self: self.session.can_undo)
    can_redo = property(lambda self: self.session.can_redo)
    undo_ends = property(lambda self: self.session.undo_ends)
    gesture_active = property(lambda self: self.session.gesture_active)
    saving = SimpleNamespace(text=lambda: "Saving 12 edits")

    @property
    def active_tool(self) -> Any:
        session = self.session
        return SimpleNamespace(
            pointer=session.pointer, takes=session.tool_takes, key=session.tool_key, interrupt=session.interrupt_tool
        )

    @property
    def current(self) -> Any:
        document = self.session.document
        return None if document is None else SimpleNamespace(document=document)

    def save_state(self) -> Any:
        return self.session.save_state

    def choose_class(self, name: str) -> None:
        self.session.set_class(name)

    def commit_gesture(self) -> None:
        if self.gesture_active:
            self.session.commit_gesture()


class _Proposals(_Owner):
    proposalReady = Signal()
    proposalChanged = Signal()
    ageChanged = Signal()
    visible: Any = None

    seen = property(lambda self: self.session.proposal_on_screen)
    is_guess = property(lambda self: self.session.proposal_is_guess)
    stale = property(lambda self: self.session.proposal_stale)


class _Finishing(_Owner):
    stateChanged = Signal()
    restChanged = Signal()

    state = property(lambda self: self.session.done_state)
    rest = property(lambda self: self.session.done_rest)

    def set_rest(self, rest: Rest) -> None:
        self.note("set_done_rest", rest.value)
        self.session.done_rest = rest.value
        self.restChanged.emit()

    def withdraw(self) -> bool:
        asked, self.session.done_state = self.state is DoneState.NOTHING_LABELLED, DoneState.IDLE
        self.stateChanged.emit()
        return asked


class _Training(_Owner):
    happened = Signal(object)
    finished = Signal(object)
    runningChanged = Signal(bool)

    running = property(lambda self: self.session.training)

    def tell(self, event: dict[str, Any]) -> None:
        self.happened.emit(msgspec.convert(event, Event))

    def end(self, result: dict[str, Any]) -> None:
        self.finished.emit(msgspec.convert(result, TrainResult))


class _Versions(_Owner):
    changed = Signal()
    runRead = Signal(object)

    def items(self) -> Any:
        return self.session.versions

    def use(self, name: str) -> None:
        self.session.use_version(name)

    def read(self, run: LastRun) -> None:
        events = tuple(msgspec.convert(event, Event) for event in run.events)
        result = None if run.result is None else msgspec.convert(run.result, TrainResult)
        self.runRead.emit(LastRun(run.name, events, result, run.why))


class _Exports(_Owner):
    finished = Signal(object)

    formats = (("png", "Masks as PNG"), ("coco", "COCO"))

    def end(self, result: dict[str, Any]) -> None:
        images = result["images"] if isinstance(result["images"], int) else len(result["images"])
        left_out = tuple(SimpleNamespace(path=one["path"], why=one["reason"]) for one in result.get("left_out", ()))
        files, changed = tuple(Path(file) for file in result["files"]), tuple(result.get("changed", ()))
        self.finished.emit(ExportReport("png", Path(result["out"]), images, files, changed, left_out=left_out))  # type: ignore[arg-type]


class _Snapshots(_Owner):
    snapshotsChanged = Signal()
    restored = Signal(object)

    items = property(lambda self: self.session.snapshots)
    can_undo_restore = property(lambda self: self.session.can_undo_restore)

    def keep(self, name: str) -> None:
        self.note("keep_snapshot", name)

    def rename(self, id_: int, name: str) -> None:
        self.note("rename_snapshot", id_, name)

    def delete(self, id_: int) -> None:
        self.note("delete_snapshot", id_)

    def restore_project(self, id_: int) -> None:
        self.note("restore_snapshot", id_, False)

    def restore_image(self, id_: int) -> None:
        self.note("restore_snapshot", id_, True)

    def undo_restore(self) -> None:
        self.note("undo_restore")

    def end(self, told: dict[str, Any]) -> None:
        self.restored.emit(msgspec.convert(told, Restored))


class _Backups(_Owner):
    backedUp = Signal(object)

    def ask(self, place: Path | None) -> None:
        self.note("backup", place)

    def end(self, told: dict[str, Any]) -> None:
        self.backedUp.emit(Backup(Path(told["backup"]), 1, 1, 0, told["waiting_edits"]))  # type: ignore[arg-type]


class _Growing(_Owner):
    found = Signal(object)
    added = Signal(object)
    removed = Signal(object)

    def find(self, told: dict[str, Any]) -> None:
        self.found.emit(ImagesFound(told["images"], told["sentence"]))

    def look_around(self) -> None:
        self.note("look_around")

    def add(self, paths: list[str], *, show: bool = False, lenient: bool = False) -> None:
        self.note("add", paths, lenient)

    def add_found(self) -> None:
        self.note("add_found")
        self.found.emit(ImagesFound(0))

    def pass_over(self) -> None:
        self.note("pass_over")
        self.found.emit(ImagesFound(0))

    def remove_images(self, images: Collection[int]) -> None:
        self.note("remove_images", set(images))


class _Marking(_Owner):
    def mark(self, images: Collection[int], *, done: bool) -> None:
        self.note("mark", set(images), done)


class _Places(_Owner):
    def take_view(self) -> Place | None:
        left, self.session.place_left = self.session.place_left, None
        return left

    def saw(self, scale: float, x: float, y: float, *, fitted: bool) -> None:
        self.session.view_seen = (scale, x, y, fitted)


class _ObjectCounts(_Owner):
    counted = Signal()

    by_class = property(lambda self: self.session.object_counts)


class _Roles(_Owner):
    held_out = property(lambda self: self.session.held_out)

    def hold_out(self, images: Collection[int], *, held: bool) -> None:
        self.note("hold_out_all", set(images), held)


class _Relinking(_Owner):
    def start(self, folder: Path) -> None:
        self.note("relink", folder)


class _Classes(_Owner):
    def add(self, name: str, color: str | None = None, kind: Kind = Kind.SEMANTIC) -> None:
        self.session.add_class(name, color, kind.value)

    def rename(self, name: str, new_name: str) -> None:
        self.session.rename_class(name, new_name)

    def change(self, name: str, **columns: Any) -> None:
        self.session.change_class(name, **columns)

    def remove(self, name: str) -> None:
        self.session.remove_class(name)


class FakeProject(QObject):
    """`session` has the state under plain names; its signals of those names are passed on to the owners."""

    engineStateChanged = Signal(object)

    def __init__(self, session: Any) -> None:
        super().__init__()
        self.session = session
        self.navigation, self.documents = _Navigation(session), _Documents(session)
        self.proposals, self.finishing = _Proposals(session), _Finishing(session)
        self.training, self.versions = _Training(session), _Versions(session)
        self.exports, self.snapshots, self.backups = _Exports(session), _Snapshots(session), _Backups(session)
        self.growing, self.object_counts, self.roles = _Growing(session), _ObjectCounts(session), _Roles(session)
        self.relinking, self.classes = _Relinking(session), _Classes(session)
        self.marking, self.places = _Marking(session), _Places(session)
        for name, told in (
            ("imageLoading", self.navigation.imageLoading),
            ("imageShown", self.navigation.imageShown),
            ("displayChanged", self.navigation.displaying.displayChanged),
            ("imagesChanged", self.navigation.imagesChanged),
            ("imageTroubleChanged", self.navigation.troubleChanged),
            ("changed", self.documents.changed),
            ("editCommitted", self.documents.editCommitted),
            ("historyChanged", self.documents.historyChanged),
            ("saveStateChanged", self.documents.saveStateChanged),
            ("classesChanged", self.documents.classesChanged),
            ("classChosen", self.documents.classChosen),
            ("proposalReady", self.proposals.proposalReady),
            ("proposalChanged", self.proposals.proposalChanged),
            ("proposalAged", self.proposals.ageChanged),
            ("doneStateChanged", self.finishing.stateChanged),
            ("settingsChanged", self.finishing.restChanged),
            ("objectsCounted", self.object_counts.counted),
            ("engineStateChanged", self.engineStateChanged),
            ("versionsChanged", self.versions.changed),
            ("snapshotsChanged", self.snapshots.snapshotsChanged),
            ("trainingEvent", self.training.tell),
            ("trainingFinished", self.training.end),
            ("runRead", self.versions.read),
            ("exportFinished", self.exports.end),
            ("snapshotRestored", self.snapshots.end),
            ("backupFinished", self.backups.end),
            ("imagesFound", self.growing.find),
        ):
            if hasattr(session, name):
                getattr(session, name).connect(told)

        session.notices.told.connect(self._told)

    def _told(self, notice: Notice) -> None:
        if notice.job is JobKind.IMAGE:
            self.navigation.imageFailed.emit("", notice.sentence)

    path = property(lambda self: self.session.project_path)
    name = property(lambda self: self.path.name.removesuffix(".segstudio"))
    why_read_only = property(lambda self: self.session.read_only)
    may_write = property(lambda self: not self.session.read_only)
    engine_state = property(lambda self: self.session.engine_state)

    def cancel(self) -> bool:
        return self.session.cancel_gesture()

    def value_at(self, x: int, y: int) -> tuple[str, str]:
        return self.session.value_at(x, y)


def drop(project: FakeProject | None) -> None:
    """Delete its owners, which ends what widgets hear of them."""
    if project is not None:
        for owner in [owner for owner in vars(project).values() if isinstance(owner, _Owner)]:
            shiboken6.delete(owner)
        shiboken6.delete(project)

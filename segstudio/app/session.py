"""The Session: what the widgets, and scripts, talk to. It forwards; each owner has its own file and signals.

All calls and signals are on the GUI thread. The methods and signals of docs/python.md are a contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.app.preferences import Preferences, load_preferences, save_preferences
from segstudio.app.values import EngineState, ImageItem, ImageTrouble, JobState, SaveState
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.labels.model import ClassTable, ImageId, Kind, LabelClass, Touch

if TYPE_CHECKING:
    # A window without a project starts without NumPy, store and engine: they come with the first.
    import numpy as np
    from numpy.typing import NDArray

    from segstudio.app.creating import Creation
    from segstudio.app.display_image import DisplayImage
    from segstudio.app.opened import OpenedProject
    from segstudio.app.pointer import Pointer
    from segstudio.labels.document import Document
    from segstudio.labels.proposal import Proposal

__all__ = ["Session"]

_NO_CLASSES = ClassTable(())


class Session(QObject):
    """One window's session with at most one project."""

    imageShown = Signal()
    imageLoading = Signal(str)
    editCommitted = Signal(int)
    proposalReady = Signal()
    trainingEvent = Signal(object)
    trainingFinished = Signal(object)
    exportFinished = Signal(object)
    failed = Signal(object)

    projectChanged = Signal()
    imagesChanged = Signal(object)
    classesChanged = Signal()
    toolChanged = Signal()
    changed = Signal(object)
    proposalChanged = Signal()
    historyChanged = Signal()
    saveStateChanged = Signal(object)
    engineStateChanged = Signal(object)
    jobChanged = Signal(object)
    said = Signal(str)
    imageTroubleChanged = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.preferences: Preferences = load_preferences()
        self.remembers = True
        self._opened: OpenedProject | None = None
        self._creation: Creation | None = None
        self._tool = "brush"
        self._radius = self.preferences.brush_radius
        self._touch = Touch.ALL
        self._engine_state = EngineState("off", "", "")
        self.export_folder: Path | None = None

    # -- project -----------------------------------------------------------------------------------------------------

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

    def open_project(self, path: Path | str, first_image: int | None = 0) -> None:
        """Open a project, closing the one before. Raises `UserError` and leaves that one open where it cannot."""
        from segstudio.app.opened import OpenedProject

        if self._opened is not None and self._opened.project.path.resolve() == Path(path).resolve():
            # This window itself holds the lock: opened beside itself the project would be read-only.
            self.secure()
            self._opened.close()
            self._opened = None
            self.projectChanged.emit()
        self.secure()
        opened = OpenedProject(Path(path), self)
        previous, self._opened = self._opened, opened
        if previous is not None:
            previous.close()
        self._connect(opened)
        opened.documents.radius = self._radius
        opened.documents.touch = self._touch
        self.set_tool(self._tool)
        self.projectChanged.emit()
        self.classesChanged.emit()
        self.toolChanged.emit()
        self.imagesChanged.emit(())
        self.saveStateChanged.emit(opened.documents.save_state())
        if opened.project.notice:
            self._fail("save", opened.project.notice)
        if first_image is not None and opened.navigation.rows:
            opened.navigation.open(first_image)

    def secure(self) -> None:
        """See every edit on disk, or kept aside for the next opening. Raises `DiskRefused`, and then all stays open."""
        if self._opened is not None:
            self._opened.secure()

    def new_project(self, path: Path | str, images: Iterable[Path | str], classes: Sequence[str] = ()) -> None:
        """Make a project of images (files, folders, globs) and classes (NAME[:#RRGGBB[:kind]]) on a thread.

        It is opened when it is there; `jobChanged` tells how far it is, `failed` why there is none.
        """
        if self._creation is None:
            from segstudio.app.creating import Creation

            self._creation = Creation(self)
            self._creation.jobChanged.connect(self.jobChanged)
            self._creation.failed.connect(self.failed)
            self._creation.made.connect(self._open_made)
        self._creation.start(Path(path), [str(image) for image in images], list(classes))

    def _open_made(self, path: Path) -> None:
        try:
            self.open_project(path)
        except UserError as error:
            self._fail("new", error.line)

    def _connect(self, opened: OpenedProject) -> None:
        documents, navigation = opened.documents, opened.navigation
        documents.editCommitted.connect(self.editCommitted)
        documents.changed.connect(self.changed)
        documents.historyChanged.connect(self.historyChanged)
        documents.saveStateChanged.connect(self.saveStateChanged)
        documents.classesChanged.connect(self.classesChanged)
        documents.classesChanged.connect(self.toolChanged)
        documents.refused.connect(lambda sentence: self._fail("save", sentence))
        navigation.imageLoading.connect(self.imageLoading)
        navigation.imageShown.connect(self.imageShown)
        navigation.imagesChanged.connect(self.imagesChanged)
        navigation.troubleChanged.connect(self.imageTroubleChanged)
        opened.relinking.jobChanged.connect(self.jobChanged)
        opened.relinking.failed.connect(self.failed)
        opened.relinking.said.connect(self.said)
        navigation.imageFailed.connect(lambda _path, sentence: self._fail("image", sentence))
        opened.proposals.proposalReady.connect(self.proposalReady)
        opened.proposals.proposalChanged.connect(self.proposalChanged)
        opened.proposals.failed.connect(self.failed)
        opened.proposals.said.connect(self.said)
        opened.proposals.runningChanged.connect(
            lambda running: self.jobChanged.emit(JobState("propose", running, self.tr("Proposing"), cancellable=False))
        )
        opened.training.trainingEvent.connect(self.trainingEvent)
        opened.training.trainingFinished.connect(self._training_finished)
        opened.training.failed.connect(self.failed)
        opened.training.runningChanged.connect(
            lambda running: self.jobChanged.emit(JobState("train", running, self.tr("Fine-tuning")))
        )
        opened.exports.exportFinished.connect(self.exportFinished)
        opened.exports.failed.connect(self.failed)
        opened.exports.jobChanged.connect(self.jobChanged)
        opened.engineStateChanged.connect(self._engine_changed)
        opened.damageFound.connect(lambda sentence: self._fail("check", sentence))

    def close(self) -> None:
        """End everything: returns when every edit is durable, or kept aside, and the lock is free.

        Raises `DiskRefused`, with everything as it was, where neither the project nor the state folder takes an edit.
        """
        self.secure()
        creation, self._creation = self._creation, None
        if creation is not None:
            creation.close()
            creation.deleteLater()
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()
            self.projectChanged.emit()
        try:
            if self.remembers:
                save_preferences(self.preferences)
        except OSError as error:
            self.said.emit(self.tr("Preferences could not be saved: {0}").format(error.strerror or error))

    def _may_write(self) -> bool:
        """Whether there is a project that this window may write; says so where not."""
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

    # -- images ------------------------------------------------------------------------------------------------------

    @property
    def images(self) -> Sequence[ImageItem]:
        """The images of the project in the order of `info`."""
        return self._opened.navigation.items if self._opened else ()

    @property
    def current_index(self) -> int:
        """Place of the image on screen, or being loaded; -1 for none."""
        return self._opened.navigation.index if self._opened else -1

    @property
    def current_image(self) -> str | None:
        """Path of that image as `info` has it."""
        i = self.current_index
        return self.images[i].name if i >= 0 else None

    def image_file(self, index: int) -> Path:
        """Where the file of an image lies."""
        if self._opened is None:
            raise UserError("No project is open.")
        return self._opened.navigation.rows[index].file

    @property
    def loading(self) -> bool:
        """Whether the image asked for is still being decoded, and the one before is on screen."""
        return self._opened is not None and self._opened.navigation.loading

    @property
    def plane(self) -> int:
        """Number of the plane on screen."""
        return self._opened.navigation.plane if self._opened else 0

    def open_image(self, index_or_path: int | str, plane: int = 0) -> None:
        """Show an image: `imageShown` follows. Raises `UserError` where the project has none such."""
        if self._opened is not None:
            self._opened.proposals.settle()
            self._opened.navigation.open(self._opened.navigation.find(index_or_path), plane)

    @property
    def image_trouble(self) -> ImageTrouble:
        """What is the matter with the image asked for: its file is missing, or holds another content."""
        return self._opened.navigation.trouble if self._opened else ImageTrouble()

    def relink(self, folder: Path | str) -> None:
        """Look for every missing image below a folder, in the background; the image asked for is shown once found."""
        if self._may_write() and self._opened is not None:
            self._opened.relinking.start(Path(folder))

    def use_new_content(self) -> None:
        """Let the labels of the image on screen belong to the content that its file has now."""
        if self._may_write() and self._opened is not None:
            self._opened.navigation.use_new_content()

    def keep_content(self) -> None:
        """Leave the image on screen flagged, and do not ask again about this content."""
        if self._opened is not None:
            self._opened.navigation.keep_content()

    def next_image(self) -> None:
        """Show the next image of the list."""
        self._step(1)

    def previous_image(self) -> None:
        """Show the previous image of the list."""
        self._step(-1)

    def _step(self, by: int) -> None:
        if self._opened is not None:
            self._opened.proposals.settle()
            self._opened.navigation.step(by)

    @property
    def display(self) -> DisplayImage | None:
        """Pixels of the image on screen."""
        return self._opened.navigation.display if self._opened else None

    @property
    def document(self) -> Document | None:
        """Labels of the image on screen."""
        current = self._opened.documents.current if self._opened else None
        return current.document if current else None

    def value_at(self, x: int, y: int) -> tuple[str, str]:
        """Stored value of a pixel in words, and the name of the class it is labelled with ('unknown' for none)."""
        if self._opened is None or self.display is None or self.document is None:
            return "", ""
        w, h = self.display.size
        if not (0 <= x < w and 0 <= y < h):
            return "", ""
        class_id = int(self.document.class_ids(self.plane, Rect(x, y, 1, 1))[0, 0])
        found = self.classes.effective(class_id) if class_id else None  # type: ignore[arg-type]
        return self.display.value_text(x, y), found.name if found else self.tr("unknown")

    # -- tools -------------------------------------------------------------------------------------------------------

    @property
    def tool(self) -> str:
        """Name of the tool."""
        return self._tool

    @property
    def brush_radius(self) -> float:
        """Radius of brush and eraser in image pixels."""
        return self._radius

    @property
    def touch(self) -> Touch:
        """Which pixels a stroke may change."""
        return self._touch

    def set_tool(self, name: str) -> None:
        """Choose a tool: brush, eraser or pan. A stroke under way is kept. Raises `UserError` for another name."""
        if name not in ("brush", "eraser", "pan"):
            raise UserError(f"There is no tool {name!r}; there are brush, eraser and pan.")
        if self._opened is not None:
            self._opened.documents.commit_gesture()
            self._opened.documents.tool = self._opened.documents.tools.get(name)
        self._tool = name
        self.toolChanged.emit()

    def set_brush_radius(self, px: float) -> None:
        """Radius in image pixels, at least 0.5."""
        self._radius = max(0.5, float(px))
        if self._opened is not None:
            self._opened.documents.radius = self._radius
        self.toolChanged.emit()

    def set_touch(self, touch: Touch) -> None:
        """Which pixels a stroke may change."""
        self._touch = touch
        if self._opened is not None:
            self._opened.documents.touch = touch
        self.toolChanged.emit()

    def pointer(self, event: Pointer) -> None:
        """Hand a pointer event, in image coordinates, to the tool."""
        if self._opened is None or self._opened.navigation.shown is None:
            return
        if self._opened.project.writer is None:
            if event.phase.name == "PRESS" and self._tool != "pan":
                self.said.emit(self._opened.project.why_read_only)
            return
        self._opened.documents.pointer(event)

    @property
    def gesture_active(self) -> bool:
        """Whether a stroke is under way."""
        return self._opened is not None and self._opened.documents.gesture_active

    def cancel_gesture(self) -> bool:
        """Abort what is unfinished; whether there was something."""
        if self._opened is None:
            return False
        return self._opened.documents.cancel_gesture() or self._opened.proposals.cancel_fill()

    def commit_gesture(self) -> None:
        """End a stroke that is under way, keeping it."""
        if self._opened is not None:
            self._opened.documents.commit_gesture()

    # -- classes -----------------------------------------------------------------------------------------------------

    @property
    def classes(self) -> ClassTable:
        """The project's classes; number key n picks the n-th."""
        return self._opened.documents.classes if self._opened else _NO_CLASSES

    @property
    def current_class(self) -> LabelClass | None:
        """The class that the brush paints."""
        if self._opened is None:
            return None
        return self.classes.get(self._opened.documents.class_id)

    def set_class(self, name: str) -> None:
        """Choose the class to paint. Raises `UserError` where there is none of this name."""
        if self._opened is None:
            return
        found = self.classes.named(name)
        if found is None:
            raise UserError(f"There is no class {name!r} in this project.")
        self._opened.documents.commit_gesture()
        self._opened.documents.class_id = found.id
        self.toolChanged.emit()

    def add_class(self, name: str, color: str | None = None, kind: str = "semantic") -> None:
        """Make a class. Raises `UserError` for a name that is taken or not allowed."""
        if self._may_write() and self._opened is not None:
            self._opened.classes.add(name, color, Kind(kind))

    def rename_class(self, name: str, new_name: str) -> None:
        """Rename a class. Raises `UserError` for a name that is taken or not allowed."""
        if self._may_write() and self._opened is not None:
            self._opened.classes.rename(name, new_name)

    def change_class(self, name: str, **columns: str | bool) -> None:
        """Change colour (`color`), lock (`locked`), visibility (`visible`) or kind (`kind`) of a class."""
        if self._may_write() and self._opened is not None:
            self._opened.classes.change(name, **columns)

    def remove_class(self, name: str) -> None:
        """Take a class out of use; its pixels stay stored and count as nothing. Undo brings it back."""
        if self._may_write() and self._opened is not None:
            self._opened.classes.remove(name)

    # -- propose, correct, learn -------------------------------------------------------------------------------------

    @property
    def proposal_on_screen(self) -> Proposal | None:
        """What a model draws for the image on screen."""
        return self._opened.proposals.on_screen if self._opened and not self.loading else None

    @property
    def proposal_is_guess(self) -> bool:
        """Whether it comes from the embedded model, before anything was learnt here."""
        return self._opened is not None and self._opened.proposals.is_guess

    @property
    def proposing(self) -> bool:
        """Whether a proposal for the image on screen is on its way."""
        return self._opened is not None and self._opened.proposals.running

    def propose(self) -> None:
        """Ask for a proposal of the image on screen; exactly one `proposalReady` (or `failed`) follows."""
        if self._may_write() and self._opened is not None:
            self._opened.documents.commit_gesture()
            self._opened.proposals.propose()

    def accept_proposal(self) -> None:
        """Fill what is unlabelled with the proposal, as one edit."""
        if self._may_write() and self._is_shown() and self._opened is not None:
            self._opened.proposals.accept()

    def mark_done(self) -> None:
        """Fill the rest, mark the image done, show the next that is not."""
        if self._may_write() and self._is_shown() and self._opened is not None:
            self._opened.proposals.mark_done(self._after_done)

    def _after_done(self) -> None:
        if self._opened is None:
            return
        self._opened.navigation.mark_done_here()
        following = self._opened.navigation.next_unfinished()
        if following is None:
            self.said.emit(self.tr("Every image is done."))
        elif following != self.current_index:
            self._opened.navigation.open(following)

    @property
    def training(self) -> bool:
        """Whether a run is under way."""
        return self._opened is not None and self._opened.training.running

    def fine_tune(self, **options: object) -> None:
        """Train in the background: options are those of `segstudio train` with underscores."""
        if self.training:
            self.said.emit(self.tr("A run is under way already."))
        elif self._may_write() and self._opened is not None:
            self._opened.proposals.settle()
            self._opened.documents.commit_gesture()
            self._opened.training.start(**options)

    def stop_training(self) -> None:
        """End the run early; the best so far is compared and kept."""
        if self._opened is not None:
            self._opened.training.stop()

    def _training_finished(self, result: dict[str, object]) -> None:
        self.trainingFinished.emit(result)
        if self._opened is not None:
            self._opened.navigation.reload()
            self._opened.proposals.refresh()

    def export(self, format: str, out: Path | str, content: str = "labels") -> None:
        """Export in the background: `exportFinished` when every file is in place and read back."""
        if self._opened is None:
            self.said.emit(self.tr("No project is open."))
            return
        self._opened.proposals.settle()
        self._opened.documents.commit_gesture()
        self._opened.exports.start(format, Path(out), content)

    def cancel_job(self, job: str) -> None:
        """Cancel a long job by its name."""
        if self._opened is not None and job == "export":
            self._opened.exports.cancel()
        elif self._opened is not None and job == "relink":
            self._opened.relinking.cancel()
        elif job == "train":
            self.stop_training()
        elif job == "new" and self._creation is not None:
            self._creation.cancel()

    # -- undo --------------------------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether something on this image can be taken back."""
        return self._opened is not None and self._opened.documents.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether something taken back can be done again."""
        return self._opened is not None and self._opened.documents.can_redo

    def undo(self) -> None:
        """Take the newest edit on this image back; what is unfinished is aborted instead."""
        if not self._may_write() or self._opened is None or self.cancel_gesture():
            return
        if self._is_shown():
            self._say_refusal(self._opened.documents.undo)

    def redo(self) -> None:
        """Do again what was taken back last."""
        if self._may_write() and self._is_shown() and self._opened is not None:
            self._opened.proposals.settle()
            self._say_refusal(self._opened.documents.redo)

    def _say_refusal(self, call: object) -> None:
        try:
            call()  # type: ignore[operator]
        except UserError as error:
            self.said.emit(error.line)

    # -- reading -----------------------------------------------------------------------------------------------------

    @property
    def save_state(self) -> SaveState:
        """Whether everything is on disk."""
        return self._opened.documents.save_state() if self._opened else SaveState(True, "", "")

    @property
    def engine_state(self) -> EngineState:
        """What the engine process is doing, and on which device."""
        return self._engine_state

    def labels(
        self, image: int | str | None = None, plane: int = 0, rect: Rect | tuple[int, int, int, int] | None = None
    ) -> NDArray[np.uint32]:
        """Object ids (h, w), uint32, read-only, 0 = unknown; of the image on screen where none is named."""
        return self._read(image, plane, rect)[0]

    def origins(
        self, image: int | str | None = None, plane: int = 0, rect: Rect | tuple[int, int, int, int] | None = None
    ) -> NDArray[np.uint8]:
        """Origins (h, w), uint8, read-only (0 none, 1 painted, 2 accepted, 3 imported, 4 filled in, 5 computed)."""
        return self._read(image, plane, rect)[1]

    def proposal(
        self, image: int | str | None = None, plane: int = 0, rect: Rect | tuple[int, int, int, int] | None = None
    ) -> tuple[NDArray[np.uint16], NDArray[np.float32]] | None:
        """Class values (uint16, 255 where nothing is proposed) and confidence (float32, 0..1), each (h, w), read-only.

        None without a proposal.
        """
        id_, area = self._where(image, plane, rect)
        assert self._opened is not None
        return self._opened.proposals.values(id_, plane, area)

    def _read(
        self, image: int | str | None, plane: int, rect: Rect | tuple[int, int, int, int] | None
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        id_, area = self._where(image, plane, rect)
        assert self._opened is not None
        held = self._opened.documents.held(id_)
        document = held.document if held else self._opened.project.document(id_)
        ids, origins = document.raster.read(plane, area)
        ids.setflags(write=False)
        origins.setflags(write=False)
        return ids, origins

    def _where(
        self, image: int | str | None, plane: int, rect: Rect | tuple[int, int, int, int] | None
    ) -> tuple[ImageId, Rect]:
        if self._opened is None:
            raise UserError("No project is open.")
        navigation = self._opened.navigation
        if image is None and navigation.index < 0:
            raise UserError("No image is open.")
        row = navigation.rows[navigation.index if image is None else navigation.find(image)]
        if not 0 <= plane < len(row.planes):
            raise UserError(f"There is no plane number {plane}: '{row.path}' has {len(row.planes)}.")
        if rect is None:
            return row.id, Rect(0, 0, *row.planes[plane])
        return row.id, rect if isinstance(rect, Rect) else Rect(*rect)

    # -- notices -----------------------------------------------------------------------------------------------------

    def _fail(self, job: str, sentence: str) -> None:
        self.failed.emit({"job": job, "sentence": sentence, "details": ""})

    def _engine_changed(self, state: EngineState) -> None:
        self._engine_state = state
        self.engineStateChanged.emit(state)

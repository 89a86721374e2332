"""A session for tests of the canvas: the real tools on a real document, without project, engine and worker threads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.active_tool import ActiveTool
from segstudio.app.editing.tool_state import ToolState
from segstudio.app.editing.tools.base import Context, Paint
from segstudio.app.editing.tools.pointer import Key, KeyEvent, Pointer
from segstudio.app.preferences import Preferences
from segstudio.app.values import Changed, ImageTrouble
from segstudio.app.viewing.display import DisplayImage
from segstudio.geometry import TILE, Rect, tiles_of
from segstudio.imaging.display import View
from segstudio.imaging.levels import EIGHT_BIT
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import ClassId, ClassTable, ImageId, Kind, LabelClass, ObjectId, Seq
from segstudio.labels.paint.stroke import Spans
from segstudio.labels.proposal import Proposal, ProposalRow, ProposalTile
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import frozen
from tests.ui.fake_project import FakeProject, drop
from tests.ui.fake_session import Strict

CLASSES = ClassTable(
    [
        LabelClass(ClassId(1), "background", "#9aa0a6", Kind.BACKGROUND, 0, 0),
        LabelClass(ClassId(2), "nucleus", "#e69f00", Kind.SEMANTIC, 1, 1),
        LabelClass(ClassId(3), "cell", "#56b4e9", Kind.INSTANCE, 2, 2),
    ]
)


def with_columns(table: ClassTable, id_: int, columns: dict[str, object]) -> ClassTable:
    """A table in which some columns of one class are changed."""
    return table.with_class(replace(table[ClassId(id_)], **columns))  # type: ignore[arg-type]


def spans_mask(spans: Spans, rect: Rect) -> NDArray[np.bool_]:
    """The covered pixels of a rectangle as a bool array (h, w)."""
    mask = np.zeros((rect.h, rect.w), np.bool_)
    for y, (left, right) in enumerate(zip(spans.left, spans.right, strict=True), start=spans.top):
        if rect.y <= y < rect.bottom:
            mask[y - rect.y, max(int(left) - rect.x, 0) : max(int(right) - rect.x, 0)] = True
    return mask


class Shown:
    """What stands for a row of the image list."""

    id = ImageId(1)


def proposal_of(class_ids: np.ndarray) -> Proposal:
    """A proposal with one object a class (the object's id is the class's) from class ids (h, w)."""
    h, w = class_ids.shape
    tiles = {}
    for ty, tx in tiles_of(Rect(0, 0, w, h)):
        ids = np.zeros((TILE, TILE), np.uint32)
        part = class_ids[ty * TILE : (ty + 1) * TILE, tx * TILE : (tx + 1) * TILE]
        ids[: part.shape[0], : part.shape[1]] = part
        tile = frozen(ids, np.zeros((TILE, TILE), np.uint8))
        tiles[ty, tx] = ProposalTile(tile, np.full((64, 64), 12, np.uint8))
    rows = {int(c): ProposalRow(ClassId(int(c)), 0.9) for c in np.unique(class_ids) if c}
    return Proposal(ImageId(1), 0, 1, "embedded", rows, tiles)


class FakeSession(QObject):
    """The names of `segstudio.app.session.Session` that the canvas uses; every pointer it got is in `pointers`."""

    imageShown = Signal()
    imageLoading = Signal(str)
    displayChanged = Signal()
    changed = Signal(object)
    proposalChanged = Signal()
    classesChanged = Signal()
    toolChanged = Signal()
    projectChanged = Signal()
    imagesChanged = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.preferences = Preferences()
        self.notices = Strict(parent=self)
        self.notices.close()
        self.project: FakeProject | None = None
        self.calls: list[object] = []
        self.loading = self.image_failed = False
        self.current_index = 0
        self.project_path: Path | None = None
        self.images: list[Shown] = []
        self.display: DisplayImage | None = None
        self.document: Document | None = None
        self.plane = 0
        self.current_image: str | None = None
        self.image_trouble = ImageTrouble()
        self.read_only = ""
        self.classes = ClassTable(())
        self.current_class = CLASSES[ClassId(2)]
        self.tools = ToolState()
        self.tools.changed.connect(self.toolChanged)
        self.proposal_on_screen: Proposal | None = None
        self.pointers: list[Pointer] = []
        self.edits: list[Edit] = []
        self.cancelled = 0
        self.heard: list[str] = []
        self.active_tool = ActiveTool(self.tools, self)

    def show(self, rgb: np.ndarray, name: str = "a.png", objects: dict[int, int] | None = None) -> None:
        self.project_path, self.images, self.current_image = Path("p.segstudio"), [Shown()], name
        self.classes = CLASSES
        self.display = DisplayImage.of(rgb, EIGHT_BIT)
        owners = {ObjectId(o): ClassId(c) for o, c in (objects or {}).items()}
        self.document = Document(ImageId(1), Raster([self.display.size]), owners, max(owners, default=0) + 1)
        self.proposal_on_screen = None
        self.have(FakeProject(self))
        self.imageShown.emit()

    def have(self, project: FakeProject | None) -> None:
        before, self.project = self.project, project
        drop(before)
        self.projectChanged.emit()

    def see(self, view: View) -> None:
        assert self.display is not None
        self.display = self.display.seen(view)
        self.displayChanged.emit()

    def use(self, tool: str, radius: float) -> None:
        self.tools.choose(tool)
        self.tools.set_radius(radius)

    @property
    def gesture_active(self) -> bool:
        return self.active_tool.active

    def pointer(self, event: Pointer) -> None:
        self.pointers.append(event)
        self.active_tool.pointer(event)

    def tool_takes(self, key: Key) -> bool:
        return self.active_tool.takes(key)

    def tool_key(self, event: KeyEvent) -> bool:
        return self.active_tool.key(event)

    def interrupt_tool(self) -> None:
        self.active_tool.interrupt()

    def cancel_gesture(self) -> bool:
        cancelled = self.active_tool.abort()
        self.cancelled += cancelled
        return cancelled

    # -- what gestures are made on -----------------------------------------------------------------------------------

    def context(self) -> Context | None:
        if self.document is None:
            return None
        paint = Paint(self.classes, self.current_class, self.tools.radius, self.tools.touch, 0, "")
        return Context(self.document, paint)

    def refusal(self) -> str:
        return ""

    def say(self, sentence: str) -> None:
        self.heard.append(sentence)

    def repaint(self, plane: int, rect: Rect) -> None:
        self.changed.emit(Changed(None, ImageId(1), plane, rect))

    def keep(self, edit: Edit | None) -> None:
        if edit is not None:
            self.edits.append(edit)
            self.changed.emit(Changed(Seq(len(self.edits)), ImageId(1), 0, Rect(0, 0, 0, 0)))

    def gesture_began(self) -> None:
        """Nothing here follows the history."""

    gesture_dropped = go_on = read_again = gesture_began

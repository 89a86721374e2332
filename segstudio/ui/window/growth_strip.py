"""The strip that says how the project grows and shrinks: new images in its folders, images added and removed."""

from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from segstudio.app.values import Changed, ImagesAdded, ImagesFound, ImagesRemoved, JobKind, Notice, NoticeKind
from segstudio.text import _, count
from segstudio.ui.panels.two_lines import TwoLines
from segstudio.ui.window.icons import pixmap
from segstudio.ui.window.notice_stack import PassingStrip, close_button

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session

__all__ = ["GrowthStrip"]


class _Says(Enum):
    """What the strip says now."""

    NOTHING = auto()
    FOUND = auto()
    REMOVED = auto()
    ADDED = auto()


class GrowthStrip(PassingStrip):
    """`growthStrip`, with `addFoundButton`, `alwaysAddButton`, `undoAddingButton` and `undoRemovalButton`.

    It has the folders of the project looked through once an image is on screen, and when `window` is activated again.
    `alwaysAsked`: a person wants new images added without being asked from now on.
    """

    alwaysAsked = Signal()

    def __init__(self, session: "Session", window: QWidget) -> None:
        super().__init__()
        self._session = session
        self._project: OpenedProject | None = None
        self._says = _Says.NOTHING
        self._found = ImagesFound(0)
        self._removed_by = 0
        self._added = ImagesAdded((), (), ())
        self._adds_found = False
        self._looked = self._covered = False
        self.setObjectName("growthStrip")
        self.setProperty("role", "strip")
        self.setAccessibleName(_("Images of the project"))
        self._sign = QLabel()
        self.text = TwoLines()
        self.text.setObjectName("growthText")
        self.add_button = _button("addFoundButton", "")
        self.always_button = _button("alwaysAddButton", _("Always add new images"))
        self.always_button.setToolTip(_("Add them from now on without asking; the Project menu switches that off"))
        self.undo_button = _button("undoRemovalButton", _("Undo"))
        self.undo_button.setToolTip(_("Bring the images back, with their labels"))
        self.undo_adding_button = _button("undoAddingButton", _("Undo"))
        self.undo_adding_button.setToolTip(_("Take these images out of the project again; their files are untouched"))
        self.close_button = close_button("growthClose")
        undo = (self.undo_adding_button, self.undo_button)
        self.lay_out(self._sign, self.text, self.add_button, self.always_button, *undo, self.close_button)
        self.add_button.clicked.connect(lambda: self.add_found())
        session.notices.told.connect(self._told)
        self.always_button.clicked.connect(self.alwaysAsked)
        self.undo_button.clicked.connect(lambda: self._project and self._project.undo())
        self.undo_adding_button.clicked.connect(self._undo_adding)
        self.close_button.clicked.connect(self.dismiss)
        window.installEventFilter(self)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Say nothing more of the project before."""
        self._project, self._looked, self._found = project, False, ImagesFound(0)
        if project is not None:
            project.growing.found.connect(self._has_found)
            project.growing.removed.connect(self._has_removed)
            project.growing.added.connect(self._has_added)
            project.documents.changed.connect(self._changed)
            project.navigation.imageShown.connect(self._begin)
        self._become(_Says.NOTHING)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look for new images when a person comes back to the window, perhaps from having put some there."""
        if event.type() is QEvent.Type.WindowActivate and self._project is not None and self._looked:
            self._project.growing.look_around()
        return False

    def _begin(self) -> None:
        """Look once the first image is there: it must not wait for that."""
        if not self._looked and self._project is not None:
            self._looked = True
            self._project.growing.look_around()

    def cover(self, covered: bool) -> None:
        """Hide while a page covers the image."""
        self._covered = covered
        self.setVisible(self._says is not _Says.NOTHING and not covered)

    def add_found(self, *, asked: bool = True) -> None:
        """Add what was found, which the strip has said already; `asked` is False where no person asked just now."""
        if self._project is not None:
            self._adds_found = self._found.images > 0
            self._project.growing.add_found(asked=asked)

    def dismiss(self) -> None:
        """Close the message; images that were found are not told of again."""
        if self._says is _Says.FOUND and self._project is not None:
            self._project.growing.pass_over()
        else:
            self._go_back()

    # -- what happened -----------------------------------------------------------------------------------------------

    def _has_found(self, found: ImagesFound) -> None:
        self._found = found
        if not found.images:
            if self._says is _Says.FOUND:
                self._become(_Says.NOTHING)
        elif self._session.preferences.add_new_images and self._may_write and not found.refused:
            self.add_found(asked=False)
        else:
            self._become(_Says.FOUND, found.sentence)

    def _has_removed(self, removed: ImagesRemoved) -> None:
        self._removed_by = removed.seq
        self._become(_Says.REMOVED, removed.sentence)

    def _has_added(self, added: ImagesAdded) -> None:
        self._added, asked = added, not self._adds_found
        self._adds_found = False
        if added.skipped or (asked and (added.added or added.back)):
            self._become(_Says.ADDED, added.sentence)

    def _changed(self, change: Changed) -> None:
        """A later edit was made: undo would take that one back, or has brought the images back."""
        if self._says is _Says.REMOVED and change.seq is not None and change.seq > self._removed_by:
            self._go_back()
        elif self._says is _Says.ADDED and change.seq is not None and not self._added.skipped:
            self._go_back()  # work goes on, with the images that are new

    def _undo_adding(self) -> None:
        """Take out again what was added: one edit, which the strip then offers to undo."""
        if self._project is not None:
            new = {*self._added.added, *self._added.back}
            images = [item.id for item in self._project.navigation.items if item.name in new]
            self._go_back()
            self._project.growing.remove_images(images)

    def _told(self, notice: Notice) -> None:
        if notice.job is JobKind.ADD and notice.kind is NoticeKind.FAILURE:
            self._adds_found = False

    # -- what is said ------------------------------------------------------------------------------------------------

    @property
    def _may_write(self) -> bool:
        return self._project is not None and self._project.may_write

    def _go_back(self) -> None:
        """Say again what was found, if nobody has decided about it."""
        self._become(_Says.FOUND if self._found.images else _Says.NOTHING, self._found.sentence)

    def _become(self, says: _Says, sentence: str = "") -> None:
        self._says = says
        found = says is _Says.FOUND and self._may_write
        added = says is _Says.ADDED
        skipped = added and bool(self._added.skipped)
        self._sign.setPixmap(pixmap("warning" if skipped else "image", "warning" if skipped else "muted"))
        self.text.setText(sentence)
        self.add_button.setText(count(self._found.images, "Add it", "Add them"))
        self.add_button.setVisible(found)
        self.always_button.setVisible(found and not self._session.preferences.add_new_images)
        self.undo_button.setVisible(says is _Says.REMOVED)
        self.undo_adding_button.setVisible(added and bool(self._added.added or self._added.back) and self._may_write)
        self.setVisible(says is not _Says.NOTHING and not self._covered)
        if says not in (_Says.NOTHING, _Says.FOUND):  # what was found nobody has asked for
            self.spoke.emit()


def _button(name: str, text: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button

"""The page that makes a project: which images, which classes, where. It is in the window, not above it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from segstudio.app.values import JobKind
from segstudio.text import _
from segstudio.ui.dialogs.class_kinds import ClassKinds
from segstudio.ui.panels.controls import muted_label, role_label
from segstudio.ui.text import beside_icon, typed_path
from segstudio.ui.window.icons import icon
from segstudio.ui.window.shortcut_guard import make_form

if TYPE_CHECKING:
    from segstudio.app.session import Session
    from segstudio.app.values import Notice

__all__ = ["NewProjectPage", "class_names"]

_WIDTH = 640


def class_names(text: str) -> list[str]:
    """The classes in a text with one per line; empty lines are ignored."""
    return [line.strip() for line in text.splitlines() if line.strip()]


class NewProjectPage(QWidget):
    """`newProjectPage`. Back calls `leave`; once the project is made, the window shows it instead."""

    def __init__(self, session: "Session", leave: Callable[[], None]) -> None:
        super().__init__()
        self._session = session
        self._leave = leave
        self._place_is_ours = True
        self._images: list[str] = []
        self.setObjectName("newProjectPage")
        self.setAccessibleName(_("New project"))
        self.images = QLineEdit()
        self.place = QLineEdit()
        self.classes = QPlainTextEdit(_("object"))
        self.kinds = ClassKinds()
        self.browse_images = QPushButton(icon("open"), beside_icon(_("Choose…")))
        self.browse_place = QPushButton(icon("open"), beside_icon(_("Choose…")))
        self.make = QPushButton(_("Make the project"))
        self.give_up = QPushButton(_("Back"))
        self.problem = QLabel()
        self._dress()
        self._arrange()
        self.images.textChanged.connect(self._follow_images)
        self.classes.textChanged.connect(self._follow_classes)
        self.place.textEdited.connect(self._place_edited)
        self.place.textChanged.connect(self._refresh)
        self.browse_images.clicked.connect(self._choose_images)
        self.browse_place.clicked.connect(self._choose_place)
        self.make.clicked.connect(self._make)
        self.give_up.clicked.connect(self._go_back)
        session.jobs.changed.connect(self._refresh)
        session.notices.told.connect(self._told)
        self._follow_classes()
        self._refresh()

    def begin(self, images: list[str]) -> None:
        """Start with these images, files or folders."""
        self._place_is_ours = True
        self._images = images
        self.images.setText("; ".join(images))
        self.problem.setText("")
        (self.classes if images else self.images).setFocus()
        self.classes.selectAll()

    def _dress(self) -> None:
        for widget, name, words in (
            (self.images, "newImages", _("Folder of images; separate several with semicolons")),
            (self.place, "newPlace", _("Where to make the project: a new folder whose name ends in .segstudio")),
            (self.classes, "newClasses", _("Classes, one per line; background is added automatically")),
            (self.browse_images, "newImagesBrowse", _("Choose the folder of images")),
            (self.browse_place, "newPlaceBrowse", _("Choose the folder for the project")),
            (self.make, "newMake", _("Make the project and open it; the images stay where they are")),
            (self.give_up, "newBack", _("Leave without making a project")),
        ):
            widget.setObjectName(name)
            widget.setToolTip(words)
            widget.setAccessibleName(words)
        self.classes.setTabChangesFocus(True)
        self.classes.setFixedHeight(112)
        self.kinds.setFixedHeight(112)
        self.make.setProperty("role", "primary")
        make_form(self, self.make)
        self.problem.setObjectName("newProblem")
        self.problem.setProperty("role", "warning")
        self.problem.setWordWrap(True)

    def _arrange(self) -> None:
        form = QGridLayout()
        form.setHorizontalSpacing(12)
        form.setVerticalSpacing(12)
        top = Qt.AlignmentFlag.AlignTop
        form.addWidget(muted_label(_("Images")), 0, 0)
        form.addWidget(self.images, 0, 1)
        form.addWidget(self.browse_images, 0, 2)
        form.addWidget(muted_label(_("Classes")), 1, 0, top)
        classes = QHBoxLayout()
        classes.setSpacing(12)
        classes.addWidget(self.classes, 2)
        classes.addWidget(self.kinds, 3)
        form.addLayout(classes, 1, 1, 1, 2)
        hint = muted_label(_("One class per line; background is added automatically. You can change everything later."))
        hint.setWordWrap(True)
        form.addWidget(hint, 2, 1, 1, 2)
        form.addWidget(muted_label(_("Project")), 3, 0)
        form.addWidget(self.place, 3, 1)
        form.addWidget(self.browse_place, 3, 2)
        end = QHBoxLayout()
        end.setSpacing(8)
        end.addWidget(self.problem, 1)
        end.addWidget(self.give_up)
        end.addWidget(self.make)
        card = QFrame()
        card.setProperty("role", "card")
        card.setFixedWidth(_WIDTH)
        column = QVBoxLayout(card)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(16)
        column.addWidget(role_label(_("New project"), "title"))
        column.addLayout(form)
        column.addLayout(end)
        grid = QGridLayout(self)
        grid.addWidget(card, 0, 0, Qt.AlignmentFlag.AlignCenter)

    def _follow_images(self) -> None:
        self._images = [part.strip() for part in self.images.text().split(";") if part.strip()]
        first = typed_path(self._images[0]) if self._images else None
        if self._place_is_ours and first is not None and first.exists():
            self.place.setText(str(self._session.projects.beside(first if first.is_dir() else first.parent)))
        self._refresh()

    def _follow_classes(self) -> None:
        self.kinds.show_classes(class_names(self.classes.toPlainText()))

    def _place_edited(self) -> None:
        self._place_is_ours = False

    def _choose_images(self) -> None:
        self._ask(_("Folder of images"), self.images)

    def _choose_place(self) -> None:
        self._place_is_ours = False
        self._ask(_("Folder for the project"), self.place, "project.segstudio")

    def _ask(self, title: str, target: QLineEdit, inside: str = "") -> None:
        from segstudio.ui.dialogs.files import ask_for_path

        def take(path: str) -> None:
            target.setText(str(Path(path) / inside) if inside else path)

        ask_for_path(self, "newFolderDialog", title, self._session.preferences.last_folder, take)

    def _refresh(self) -> None:
        making = bool(self._session.jobs.of(JobKind.NEW))
        self.make.setEnabled(not making and bool(self._images) and bool(self.place.text().strip()))

    def _make(self) -> None:
        place = typed_path(self.place.text())
        if place.suffix != ".segstudio":
            place = place.with_name(f"{place.name}.segstudio")
        images = [str(typed_path(image)) for image in self._images]
        self.problem.setText("")
        self.setFocus()  # the button is disabled now, and Qt must not give its focus to another button
        self._session.projects.new(place, images, self.kinds.specs)

    def _told(self, notice: "Notice") -> None:
        if notice.job is JobKind.NEW:
            self.problem.setText(notice.sentence)

    def _go_back(self) -> None:
        for job in self._session.jobs.of(JobKind.NEW):
            self._session.jobs.cancel(job.id)
        self._leave()

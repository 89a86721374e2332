"""The question below the list of classes before two are merged: how many pixels will count as the other class."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from segstudio.text import _, count

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.labels.model import ClassId

__all__ = ["MergeStrip"]


class MergeStrip(QFrame):
    """`classMerge`: shown until it is answered, or one of the two classes is another."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._notices = session.notices
        self._project: OpenedProject | None = None
        self._pair: tuple[ClassId, ClassId] | None = None
        self.setObjectName("classMerge")
        self.setProperty("role", "alert")
        self.words = QLabel()
        self.words.setObjectName("classMergeText")
        self.words.setWordWrap(True)
        self.yes, self.no = QPushButton(_("Merge")), QPushButton(_("Cancel"))
        for button, name, tip in (
            (self.yes, "classMergeConfirm", _("Merge the two classes; it can be undone")),
            (self.no, "classMergeCancel", _("Leave both classes as they are")),
        ):
            button.setObjectName(name)
            button.setProperty("role", "small")
            button.setToolTip(tip)
            button.setAccessibleName(tip)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.yes)
        row.addWidget(self.no)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(8)
        column.addWidget(self.words)
        column.addLayout(row)
        self.yes.clicked.connect(self._merge)
        self.no.clicked.connect(self.hide)
        self.hide()

    def follow(self, project: "OpenedProject | None") -> None:
        """Ask nothing about the classes of another project."""
        self._project = project
        self._pair = None
        self.hide()
        if project is not None:
            project.documents.classesChanged.connect(self._check)

    def ask(self, name: str, into: str) -> None:
        """Ask whether a class is to count as another one, and say how many pixels that are once they are counted."""
        project = self._project
        if project is None:
            return
        found, other = project.documents.classes.named(name), project.documents.classes.named(into)
        if found is None or other is None:
            return
        pair = self._pair = found.id, other.id
        self.words.setText(_("Merge '{name}' into '{into}'? Its pixels are being counted …", name=name, into=into))
        self.yes.setEnabled(False)
        self.show()

        def counted(images: int, pixels: int) -> None:
            if self._pair == pair:
                self.words.setText(_question(name, into, images, pixels))
                self.yes.setEnabled(True)

        self._notices.attempt(lambda: project.classes.count_use(name, counted))

    def _merge(self) -> None:
        project, pair = self._project, self._pair
        self.hide()
        if project is None or pair is None:
            return
        found, other = (project.documents.classes.get(id_) for id_ in pair)
        if found is not None and other is not None:
            self._notices.attempt(lambda: project.classes.merge(found.name, other.name))

    def _check(self) -> None:
        """Withdraw the question where it is about a class that is used no more."""
        if self._project is not None and self._pair is not None:
            used = {c.id for c in self._project.documents.classes}
            if not used.issuperset(self._pair):
                self._pair = None
                self.hide()


def _question(name: str, into: str, images: int, pixels: int) -> str:
    if not pixels:
        return _("Merge '{name}' into '{into}'? Nothing is labelled with '{name}'.", name=name, into=into)
    where = count(images, "{n} image", "{n} images")
    return count(
        pixels,
        "Merge '{name}' into '{into}'? 1 pixel in {where} will count as '{into}'.",
        "Merge '{name}' into '{into}'? {n} pixels in {where} will count as '{into}'.",
        name=name,
        into=into,
        where=where,
    )

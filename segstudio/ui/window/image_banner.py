"""The banners above an image: its file is missing or has changed, or the image is held out.

Each is shown as long as that is true; neither is modal.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from segstudio.app.values import ImageTrouble, TroubleKind
from segstudio.text import _
from segstudio.ui.window.icons import pixmap

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session

__all__ = ["HeldOutBanner", "ImageBanner"]


class ImageBanner(QFrame):
    """`imageBanner`, with `locateButton`, `useContentButton` and `keepContentButton`."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._session = session
        self._project: OpenedProject | None = None
        self._covered = False
        self.setObjectName("imageBanner")
        self.setProperty("role", "alert")
        self.setAccessibleName(_("The image's file"))
        sign = QLabel()
        sign.setPixmap(pixmap("warning", "warning"))
        self.text = QLabel()
        self.text.setObjectName("imageBannerText")
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.locate_button = _button(
            "locateButton", _("Locate…"), _("Choose a folder; missing images are searched for in it and its subfolders")
        )
        self.use_button = _button(
            "useContentButton", _("Use the new content"), _("Keep the labels for the image as it is now")
        )
        self.keep_button = _button(
            "keepContentButton",
            _("Keep the labels, leave the image out"),
            _("Neither learn from this image nor propose for it; it stays marked in the list"),
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        row.addWidget(sign)
        row.addWidget(self.text, 1)
        for button in (self.locate_button, self.use_button, self.keep_button):
            row.addWidget(button)
        self.locate_button.clicked.connect(self._choose)
        self.use_button.clicked.connect(lambda: self._project and self._project.navigation.use_new_content())
        self.keep_button.clicked.connect(lambda: self._project and self._project.navigation.keep_content())
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the state of this project."""
        self._project = project
        if project is not None:
            project.navigation.troubleChanged.connect(self._show)
        self._show()

    def _show(self) -> None:
        trouble = self._project.navigation.trouble if self._project is not None else ImageTrouble()
        writable = self._project is not None and self._project.may_write
        self.text.setText(trouble.sentence)
        self.text.setAccessibleName(trouble.sentence)
        self.locate_button.setVisible(trouble.kind == TroubleKind.MISSING and writable)
        for button in (self.use_button, self.keep_button):
            button.setVisible(trouble.usable and writable)
        self.setVisible(bool(trouble.kind) and not self._covered)

    def cover(self, covered: bool) -> None:
        """Hide while a page covers the image: nobody can decide about an image that they cannot see."""
        self._covered = covered
        self.setEnabled(not covered)
        self._show()

    def _choose(self) -> None:
        """Ask for a folder; the answer comes from the event loop."""
        from PySide6.QtWidgets import QFileDialog

        start = self._session.preferences.last_folder
        dialog = QFileDialog(self, _("Folder to search for missing images"), start)
        dialog.setObjectName("locateDialog")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda chosen: self._project and self._project.relinking.start(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


class HeldOutBanner(QFrame):
    """`heldOutBanner`: says above the image that it is held out; `learnInsteadButton` changes that."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._project: OpenedProject | None = None
        self._covered = False
        self.setObjectName("heldOutBanner")
        self.setProperty("role", "alert")
        self.text = QLabel(_("Held out: used to measure the model, never to train it."))
        self.text.setObjectName("heldOutText")
        self.text.setWordWrap(True)
        self.text.setToolTip(_("The model is measured on images that it has never learned from"))
        self.setAccessibleName(self.text.text())
        self.learn_button = _button(
            "learnInsteadButton",
            _("Learn from this one instead"),
            _("Hold out another labelled image in its place"),
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        row.addWidget(self.text, 1)
        row.addWidget(self.learn_button)
        self.learn_button.clicked.connect(lambda: session.hold_out(session.current_image or 0, False))
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show the state of this project."""
        self._project = project
        if project is not None:
            project.navigation.imagesChanged.connect(lambda _rows: self._show())
            project.navigation.imageLoading.connect(lambda _path: self._show())
            project.navigation.imageShown.connect(self._show)
        self._show()

    def _show(self) -> None:
        self.learn_button.setVisible(self._project is not None and self._project.may_write)
        self.setVisible(self._project is not None and self._project.roles.held_out and not self._covered)

    def cover(self, covered: bool) -> None:
        """Hide while a page covers the image."""
        self._covered = covered
        self._show()


def _button(name: str, text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button

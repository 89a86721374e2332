"""What the middle of the window shows: the image, the start page, or a page that covers the image for a while."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from segstudio.ui.canvas import Canvas
from segstudio.ui.dialogs.start_page import StartPage

if TYPE_CHECKING:
    from segstudio.app.session import Session
    from segstudio.app.values import Notice
    from segstudio.ui.dialogs.help_page import HelpPage
    from segstudio.ui.dialogs.import_page import ImportPage
    from segstudio.ui.dialogs.new_project_page import NewProjectPage
    from segstudio.ui.dialogs.settings_page import SettingsPage
    from segstudio.ui.window.keymap import Keymap

__all__ = ["Pages"]


class Pages(QStackedWidget):
    """`pages`: the canvas and the start page; other pages are made when they are first needed.

    `coverChanged` comes after a page has covered the image or has left it, and `left` when a page asks to be left.
    """

    coverChanged = Signal()
    left = Signal()

    def __init__(self, session: "Session", canvas: Canvas, start_page: StartPage, keymap: "Keymap") -> None:
        super().__init__()
        self.setObjectName("pages")
        self.setMinimumSize(200, 120)  # the pages are wider, but no panel is beside them then
        self._session, self._canvas, self._start_page, self._keymap = session, canvas, start_page, keymap
        self._new_project: NewProjectPage | None = None
        self._help: HelpPage | None = None
        self._settings: SettingsPage | None = None
        self._import: ImportPage | None = None
        self.covered = False
        self.addWidget(canvas)
        self.addWidget(start_page)
        self.currentChanged.connect(self._turned)

    def show_project(self, there: bool) -> None:
        """Show the image if there is a project, otherwise the start page; it gets the focus."""
        if not there:
            self._start_page.refresh()
        self._turn_to(self._canvas if there else self._start_page)

    def show_new_project(self, *images: str) -> None:
        """Show the page that makes a project from these images."""
        from segstudio.ui.dialogs.new_project_page import NewProjectPage

        if self._new_project is None:
            self._new_project = NewProjectPage(self._session, self.left.emit)
            self.addWidget(self._new_project)
        self.setCurrentWidget(self._new_project)
        self._new_project.begin([image for image in images if image])

    @property
    def shows_new_project(self) -> bool:
        """Whether the page that makes projects is open."""
        return self._new_project is not None and self.currentWidget() is self._new_project

    def show_help(self, about: str) -> None:
        """Show a page of the Help menu: 'keys' or 'about'."""
        from segstudio.ui.dialogs.help_page import HelpPage

        if self._help is None:
            self._help = HelpPage(self._keymap, self.left.emit)
            self.addWidget(self._help)
        self._help.show_keys() if about == "keys" else self._help.show_about()
        self._turn_to(self._help)

    def show_settings(self) -> None:
        """Show the page of settings."""
        from segstudio.ui.dialogs.settings_page import SettingsPage

        if self._settings is None:
            self._settings = SettingsPage(self._session, self._keymap, self.left.emit)
            self.addWidget(self._settings)
        self._turn_to(self._settings)

    def show_import(self, path: str = "", format_: str = "") -> None:
        """Show the page that imports masks and annotations, with this file or folder if one is named."""
        from segstudio.ui.dialogs.import_page import ImportPage

        if self._import is None:
            self._import = ImportPage(self._session, self.left.emit)
            self.addWidget(self._import)
        self._turn_to(self._import)
        self._import.begin(path, format_)

    def says(self, notice: "Notice") -> bool:
        """Whether the page that is open visibly shows a failure, so that no other part has to."""
        return self._import is not None and self.currentWidget() is self._import and self._import.says(notice)

    def focus(self) -> None:
        """Give the focus to the page that is shown."""
        (self.currentWidget() or self).setFocus()

    def _turn_to(self, page: QWidget) -> None:
        self.setCurrentWidget(page)
        page.setFocus()

    def _turned(self, _place: int) -> None:
        self.covered = self.currentWidget() not in (self._canvas, self._start_page)
        self.coverChanged.emit()

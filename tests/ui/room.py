"""A window and its session that a whole module of tests works in: every test finds a fresh project and a fresh window.

Making a window takes longer than opening a small project, so the window stays and the project is another each time.
"""

from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMenu

from segstudio.app.preferences import Preferences
from segstudio.labels.model import Touch
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

__all__ = ["Room"]

_SIZE = 1280, 800
_CHECKED = {"show-side": True, "show-bottom": True, "show-proposals": True, "show-labels": True}


class Room:
    """`window` stands over the session of `desk`. `enter` before a test, `leave` after it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.window = MainWindow(desk.session)
        self.window._adding.stop()  # packages that are installed here are none of these tests' business
        self.window.resize(*_SIZE)
        self.window.show()
        # Every thread that lives as long as the window has begun after this.
        desk.load()
        self.window.arrangement.images.view.viewport().repaint()
        self.window._keep()
        self._panels = desk.session.preferences.panel_state
        self.leave()

    def enter(self) -> None:
        """Bring the window back to how it was when it was made, without a project."""
        window, session = self.window, self.desk.session
        assert window.isVisible(), "a test before this one has closed the window: it needs one of its own"
        session.preferences = Preferences(panel_state=self._panels)
        session.tools.choose("brush")
        session.tools.set_radius(session.preferences.brush_radius)
        session.tools.set_touch(Touch.ALL)
        session.tools._options.clear()
        session.tools.limit_values(())
        window.resize(*_SIZE)
        for name, checked in _CHECKED.items():
            window.bars.action(name).setChecked(checked)
        window.canvas.set_labels_shown(True)
        window.canvas.set_outlines(False)
        window.canvas.set_tinted(False)
        window.arrangement.objects.set_tinted(False)
        window.arrangement.turn_to("classes")
        window.canvas.set_proposal_shown(True)
        window.canvas.set_opacity(session.preferences.overlay_opacity, session.preferences.proposal_opacity)
        window.export_panel.format.setCurrentIndex(0)
        window.export_panel.content.setCurrentIndex(0)
        window._restore()
        window.start_page.refresh()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        window.activateWindow()
        self.desk.forget()

    def leave(self) -> None:
        """Close the project and whatever else a test has left open."""
        window = self.window
        if not window.isVisible():
            return
        for shown in (*window.findChildren(QDialog), *window.findChildren(QMenu)):
            if shown.isVisible():
                shown.close()
        QApplication.sendEvent(window.canvas, QEvent(QEvent.Type.Leave))
        self.desk.leave()
        if window.pages.covered:
            window.close_topmost()
        for timer in window.findChildren(QTimer) + self.desk.session.findChildren(QTimer):
            timer.stop()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QTest.qWait(0)

    def close(self) -> None:
        """Close the window."""
        self.window.close()
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

"""Panels that share one place as tabs: one of them is seen at a time."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTabWidget, QToolButton, QWidget

from segstudio.text import _
from segstudio.ui.window.icons import icon

__all__ = ["PanelTabs"]


class PanelTabs(QTabWidget):
    """A panel with a `corner` widget has it beside the tabs while it is seen, in place of a title row of its own."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.tabBar().setObjectName(f"{name}Bar")
        self.tabBar().setExpanding(False)
        self.tabBar().setDrawBase(False)
        # Qt's own buttons for tabs without room have English words of their own.
        for button, words in zip(
            self.tabBar().findChildren(QToolButton), (_("Tabs before"), _("Tabs after")), strict=True
        ):
            button.setAccessibleName(words)
        self.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.currentChanged.connect(lambda _place: self._show_corner())

    def add(self, panel: QWidget, title: str, picture: str = "") -> None:
        """Put a panel behind the others; with the name of an icon that stands in the place of the title."""
        if picture:
            place = self.addTab(panel, icon(picture), "")
            self.setTabToolTip(place, title)
            self.tabBar().setAccessibleTabName(place, title)
        else:
            self.addTab(panel, title)
        self._show_corner()

    def _show_corner(self) -> None:
        for place in range(self.count()):
            corner = getattr(self.widget(place), "corner", None)
            if isinstance(corner, QWidget):
                self.setCornerWidget(corner, Qt.Corner.TopRightCorner)
                corner.setVisible(place == self.currentIndex())

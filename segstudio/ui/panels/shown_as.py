"""What the display panel shows above and below the histogram: the window by name, bands and indices, a colour map."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from segstudio.imaging.colour_maps import COLOUR_MAPS
from segstudio.text import N_, _
from segstudio.ui.panels.controls import Choice, muted_label

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject

__all__ = ["BandChoice", "ColourMapChoice", "WindowChoice"]

_OWN_WINDOW = -2
_AUTOMATIC = -1
_MAPPINGS = {"true colour": N_("True colour"), "false colour infrared": N_("False colour infrared")}


class _Row(QWidget):
    """A choice behind its title."""

    def __init__(self, title: str, name: str, words: str) -> None:
        super().__init__()
        self.choice = Choice()
        self.choice.setObjectName(name)
        self.choice.setToolTip(words)
        self.choice.setAccessibleName(words)
        self.choice.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(8)
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(8)
        self.grid.setVerticalSpacing(6)
        self.grid.addWidget(muted_label(title), 0, 0)
        self.grid.addWidget(self.choice, 0, 1)
        self.grid.setColumnStretch(1, 1)
        self._listed: list[tuple[str, object]] = []
        self._project: OpenedProject | None = None

    def follow(self, project: "OpenedProject | None") -> None:
        """Offer what this project's image has."""
        self._project = project

    def offer(self, items: list[tuple[str, object]], current: object) -> None:
        """List these, and show the one whose value is current."""
        if items != self._listed:
            self._listed = items
            self.choice.clear()
            for words, value in items:
                self.choice.addItem(words, value)
        self.choice.setCurrentIndex([value for _words, value in items].index(current))


class WindowChoice(_Row):
    """`windowChoice`, shown for an image of one channel that has windows by name: the file's, and presets."""

    def __init__(self) -> None:
        super().__init__(
            _("Window"), "windowChoice", _("Which values are shown: as the file says, as usual for CT, or as found")
        )
        self.choice.activated.connect(self._chosen)

    def show_now(self) -> None:
        """List the windows of the image on screen, and show which one is chosen."""
        project = self._project
        windows = () if project is None else project.adjusting.windows
        self.setVisible(bool(windows))
        now = None if project is None else project.adjusting.now
        if not windows or now is None:
            return
        items: list[tuple[str, object]] = [(_("Automatic"), _AUTOMATIC)]
        unnamed = 0
        for place, window in enumerate(windows):
            if not window.from_file:
                items.append((_(window.name), place))
            elif window.name:
                items.append((_("From the file: {name}", name=window.name), place))
            else:
                unnamed += 1
                words = _("From the file") if unnamed == 1 else _("From the file ({n})", n=unnamed)
                items.append((words, place))
        chosen = _AUTOMATIC if now.automatic else now.window if now.window >= 0 else _OWN_WINDOW
        if chosen == _OWN_WINDOW:
            items.append((_("As set below"), _OWN_WINDOW))
        self.offer(items, chosen)

    def _chosen(self) -> None:
        place = self.choice.currentData()
        if self._project is not None and place != _OWN_WINDOW:
            self._project.adjusting.choose_window(place)


class BandChoice(_Row):
    """`bandChoice`, shown for images of several channels: these, bands as colours, or an index; `formulaField` takes
    one in words.
    """

    def __init__(self) -> None:
        super().__init__(
            _("Show"), "bandChoice", _("Show channels in their colours, three bands as a picture, or an index of them")
        )
        self.formula = QLineEdit()
        self.formula.setObjectName("formulaField")
        self.formula.setPlaceholderText("(c2 - c1) / (c2 + c1)")
        words = _("A formula over the channels: their names, or c1, c2 ...; numbers, + - * / ** and brackets")
        self.formula.setToolTip(words)
        self.formula.setAccessibleName(words)
        self.grid.addWidget(self.formula, 1, 0, 1, 2)
        self._writing = False
        self.choice.activated.connect(self._chosen)
        self.formula.editingFinished.connect(self._typed)

    def show_now(self) -> None:
        """List what can be shown of the image on screen, and show what is."""
        project = self._project
        views = None if project is None else project.channel_views
        self.setVisible(views is not None and len(views.rows) > 1)
        if views is None or len(views.rows) < 2:
            self._writing = False
            return
        items: list[tuple[str, object]] = [(_("Channels"), ("channels", ""))]
        items += [(_(_MAPPINGS[name]), ("bands", name)) for name in views.mappings]
        items += [(name, ("index", name)) for name in views.indices]
        items.append((_("Formula …"), ("formula", "")))
        shown = self._shown(views.formula, [name for name in views.indices if views.formula_of(name) == views.formula])
        if shown == ("channels", "") and views.mapping:
            shown = ("bands", views.mapping)
        self.offer(items, shown)
        self.formula.setVisible(self._writing or bool(views.formula))
        if views.formula and not self.formula.hasFocus():
            self.formula.setText(views.formula)

    def _shown(self, formula: str, named: list[str]) -> tuple[str, str]:
        if named and not self._writing:
            return "index", named[0]
        return ("formula", "") if formula or self._writing else ("channels", "")

    def _chosen(self) -> None:
        if self._project is None:
            return
        kind, name = self.choice.currentData()
        views = self._project.channel_views
        self._writing = kind == "formula"
        match kind:
            case "bands":
                views.show_bands(name)
            case "index":
                views.show_formula(name)
            case "channels":
                views.show_channels()
            case _:
                self.show_now()
                self.formula.setFocus()
                self.formula.selectAll()
        self.show_now()

    def _typed(self) -> None:
        if self._project is not None and self.formula.text().strip() and self.formula.isVisible():
            views = self._project.channel_views
            if self.formula.text().strip() != views.formula:
                views.show_formula(self.formula.text())
            self._writing = self._writing and not views.formula
            self.show_now()


class ColourMapChoice(_Row):
    """`colourMap`, shown where one channel, or an index, is."""

    def __init__(self) -> None:
        super().__init__(_("Colours"), "colourMap", _("Colours for the values of one channel, from dark to light"))
        self.choice.activated.connect(self._chosen)

    def show_now(self) -> None:
        """Show which one is chosen."""
        project = self._project
        display = None if project is None else project.navigation.display
        self.setVisible(display is not None and len(display.view.channels) == 1)
        if display is None or len(display.view.channels) != 1:
            return
        plain = _("Grey") if display.view.channels[0].colour == (255, 255, 255) else _("Of the channel")
        items: list[tuple[str, object]] = [(plain, ""), *((_(words), name) for name, words in COLOUR_MAPS.items())]
        self.offer(items, display.view.colours_by)

    def _chosen(self) -> None:
        if self._project is not None:
            self._project.channel_views.set_colours_by(self.choice.currentData())

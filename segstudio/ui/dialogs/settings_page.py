"""The page of a person's settings: each is applied and saved immediately, so there is nothing to confirm."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QWidget,
)

from segstudio.app.folders import KeptFolder, kept_folders, to_show
from segstudio.app.preferences import LEAST_OPACITY, RIGHT_BUTTONS, THEMES, UNCERTAINTIES
from segstudio.app.values import Rest
from segstudio.text import N_, _, languages
from segstudio.ui.dialogs.key_settings import KeySettings
from segstudio.ui.panels.controls import Choice, ElidedLabel, Tick, muted_label, page_column, role_label
from segstudio.ui.window.shortcut_guard import make_form

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.ui.window.keymap import Keymap

__all__ = ["SettingsPage", "native_name"]

_WIDTH = 680
_LABEL_W = 168
_PERCENT_W = 48
_RESTS = (
    (Rest.PROPOSAL, N_("The proposal")),
    (Rest.BACKGROUND, N_("Background")),
    (Rest.UNKNOWN, N_("Nothing (leave unknown)")),
)
_IMAGES_PLACES = ((False, N_("In a row below the image")), (True, N_("In a column beside the image")))
_PANELS_SIDES = ((False, N_("On the right of the image")), (True, N_("On the left of the image")))


class SettingsPage(QWidget):
    """`settingsPage`; closing it calls `leave`. Shows the preferences as they are, whoever changes them."""

    def __init__(self, session: "Session", keymap: "Keymap", leave: Callable[[], None]) -> None:
        super().__init__()
        self._session = session
        self._kept = session.kept_preferences
        self._project: OpenedProject | None = None
        self.setObjectName("settingsPage")
        self.setAccessibleName(_("Settings"))
        self.theme = Choice()
        self.language = Choice()
        self.images_place, self.panels_side = Choice(), Choice()
        self.labels, self.proposals = _opacity_slider(), _opacity_slider()
        self.labels_percent, self.proposals_percent = QLabel(), QLabel()
        self.right_button = Choice()
        self.pixel_grid = Tick(_("Pixel grid"))
        self.automatic = Tick(_("Propose automatically"))
        self.uncertainty = Choice()
        self.rest = Choice()
        self.rest_help = _help("")
        self.add_new = Tick(_("Always add new images of the project's folders"))
        self.keys = KeySettings(keymap)
        self.back = QPushButton(_("Back"))
        self._folders = QGridLayout()
        self._fill()
        self._dress()
        self._arrange()
        self._connect(leave)
        self._show()
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Show what belongs to this project, or that none is open."""
        self._project = project
        if project is not None:
            project.finishing.restChanged.connect(self._show_rest)
        self._show_rest()
        self._list_folders()

    # -- making --------------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        for name, words in THEMES:
            self.theme.addItem(_(words), name)
        for code in languages():
            self.language.addItem(native_name(code), code)
        for button, words in RIGHT_BUTTONS:
            self.right_button.addItem(_(words), button)
        for measure, words in UNCERTAINTIES:
            self.uncertainty.addItem(_(words), measure)
        self.language.setEnabled(self.language.count() > 1)
        for choice, offered in ((self.images_place, _IMAGES_PLACES), (self.panels_side, _PANELS_SIDES)):
            for value, words in offered:
                choice.addItem(_(words), value)
        for rest, words in _RESTS:
            self.rest.addItem(_(words), rest)

    def _dress(self) -> None:
        for widget, name, words in (
            (self.theme, "settingsTheme", _("Theme")),
            (self.language, "settingsLanguage", _("Language")),
            (self.images_place, "settingsImagesPlace", _("Where the images are listed")),
            (self.panels_side, "settingsPanelsSide", _("Side of the classes and the brush")),
            (self.labels, "settingsLabelOpacity", _("Opacity of labels")),
            (self.proposals, "settingsProposalOpacity", _("Opacity of proposals")),
            (self.right_button, "settingsRightButton", _("What the right button does on the image")),
            (self.pixel_grid, "settingsPixelGrid", _("Pixel grid")),
            (self.automatic, "settingsAutomaticProposals", _("Propose automatically")),
            (self.uncertainty, "settingsUncertainty", _("Measure of uncertainty")),
            (self.rest, "settingsRest", _("What Done fills unlabelled pixels with")),
            (self.add_new, "settingsAddNewImages", _("Always add new images of the project's folders")),
            (self.back, "settingsBack", _("Back to the image (Esc)")),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(words)
        self.back.setToolTip(_("Back to the image (Esc)"))
        for percent, name in ((self.labels_percent, "LabelPercent"), (self.proposals_percent, "ProposalPercent")):
            percent.setObjectName(f"settings{name}")
            percent.setMinimumWidth(_PERCENT_W)
            percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.rest_help.setObjectName("settingsRestHelp")
        make_form(self, self.back)
        self.setFocusProxy(self.theme)

    def _arrange(self) -> None:
        form = _Form()
        form.section(_("Window"))
        form.row(_("Theme"), self.theme, _("Match the system to follow its light or dark mode."))
        only = _("English is the only language so far.")
        form.row(
            _("Language"),
            self.language,
            only if self.language.count() < 2 else _("Takes effect when SegStudio is restarted."),
        )
        form.row(_("Images"), self.images_place)
        form.row(
            _("Classes and brush"), self.panels_side, _("Sizes are set by dragging; View > Reset the panels undoes it.")
        )
        form.section(_("Image"))
        labels = _("How much of the image labels cover.")
        form.row(_("Opacity of labels"), _with_percent(self.labels, self.labels_percent), labels)
        proposals = _("How much of the image the stripes of a proposal cover.")
        form.row(_("Opacity of proposals"), _with_percent(self.proposals, self.proposals_percent), proposals)
        form.row(
            _("Right button"),
            self.right_button,
            _("With a menu, background is painted like any other class: choose it in the list."),
        )
        form.row(_("Close up"), self.pixel_grid, _("Lines between pixels, and closer still their values."))
        form.row(_("Proposing"), self.automatic, _("When off, press P or Propose to get a proposal."))
        form.row(
            _("Uncertainty"),
            self.uncertainty,
            _("Ranks likely errors and images. Confidence is there at once; for the others the model looks again."),
        )
        form.section(_("Project"))
        form.row(_("Done fills with"), self.rest)
        form.help(self.rest_help)
        form.row(_("New images"), self.add_new, _("When off, SegStudio asks before adding new images."))
        form.section(_("Keys"))
        form.across(self.keys)
        form.section(_("Folders"))
        form.wide(self._folders)
        inside = QWidget()
        inside.setLayout(form.grid)
        scroll = QScrollArea()
        scroll.setObjectName("settingsScroll")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        end = QHBoxLayout()
        end.addWidget(muted_label(_("Changes are applied and saved immediately.")), 1)
        end.addWidget(self.back)
        column = page_column(self, _WIDTH)
        column.addWidget(role_label(_("Settings"), "title"))
        column.addWidget(scroll, 1)
        column.addLayout(end)

    def _connect(self, leave: Callable[[], None]) -> None:
        self.theme.activated.connect(lambda _place: self._kept.prefer(theme=self.theme.currentData()))
        self.language.activated.connect(lambda _place: self._kept.prefer(language=self.language.currentData()))
        self.images_place.activated.connect(
            lambda _place: self._kept.prefer(images_beside=self.images_place.currentData())
        )
        self.panels_side.activated.connect(lambda _place: self._kept.prefer(panels_left=self.panels_side.currentData()))
        self.labels.valueChanged.connect(lambda value: self._kept.prefer(overlay_opacity=value / 100))
        self.proposals.valueChanged.connect(lambda value: self._kept.prefer(proposal_opacity=value / 100))
        self.right_button.activated.connect(
            lambda _place: self._kept.prefer(right_button=self.right_button.currentData())
        )
        self.pixel_grid.clicked.connect(lambda on: self._kept.prefer(pixel_grid=on))
        self.uncertainty.activated.connect(lambda _place: self._kept.prefer(uncertainty=self.uncertainty.currentData()))
        self.automatic.clicked.connect(lambda on: self._kept.prefer(automatic_proposals=on))
        self.add_new.clicked.connect(lambda on: self._kept.prefer(add_new_images=on))
        self.rest.activated.connect(lambda _place: self._choose_rest())
        self.back.clicked.connect(leave)
        self._kept.changed.connect(self._show)
        self._session.projectChanged.connect(lambda: self.follow(self._session.project))

    # -- showing -------------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        kept = self._kept.current
        self.theme.setCurrentIndex(max(0, self.theme.findData(kept.theme)))
        self.language.setCurrentIndex(max(0, self.language.findData(kept.language)))
        self.images_place.setCurrentIndex(self.images_place.findData(kept.images_beside))
        self.panels_side.setCurrentIndex(self.panels_side.findData(kept.panels_left))
        for slider, percent, value in (
            (self.labels, self.labels_percent, kept.overlay_opacity),
            (self.proposals, self.proposals_percent, kept.proposal_opacity),
        ):
            slider.blockSignals(True)  # a value between two steps of the slider must not become one of them
            slider.setValue(round(100 * value))
            slider.blockSignals(False)
            percent.setText(_("{n} %", n=round(100 * value)))
        self.right_button.setCurrentIndex(max(0, self.right_button.findData(kept.right_button)))
        self.uncertainty.setCurrentIndex(max(0, self.uncertainty.findData(kept.uncertainty)))
        self.pixel_grid.setChecked(kept.pixel_grid)
        self.automatic.setChecked(kept.automatic_proposals)
        self.add_new.setChecked(kept.add_new_images)

    def _show_rest(self) -> None:
        project = self._project
        self.rest.setEnabled(project is not None and project.may_write)
        if project is None:
            words = _("Each project has its own choice: open one to change it.")
        elif not project.may_write:
            words = _("This setting cannot be changed: {why}", why=project.why_read_only)
        else:
            words = _(
                "What Done makes of unlabelled pixels in '{name}'; images that are done stay as they are.",
                name=project.name,
            )
        self.rest_help.setText(words)
        rest = Rest.PROPOSAL if project is None else project.finishing.rest
        self.rest.setCurrentIndex([offered for offered, _words in _RESTS].index(Rest(rest)))

    def _choose_rest(self) -> None:
        project = self._project
        if project is not None:
            rest = Rest(self.rest.currentData())  # Qt returns a StrEnum as a plain string
            self._session.notices.attempt(lambda: project.finishing.set_rest(rest))
        self._show_rest()

    def _list_folders(self) -> None:
        while (item := self._folders.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.setParent(None)
                old.deleteLater()
        for row, folder in enumerate(kept_folders(None if self._project is None else self._project.path)):
            self._add_folder(2 * row, folder)

    def _add_folder(self, row: int, folder: KeptFolder) -> None:
        where = ElidedLabel(str(folder.path), Qt.TextElideMode.ElideMiddle)
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        show = QPushButton(_("Show"))
        show.setObjectName(f"settingsShow{folder.name}")
        show.setAccessibleName(_("Show the folder: {what}", what=_(folder.title)))
        show.setToolTip(_("Open it in the file manager"))
        show.clicked.connect(partial(self._reveal, folder.path))
        self._folders.addWidget(_right(_(folder.title)), row, 0)
        self._folders.addWidget(where, row, 1)
        self._folders.addWidget(show, row, 2)
        self._folders.addWidget(_help(_(folder.about)), row + 1, 1, 1, 2)
        self._folders.setColumnStretch(1, 1)
        self._folders.setColumnMinimumWidth(0, _LABEL_W)
        self._folders.setHorizontalSpacing(12)
        self._folders.setVerticalSpacing(2)

    def _reveal(self, folder: Path) -> None:
        from segstudio.ui.dialogs.files import show_folder

        show_folder(to_show(folder), self._session.notices)


class _Form:
    """Rows of a label, aligned to the right, and a control with its help below."""

    def __init__(self) -> None:
        self.grid = QGridLayout()
        self.grid.setContentsMargins(0, 0, 8, 0)
        self.grid.setHorizontalSpacing(12)
        self.grid.setVerticalSpacing(4)
        self.grid.setColumnMinimumWidth(0, _LABEL_W)
        self.grid.setColumnStretch(1, 1)
        self._next = 0

    def section(self, title: str) -> None:
        """A title above the rows that follow."""
        label = role_label(title, "title")
        label.setContentsMargins(0, 12 if self._next else 0, 0, 4)
        self.grid.addWidget(label, self._next, 0, 1, 2)
        self._next += 1

    def row(self, title: str, control: QWidget, words: str = "") -> None:
        """A control with its label and its help."""
        label = _right(title)
        label.setBuddy(control)
        self.grid.addWidget(label, self._next, 0)
        self.grid.addWidget(control, self._next, 1)
        self._next += 1
        if words:
            self.help(_help(words))

    def help(self, label: QLabel) -> None:
        """A line of help below the last control."""
        label.setContentsMargins(0, 0, 0, 6)
        self.grid.addWidget(label, self._next, 1)
        self._next += 1

    def across(self, part: QWidget) -> None:
        """A control as wide as the form."""
        self.grid.addWidget(part, self._next, 0, 1, 2)
        self._next += 1

    def wide(self, layout: QGridLayout) -> None:
        """Rows with columns of their own."""
        self.grid.addLayout(layout, self._next, 0, 1, 2)
        self._next += 1
        self.grid.setRowStretch(self._next, 1)


def _right(title: str) -> QLabel:
    label = QLabel(title)
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label


def _help(words: str) -> QLabel:
    label = muted_label(words)
    label.setWordWrap(True)
    return label


def _opacity_slider() -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(round(100 * LEAST_OPACITY), 100)
    slider.setSingleStep(5)
    slider.setPageStep(10)
    return slider


def _with_percent(slider: QSlider, percent: QLabel) -> QWidget:
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    row.addWidget(slider, 1)
    row.addWidget(percent)
    return both


def native_name(code: str) -> str:
    """What the language of a catalogue calls itself; its code where nobody knows."""
    return "English" if code == "en" else QLocale(code).nativeLanguageName() or code

"""Colours and measures of the window: one table per theme, and the palette and style sheet made from it.

One accent, a 4 px grid, the system font. The image is the only bright thing; anything that needs attention has the
accent, failures have `warning`. Class colours belong to the labels, not to the theme.
"""

from string import Template
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

__all__ = [
    "DARK",
    "LIGHT",
    "Theme",
    "apply_theme",
    "choose_theme",
    "current_theme",
    "seen_on_plot",
    "theme_named",
    "tinted",
]

_LEAST_CONTRAST, _LIFT = 1.6, 0.45
_PROPERTY = "segstudioTheme"


class Theme(NamedTuple):
    """Every colour of the window, as #RRGGBB."""

    name: str
    field: str
    window: str
    panel: str
    control: str
    hover: str
    pressed: str
    line: str
    edge: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_soft: str
    on_accent: str
    warning: str
    warning_soft: str


DARK = Theme(
    name="dark",
    field="#141619",
    window="#1B1E22",
    panel="#212529",
    control="#2B3036",
    hover="#343A42",
    pressed="#3D444D",
    line="#0F1113",
    edge="#3A4048",
    text="#E4E7EB",
    muted="#A3ACB7",
    faint="#68717C",
    accent="#5CB3F0",
    accent_soft="#24435A",
    on_accent="#0B1722",
    warning="#F2B34C",
    warning_soft="#3A3020",
)

LIGHT = Theme(
    name="light",
    field="#FFFFFF",
    window="#ECEEF0",
    panel="#F7F8F9",
    control="#FFFFFF",
    hover="#E3E7EB",
    pressed="#D5DAE0",
    line="#CDD2D8",
    edge="#BCC3CB",
    text="#1B1F24",
    muted="#535C67",
    faint="#8F98A3",
    accent="#0B6BB5",
    accent_soft="#CFE4F5",
    on_accent="#FFFFFF",
    warning="#8A5A00",
    warning_soft="#FBEBCB",
)

_SHEET = Template("""
QMainWindow, QWidget#mainColumn { background: $window; }
QWidget { color: $text; }
QMenuBar { background: $window; border-bottom: 1px solid $line; }
QMenuBar::item { padding: 4px 8px; background: transparent; border-radius: 4px; }
QMenuBar::item:selected { background: $hover; color: $text; }
QMenuBar::item:disabled { color: $faint; }
QMenu { background: $panel; border: 1px solid $edge; padding: 4px 0; }
QMenu::item { padding: 4px 24px 4px 8px; background: transparent; color: $text; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $faint; background: transparent; }
QMenu::icon { padding-left: 8px; }
QMenu::indicator { width: 12px; height: 12px; margin-left: 8px; border: 1px solid $muted; border-radius: 3px; }
QMenu::indicator:exclusive { border-radius: 6px; }
QMenu::indicator:checked { background: $accent; border-color: $accent; }
QMenu::indicator:disabled { border-color: $faint; }
QMenu::separator { background: $edge; height: 1px; margin: 4px 8px; }
QToolBar { background: $window; border: 0; padding: 4px; spacing: 4px; }
QToolBar#mainBar { border-bottom: 1px solid $line; }
QToolBar#toolBar { border-right: 1px solid $line; spacing: 1px; }
QToolBar::separator { background: $edge; width: 1px; height: 1px; margin: 4px; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 4px 4px 4px 8px; }
QToolBar#toolBar QToolButton, QToolButton[role="icon"], QToolButton[role="bare"] { padding: 4px; }
QToolBar QToolButton#qt_toolbar_ext_button { padding: 0; background: $control; border-color: $edge; }
QToolButton:hover { background: $hover; }
QToolButton:pressed { background: $pressed; }
QToolButton:checked { background: $accent_soft; border-color: $accent; }
QToolButton:focus { border-color: $accent; }
QToolButton:disabled { color: $faint; }
QToolButton[popupMode="1"] { padding-right: 20px; }
QToolButton::menu-button { border: 0; border-radius: 4px; width: 16px; }
QToolButton::menu-button:hover { background: $pressed; }
QToolButton::menu-indicator { image: none; }
QPushButton { background: $control; border: 1px solid $edge; border-radius: 4px; padding: 4px 12px; min-height: 16px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $pressed; }
QPushButton:checked { background: $pressed; }
QPushButton:focus { border-color: $accent; }
QPushButton:disabled { color: $faint; background: $panel; }
QPushButton[role="primary"] { background: $accent; border-color: $accent; color: $on_accent; font-weight: 600; }
QPushButton[role="primary"]:disabled { background: $control; border-color: $edge; color: $faint; }
QPushButton[role="small"] { padding: 0 8px; min-height: 14px; }
QPushButton[role="slim"] { padding: 1px 8px; min-height: 18px; }
QPushButton[role="row"] { background: transparent; border: 1px solid transparent; }
QPushButton[role="row"]:hover { background: $hover; }
QPushButton[role="row"]:focus { border-color: $accent; }
QPushButton[role="primary"]:focus { border-color: $text; }
QLineEdit, QComboBox, QPlainTextEdit { background: $field; border: 1px solid $edge;
    border-radius: 4px; padding: 2px 8px; min-height: 18px; selection-background-color: $accent;
    selection-color: $on_accent; }
QLineEdit:focus, QComboBox:focus, QPlainTextEdit:focus { border-color: $accent; }
QLineEdit:disabled, QComboBox:disabled { color: $faint; background: $panel; }
QComboBox { padding-right: 20px; }
QComboBox::drop-down { border: 0; width: 20px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { border: 1px solid $edge; padding: 2px; }
QAbstractItemView { background: $panel; border: 0; outline: 0; selection-background-color: $accent_soft;
    selection-color: $text; }
QAbstractScrollArea::corner { background: transparent; border: 0; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }
QFrame[role="panel"] { background: $panel; border: 0; }
QFrame[role="card"] { background: $panel; border: 1px solid $edge; border-radius: 8px; }
QFrame#startCard { border: 1px solid transparent; border-radius: 8px; }
QFrame#startCard[invites="true"] { background: $accent_soft; border-color: $accent; }
QFrame[role="plot"] { background: $field; border: 1px solid $edge; border-radius: 4px; }
QFrame[role="strip"] { background: $panel; border: 0; border-bottom: 1px solid $line; }
QFrame[role="alert"] { background: $warning_soft; border: 0; border-bottom: 1px solid $line; }
QFrame[role="focus"] { background: $accent; border: 0; }
QFrame[role="rule"] { background: $edge; border: 0; max-width: 1px; }
QLabel[role="title"] { font-weight: 600; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="accent"] { color: $accent; font-weight: 600; }
QLabel[role="warning"] { color: $warning; }
QTabWidget::pane { border: 0; }
QTabWidget, QTabBar, QWidget#classCorner { background: $panel; }
QTabWidget::tab-bar { left: 5px; }
QTabBar::tab { background: $panel; color: $muted; border: 0; border-bottom: 2px solid transparent;
    padding: 8px 7px 5px 7px; font-weight: 600; }
QTabBar#sideTabsBar::tab:last { padding-right: 0; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:hover { color: $text; }
QTabBar:focus::tab:selected { background: $hover; }
QHeaderView#objectTableHeader::section { padding: 2px 8px; }
QHeaderView#objectTableHeader::up-arrow, QHeaderView#objectTableHeader::down-arrow { image: none; width: 0; }
QHeaderView { background: $panel; border: 0; }
QHeaderView::section { background: $panel; color: $muted; border: 0; border-bottom: 1px solid $edge; padding: 2px 4px; }
QTreeView::item { padding: 1px 0; }
QTreeView::indicator { width: 10px; height: 10px; border: 1px solid $muted; border-radius: 3px; background: $field; }
QTreeView::indicator:checked { background: $accent; border-color: $accent; }
QTreeView::indicator:indeterminate { background: $accent_soft; border-color: $accent; }
QAbstractItemView::item:disabled { color: $faint; }
QSplitter::handle { background: $line; }
QSplitter::handle:hover { background: $accent; }
QStatusBar::item { border: 0; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $pressed; border-radius: 4px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSlider::groove:horizontal { background: $pressed; height: 4px; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; height: 4px; border-radius: 2px; }
QSlider::handle:horizontal { background: $text; width: 12px; height: 12px; margin: -4px 0; border-radius: 6px; }
QSlider::handle:horizontal:focus { background: $accent; }
QCheckBox { spacing: 8px; padding: 2px 0; }
QCheckBox:disabled { color: $faint; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid $muted; border-radius: 3px; background: $field; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; }
QCheckBox::indicator:focus { border-color: $accent; }
QCheckBox::indicator:disabled { border-color: $faint; background: $panel; }
QProgressBar { background: $pressed; border: 0; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
QToolTip { background: $control; color: $text; border: 1px solid $edge; padding: 4px; }
""")


def theme_named(name: str) -> Theme:
    """The theme of this name; 'system' asks the desktop and is dark if the desktop has no preference."""
    if name == "system":
        light = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Light
        return LIGHT if light else DARK
    return LIGHT if name == LIGHT.name else DARK


def choose_theme(application: QApplication, theme: Theme) -> None:
    """Set style and colours for widgets and pictures made from now on; call `apply_theme` once they exist."""
    application.setProperty(_PROPERTY, theme.name)
    if application.style().objectName() != "fusion":
        application.setStyle("Fusion")
    application.setPalette(_palette(theme))


def apply_theme(application: QApplication, theme: Theme) -> None:
    """Give every window of the application this theme.

    Call it last: building widgets under a style sheet takes twice as long as giving one to finished widgets.
    """
    if application.property(_PROPERTY) != theme.name:
        choose_theme(application, theme)
    application.setStyleSheet(_SHEET.substitute(theme._asdict()))


def current_theme() -> Theme:
    """The theme applied last; dark before that."""
    application = QApplication.instance()
    return LIGHT if application is not None and application.property(_PROPERTY) == LIGHT.name else DARK


def tinted(tint: str, theme: Theme) -> str:
    """The colour of a theme for a name of `Theme`, as 'muted'; a colour, as #RRGGBB, is itself: a class's stays."""
    return tint if tint.startswith("#") else str(getattr(theme, tint))


def seen_on_plot(tint: str, theme: Theme) -> str:
    """As `tinted`, for a plot: a class's colour that hardly differs from the ground comes nearer to the text."""
    color = tinted(tint, theme)
    if color is not tint:
        return color
    drawn, ground = QColor(color), QColor(theme.field)
    light, dark = sorted((_luminance(drawn), _luminance(ground)), reverse=True)
    if (light + 0.05) / (dark + 0.05) >= _LEAST_CONTRAST:
        return color
    text = QColor(theme.text)
    mixed = (
        round(a + _LIFT * (b - a))
        for a, b in zip(drawn.getRgb()[:3], text.getRgb()[:3], strict=True)  # type: ignore[arg-type]
    )
    return QColor(*mixed).name()


def _luminance(color: QColor) -> float:
    """Relative luminance, 0..1, as WCAG defines it."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color.getRgbF()[:3]]  # type: ignore[index]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for name, color in (
        (role.Window, theme.window),
        (role.WindowText, theme.text),
        (role.Base, theme.panel),
        (role.AlternateBase, theme.control),
        (role.Text, theme.text),
        (role.Button, theme.control),
        (role.ButtonText, theme.text),
        (role.BrightText, theme.accent),
        (role.Link, theme.accent),
        (role.Highlight, theme.accent),
        (role.HighlightedText, theme.on_accent),
        (role.PlaceholderText, theme.faint),
        (role.ToolTipBase, theme.control),
        (role.ToolTipText, theme.text),
        (role.Mid, theme.edge),
    ):
        palette.setColor(name, QColor(color))
    for name in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(theme.faint))
    return palette

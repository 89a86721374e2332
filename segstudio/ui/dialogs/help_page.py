"""The pages of the Help menu: the list of keys, made from the table of actions, and About."""

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from segstudio.text import _
from segstudio.ui.theme import current_theme
from segstudio.ui.window.actions import ACTIONS, Menu, added_tools
from segstudio.ui.window.shortcut_guard import make_form

if TYPE_CHECKING:
    from importlib.metadata import PackageMetadata

__all__ = ["HelpPage"]

_WIDTH = 640


class HelpPage(QWidget):
    """`helpPage` with `helpText` and `helpBack`; closing it calls `leave`."""

    def __init__(self, leave: Callable[[], None]) -> None:
        super().__init__()
        self.setObjectName("helpPage")
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.text = QTextBrowser()
        self.text.setObjectName("helpText")
        self.text.setOpenExternalLinks(True)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.document().setDocumentMargin(0)
        self.back = QPushButton(_("Back"))
        self.back.setObjectName("helpBack")
        self.back.setToolTip(_("Back to the image (Esc)"))
        self.back.clicked.connect(leave)
        make_form(self, self.back)
        self.setFocusProxy(self.back)
        end = QHBoxLayout()
        end.addStretch()
        end.addWidget(self.back)
        card = QFrame()
        card.setProperty("role", "card")
        card.setMaximumWidth(_WIDTH)
        card.setMinimumWidth(_WIDTH)
        column = QVBoxLayout(card)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(self.title)
        column.addWidget(self.text, 1)
        column.addLayout(end)
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 16, 16, 16)
        grid.addWidget(card, 0, 0, Qt.AlignmentFlag.AlignHCenter)

    def show_keys(self) -> None:
        """Show the list of keys."""
        self._show(_("Keys"), _keys_html())

    def show_about(self) -> None:
        """Show version, licences and the location of the log."""
        self._show(_("About SegStudio"), _about_html())

    def _show(self, title: str, html: str) -> None:
        self.title.setText(title)
        self.setAccessibleName(title)
        self.text.setHtml(html)


def _keys_html() -> str:
    theme = current_theme()
    rows: list[str] = []
    for menu in Menu:
        listed = [action for action in (*ACTIONS, *added_tools()) if action.menu is menu and action.keys]
        if listed:
            rows.append(f'<tr><td colspan="3" style="padding-top: 10px"><b>{escape(_(menu))}</b></td></tr>')
        for action in listed:
            keys = " &nbsp; ".join(escape(_native(key)) for key in action.keys)
            rows.append(
                f'<tr><td style="padding-right: 16px; color: {theme.accent}">{keys}</td>'
                f'<td style="padding-right: 16px">{escape(action.shown_text.rstrip("…"))}</td>'
                f'<td style="color: {theme.muted}">{escape(action.shown_tip)}</td></tr>'
            )
    mouse = _(
        "Left button: paint the class. Right button: paint background. Wheel: zoom at the cursor. "
        "Middle button, or space and drag: move the image, even during a stroke."
    )
    return f'<p>{escape(mouse)}</p><table cellspacing="0" cellpadding="2">{"".join(rows)}</table>'


def _native(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def _about_html() -> str:
    import platform

    from platformdirs import user_log_path
    from PySide6 import __version__ as pyside_version

    from segstudio import __version__
    from segstudio.assets import asset

    log = user_log_path("segstudio", appauthor=False) / "engine.log"
    rows = (
        (_("Version"), f"SegStudio {__version__}"),
        (_("Runs on"), f"Python {platform.python_version()}, PySide6 {pyside_version}, {platform.system()}"),
        (_("Licence"), _("Apache License 2.0; see the file LICENSE that comes with the program")),
        (_("Sample images"), _("each has its own free licence: {file}", file=asset("sample", "LICENCES.md"))),
        (
            _("Base network"),
            _("comes with SegStudio; its training data is listed in {file}", file=asset("models", "base.json")),
        ),
        (_("Libraries"), _libraries() or _("their licences are beside them, where Python keeps its packages")),
        (_("Log of the engine"), _("what it did and why it failed; send it with a report: {file}", file=log)),
    )
    muted = current_theme().muted
    lines = "".join(
        f'<tr><td style="padding-right: 16px; color: {muted}">{escape(name)}</td><td>{escape(value)}</td></tr>'
        for name, value in rows
    )
    words = _("Nothing leaves this computer: no network, no account. If something fails, 'segstudio doctor' says why.")
    return f'<table cellspacing="0" cellpadding="4">{lines}</table><p>{escape(words)}</p>'


def _libraries() -> str:
    """The libraries that the program uses, with the licences they declare; empty if it is not installed."""
    import re
    from importlib.metadata import PackageNotFoundError, metadata, requires

    try:
        needed = [re.split(r"[ ;<>=!~\[]", line)[0] for line in requires("segstudio") or [] if "extra ==" not in line]
    except PackageNotFoundError:
        return ""
    return ", ".join(f"{name} ({_licence(metadata(name))})" for name in needed)


def _licence(found: "PackageMetadata") -> str:
    """The short name of the licence of a package."""
    declared = next((found[key] for key in ("License-Expression", "License") if key in found), "")
    classified = [line.split("::")[-1].strip() for line in found.get_all("Classifier", []) if "License ::" in line]
    short = declared.splitlines()[0] if declared and len(declared) < 60 else ""
    return short or ", ".join(classified) or _("see its own files")

"""The pages of the Help menu: the keys as they are now, made from the table of actions, and About."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from segstudio.text import _
from segstudio.ui.panels.controls import page_column
from segstudio.ui.theme import current_theme
from segstudio.ui.window.actions import Action, Menu
from segstudio.ui.window.keymap import Keymap, native_key
from segstudio.ui.window.shortcut_guard import make_form

if TYPE_CHECKING:
    from importlib.metadata import PackageMetadata

__all__ = ["HelpPage"]

_WIDTH = 1240
_COLUMNS = 4
_NUMBERS = tuple(f"class-{n}" for n in range(1, 10))


class HelpPage(QWidget):
    """`helpPage` with `helpSearch`, `helpText` and `helpBack`; closing it calls `leave`."""

    def __init__(self, keymap: Keymap, leave: Callable[[], None]) -> None:
        super().__init__()
        self._keymap = keymap
        self.setObjectName("helpPage")
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.search = QLineEdit()
        self.search.setObjectName("helpSearch")
        self.search.setAccessibleName(_("Search actions and keys"))
        self.search.setPlaceholderText(_("Search actions and keys"))
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(320)
        self.search.textChanged.connect(self._show_keys)
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
        self._arrange()
        keymap.changed.connect(self._keys_changed)

    def show_keys(self) -> None:
        """Show the list of keys, all of it."""
        self.search.show()
        self.setFocusProxy(self.search)
        self._name(_("Keys"))
        self.search.clear()
        self._show_keys()

    def show_about(self) -> None:
        """Show version, licences and the location of the log."""
        self.search.hide()
        self.setFocusProxy(self.back)
        self._name(_("About SegStudio"))
        self.text.setHtml(_about_html())

    def _arrange(self) -> None:
        top, end = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.search, 1)
        end.addStretch()
        end.addWidget(self.back)
        column: QVBoxLayout = page_column(self, _WIDTH)
        column.addLayout(top)
        column.addWidget(self.text, 1)
        column.addLayout(end)

    def _name(self, title: str) -> None:
        self.title.setText(title)
        self.setAccessibleName(title)

    def _show_keys(self) -> None:
        self.text.setHtml(_keys_html(self._keymap, self.search.text().casefold().split()))

    def _keys_changed(self) -> None:
        if not self.search.isHidden():
            self._show_keys()


def _keys_html(keymap: Keymap, words: Sequence[str]) -> str:
    """All keys in columns, by menu; with words to look for, what has them, and what each of these does."""
    groups = [(menu, [row for row in keymap.rows if row.menu is menu and keymap.keys(row.name)]) for menu in Menu]
    if words:
        return _found_html(keymap, [row for _menu, rows in groups for row in rows if _has(keymap, row, words)])
    blocks = [(_(menu), _lines(keymap, rows)) for menu, rows in groups if rows]
    columns = "".join(
        f'<td width="{100 // _COLUMNS}%" style="padding-right: 16px; padding-top: 6px">'
        f"{''.join(map(_block_html, column))}</td>"
        for column in _in_columns(blocks)
    )
    mouse = _(
        "Left button: paint the class. Right button: paint background. Wheel: zoom at the cursor. "
        "Middle button, or space and drag: move the image, even during a stroke."
    )
    above = f'<p style="margin-bottom: 4px">{escape(mouse)}</p>'
    return f'{above}<table width="100%" cellspacing="0" cellpadding="0"><tr>{columns}</tr></table>'


def _lines(keymap: Keymap, rows: Iterable[Action]) -> list[tuple[str, str]]:
    """The name and keys of each row; the numbers of the classes are one line while they are as usual."""
    usual = all(keymap.keys(name) == (name[-1],) for name in _NUMBERS)
    out: list[tuple[str, str]] = []
    for row in rows:
        if not usual or row.name not in _NUMBERS:
            out.append((_title(row), _shown(keymap, row)))
        elif row.name == _NUMBERS[0]:
            out.append((_("Class 1 to 9 of the list"), _("1 to 9")))
    return out


def _in_columns(blocks: Iterable[tuple[str, list[tuple[str, str]]]]) -> list[list[tuple[str, list[tuple[str, str]]]]]:
    """The blocks in their order, in columns of which the highest is as low as can be; then the last, whose long names
    take two lines."""
    blocks = list(blocks)
    heights = [len(lines) + 2 for _title, lines in blocks]

    def highest(cuts: tuple[int, ...]) -> tuple[int, int]:
        columns = [sum(heights[a:b]) for a, b in pairwise((0, *cuts, len(blocks)))]
        return max(columns), columns[-1]

    cuts = min(combinations(range(1, len(blocks)), min(_COLUMNS, len(blocks)) - 1), key=highest)
    return [blocks[a:b] for a, b in pairwise((0, *cuts, len(blocks)))]


def _block_html(block: tuple[str, list[tuple[str, str]]]) -> str:
    title, lines = block
    accent = current_theme().accent
    rows = "".join(
        f'<tr><td style="padding-right: 12px">{escape(name)}</td>'
        f'<td align="right" style="color: {accent}">{keys}</td></tr>'
        for name, keys in lines
    )
    return (
        f'<p style="margin-top: 8px; margin-bottom: 2px"><b>{escape(title)}</b></p>'
        f'<table width="100%" cellspacing="0" cellpadding="1">{rows}</table>'
    )


def _found_html(keymap: Keymap, rows: Sequence[Action]) -> str:
    if not rows:
        nothing = _("No action and no key has these words.")
        return f"<p>{escape(nothing)}</p>"
    theme = current_theme()
    lines = "".join(
        f'<tr><td style="padding-right: 16px; color: {theme.accent}">{_shown(keymap, row)}</td>'
        f'<td style="padding-right: 16px">{escape(_title(row))}</td>'
        f'<td style="color: {theme.muted}">{escape(row.shown_tip)}</td></tr>'
        for row in rows
    )
    return f'<table cellspacing="0" cellpadding="3">{lines}</table>'


def _has(keymap: Keymap, row: Action, words: Sequence[str]) -> bool:
    keys = [*keymap.keys(row.name), *map(native_key, keymap.keys(row.name))]
    said = " ".join((_title(row), row.shown_tip, *keys)).casefold()
    return all(word in said for word in words)


def _title(row: Action) -> str:
    return row.shown_text.rstrip("…")


def _shown(keymap: Keymap, row: Action) -> str:
    return " &nbsp; ".join(escape(native_key(key)) for key in keymap.keys(row.name))


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

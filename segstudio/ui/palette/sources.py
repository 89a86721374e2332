"""What the command palette finds: actions, classes, versions and images, each a source of rows. A source more is a row
of `SOURCES`.

A source is made anew whenever the palette opens, and its rows stay as they were then. It knows how many there are and
their names at once, since there may be 100,000; a row is made for what is shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from PySide6.QtGui import QIcon

from segstudio.text import _
from segstudio.ui.text import version_words
from segstudio.ui.window.actions import SUBMENUS, Menu
from segstudio.ui.window.icons import icon, swatch

if TYPE_CHECKING:
    from segstudio.app.values import ImageItem, VersionItem
    from segstudio.labels.model import LabelClass
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["SOURCES", "Entry", "Source"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: `kind` says what it is, `detail` what it does; `why` it cannot be run now, '' where it can.

    `id` is the same the next time, for what was used last to come first; `picture` is drawn when the row is seen.
    """

    id: str
    title: str
    kind: str
    run: Callable[[], object]
    detail: str = ""
    keys: str = ""
    picture: Callable[[], QIcon] | None = None
    why: str = ""


class Source(Protocol):
    """Rows of one kind. `lists_unasked`: they are shown before anything was typed."""

    lists_unasked: bool

    def __len__(self) -> int:
        """How many there are."""
        ...

    def name(self, i: int) -> str:
        """The name of a row, which is searched."""
        ...

    def also(self, i: int) -> str:
        """Further words by which it is found, '' for none."""
        ...

    def id(self, i: int) -> str:
        """What `Entry.id` of the row will be."""
        ...

    def entry(self, i: int) -> Entry:
        """The row itself."""
        ...


class _Rows:
    """A source of few rows, which are there already."""

    def __init__(self, entries: Sequence[Entry], *, lists_unasked: bool) -> None:
        self._entries = entries
        self.lists_unasked = lists_unasked

    def __len__(self) -> int:
        return len(self._entries)

    def name(self, i: int) -> str:
        return self._entries[i].title

    def also(self, i: int) -> str:
        return self._entries[i].detail

    def id(self, i: int) -> str:
        return self._entries[i].id

    def entry(self, i: int) -> Entry:
        return self._entries[i]


class _Images:
    """The images of the list, in its order."""

    lists_unasked = False

    def __init__(self, window: "MainWindow", items: "Sequence[ImageItem]") -> None:
        self._window, self._items = window, items

    def __len__(self) -> int:
        return len(self._items)

    def name(self, i: int) -> str:
        return self._items[i].name

    def also(self, i: int) -> str:
        return ""

    def id(self, i: int) -> str:
        return f"image {self._items[i].name}"

    def entry(self, i: int) -> Entry:
        session, name = self._window.session, self._items[i].name
        detail = self._items[i].problem or _("Open this image")
        run = lambda: session.notices.attempt(lambda: session.open_image(name))  # noqa: E731
        return Entry(self.id(i), name, _("Image"), run, detail, picture=partial(icon, "image"))


def _actions(window: "MainWindow") -> Source:
    bars, out = window.bars, list[Entry]()
    for row in bars.keymap.rows:
        # A class is listed by its name; 'Cancel' would cancel the palette.
        if row.menu is Menu.CLASS or row.name in ("cancel", "palette"):
            continue
        action = bars.action(row.name)
        menu = SUBMENUS.get(row.menu)
        kind = _(row.menu) if menu is None else _("{menu}: {submenu}", menu=_(menu), submenu=_(row.menu))
        picture = partial(icon, row.icon) if row.icon else None
        detail = action.toolTip().partition("\n")[2] or row.shown_tip
        out.append(
            Entry(
                f"action {row.name}",
                row.shown_text,
                kind,
                action.trigger,
                detail,
                bars.keymap.shown(row.name),
                picture,
                bars.why_disabled(row.name),
            )
        )
    return _Rows(out, lists_unasked=True)


def _classes(window: "MainWindow") -> Source:
    project = window.session.project
    classes = list(project.documents.classes) if project is not None else []

    def entry(n: int, found: "LabelClass") -> Entry:
        keys = window.bars.keymap.shown(f"class-{n}")
        return Entry(
            f"class {found.name}",
            found.name,
            _("Class"),
            lambda: window.session.notices.attempt(lambda: window.session.set_class(found.name)),
            _("Paint with this class") if not found.locked else _("Paint with this class, which is locked"),
            keys,
            partial(swatch, found.color),
        )

    return _Rows([entry(n, found) for n, found in enumerate(classes, 1)], lists_unasked=False)


def _versions(window: "MainWindow") -> Source:
    project, notices = window.session.project, window.session.notices
    if project is None:
        return _Rows((), lists_unasked=False)
    versions, read_only = project.versions, "" if project.may_write else project.why_read_only

    def why(item: "VersionItem") -> str:
        if item.current:
            return _("It proposes already")
        return read_only if item.has_weights else _("Its weights were not kept")

    def entry(item: "VersionItem") -> Entry:
        return Entry(
            f"version {item.name}",
            version_words(item.name),
            _("Version"),
            lambda: notices.attempt(lambda: versions.use(item.name)),
            _("Let this version propose from now on"),
            picture=partial(icon, "train"),
            why=why(item),
        )

    return _Rows([entry(item) for item in versions.items()], lists_unasked=False)


def _images(window: "MainWindow") -> Source:
    project = window.session.project
    return _Images(window, list(project.navigation.items) if project is not None else [])


SOURCES: tuple[Callable[["MainWindow"], Source], ...] = (_actions, _classes, _versions, _images)
"""In the order in which rows that answer equally well are shown."""

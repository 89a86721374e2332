"""Which keys each action has: those of its row, or what a person has chosen. It knows no widgets and shows nothing.

A person's choice counts before the table: where both want a key, the row of the table does without it until the choice
is taken back. Only choices are stored, so a key that a later version gives an action reaches everybody who left it.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QKeySequence

from segstudio.text import _
from segstudio.ui.window.actions import ACTIONS, Action

if TYPE_CHECKING:
    from segstudio.app.kept_preferences import KeptPreferences

__all__ = ["FIXED", "Keymap", "bound", "native_key", "normal_key", "refusal_of_key", "shared_with_tools"]

FIXED = frozenset({"cancel"})
"""Actions whose keys stay: nobody should be able to lose the way out."""

_Key = Qt.Key
_ARROWS = (_Key.Key_Left, _Key.Key_Right, _Key.Key_Up, _Key.Key_Down)
_TOOLS_KEYS = (_Key.Key_Return, _Key.Key_Enter, _Key.Key_Backspace, _Key.Key_Delete)
_BEYOND = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
"""With one of these a key has none of its usual meanings in lists, fields and the image."""


@lru_cache(maxsize=1024)
def normal_key(key: str) -> str:
    """The one way to write a key in portable text; '' for what is no single key."""
    sequence = QKeySequence(key)
    if sequence.count() != 1 or _combination(key).key() in (_Key.Key_unknown, _Key(0)):
        return ""
    return sequence.toString(QKeySequence.SequenceFormat.PortableText)


def native_key(key: str) -> str:
    """A key as this desktop writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def refusal_of_key(key: str) -> str:
    """Why no action can have this key; '' where one can."""
    pressed = _combination(key)
    bare = not pressed.keyboardModifiers() & _BEYOND
    match pressed.key():
        case _Key.Key_Escape:
            return _("Escape always cancels, so that there is a way out of everything.")
        case _Key.Key_Tab | _Key.Key_Backtab:
            return _("Tab moves the focus from one part of the window to the next.")
        case _Key.Key_Space if bare:
            return _("Space moves the image, and presses the button that has the focus.")
        case arrow if arrow in _ARROWS and bare:
            return _("The arrow keys move within lists and fields, and the keyboard cursor on the image.")
        case _:
            return ""


def shared_with_tools(key: str) -> bool:
    """Whether a tool under way takes this key before any action hears it."""
    return _combination(key).key() in _TOOLS_KEYS


def _combination(key: str) -> QKeyCombination:
    return QKeySequence(key)[0]  # pyright: ignore[reportIndexIssue]  (its stub does not know that it has parts)


def bound(rows: Iterable[Action], chosen: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The keys of each row by its name, no key twice: what was chosen first, then the table, each in its order.

    Of what was chosen, that which is no key, or that no action can have, is ignored; so is a choice with nothing else.
    """
    rows = tuple(rows)
    personal = {row.name: keys for row in rows if (keys := _choice(row, chosen)) is not None}
    taken = {normal_key(key) for row in rows if row.name in FIXED for key in row.keys}
    out: dict[str, tuple[str, ...]] = {row.name: row.keys for row in rows if row.name in FIXED}
    for wanted in (personal, {row.name: row.keys for row in rows if row.name not in personal}):
        for name, keys in wanted.items():
            if name not in FIXED:
                out[name] = tuple(key for key in keys if normal_key(key) not in taken)
                taken.update(map(normal_key, keys))
    return out


def _choice(row: Action, chosen: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
    """What a person chose for a row; None where that is nothing, or nothing that could be."""
    if row.name in FIXED or row.name not in chosen:
        return None
    wanted = chosen[row.name]
    fit = dict.fromkeys(key for key in map(normal_key, wanted) if key and not refusal_of_key(key))
    return tuple(fit) if fit or not wanted else None


class Keymap(QObject):
    """`rows` are all actions of the window, `changed` says that some have other keys."""

    changed = Signal()

    def __init__(self, kept: "KeptPreferences", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept = kept
        self.rows: tuple[Action, ...] = ACTIONS
        self._bound = bound(self.rows, kept.current.keys)
        kept.changed.connect(self._follow)

    def add(self, rows: Iterable[Action]) -> None:
        """Take in the tools of other packages: they get the keys that are still free."""
        self.rows = (*self.rows, *rows)
        self._follow()

    def keys(self, name: str) -> tuple[str, ...]:
        """The keys of an action, the first is shown; none for an action that is not in the window."""
        return self._bound.get(name, ())

    def shown(self, name: str) -> str:
        """The first key of an action as this desktop writes it; '' for none."""
        keys = self.keys(name)
        return native_key(keys[0]) if keys else ""

    def is_chosen(self, name: str) -> bool:
        """Whether a person has chosen the keys of this action."""
        return name in self._kept.current.keys

    @property
    def any_chosen(self) -> bool:
        """Whether an action has other keys than in the table."""
        return bool(self._kept.current.keys)

    def holder(self, key: str) -> Action | None:
        """The action that has this key now."""
        wanted = normal_key(key)
        return next((row for row in self.rows if wanted in map(normal_key, self.keys(row.name))), None)

    def give(self, name: str, key: str) -> None:
        """Give an action one more key, and take it from whoever has it.

        Raises `ValueError` for what is no key, or that no action can have, and for an action whose keys stay.
        """
        wanted, holder = normal_key(key), self.holder(key)
        if not wanted or refusal_of_key(wanted) or name in FIXED or (holder is not None and holder.name in FIXED):
            raise ValueError(f"the action '{name}' cannot have the key {key!r}")
        chosen = dict(self._kept.current.keys)
        if holder is not None and holder.name != name and self.is_chosen(holder.name):
            chosen[holder.name] = [other for other in self.keys(holder.name) if normal_key(other) != wanted]
        chosen[name] = [*(other for other in self.keys(name) if normal_key(other) != wanted), wanted]
        self._choose(chosen)

    def take(self, name: str, key: str) -> None:
        """Take a key from an action. Raises `ValueError` for an action whose keys stay."""
        if name in FIXED:
            raise ValueError(f"the keys of '{name}' stay")
        kept = [other for other in self.keys(name) if normal_key(other) != normal_key(key)]
        self._choose({**self._kept.current.keys, name: kept})

    def reset(self, name: str) -> tuple[str, ...]:
        """Give an action the keys of the table again; those that stay with another action, by a person's choice."""
        self._choose({other: keys for other, keys in self._kept.current.keys.items() if other != name})
        row = next(row for row in self.rows if row.name == name)
        return tuple(key for key in row.keys if key not in self.keys(name))

    def reset_all(self) -> None:
        """Give every action of the window the keys of the table; what is kept for others stays."""
        known = {row.name for row in self.rows}
        self._choose({name: keys for name, keys in self._kept.current.keys.items() if name not in known})

    def _choose(self, chosen: Mapping[str, Sequence[str]]) -> None:
        """Keep what differs from the table."""
        table = {row.name: [normal_key(key) for key in row.keys] for row in self.rows}
        self._kept.prefer(keys={name: list(keys) for name, keys in chosen.items() if table.get(name) != list(keys)})

    def _follow(self) -> None:
        now = bound(self.rows, self._kept.current.keys)
        if now != self._bound:
            self._bound = now
            self.changed.emit()

"""The classes of a new project, and the table of an opened one."""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from segstudio.errors import UsageError
from segstudio.labels.model import ClassId, ClassTable, Kind, LabelClass, folded_name
from segstudio.store.values import NewClass

__all__ = ["PALETTE", "color_for", "columns_of", "insert_classes", "new_table", "read_classes", "valid_name"]

PALETTE = (
    "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
    "#9467BD", "#8C564B", "#17BECF", "#BCBD22", "#7F7F7F",
)  # fmt: skip
"""Colours that colour-blind people can tell apart (Okabe and Ito, 2008), then five more; used in turn."""

_BACKGROUND_COLOR = "#202020"
_IGNORE_COLOR = "#A0A0A0"
_COLUMNS = "id, name, color, kind, value, position, locked, visible, removed, merged_into"


def valid_name(name: str) -> str:
    """The name without blanks around it. Raises `UsageError` where a class cannot be called so."""
    stripped = name.strip()
    if not stripped:
        raise UsageError("A class needs a name.")
    if any(mark in stripped for mark in ":,=") or not stripped.isprintable():
        raise UsageError(f"The class name '{stripped}' holds a character that is not allowed (':', ',' or '=').")
    return stripped


def color_for(kind: Kind, nth: int) -> str:
    """The colour of the n-th class (from 0) that was given none."""
    if kind is Kind.BACKGROUND:
        return _BACKGROUND_COLOR
    return _IGNORE_COLOR if kind is Kind.IGNORE else PALETTE[nth % len(PALETTE)]


def new_table(classes: Sequence[NewClass]) -> ClassTable:
    """The class table of a new project: in the order given, with exactly one background class.

    No class at all gives background and 'object'; a background that lacks is put first. Raises `UsageError`.
    """
    wanted = [replace(c, name=valid_name(c.name)) for c in classes] or [NewClass("object")]
    folded = [folded_name(c.name) for c in wanted]
    for c, name in zip(wanted, folded, strict=True):
        if folded.count(name) > 1:
            raise UsageError(f"Two classes have the name '{c.name}'.")
        if c.color and not re.fullmatch("#[0-9A-Fa-f]{6}", c.color):
            raise UsageError(f"The colour '{c.color}' of the class '{c.name}' is not of the form #RRGGBB.")
    backgrounds = sum(c.kind is Kind.BACKGROUND for c in wanted)
    if backgrounds > 1:
        raise UsageError("A project has exactly one background class.")
    if backgrounds == 0:
        if folded_name("background") in folded:
            raise UsageError("The class 'background' must be of the kind background.")
        wanted.insert(0, NewClass("background", kind=Kind.BACKGROUND))
    return ClassTable(_numbered(wanted))


def _numbered(wanted: list[NewClass]) -> list[LabelClass]:
    made: list[LabelClass] = []
    value = 0
    for position, c in enumerate(wanted):
        if c.kind is not Kind.BACKGROUND:
            value += 1
        color = (c.color or color_for(c.kind, max(value - 1, 0))).upper()
        own = 0 if c.kind is Kind.BACKGROUND else value
        made.append(LabelClass(ClassId(position + 1), c.name, color, c.kind, own, position))
    return made


def insert_classes(db: sqlite3.Connection, table: ClassTable) -> None:
    """Write the classes of a new project and the counters from which later ones get their number and value."""
    for c in table.all:
        db.execute(
            f"INSERT INTO classes (name_key, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (folded_name(c.name), c.id, *columns_of(c).values()),
        )
    db.execute("INSERT INTO settings VALUES ('next_class', ?)", (str(max(c.id for c in table.all) + 1),))
    db.execute("INSERT INTO settings VALUES ('next_value', ?)", (str(max(c.value for c in table.all) + 1),))


def read_classes(db: sqlite3.Connection) -> ClassTable:
    """Every class ever made."""
    return ClassTable(
        LabelClass(
            ClassId(id_),
            name,
            color,
            Kind(kind),
            value,
            position,
            bool(locked),
            bool(visible),
            bool(removed),
            None if merged is None else ClassId(merged),
        )
        for id_, name, color, kind, value, position, locked, visible, removed, merged in db.execute(
            f"SELECT {_COLUMNS} FROM classes"
        )
    )


def columns_of(c: LabelClass) -> dict[str, str | int | float | bool | None]:
    """The columns of a class's row, as an edit that adds it carries them."""
    return {
        "name": c.name, "color": c.color, "kind": c.kind.value, "value": c.value, "position": c.position,
        "locked": c.locked, "visible": c.visible, "removed": c.removed, "merged_into": c.merged_into,
    }  # fmt: skip

"""The classes of a new project, and the table of an opened one."""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from segstudio.errors import UsageError
from segstudio.labels.class_names import valid_name
from segstudio.labels.class_rows import class_columns
from segstudio.labels.colors import default_color
from segstudio.labels.model import ClassId, ClassTable, Kind, LabelClass, folded_name
from segstudio.store.database.migrations import OPACITY_SINCE, schema_of
from segstudio.store.values import NewClass
from segstudio.text import _

__all__ = ["insert_classes", "new_table", "read_classes"]

_COLUMNS = "id, name, color, kind, value, position, locked, visible, removed, merged_into"


def new_table(classes: Sequence[NewClass]) -> ClassTable:
    """The class table of a new project: in the order given, with exactly one background class.

    No class at all gives background and 'object'; a missing background is put first. Raises `UsageError`.
    """
    wanted = [replace(c, name=valid_name(c.name)) for c in classes] or [NewClass("object")]
    folded = [folded_name(c.name) for c in wanted]
    for c, name in zip(wanted, folded, strict=True):
        if folded.count(name) > 1:
            raise UsageError(_("Two classes have the name '{name}'.", name=c.name))
        if c.color and not re.fullmatch("#[0-9A-Fa-f]{6}", c.color):
            raise UsageError(
                _("The colour '{color}' of the class '{name}' is not of the form #RRGGBB.", color=c.color, name=c.name)
            )
    backgrounds = sum(c.kind is Kind.BACKGROUND for c in wanted)
    if backgrounds > 1:
        raise UsageError(_("A project has exactly one background class."))
    if backgrounds == 0:
        if folded_name("background") in folded:
            raise UsageError(_("The class 'background' must be of the kind background."))
        wanted.insert(0, NewClass("background", kind=Kind.BACKGROUND))
    return ClassTable(_numbered(wanted))


def _numbered(wanted: list[NewClass]) -> list[LabelClass]:
    made: list[LabelClass] = []
    taken = [c.color for c in wanted if c.color]
    values = count(1)
    for position, c in enumerate(wanted):
        color = c.color or default_color(c.kind, taken)
        taken.append(color)
        value = 0 if c.kind is Kind.BACKGROUND else next(values)
        made.append(LabelClass(ClassId(position + 1), c.name, color, c.kind, value, position))
    return made


def insert_classes(db: sqlite3.Connection, table: ClassTable) -> None:
    """Write the classes of a new project and the counters from which later ones get their number and value."""
    for c in table.all:
        columns = {"name_key": folded_name(c.name), "id": c.id, **class_columns(c)}
        del columns["opacity"]  # a new class has that of its column
        db.execute(
            f"INSERT INTO classes ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
            tuple(columns.values()),
        )
    db.execute("INSERT INTO settings VALUES ('next_class', ?)", (str(max(c.id for c in table.all) + 1),))
    db.execute("INSERT INTO settings VALUES ('next_value', ?)", (str(max(c.value for c in table.all) + 1),))


def read_classes(db: sqlite3.Connection) -> ClassTable:
    """Every class ever made."""
    opacity = "opacity" if schema_of(db) >= OPACITY_SINCE else "1.0"
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
            shown,
        )
        for id_, name, color, kind, value, position, locked, visible, removed, merged, shown in db.execute(
            f"SELECT {_COLUMNS}, {opacity} FROM classes"
        )
    )

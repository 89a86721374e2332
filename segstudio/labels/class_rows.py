"""Classes as rows of an edit, and rows back into the class table."""

from dataclasses import replace

from segstudio.labels.edit import Columns, RowChange, Table
from segstudio.labels.model import ClassId, ClassTable, Kind, LabelClass, folded_name

__all__ = ["apply_class_row", "changed_class_row", "class_columns", "class_rows_between", "new_class_row"]


def class_columns(c: LabelClass) -> Columns:
    """Every column of a class but its id."""
    return {
        "name": c.name,
        "color": c.color,
        "kind": c.kind.value,
        "value": c.value,
        "position": c.position,
        "locked": c.locked,
        "visible": c.visible,
        "removed": c.removed,
        "merged_into": c.merged_into,
        "opacity": c.opacity,
    }


def new_class_row(c: LabelClass) -> RowChange:
    """The row that makes a class."""
    return RowChange(Table.CLASSES, c.id, None, class_columns(c))


def changed_class_row(c: LabelClass, **columns: str | float | bool | None) -> RowChange:
    """The row that changes some columns of a class."""
    now = class_columns(c)
    return RowChange(Table.CLASSES, c.id, {name: now[name] for name in columns}, columns)


def apply_class_row(classes: ClassTable, row: RowChange) -> ClassTable:
    """The table after a row's change; a row of another table changes nothing."""
    if row.table is not Table.CLASSES:
        return classes
    id_ = ClassId(row.key)
    if row.after is None:
        return ClassTable(c for c in classes.all if c.id != id_)
    columns = dict(class_columns(classes[id_])) if id_ in classes else {}
    columns.update(row.after)
    merged, opacity = columns.get("merged_into"), columns.get("opacity")
    return classes.with_class(
        LabelClass(
            id=id_,
            name=str(columns["name"]),
            color=str(columns["color"]),
            kind=Kind(str(columns["kind"])),
            value=int(columns["value"] or 0),
            position=int(columns["position"] or 0),
            locked=bool(columns.get("locked")),
            visible=bool(columns.get("visible", True)),
            removed=bool(columns.get("removed")),
            merged_into=None if merged is None else ClassId(int(merged)),
            opacity=1.0 if opacity is None else float(opacity),
        )
    )


def class_rows_between(now: ClassTable, then: ClassTable) -> tuple[RowChange, ...]:
    """Rows that lead from one table to the other, in steps of which each leaves names unique and merges valid.

    A class missing from `then` goes out of use: classes are never deleted. First every class that changes its name, or
    comes into or out of use, is taken out of use; then each gets what it is to have.
    """
    wanted = {c.id: c for c in then.all}
    for c in now.all:
        if c.id not in wanted:
            wanted[c.id] = c if c.removed or c.merged_into is not None else replace(c, removed=True)
    first: list[RowChange] = []
    second: list[RowChange] = []
    for id_ in sorted(wanted):
        between = _between(now.get(id_), wanted[id_])
        if id_ not in now:
            first.append(new_class_row(between))
        else:
            first += _changes(now[id_], between)
        second += _changes(between, wanted[id_])
    return (*first, *second)


def _between(now: LabelClass | None, then: LabelClass) -> LabelClass:
    """The class in a form that collides with no other."""
    if now is None:
        return replace(then, removed=True, merged_into=None)
    moves = folded_name(now.name) != folded_name(then.name) or _used(now) != _used(then)
    return replace(now, removed=True) if moves else now


def _used(c: LabelClass) -> bool:
    return not c.removed and c.merged_into is None


def _changes(old: LabelClass, new: LabelClass) -> list[RowChange]:
    was, will = class_columns(old), class_columns(new)
    changed = [name for name, value in will.items() if was[name] != value]
    if not changed:
        return []
    before, after = ({name: side[name] for name in changed} for side in (was, will))
    return [RowChange(Table.CLASSES, old.id, before, after)]

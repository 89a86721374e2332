"""Classes as rows of an edit, and rows back into the class table."""

from segstudio.labels.edit import Columns, RowChange, Table
from segstudio.labels.model import ClassId, ClassTable, Kind, LabelClass

__all__ = ["apply_class_row", "changed_class_row", "class_columns", "new_class_row"]


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
    }


def new_class_row(c: LabelClass) -> RowChange:
    """The row that makes a class."""
    return RowChange(Table.CLASSES, c.id, None, class_columns(c))


def changed_class_row(c: LabelClass, **columns: str | int | bool | None) -> RowChange:
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
    merged = columns.get("merged_into")
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
        )
    )

"""The list of classes changed by a command: all its changes in one edit, or none.

Classes are never deleted: one that is removed or merged away keeps its value, its row and its pixels.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from segstudio.errors import DiskRefused, UsageError, UserError
from segstudio.labels.class_names import valid_name
from segstudio.labels.class_rows import class_rows_between
from segstudio.labels.colors import default_color
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ClassId, ClassTable, Kind, LabelClass, Seq
from segstudio.labels.user import user_name
from segstudio.store.project import Project
from segstudio.tasks.images.new import parsed_classes
from segstudio.text import _

__all__ = [
    "AddClass",
    "ChangeKind",
    "ClassChange",
    "ClassesReport",
    "MergeClass",
    "Recolour",
    "RemoveClass",
    "RenameClass",
    "change_classes",
    "changed_classes",
    "classes_edit",
    "listed_classes",
    "parsed_change",
]


@dataclass(frozen=True, slots=True)
class AddClass:
    """Make a class at the end of the list; without a colour it gets one that is easy to distinguish from the others."""

    name: str
    color: str = ""
    kind: Kind = Kind.SEMANTIC


@dataclass(frozen=True, slots=True)
class RenameClass:
    """Give a class another name."""

    name: str
    new_name: str


@dataclass(frozen=True, slots=True)
class Recolour:
    """Give a class another colour `#RRGGBB`."""

    name: str
    color: str


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """Give a class another kind, while it has no pixel."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class MergeClass:
    """Make a class count as another one from now on."""

    name: str
    into: str


@dataclass(frozen=True, slots=True)
class RemoveClass:
    """Take a class out of use; its pixels stay stored and count as nothing."""

    name: str


ClassChange = AddClass | RenameClass | Recolour | ChangeKind | MergeClass | RemoveClass


@dataclass(frozen=True, slots=True)
class ClassesReport:
    """The classes as they are now, the known pixels of each, and the number of the last edit.

    `changed` says whether there was anything to do.
    """

    classes: ClassTable
    pixels: Mapping[ClassId, int]
    last_edit: Seq
    changed: bool = False


def parsed_change(option: str, text: str) -> ClassChange:
    """The change of an option of `segstudio classes`, such as 'rename' and `OLD=NEW`. Raises `UsageError`."""
    if option == "add":
        made = parsed_classes([text])[0]
        return AddClass(made.name, made.color, made.kind)
    if option == "remove":
        return RemoveClass(text)
    name, mark, value = text.partition("=")
    if not mark or not name.strip() or not value.strip():
        raise UsageError(
            _(
                "'{text}' is not of the form {forms}, which --{option} needs.",
                text=text,
                forms=_FORMS[option],
                option=option,
            )
        )
    if option == "rename":
        return RenameClass(name, valid_name(value))
    if option == "merge":
        return MergeClass(name, value)
    if option == "colour":
        return Recolour(name, _checked_color(value.strip()))
    if value.strip() not in list(Kind):
        raise UsageError(
            _("'{kind}' is not a kind of class; choose one of {kinds}.", kind=value.strip(), kinds=", ".join(Kind))
        )
    return ChangeKind(name, Kind(value.strip()))


_FORMS = {"rename": "OLD=NEW", "merge": "OLD=NEW", "colour": "NAME=#RRGGBB", "kind": "NAME=KIND"}


def _checked_color(color: str) -> str:
    if not re.fullmatch("#[0-9A-Fa-f]{6}", color):
        raise UsageError(_("'{color}' is not a colour of the form #RRGGBB.", color=color))
    return color


def listed_classes(project: Project) -> ClassesReport:
    """The classes as they are. Reads only."""
    table = project.classes()
    pixels: dict[ClassId, int] = {}
    for class_id, count in project.class_pixels().items():
        counts_as = table.effective(class_id)
        if counts_as is not None:
            pixels[counts_as.id] = pixels.get(counts_as.id, 0) + count
    return ClassesReport(table, pixels, project.last_seq())


def change_classes(project: Project, changes: Sequence[ClassChange]) -> ClassesReport:
    """Make changes in their order, all in one edit; none where nothing changes.

    Raises `UserError`, which names the class, where one of them cannot be made, `ReadOnly`, `DiskRefused`; then
    nothing has changed.
    """
    writer = project.writing()
    now = project.classes()
    then = changed_classes(now, changes, project.next_class(), project.classes_with_pixels())
    edit = classes_edit(now, then)
    if edit is None:
        return listed_classes(project)
    try:
        writer.write_all([edit]).result()
    except DiskRefused as error:
        raise DiskRefused(error.sentence, safe=_("No class was changed."), todo=error.todo) from error
    return replace(listed_classes(project), changed=True)


def classes_edit(now: ClassTable, then: ClassTable) -> Edit | None:
    """The edit that turns one table into the other; None where they are the same."""
    rows = class_rows_between(now, then)
    return Edit(None, Cause.CLASSES, rows=rows, tool="classes", author=user_name()) if rows else None


def changed_classes(
    table: ClassTable, changes: Sequence[ClassChange], next_class: tuple[ClassId, int], used: frozenset[ClassId]
) -> ClassTable:
    """The classes after changes made in their order; `next_class` is the next free id and value, and `used` are the
    classes that have a pixel. Raises `UserError`."""
    id_, value = int(next_class[0]), next_class[1]
    for change in changes:
        match change:
            case AddClass():
                table = _added(table, change, ClassId(id_), value)
                id_, value = id_ + 1, value + 1
            case RenameClass(name, new_name):
                table = _renamed(table, _named(table, name), new_name)
            case Recolour(name, color):
                table = table.with_class(replace(_named(table, name), color=_checked_color(color)))
            case ChangeKind(name, kind):
                table = _of_kind(table, _named(table, name), kind, used)
            case MergeClass(name, into):
                table = _merged(table, _named(table, name), _named(table, into), used)
            case RemoveClass(name):
                table = _removed(table, _named(table, name))
    return table


def _named(table: ClassTable, name: str) -> LabelClass:
    found = table.named(name)
    if found is None:
        raise UserError(
            _(
                "The project has no class '{name}'; it has {names}.",
                name=name.strip(),
                names=", ".join(c.name for c in table),
            )
        )
    return found


def _added(table: ClassTable, wanted: AddClass, id_: ClassId, value: int) -> ClassTable:
    name = _free_name(table, wanted.name)
    if wanted.kind is Kind.BACKGROUND:
        raise UserError(_("'{name}' cannot be a second background: a project has exactly one.", name=name))
    color = wanted.color or default_color(wanted.kind, [c.color for c in table.all])
    position = max(c.position for c in table.all) + 1
    return table.with_class(LabelClass(id_, name, _checked_color(color), wanted.kind, value, position))


def _free_name(table: ClassTable, name: str, besides: LabelClass | None = None) -> str:
    name = valid_name(name)
    found = table.named(name)
    if found is not None and (besides is None or found.id != besides.id):
        todo = _("To merge the two: --merge '{old}={new}'.", old=besides.name, new=found.name) if besides else ""
        raise UserError(_("There is already a class '{name}'.", name=found.name), todo=todo)
    return name


def _renamed(table: ClassTable, found: LabelClass, new_name: str) -> ClassTable:
    return table.with_class(replace(found, name=_free_name(table, new_name, found)))


def _of_kind(table: ClassTable, found: LabelClass, kind: Kind, used: frozenset[ClassId]) -> ClassTable:
    if found.kind is kind:
        return table
    if Kind.BACKGROUND in (found.kind, kind):
        raise UserError(
            _(
                "The kind of '{name}' cannot be changed to {kind}: a project has exactly one background "
                "class, '{background}'.",
                name=found.name,
                kind=kind,
                background=table.background.name,
            )
        )
    if _has_pixels(table, found, used):
        raise UserError(
            _("The kind of '{name}' can change only while no pixel has this class.", name=found.name),
            todo=_("Add a class of the other kind instead."),
        )
    return table.with_class(replace(found, kind=kind))


def _merged(table: ClassTable, found: LabelClass, into: LabelClass, used: frozenset[ClassId]) -> ClassTable:
    if found.id == into.id:
        raise UserError(_("'{name}' cannot be merged into itself.", name=found.name))
    if found.kind is Kind.BACKGROUND:
        raise UserError(
            _("The background class '{name}' cannot be merged away: every project has one.", name=found.name)
        )
    if found.one_object and not into.one_object and _has_pixels(table, found, used):
        raise UserError(
            _(
                "'{name}' cannot be merged into '{into}': it has no single objects, so everything in an image "
                "would become one object.",
                name=found.name,
                into=into.name,
            )
        )
    return table.with_class(replace(found, merged_into=into.id))


def _removed(table: ClassTable, found: LabelClass) -> ClassTable:
    if found.kind is Kind.BACKGROUND:
        raise UserError(_("The background class '{name}' cannot be removed: every project has one.", name=found.name))
    return table.with_class(replace(found, removed=True))


def _has_pixels(table: ClassTable, found: LabelClass, used: frozenset[ClassId]) -> bool:
    """Whether a pixel counts as this class, those of classes merged into it included."""
    return any((today := table.effective(c)) is not None and today.id == found.id for c in used if c in table)

"""The classes of a merged project: the first project's, with what the second one changed alone or has alone.

Pure functions of class tables. Copies share classes by id; all else is one class where the name is (NFC, without case),
and the background is the background whatever its name. The table is decided first, and the pixels of both sides
are then read through it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from segstudio.errors import UserError
from segstudio.labels.class_rows import apply_class_row, changed_class_row, new_class_row
from segstudio.labels.colors import next_color
from segstudio.labels.edit import RowChange
from segstudio.labels.model import ClassId, ClassTable, Kind, LabelClass
from segstudio.text import N_, _

__all__ = ["MergedClasses", "SideClasses", "merged_classes"]

_USE_CHANGED = N_("The use of the class '{name}' was changed in both projects: that of '{project}' stays.")
_NAME_CHANGED = N_("The name of the class '{name}' was changed in both projects: that of '{project}' stays.")

_State = tuple[bool, ClassId | None]


@dataclass(frozen=True, slots=True)
class SideClasses:
    """One project's classes: its name for sentences, its table, and the classes that have a pixel in it.

    `painted` are those that it has painted with since the last common edit, of those that the other copy has given up.
    """

    name: str
    table: ClassTable
    used: frozenset[ClassId]
    painted: frozenset[ClassId] = frozenset()

    def uses(self, id_: ClassId) -> bool:
        """Whether a pixel counts as this class."""
        return any((found := self.table.effective(c)) is not None and found.id == id_ for c in self.used)


@dataclass(frozen=True, slots=True)
class MergedClasses:
    """The table of C, the rows that make it of A's, what each class of B is in C, and sentences about what A kept."""

    table: ClassTable
    rows: tuple[RowChange, ...]
    of_b: Mapping[ClassId, ClassId]
    notes: tuple[str, ...]

    def effective_b(self, id_: ClassId) -> LabelClass | None:
        """What a class of B counts as in C; None where it is removed."""
        found = self.of_b.get(id_)
        return None if found is None else self.table.effective(found)


def merged_classes(
    a: SideClasses, b: SideClasses, base: ClassTable | None, next_id: ClassId, next_value: int
) -> MergedClasses:
    """Decide the classes of C; `base` are those of the last common edit, None where the projects are not copies.

    Raises `UserError` where a class has pixels on both sides and is of two kinds.
    """
    merge = _Merge(a, b, base, next_id, next_value)
    merge.take_states()
    merge.take_names_and_colors()
    merge.match_the_rest()
    merge.finish_states()
    for c in b.table.all:
        found = b.table.effective(c.id)
        if c.id not in merge.of_b and found is not None:
            merge.of_b[c.id] = merge.of_b[found.id]
    return MergedClasses(merge.table, tuple(merge.rows), merge.of_b, tuple(merge.notes))


@dataclass(slots=True)
class _Merge:
    a: SideClasses
    b: SideClasses
    base: ClassTable | None
    next_id: int
    next_value: int
    table: ClassTable = field(init=False)
    rows: list[RowChange] = field(default_factory=list[RowChange])
    of_b: dict[ClassId, ClassId] = field(default_factory=dict[ClassId, ClassId])
    notes: list[str] = field(default_factory=list[str])
    waiting: list[tuple[ClassId, ClassId]] = field(default_factory=list[tuple[ClassId, ClassId]])

    def __post_init__(self) -> None:
        self.table = self.a.table
        for c in () if self.base is None else self.base.all:
            if c.id in self.a.table and c.id in self.b.table:
                self.of_b[c.id] = c.id

    def _shared(self) -> list[tuple[LabelClass, LabelClass, LabelClass]]:
        """The classes that both copies have from their common past: then, in A, in B."""
        if self.base is None:
            return []
        return [(c, self.a.table[c.id], self.b.table[c.id]) for c in self.base.all if c.id in self.of_b]

    def _row(self, row: RowChange) -> None:
        self.rows.append(row)
        self.table = apply_class_row(self.table, row)

    def _set(self, id_: ClassId, **columns: str | float | bool | None) -> None:
        self._row(changed_class_row(self.table[id_], **columns))

    def _kept(self, sentence: str, c: LabelClass) -> None:
        self.notes.append(_(sentence, name=c.name, project=self.a.name))

    # --- removed or merged into another, on one side alone

    def take_states(self) -> None:
        """Take a class out of use, or into it, where B alone did so; first of all, since it frees names."""
        for then, in_a, in_b in self._shared():
            if _state(in_a) == _state(in_b):
                continue
            if in_a.id in self.a.painted:
                self._still_used(in_a, in_b, self.b.name, self.a.name)
                continue
            if _state(in_b) == _state(then):
                if in_b.id in self.b.painted:
                    self._use_again(in_a)
                    self._still_used(in_b, in_a, self.a.name, self.b.name)
                continue
            if _state(in_a) != _state(then) or not self._take_state(in_b):
                self._kept(_USE_CHANGED, in_a)

    def _still_used(self, c: LabelClass, given_up: LabelClass, by: str, painted: str) -> None:
        values = {"name": c.name, "by": by, "painted": painted}
        self.notes.append(
            _(
                "The class '{name}' was removed in '{by}', but '{painted}' has painted with it since: it stays in use.",
                **values,
            )
            if given_up.removed
            else _(
                "The class '{name}' was merged into another in '{by}', but '{painted}' has painted with it since: it "
                "stays in use.",
                **values,
            )
        )

    def _use_again(self, c: LabelClass) -> None:
        """Put a class that A has given up into use; under another name where A has given its name away."""
        number, name = 1, c.name
        while self.table.named(name) is not None:
            number += 1
            name = f"{c.name} ({number})"
        self._set(c.id, removed=False, merged_into=None, name=name)

    def _take_state(self, c: LabelClass) -> bool:
        """Give a class the state it has in B; False where that cannot be."""
        if not c.removed and c.merged_into is None:
            if self.table.named(self.table[c.id].name) is not None:
                return False
            self._set(c.id, removed=False, merged_into=None)
            return True
        if c.merged_into is None or c.removed:
            self._set(c.id, removed=True, merged_into=None)
            return True
        if c.merged_into not in self.of_b:
            # Into a class that only B has: out of use until that is made, so that its name is free.
            self._set(c.id, removed=True)
            self.waiting.append((c.id, c.merged_into))
            return True
        if self._leads_to(c.merged_into, c.id):
            return False
        self._set(c.id, removed=False, merged_into=c.merged_into)
        return True

    def _leads_to(self, start: ClassId, end: ClassId) -> bool:
        at: ClassId | None = start
        while at is not None and at != end:
            at = self.table[at].merged_into
        return at == end

    def finish_states(self) -> None:
        """Merge classes into those that were made meanwhile."""
        for id_, target in self.waiting:
            into = self.of_b.get(target)
            counted = self.b.table.effective(target)
            into = self.of_b.get(counted.id) if into is None and counted is not None else into
            if into is not None and not self._leads_to(into, id_):
                self._set(id_, removed=False, merged_into=into)

    # --- names, colours, opacities, kinds

    def take_names_and_colors(self) -> None:
        """Take a name, a colour or an opacity that B alone changed; what both changed stays as in A."""
        renamed: list[LabelClass] = []
        for then, in_a, in_b in self._shared():
            self._settle_kind(self.table[in_a.id], in_b, then)
            if in_b.color not in (then.color, in_a.color) and in_a.color == then.color:
                self._set(in_a.id, color=in_b.color)
            if in_b.opacity not in (then.opacity, in_a.opacity) and in_a.opacity == then.opacity:
                self._set(in_a.id, opacity=in_b.opacity)
            if in_b.name in (then.name, in_a.name):
                continue
            if in_a.name != then.name:
                self._kept(_NAME_CHANGED, in_a)
            else:
                renamed.append(in_b)
        while free := [c for c in renamed if self._is_free(c)]:
            for c in free:
                if self._is_free(c):
                    self._set(c.id, name=c.name)
            renamed = [c for c in renamed if self.table[c.id].name != c.name]
        for c in renamed:
            old = self.table[c.id].name
            self.notes.append(
                _(
                    "The class '{name}' keeps its name: it is '{other}' in '{project}', but that name is taken.",
                    name=old,
                    other=c.name,
                    project=self.b.name,
                )
            )

    def _is_free(self, c: LabelClass) -> bool:
        found = self.table.named(c.name)
        return found is None or found.id == c.id

    def _settle_kind(self, in_c: LabelClass, in_b: LabelClass, then: LabelClass | None) -> None:
        """One kind for what is one class. Raises `UserError` where pixels of both kinds are there."""
        if in_c.kind is in_b.kind:
            return
        in_a_used, in_b_used = self.a.uses(in_c.id), self.b.uses(in_b.id)
        fixed = in_a_used or Kind.BACKGROUND in (in_c.kind, in_b.kind)
        if in_b_used and fixed:
            raise UserError(
                _(
                    "The class '{name}' has the kind {kind_a} in '{a}' and the kind {kind_b} in '{b}', so the projects "
                    "cannot be merged.",
                    name=in_c.name,
                    kind_a=in_c.kind,
                    a=self.a.name,
                    kind_b=in_b.kind,
                    b=self.b.name,
                ),
                safe=_("Both are unchanged."),
                todo=_("Give the class another name in one of them."),
            )
        if not fixed and (in_b_used or (then is not None and then.kind is in_c.kind)):
            self._set(in_c.id, kind=in_b.kind.value)

    # --- classes of B alone

    def match_the_rest(self) -> None:
        """Find B's other classes in use by name, and make those missing in C, with the next values."""
        for c in self.b.table:
            if c.id in self.of_b:
                continue
            found = self.table.background if c.kind is Kind.BACKGROUND else self.table.named(c.name)
            if found is None:
                self.of_b[c.id] = self._make(c)
            else:
                self._settle_kind(found, c, None)
                self.of_b[c.id] = found.id

    def _make(self, c: LabelClass) -> ClassId:
        taken = [other.color for other in self.table.all]
        color = next_color(taken) if c.color in taken else c.color
        position = max(other.position for other in self.table.all) + 1
        made = LabelClass(ClassId(self.next_id), c.name, color, c.kind, self.next_value, position, opacity=c.opacity)
        self._row(new_class_row(made))
        self.next_id += 1
        self.next_value += 1
        return made.id


def _state(c: LabelClass) -> _State:
    return c.removed, c.merged_into

"""The owner of the class list: makes project-wide edits of class rows."""

import re
from collections.abc import Callable, Generator
from concurrent.futures import wait

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Job
from segstudio.errors import UserError
from segstudio.labels.class_names import valid_name
from segstudio.labels.class_rows import changed_class_row, new_class_row
from segstudio.labels.colors import next_color
from segstudio.labels.edit import Edit, RowChange
from segstudio.labels.model import Cause, ClassId, Kind, LabelClass
from segstudio.text import _, count

__all__ = ["Classes", "removed_words"]


_AT_ONCE_S = 0.03
_SAVED_WITHIN_S = 2.0


class Classes:
    """Add, rename, change, move, merge and remove classes, each as one undoable edit."""

    def __init__(self, ground: Ground, documents: Documents) -> None:
        self._project, self._main, self._notices = ground.project, ground.main, ground.notices
        self._documents = documents
        self._counts: list[Job[None, tuple[int, int]]] = []

    def wait(self, timeout_s: float) -> None:
        """Wait for what is being counted."""
        for job in list(self._counts):
            job.wait(timeout_s)

    def add(self, name: str, color: str | None = None, kind: Kind = Kind.SEMANTIC) -> None:
        """Make a class with the next value that was never used, and choose it to paint with."""
        name = self._free_name(name)
        if kind is Kind.BACKGROUND:
            raise UserError(_("A project has exactly one background class, and this project already has it."))
        table = self._documents.classes
        id_, value = self._documents.choice.next
        made = LabelClass(
            id=id_,
            name=name,
            color=_checked_color(color) if color else next_color([c.color for c in table.all]),
            kind=kind,
            value=value,
            position=max(c.position for c in table.all) + 1,
        )
        self._commit(new_class_row(made))
        self._documents.class_id = id_

    def rename(self, name: str, new_name: str) -> None:
        """Give a class another name."""
        found = self._find(name)
        new_name = self._free_name(new_name, besides=found.id)
        if new_name != found.name:
            self._commit(changed_class_row(found, name=new_name))

    def change(self, name: str, **columns: str | float | bool) -> None:
        """Change colour, opacity (0 to 1), lock, visibility or, while it has no pixel, kind."""
        found = self._find(name)
        if unknown := set(columns) - {"color", "opacity", "locked", "visible", "kind"}:
            raise TypeError(f"no such column: {', '.join(sorted(unknown))}")
        if "opacity" in columns:
            columns["opacity"] = _checked_opacity(float(columns["opacity"]))
        if "color" in columns:
            columns["color"] = _checked_color(str(columns["color"]))
        changed = {key: value for key, value in columns.items() if getattr(found, key) != value}
        if "kind" in changed:
            self._change_kind(found, changed)
        elif changed:
            self._commit(changed_class_row(found, **changed))

    def move(self, name: str, place: int) -> None:
        """Put a class at a place of the list, counted from 0; one beyond its end is the last."""
        found = self._find(name)
        others = [c for c in self._documents.classes if c.id != found.id]
        place = min(max(place, 0), len(others))
        order = [*others[:place], found, *others[place:]]
        rows = [changed_class_row(c, position=at) for at, c in enumerate(order) if c.position != at]
        if [c.id for c in order] != [c.id for c in self._documents.classes]:
            self._commit(*rows)

    def merge(self, name: str, into: str) -> None:
        """Make a class count as another one from now on. Raises `UserError` where that cannot be.

        A class without single objects that has pixels cannot become one that has them: that is known when the disk has
        answered, and then said in passing.
        """
        found, other = self._find(name), self._find(into)
        if found.id == other.id:
            raise UserError(_("'{name}' cannot be merged into itself.", name=found.name))
        if found.kind is Kind.BACKGROUND:
            raise UserError(
                _("The background class '{name}' cannot be merged away: every project has one.", name=found.name)
            )

        def merged() -> None:
            if self._documents.classes.get(found.id) == found:
                self._commit(changed_class_row(found, merged_into=other.id))
                self._notices.say(
                    _("'{name}' now counts as '{into}'. Undo takes it back.", name=found.name, into=other.name)
                )

        if not found.one_object or other.one_object:
            merged()
            return
        refused = _(
            "'{name}' cannot be merged into '{into}': it has no single objects, so everything in an image would become "
            "one object.",
            name=found.name,
            into=other.name,
        )
        self._when_unpainted(self._counting_as(found), merged, refused)

    def count_use(self, name: str, then: Callable[[int, int], None]) -> None:
        """Count, on a thread, in how many images a class has pixels, and how many; `then` is called with both."""
        self._count(self._counting_as(self._find(name)), then)

    def _change_kind(self, found: LabelClass, changed: dict[str, str | float | bool]) -> None:
        """Change it once it is known that no pixel has the class: at once, or when a slow disk has answered."""

        def change() -> None:
            now = self._documents.classes.get(found.id)
            if now is not None:
                self._commit(changed_class_row(now, **changed))

        refused = _("The kind of '{name}' can change only while no pixel has this class.", name=found.name)
        self._when_unpainted([found.id], change, refused)

    def _when_unpainted(self, ids: list[ClassId], call: Callable[[], None], refused: str) -> None:
        """Call once it is known that no pixel has these classes. Raises `UserError` with `refused` where one has.

        While the disk refuses waiting edits this is unknown, which counts as a pixel; while one is computed it is
        refused for that reason.
        """
        self._documents.commit_gesture()
        before = self._documents.submitted

        def counted(_writer: object) -> int:
            pixels = self._project.class_pixels(removed=True)
            return sum(pixels.get(id_, 0) for id_ in ids)

        # On the writer's thread: after every edit that waits, however long the disk takes.
        asked = self._project.writing().call(counted)

        def answered() -> None:
            painted = asked.exception() is not None or asked.result() > 0
            if not painted and self._documents.computing():
                raise UserError(_("Something is still being computed. Try again in a moment."))
            if painted or self._documents.submitted != before:
                raise UserError(refused)
            call()

        if wait([asked], _AT_ONCE_S).done:
            answered()
        else:
            asked.add_done_callback(lambda _: self._documents.main.post(answered))

    def remove(self, name: str) -> None:
        """Take a class out of use; a notice tells how much was labelled with it, once that is counted."""
        found = self._find(name)
        if found.kind is Kind.BACKGROUND:
            raise UserError(_("The background class cannot be removed: every project has one."))
        counted = self._counting_as(found)
        self._commit(changed_class_row(found, removed=True))
        # What was painted with it before may still be computed.
        self._documents.after(
            lambda: self._count(counted, lambda *use: self._notices.say(removed_words(found.name, *use)))
        )

    def _counting_as(self, found: LabelClass) -> list[ClassId]:
        """The classes that count as this one today, itself among them."""
        table = self._documents.classes
        return [c.id for c in table.all if (today := table.effective(c.id)) is not None and today.id == found.id]

    def _count(self, counted: list[ClassId], then: Callable[[int, int], None]) -> None:
        def counting() -> Generator[None, None, tuple[int, int]]:
            if self._project.writer is not None:
                self._project.writer.flush(_SAVED_WITHIN_S)
            yield
            return self._project.class_use(counted)

        def told(use: tuple[int, int]) -> None:
            self._counts.remove(job)
            then(*use)

        def failed(error: BaseException) -> None:
            self._counts.remove(job)
            if not isinstance(error, UserError):
                raise error
            self._notices.say(error.line)

        job: Job[None, tuple[int, int]] = Job(
            "count",
            counting(),
            self._main,
            on_value=lambda _: None,
            on_done=told,
            on_failed=failed,
            on_cancelled=lambda: self._counts.remove(job),
        )
        self._counts.append(job)
        job.start()

    def _find(self, name: str) -> LabelClass:
        found = self._documents.classes.named(name)
        if found is None:
            raise UserError(_("There is no class '{name}' in this project.", name=name))
        return found

    def _free_name(self, name: str, besides: ClassId | None = None) -> str:
        """The name as it is stored. Raises `UserError` where it is not allowed or another class has it."""
        name = valid_name(name)
        found = self._documents.classes.named(name)
        if found is not None and found.id != besides:
            raise UserError(_("There is already a class '{name}'.", name=found.name))
        return name

    def _commit(self, *rows: RowChange) -> None:
        self._documents.commit_gesture()
        edit = Edit(None, Cause.CLASSES, rows=rows, tool="classes", author=self._documents.author)
        self._documents.commit_classes(edit)


def removed_words(name: str, images: int, pixels: int) -> str:
    """What the removal of a class means for the pixels labelled with it."""
    if not pixels:
        return _("The class '{name}' was removed; nothing was labelled with it. Undo brings it back.", name=name)
    where = count(images, "{n} image", "{n} images")
    return count(
        pixels,
        "The class '{name}' was removed: 1 pixel in {images} now counts as unlabelled. Undo brings it back.",
        "The class '{name}' was removed: {n} pixels in {images} now count as unlabelled. Undo brings them back.",
        name=name,
        images=where,
    )


def _checked_opacity(opacity: float) -> float:
    if not 0 <= opacity <= 1:
        raise UserError(_("The opacity of a class is 0 to 1, not {opacity}.", opacity=opacity))
    return opacity


def _checked_color(color: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise UserError(_("'{color}' is not a colour of the form #RRGGBB.", color=color))
    return color

"""The owner of the class list: makes project-wide edits of class rows."""

import re
from collections.abc import Generator
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
    """Add, rename, change and remove classes, each as one undoable edit."""

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

    def change(self, name: str, **columns: str | bool) -> None:
        """Change colour, lock, visibility or, while it has no pixel, kind."""
        found = self._find(name)
        if unknown := set(columns) - {"color", "locked", "visible", "kind"}:
            raise TypeError(f"no such column: {', '.join(sorted(unknown))}")
        if "color" in columns:
            columns["color"] = _checked_color(str(columns["color"]))
        changed = {key: value for key, value in columns.items() if getattr(found, key) != value}
        if "kind" in changed:
            self._change_kind(found, changed)
        elif changed:
            self._commit(changed_class_row(found, **changed))

    def _change_kind(self, found: LabelClass, changed: dict[str, str | bool]) -> None:
        """Change it once it is known that no pixel has the class: at once, or when a slow disk has answered.

        While the disk refuses waiting edits this is unknown, which counts as a pixel.
        """
        self._documents.commit_gesture()
        before = self._documents.submitted
        # On the writer's thread: after every edit that waits, however long the disk takes.
        asked = self._project.writing().call(lambda _: self._project.class_pixels(removed=True).get(found.id, 0))

        def answered() -> None:
            now = self._documents.classes.get(found.id)
            painted = asked.exception() is not None or asked.result() > 0
            if painted or self._documents.submitted != before:
                raise UserError(
                    _("The kind of '{name}' can change only while no pixel has this class.", name=found.name)
                )
            if now is not None:
                self._commit(changed_class_row(now, **changed))

        if wait([asked], _AT_ONCE_S).done:
            answered()
        else:
            asked.add_done_callback(lambda _: self._documents.main.post(answered))

    def remove(self, name: str) -> None:
        """Take a class out of use; a notice tells how much was labelled with it, once that is counted."""
        found = self._find(name)
        if found.kind is Kind.BACKGROUND:
            raise UserError(_("The background class cannot be removed: every project has one."))
        table = self._documents.classes
        counted = [c.id for c in table.all if (today := table.effective(c.id)) is not None and today.id == found.id]
        self._commit(changed_class_row(found, removed=True))
        self._tell_removed(found.name, counted)

    def _tell_removed(self, name: str, counted: list[ClassId]) -> None:
        def counting() -> Generator[None, None, tuple[int, int]]:
            if self._project.writer is not None:
                self._project.writer.flush(_SAVED_WITHIN_S)
            yield
            return self._project.class_use(counted)

        def told(use: tuple[int, int]) -> None:
            self._counts.remove(job)
            self._notices.say(removed_words(name, *use))

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

    def _commit(self, row: RowChange) -> None:
        self._documents.commit_gesture()
        edit = Edit(None, Cause.CLASSES, rows=(row,), tool="classes", author=self._documents.author)
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


def _checked_color(color: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise UserError(_("'{color}' is not a colour of the form #RRGGBB.", color=color))
    return color

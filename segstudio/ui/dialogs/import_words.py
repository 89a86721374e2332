"""What a dry run found, in sentences, and the words of the page's buttons."""

from collections.abc import Sequence

from segstudio.app.importing import ImportFormat, ImportPreview
from segstudio.text import _, count

__all__ = ["are_masks", "button_words", "missing_words", "notes_of", "summary_of"]

_NAMED = 5


def summary_of(preview: ImportPreview) -> str:
    """How many images would get labels, and how many files match none."""
    images = len({plane.path for plane in preview.planes})
    words = count(images, "Matches 1 image", "Matches {n} images")
    lost = len(preview.skipped) + len(preview.unread)
    if lost:
        rest = count(lost, "1 file left out", "{n} files left out")
        return _("{words}; {rest}.", words=words, rest=rest)
    return _("{words}.", words=words)


def notes_of(preview: ImportPreview, labels: bool) -> list[str]:
    """What a person should know before importing: what is decided, made, left out, overwritten."""
    notes = list(preview.notes)
    if preview.new_classes:
        notes.append(
            count(
                len(preview.new_classes),
                "1 new class will be created: {names}.",
                "{n} new classes will be created: {names}.",
                names=_listed(preview.new_classes),
            )
        )
    if preview.binary:
        notes.append(
            _(
                "The masks hold only 0 and {value}, which stands for unknown here. If it is your object, choose its "
                "class above.",
                value=preview.binary_value,
            )
        )
    over = sum(plane.overwrites for plane in preview.planes)
    if labels and over:
        images = sum(plane.overwrites > 0 for plane in preview.planes)
        pixels = count(over, "1 labelled pixel", "{n} labelled pixels")
        notes.append(
            count(
                images,
                "{pixels} of 1 image would be overwritten.",
                "{pixels} of {n} images would be overwritten.",
                pixels=pixels,
            )
        )
    if labels and preview.reopens:
        notes.append(
            count(
                len(preview.reopens),
                "1 finished image would be reopened: {names}.",
                "{n} finished images would be reopened: {names}.",
                names=_listed(preview.reopens),
            )
        )
    return notes


def missing_words(missing: list[str]) -> str:
    """What a person still has to choose."""
    named = ", ".join(missing[:_NAMED]) + (" …" if len(missing) > _NAMED else "")
    return count(
        len(missing),
        "Choose what {named} means: a class, a new one, or leave it unknown.",
        "Choose what {named} mean: a class each, a new one, or leave them unknown.",
        named=named,
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")


def button_words(labels: bool) -> tuple[str, str]:
    """What Import and Cancel do: labels come in all or none, and undo takes them back; proposals come one by one."""
    if labels:
        return _("Import what the table shows; undo takes it back"), _("Stop; nothing is imported")
    return _("Import what the table shows"), _("Stop; the proposals imported so far stay")


def are_masks(formats: Sequence[ImportFormat], name: str, path: str) -> bool:
    """Whether files are masks: by the name of their format, or where that is '' by the ending of their path."""
    if name:
        return any(form.name == name and form.masks for form in formats)
    return not any(path.lower().endswith(form.extensions) for form in formats if not form.masks)

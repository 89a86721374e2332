"""Why a stroke that begins here would not do what a person expects: what is locked or hidden, in a sentence."""

from dataclasses import dataclass

from segstudio.app.editing.tools.base import Context
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.labels.model import LabelClass, Touch
from segstudio.labels.paint.policy import class_at, object_at, target_object
from segstudio.text import _

__all__ = ["Refusal", "refusal_of"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """`whole` says that the stroke cannot change a pixel anywhere, so that it is not begun."""

    sentence: str
    whole: bool = False


def refusal_of(context: Context, event: Pointer, *, erasing: bool) -> Refusal | None:
    """The sentence at a press; None where the stroke does what it seems to."""
    if event.button not in (Button.LEFT, Button.RIGHT):
        return None
    unlabels = erasing and event.button is Button.LEFT
    painted = None if unlabels else context.paint.class_of(event.button)
    if painted is not None and painted.locked:
        sentence = _("Nothing is painted: the class '{name}' is locked. Unlock it in the list.", name=painted.name)
        return Refusal(sentence, whole=True)
    if context.paint.touch is Touch.OBJECT and not context.seen.selected and not _labelled(context, event):
        return Refusal(_("Nothing changes: no object is selected, and none is here. Begin inside one."), whole=True)
    return _of_object(context, event, painted) or _under(context, event, painted)


def _of_object(context: Context, event: Pointer, painted: LabelClass | None) -> Refusal | None:
    """The object that would be extended, or every one that may be painted over, is locked."""
    document, paint = context.document, context.paint
    if painted is not None and (painted.one_object or not paint.new_object):
        extended = target_object(document, painted, event.x, event.y, paint.plane, paint.classes)
        if extended is not None and extended in document.locked:
            return Refusal(_("Nothing is painted: object {n} is locked. Unlock it first.", n=extended), whole=True)
    if paint.touch is not Touch.OBJECT:
        return None
    meant = context.seen.selected or {object_at(document, event.x, event.y, paint.plane)}
    if meant <= document.locked:
        n = min(meant)
        return Refusal(_("Nothing changes: object {n} is locked. Unlock it first.", n=n), whole=True)
    return None


def _under(context: Context, event: Pointer, painted: LabelClass | None) -> Refusal | None:
    """What the stroke begins on does not change, or what it paints is not seen."""
    document, paint = context.document, context.paint
    under = class_at(document, event.x, event.y, paint.plane, paint.classes)
    if under is not None and under.locked:
        return Refusal(_("The pixels here belong to '{name}', which is locked: they do not change.", name=under.name))
    object_id = object_at(document, event.x, event.y, paint.plane)
    if under is not None and object_id in document.locked:
        return Refusal(_("The pixels here belong to object {n}, which is locked: they do not change.", n=object_id))
    if painted is not None and not painted.visible:
        return Refusal(_("The class '{name}' is hidden: your painting is saved, but not shown.", name=painted.name))
    return None


def _labelled(context: Context, event: Pointer) -> bool:
    """Whether an object is under the pointer, whatever its class."""
    return bool(object_at(context.document, event.x, event.y, context.paint.plane))

"""Why a stroke that begins here would not do what a person expects: locked and hidden classes, in a sentence."""

from dataclasses import dataclass

from segstudio.app.editing.tools.base import Context
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.labels.model import LabelClass, Touch
from segstudio.labels.paint.policy import class_at
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
    under = _class_under(context, event)
    if under is not None and under.locked:
        return Refusal(_("The pixels here belong to '{name}', which is locked: they do not change.", name=under.name))
    if painted is not None and not painted.visible:
        return Refusal(_("The class '{name}' is hidden: your painting is saved, but not shown.", name=painted.name))
    return None


def _labelled(context: Context, event: Pointer) -> bool:
    """Whether an object is under the pointer, whatever its class."""
    from segstudio.labels.paint.policy import object_at

    return bool(object_at(context.document, event.x, event.y, context.paint.plane))


def _class_under(context: Context, event: Pointer) -> LabelClass | None:
    return class_at(context.document, event.x, event.y, context.paint.plane, context.paint.classes)

"""What the window says of Done: of an image, and of the planes of a stack."""

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from segstudio.app.values import ImageItem, Rest
from segstudio.text import _, count, elided

if TYPE_CHECKING:
    from segstudio.labels.paint.fill import Outcome

__all__ = ["Marked", "done_words", "nothing_words", "question_words"]

_NAME_LENGTH = 32


class Marked(NamedTuple):
    """What was marked done: an image as it stands in the list from then on, and these planes of it."""

    item: ImageItem
    planes: Collection[int]


def done_words(marked: Marked, rest: Rest, outcome: "Outcome") -> str:
    """What Done did and the way back."""
    item = marked.item
    if item.planes == 1:
        return _of_image(elided(item.name, _NAME_LENGTH), rest, short=outcome.short)
    said = _of_planes(_lead(marked), rest, short=outcome.short)
    if not outcome.empty:
        return said
    left = count(
        len(outcome.empty),
        "On 1 plane nothing would be labelled; it is not done.",
        "On {n} planes nothing would be labelled; they are not done.",
    )
    return " ".join((said, left))


def _of_image(name: str, rest: Rest, *, short: bool) -> str:
    """With the name: another image is on screen when it is read."""
    if rest is Rest.UNKNOWN:
        return _("Done: unlabelled pixels stay unknown.")
    if rest is Rest.BACKGROUND and short:
        return _("Done, but the background is locked: unlabelled pixels stay unknown.")
    if rest is Rest.BACKGROUND:
        return _("{name} is done: the rest became background. To reverse this, open it and undo.", name=name)
    if short:
        return _("Done, but the proposal did not cover everything: the rest stays unknown.")
    return _("{name} is done: the rest took the proposal. To reverse this, open it and undo.", name=name)


def _lead(marked: Marked) -> str:
    """'Plane 3 is done (3 of 20)', with the name of the image once it is whole: another one is shown then."""
    item, planes = marked.item, marked.planes
    told = {"name": elided(item.name, _NAME_LENGTH), "done": item.planes_done, "n": item.planes}
    if len(planes) > 1:
        return _("{done} of {n} planes of {name} are done", **told)
    told["plane"] = next(iter(planes)) + 1
    if item.planes_done == item.planes:
        return _("Plane {plane} of {name} is done ({done} of {n})", **told)
    return _("Plane {plane} is done ({done} of {n})", **told)


def _of_planes(lead: str, rest: Rest, *, short: bool) -> str:
    if rest is Rest.UNKNOWN:
        return _("{lead}: unlabelled pixels stay unknown.", lead=lead)
    if rest is Rest.BACKGROUND and short:
        return _("{lead}, but the background is locked: unlabelled pixels stay unknown.", lead=lead)
    if rest is Rest.BACKGROUND:
        return _("{lead}: unlabelled pixels became background. Undo reverses this.", lead=lead)
    if short:
        return _("{lead}, but the proposal did not cover everything: the rest stays unknown.", lead=lead)
    return _("{lead}: unlabelled pixels took the proposal. Undo reverses this.", lead=lead)


def nothing_words(planes: int, asked: Collection[int]) -> str:
    """That Done would label nothing on what it was asked for."""
    if planes == 1:
        return _("Nothing would be labelled in this image, so it was not marked done.")
    if len(asked) == 1:
        return _("Nothing would be labelled on this plane, so it was not marked done.")
    return _("Nothing would be labelled on any plane, so none was marked done.")


def question_words(planes: int, never_shown: int) -> str:
    """Whether planes that nobody has looked at are to be marked done."""
    return count(
        never_shown,
        "Mark all {planes} planes done? 1 was never shown.",
        "Mark all {planes} planes done? {n} were never shown.",
        planes=planes,
    )

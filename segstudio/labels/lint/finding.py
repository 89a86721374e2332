"""What the check of labels finds, as a value."""

from dataclasses import dataclass
from enum import StrEnum

from segstudio.geometry import Rect
from segstudio.labels.model import ClassId, ImageId, ObjectId

__all__ = ["MENDED", "MIN_AREA_PX", "NEARLY_EMPTY_PX", "Finding", "LintKind"]

MIN_AREA_PX = 9
"""Parts and holes of fewer pixels are found, unless another size is asked for."""

NEARLY_EMPTY_PX = 100
"""A class of fewer pixels in the whole project is nearly empty."""


class LintKind(StrEnum):
    """The kinds of finding, in the order in which they are listed; the values are those of `lint --json`.

    MISTAKE is what a model says (`labels.lint.mistaken`), so the command line does not find it.
    """

    MISTAKE = "mistake"
    SPECK = "speck"
    PINHOLE = "pinhole"
    TOUCHING = "touching"
    UNKNOWN_IN_DONE = "unknown-in-done"
    NEARLY_EMPTY_CLASS = "nearly-empty-class"
    UNUSED_CLASS = "unused-class"


MENDED = (LintKind.SPECK, LintKind.PINHOLE, LintKind.UNKNOWN_IN_DONE, LintKind.UNUSED_CLASS)
"""What can be mended all at once. Whether objects that touch are two, whether a class is needed, and whether a probable
mistake is one, only a person knows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`rect` is the smallest rectangle around its `pixels` pixels, on a plane of an image.

    SPECK: `object_id` has the pixels (of several the lowest id). PINHOLE: `class_id` and `object_id` are those around
    it. TOUCHING: `object_id` is the lower id of the two, the pixels are those of both with an edge in common.
    UNKNOWN_IN_DONE has neither class nor object. NEARLY_EMPTY_CLASS: the place is the first plane that has a pixel of
    it, `pixels` are those of the project. UNUSED_CLASS has no place. MISTAKE: the pixels are labelled `class_id` and
    look like `said`; they are the bits of `mask`, row by row over `rect`, packed into bytes.
    """

    kind: LintKind
    image: ImageId | None
    plane: int | None
    class_id: ClassId | None
    object_id: ObjectId | None
    rect: Rect | None
    pixels: int
    said: ClassId | None = None
    mask: bytes = b""

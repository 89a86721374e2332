"""The colours of labels and proposals: a mark for each class, and a colour for each way of drawing a mark."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from segstudio.labels.class_lookup import class_lookup
from segstudio.labels.colors import GOLDEN
from segstudio.labels.model import ClassTable, Kind, LabelClass
from segstudio.labels.tiles.overview import Marks

__all__ = ["Ink", "Palette", "between", "premultiplied"]

_OUTLINE_ALPHA = 0.95
_RIM_ALPHA = 0.9
_STRIPE_OF_FILL = 0.85
_GAP_OF_FILL = 0.25
_BACKGROUND_OF_FILL = 0.6
_BACKGROUND_LINE_ALPHA = 0.7
_BACKGROUND_LINE_LIGHT = 0.55
_RANK = {Kind.BACKGROUND: 0, Kind.IGNORE: 1, Kind.SEMANTIC: 2, Kind.INSTANCE: 3}


class Ink(IntEnum):
    """Ways of drawing a mark: labels are filled (and outlined), proposals are striped with a rim."""

    FILL = 0
    OUTLINE = 1
    STRIPE = 2
    GAP = 3
    RIM = 4


_LINES = (Ink.OUTLINE, Ink.RIM)
"""What is left of a class that has an outline only."""


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """`mark_of` is indexed by class id; mark 0 is nothing, then come background, ignore, semantic and instance classes.

    `colors` is indexed by `ink * count + mark`: premultiplied ARGB as one number. Marks from `first_instance` on are
    instance classes; those up to `last_background` are background. Marks from `first_tint` on are colours of single
    objects, for a view in which each has its own. By mark, `shown` says whether its labels are visible, and `outlined`
    whether they have an outline only.
    """

    mark_of: Marks
    colors: NDArray[np.uint32]
    count: int
    first_instance: int
    last_background: int
    first_tint: int
    shown: NDArray[np.bool_]
    outlined: NDArray[np.bool_]

    @property
    def code_type(self) -> type[np.uint8] | type[np.uint16]:
        """The smallest type that holds every code."""
        return np.uint8 if len(self.colors) <= 256 else np.uint16

    @classmethod
    def of(
        cls,
        classes: ClassTable | None,
        opacity: float,
        proposal_opacity: float | None = None,
        tints: Sequence[str] = (),
    ) -> "Palette":
        """The palette for the classes of a project; `opacity` (0..1) is that of a filled label, and of proposals too
        unless theirs is given, each class has its share of both. With `tints` each object of an instance class is drawn
        in one of them."""
        proposed = opacity if proposal_opacity is None else proposal_opacity
        used = sorted(classes or (), key=lambda c: (_RANK[c.kind], c.position))
        first_tint = len(used) + 1
        count = first_tint + len(tints)
        mark_by_id = {c.id: mark for mark, c in enumerate(used, start=1)}
        size = max((int(c.id) for c in classes.all), default=0) + 2 if classes is not None else 1
        dtype = np.uint8 if count <= 256 else np.uint16
        mark_of: Marks = class_lookup(classes or ClassTable(()), lambda c: mark_by_id[c.id], dtype=dtype, size=size)
        colors = np.zeros(len(Ink) * count, np.uint32)
        for mark, label_class in enumerate(used, start=1):
            for ink, alpha in _alphas(label_class, opacity, proposed).items():
                share = label_class.opacity or float(ink in _LINES)
                colors[ink * count + mark] = premultiplied(label_class.color, alpha * share)
            if label_class.kind is Kind.BACKGROUND and label_class.visible:
                line = _lighter(label_class.color, _BACKGROUND_LINE_LIGHT)
                colors[Ink.OUTLINE * count + mark] = premultiplied(
                    line, _BACKGROUND_LINE_ALPHA * (label_class.opacity or 1)
                )
        for mark, tint in enumerate(tints, start=first_tint):
            colors[Ink.FILL * count + mark] = premultiplied(tint, opacity)
            colors[Ink.OUTLINE * count + mark] = premultiplied(tint, _OUTLINE_ALPHA)
        kinds = [c.kind for c in used]
        first_instance = first_tint - kinds.count(Kind.INSTANCE)
        shown = np.array([False, *(c.visible for c in used), *(True for _tint in tints)])
        outlined = np.array([False, *(c.visible and not c.opacity for c in used), *(False for _tint in tints)])
        return cls(mark_of, colors, count, first_instance, kinds.count(Kind.BACKGROUND), first_tint, shown, outlined)

    def marks_by_class(self, class_ids: NDArray[np.int32]) -> Marks:
        """Marks of an array of class ids; 0 for unknown ids."""
        return np.take(self.mark_of, class_ids, mode="clip")

    def marks_by_object(self, class_of: NDArray[np.int32]) -> Marks:
        """Marks by object id, from the class of each by object id: with tints, a visible instance has one of those.

        What is hidden keeps the mark of its class, which has no colour.
        """
        marks = self.marks_by_class(class_of)
        tints = self.count - self.first_tint
        if tints:
            own = np.flatnonzero((marks >= self.first_instance) & self.shown[marks])
            marks[own] = self.first_tint + tint_places(own, tints)
        return marks


def tint_places(ids: NDArray[np.intp], tints: int) -> NDArray[np.intp]:
    """Which of so many tints an object has, as `object_tint` says it of one."""
    return (ids * GOLDEN % 1.0 * tints).astype(np.intp)


def _alphas(label_class: LabelClass, opacity: float, proposed: float) -> dict[Ink, float]:
    if not label_class.visible:
        return {}
    if label_class.kind is Kind.BACKGROUND:
        # Background covers most of an image: its labels are only a tint, and drawing its proposal would hide the image.
        # Grey on grey is hard to see, so a lighter line shows where it ends.
        return {Ink.FILL: opacity * _BACKGROUND_OF_FILL}
    return {
        Ink.FILL: opacity,
        Ink.OUTLINE: _OUTLINE_ALPHA,
        Ink.STRIPE: proposed * _STRIPE_OF_FILL,
        Ink.GAP: proposed * _GAP_OF_FILL,
        Ink.RIM: _RIM_ALPHA,
    }


def _lighter(color: str, share: float) -> str:
    """A colour #RRGGBB with this share (0..1) of white."""
    return between(color, "#ffffff", share)


def between(one: str, other: str, share: float) -> str:
    """The colour #rrggbb that lies this share (0..1) of the way from one to the other."""
    parts = zip(_rgb(one), _rgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def premultiplied(color: str, alpha: float) -> int:
    """A colour #RRGGBB with an opacity (0..1) as premultiplied ARGB."""
    red, green, blue = (round(part * alpha) for part in _rgb(color))
    return round(255 * alpha) << 24 | red << 16 | green << 8 | blue


def _rgb(color: str) -> tuple[int, int, int]:
    value = int(color.lstrip("#")[:6], 16)
    return value >> 16, value >> 8 & 255, value & 255

"""Magic wand: the pixels like the one clicked become the class; dragging sideways sets how much they may differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from segstudio.app.editing.tool_work import Computation
from segstudio.app.editing.tools.areas import (
    LEVELS,
    Sight,
    levels_of,
    of_class,
    of_range,
    pixel_at,
    sight_of,
    value_at,
    within_picture,
)
from segstudio.app.editing.tools.base import Answer, Context, Later
from segstudio.app.editing.tools.fill_options import CONTIGUOUS, TOLERANCE, WAND_SOURCE, number
from segstudio.app.editing.tools.overlay import Overlay, Patch, Words
from segstudio.app.editing.tools.painting import PaintingTool
from segstudio.app.editing.tools.pointer import Button, Pointer
from segstudio.app.editing.tools.region_painting import RegionPainting, Wanted
from segstudio.app.viewing.display import DisplayImage
from segstudio.geometry import Rect
from segstudio.labels.model import LabelClass
from segstudio.labels.paint.flood import Cancelled, Mask, Matches, everywhere, flooded
from segstudio.labels.paint.region import Region
from segstudio.labels.proposal import Proposal
from segstudio.text import _

__all__ = ["WandTool"]

_STILL_PX = 3.0
"""A drag shorter than this, in view pixels, is a click."""
_PERCENT_A_PX = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class _Like:
    """What is like the pixel clicked, at a tolerance: on tiles, and as cells in view."""

    matches: Matches
    cells: Callable[[Sight], Mask]


@dataclass(frozen=True, slots=True, eq=False)
class _Preview:
    """What was found in view at a tolerance in percent."""

    tolerance: float
    patch: Patch


@dataclass(frozen=True, slots=True, eq=False)
class _Whole:
    """The whole area at a tolerance in percent."""

    tolerance: float
    region: Region


@dataclass(frozen=True, slots=True, eq=False)
class _Pick:
    """A press: the pixel, what is painted, and whatever else the area follows from."""

    at: tuple[int, int]
    point: tuple[float, float]
    label_class: LabelClass
    bounds: Rect
    sight: Sight
    contiguous: bool
    like: Callable[[float], _Like]
    adjustable: bool

    def preview(self, tolerance: float) -> _Preview:
        """The area in view, as far as it hangs together there."""
        mask = self.like(tolerance).cells(self.sight)
        if self.contiguous:
            mask = self.sight.around(mask, *self.at)
        return _Preview(tolerance, Patch(self.sight.rect, mask, self.label_class.color))

    def whole(self, tolerance: float, cancelled: Cancelled) -> Region | None:
        """All of the area; None where it was cancelled."""
        matches = self.like(tolerance).matches
        if self.contiguous:
            return flooded(self.at, self.bounds, matches, cancelled)
        return everywhere(self.bounds, matches, cancelled)


class WandTool(PaintingTool[RegionPainting]):
    """Under way from a press on: the area is shown while the button is held, and painted when it goes up.

    What is in view is found first, then all of it; where that is done before the release, it is painted at once.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.forget()

    def forget(self) -> None:
        """Choose nothing."""
        self._pick: _Pick | None = None
        self._painting: RegionPainting | None = None
        self._whole: _Whole | None = None
        self._patch: Patch | None = None
        self._button = Button.NONE
        self._tolerance = self._first_tolerance = 0.0

    @property
    def active(self) -> bool:
        """Whether an area is being chosen or painted."""
        return self._pick is not None

    def press(self, event: Pointer, context: Context) -> Answer:
        """Choose the pixel to compare with. Nothing happens while an area is being painted."""
        bounds = context.document.raster.bounds(context.paint.plane)
        at = pixel_at(event.at, bounds)
        if self.active or at is None or event.button not in (Button.LEFT, Button.RIGHT):
            return Answer()
        found = _likeness(context, at)
        if isinstance(found, str):
            return Answer(says=found)
        like, adjustable = found
        image = context.seen.image
        levels = image.levels if adjustable and image is not None else LEVELS
        sight = sight_of(context.seen.view, bounds, event.scale, levels)
        contiguous = context.paint.options.get(CONTIGUOUS.name) is not False
        label_class = context.paint.class_of(event.button)
        self._pick = _Pick(at, event.at, label_class, bounds, sight, contiguous, like, adjustable)
        self._button, self._tolerance = event.button, number(context, TOLERANCE)
        self._first_tolerance = self._tolerance
        return self._ask()

    def move(self, event: Pointer, context: Context) -> Answer:
        """Set the tolerance by the way from the press, to the right for more."""
        if self._pick is None or self._painting is not None or not self._pick.adjustable:
            return Answer()
        way = (event.x - self._pick.point[0]) * event.scale
        moved = 0.0 if abs(way) <= _STILL_PX else way * _PERCENT_A_PX
        tolerance = round(min(100.0, max(0.0, self._first_tolerance + moved)), 1) if moved else self._first_tolerance
        if tolerance == self._tolerance:
            return Answer()
        self._tolerance, self._whole = tolerance, None
        return self._ask()

    def release(self, event: Pointer, context: Context) -> Answer:
        """Paint the area, at once or when it is found."""
        if self._pick is None or self._painting is not None or event.button is not self._button:
            return Answer()
        return self._paint(context)

    def interrupted(self, context: Context) -> Answer:
        """The same as a release: what was chosen is kept."""
        return Answer() if self._pick is None or self._painting is not None else self._paint(context)

    def arrived(self, value: object, context: Context) -> Answer:
        """What is in view, or all of it."""
        if self._painting is not None:
            return self._painting.arrived(value.region if isinstance(value, _Whole) else value)
        if isinstance(value, _Whole) and value.tolerance == self._tolerance:
            self._whole = value
        if isinstance(value, _Preview) and self._pick is not None and value.tolerance == self._tolerance:
            self._patch = value.patch
            return Answer(overlay=self._overlay(), asks=Computation(partial(_all_of, self._pick, self._tolerance)))
        return Answer()

    def unfinished(self, context: Context) -> Later | None:
        """The area, where it is not found and painted yet."""
        if self._painting is None:
            self._paint(context)
        return None if self._painting is None else self._painting.unfinished()

    def _ask(self) -> Answer:
        assert self._pick is not None
        pick, tolerance = self._pick, self._tolerance
        return Answer(overlay=self._overlay(), asks=Computation(lambda _cancelled: pick.preview(tolerance)))

    def _paint(self, context: Context) -> Answer:
        assert self._pick is not None
        self._painting = self._painted(context)
        dragged = self._tolerance != self._first_tolerance
        answer = self._painting.begin() if self._whole is None else self._painting.paint(self._whole.region)
        return _setting(answer, self._tolerance) if dragged else answer

    def _painted(self, context: Context) -> RegionPainting:
        assert self._pick is not None
        pick, tolerance = self._pick, self._tolerance
        compute = partial(pick.whole, tolerance)
        shown = self._patch is not None
        return RegionPainting(
            Wanted(self.name, pick.point, pick.label_class, lambda _document: compute),
            context,
            quick=compute,
            waiting=self._overlay(),
            preview=None if shown else lambda: lambda: pick.preview(tolerance).patch,
        )

    def _overlay(self) -> Overlay:
        assert self._pick is not None
        shown: Overlay = () if self._patch is None else (self._patch,)
        if not self._pick.adjustable:
            return shown
        return (*shown, Words(*self._pick.point, _("Tolerance {percent} %", percent=f"{self._tolerance:g}")))


def _all_of(pick: _Pick, tolerance: float, cancelled: Cancelled) -> _Whole | None:
    region = pick.whole(tolerance, cancelled)
    return None if region is None else _Whole(tolerance, region)


def _setting(answer: Answer, tolerance: float) -> Answer:
    return replace(answer, sets={TOLERANCE.name: tolerance})


def _likeness(context: Context, at: tuple[int, int]) -> tuple[Callable[[float], _Like], bool] | str:
    """What is like a pixel, by tolerance in percent, and whether that plays a part; or why nothing is."""
    if context.paint.options.get(WAND_SOURCE.name) == "proposal":
        proposal = context.seen.proposal
        if proposal is None:
            return _("There is no proposal for this image: ask for one first, or compare image values.")
        class_id = int(proposal.class_ids(Rect(*at, 1, 1))[0, 0])
        if not class_id:
            return _("Nothing is proposed here.")
        return partial(_of_proposal, proposal, class_id), False
    image = context.seen.image
    if image is None:
        return _("The image is not on screen yet.")
    if image.outside(Rect(*at, 1, 1)) is not None:
        return _("This lies outside the picture: there is nothing to fill.")
    if not image.has(0, Rect(*at, 1, 1)):
        return _("This part is still being decoded.")
    value = value_at(image, *at)
    if (value != value).any():  # NaN, which is like nothing
        return _("There is no value here.")
    return partial(_of_image, image, at), True


def _of_proposal(proposal: Proposal, class_id: int, _tolerance: float) -> _Like:
    matches = of_class(proposal, class_id)
    return _Like(matches, lambda sight: sight.of(matches))


def _of_image(image: DisplayImage, at: tuple[int, int], tolerance: float) -> _Like:
    from segstudio.imaging.value_range import range_around

    within = range_around(value_at(image, *at), tolerance / 100.0, levels_of(image))
    matches = within_picture(of_range(image, within), image)
    return _Like(matches, lambda sight: sight.of_range(image, within) & ~sight.outside(image))

"""Threshold: a brush that paints only where the image's values lie within a range."""

from __future__ import annotations

from segstudio.app.editing.tools.areas import decoded_at, levels_of, of_range, pixel_at, value_at
from segstudio.app.editing.tools.base import Context
from segstudio.app.editing.tools.fill_options import RANGE_BY, RANGE_HIGH, RANGE_LOW, TOLERANCE, number
from segstudio.app.editing.tools.pointer import Pointer
from segstudio.app.editing.tools.within import Limit, LimitedBrush
from segstudio.geometry import Rect
from segstudio.text import _

__all__ = ["threshold_brush"]


def threshold_brush(name: str) -> LimitedBrush:
    """The handler: the range is around the value under the press, or a fixed one, by its option."""
    return LimitedBrush(name, _range)


def _range(context: Context, event: Pointer) -> Limit | str:
    from segstudio.imaging.value_range import range_around, range_of_shares

    image = context.seen.image
    if image is None:
        return _("The image is not on screen yet.")
    levels = levels_of(image)
    if context.paint.options.get(RANGE_BY.name) == "fixed":
        low, high = number(context, RANGE_LOW), number(context, RANGE_HIGH)
        if low > high:
            return _("Nothing lies in this range: its lowest value is above its highest.")
        return Limit(
            of_range(image, range_of_shares(low / 100.0, high / 100.0, levels)),
            _("{low} % to {high} %", low=f"{low:g}", high=f"{high:g}"),
            decoded_at(image),
        )
    at = pixel_at(event.at, context.document.raster.bounds(context.paint.plane))
    if at is None:
        return _("Press on the image: the value there says what is painted.")
    if not image.has(0, Rect(*at, 1, 1)):
        return _("This part is still being decoded.")
    value = value_at(image, *at)
    if (value != value).any():  # NaN, which is like nothing
        return _("There is no value here.")
    percent = number(context, TOLERANCE)
    return Limit(
        of_range(image, range_around(value, percent / 100.0, levels)),
        _("{value} ± {percent} %", value=image.value_text(*at), percent=f"{percent:g}"),
        decoded_at(image),
    )

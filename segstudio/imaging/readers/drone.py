"""Where a drone was when it took a picture, and how wide a pixel is on the ground, from what its camera wrote.

Such a picture has no coordinate system. From the height above the place of take-off and the lens follows how much
ground a pixel covers, if the camera looked straight down and the ground is flat: an estimate, and said to be one.
"""

import math
import re
from typing import TYPE_CHECKING, Any

from segstudio.imaging.metadata import PLAIN, Metadata
from segstudio.text import N_

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["metadata_of"]

_GPS, _EXIF, _FOCAL_35 = 0x8825, 0x8769, 0xA405
_LATITUDE, _LONGITUDE, _BELOW_SEA, _ALTITUDE = (1, 2), (3, 4), 5, 6
_WIDTH_35 = 36.0
"""The width in mm of the film that focal lengths are compared with; a picture is taken to be as wide."""
_HEIGHT = re.compile(r"RelativeAltitude(?:=\"|>)\s*([+-]?\d+(?:\.\d+)?)")
_PITCH = re.compile(r"GimbalPitchDegree(?:=\"|>)\s*([+-]?\d+(?:\.\d+)?)")
_STRAIGHT_DOWN = 5.0
"""Degrees by which a camera may look aside."""
_ESTIMATE = N_(
    "The size of a pixel is an estimate, from the drone's height above its place of take-off and the focal length."
)


def metadata_of(image: "Image", exif: Any, width: int, height: int) -> Metadata:
    """What the header of a picture of this size, as it is shown, says; `PLAIN` without a position and a height."""
    position = _position(exif.get_ifd(_GPS)) if _GPS in exif else None
    if position is None:
        return PLAIN
    metre = _metres_a_pixel(image, exif, max(width, height))
    if metre is None:
        return Metadata(position=position)
    return Metadata(position=position, spacing=(metre, metre), unit="m", notes=(_ESTIMATE,))


def _position(gps: Any) -> tuple[float, float, float] | None:
    latitude, longitude = _degrees(gps, _LATITUDE, "S"), _degrees(gps, _LONGITUDE, "W")
    altitude = _number(gps.get(_ALTITUDE))
    if latitude is None or longitude is None or altitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    below = gps.get(_BELOW_SEA) in (1, b"\x01")
    return latitude, longitude, -altitude if below else altitude


def _degrees(gps: Any, tags: tuple[int, int], negative: str) -> float | None:
    side, parts = gps.get(tags[0]), gps.get(tags[1])
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    numbers = [_number(part) for part in parts]
    if None in numbers:
        return None
    degrees, minutes, seconds = (number or 0.0 for number in numbers)
    value = degrees + minutes / 60 + seconds / 3600
    return -value if str(side).upper().startswith(negative) else value


def _number(value: Any) -> float | None:
    """A number of a file as a float, None where it is none: a fraction may have the denominator 0."""
    try:
        found = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return found if math.isfinite(found) else None


def _metres_a_pixel(image: "Image", exif: Any, longer_side: int) -> float | None:
    xmp = image.info.get("xmp", b"")
    text = xmp.decode("utf-8", "replace") if isinstance(xmp, bytes) else str(xmp)
    height, pitch = _HEIGHT.search(text), _PITCH.search(text)
    focal = _number(exif.get_ifd(_EXIF).get(_FOCAL_35)) if _EXIF in exif else None
    if height is None or not focal or focal <= 0 or float(height[1]) <= 0:
        return None
    if pitch is not None and abs(float(pitch[1]) + 90.0) > _STRAIGHT_DOWN:
        return None
    return float(height[1]) * _WIDTH_35 / (focal * longer_side)

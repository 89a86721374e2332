"""The vessels of the sample's retina as a mask: a line filter finds them, half their depth gives their width.

Used by `make_sample.py` alone. What counts as a vessel: whatever is about two pixels wide or more and stands out at a
glance; finer twigs are left to the background, in all fields alike. The numbers and the places set by hand hold for
this photograph at this size, and the result was looked at, four times enlarged, with its outline drawn over it.
"""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["vessel_mask"]

WIDTHS_PX = (1.2, 1.8, 2.6, 3.6)
DIRECTIONS = 16
FAINT, CLEAR = 0.05, 0.12
HALF_DEPTH, ENOUGH_DEPTH = 0.45, 0.11
SMALLEST_PX, SMALLEST_HOLE_PX = 30, 40

PIGMENT = (
    *((160, 308), (168, 312), (176, 318), (182, 330), (184, 345), (184, 362), (178, 382), (166, 402), (150, 414)),
    *((138, 413), (142, 404), (156, 390), (165, 372), (169, 352), (168, 334), (162, 318)),
)
NOT_VESSEL = (
    PIGMENT,  # a dark crescent beside the optic disc
    ((615, 80), (640, 60), (700, 110), (660, 135)),  # the mark of the camera at the rim
    ((352, 380), (362, 356), (386, 346), (410, 356), (420, 380), (410, 404), (386, 414), (362, 404)),  # the fovea
    ((280, 70), (298, 70), (298, 82), (280, 82)),  # gleams of the nerve fibres
    ((143, 170), (161, 170), (161, 182), (143, 182)),
    ((244, 155), (266, 155), (266, 164), (244, 164)),
    ((293, 139), (313, 139), (313, 148), (293, 148)),
    ((82, 150), (92, 150), (92, 161), (82, 161)),  # the rim
)
"""Polygons (x, y) in pixels of the photograph at 768 x 768 in which the filter is mistaken."""


def vessel_mask(photograph: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pixels (h, w) of the retina (h, w, 3), 768 x 768, are vessel.

    Line filter: the strongest answer over widths and directions of the second derivative of an elongated Gaussian, on
    the green channel relative to its surroundings; faint lines stay where they hang on a clear one (hysteresis).
    """
    import cv2

    eye, relief = _relief(photograph)
    answer = _line_answer(relief)
    answer[cv2.erode(eye, _disc(4)) == 0] = 0
    for polygon in NOT_VESSEL:
        cv2.fillPoly(answer, [np.array(polygon, np.int32)], [0.0])
    line = _hysteresis(answer)
    smooth = cv2.GaussianBlur(relief, (0, 0), 0.6)
    deepest = cv2.erode(np.where(line, smooth, 0).astype(np.float32), _disc(4))
    inside = line & (smooth < np.maximum(HALF_DEPTH * deepest, -ENOUGH_DEPTH))
    mask = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    holes = _components(mask == 0, least=SMALLEST_HOLE_PX, neighbours=4)
    mask = cv2.medianBlur((~holes).astype(np.uint8), 3)
    return _components(mask > 0, least=SMALLEST_PX, neighbours=8)


def _relief(photograph: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Where the eye is, and how much brighter (relative) a pixel is than its surroundings, in the green channel."""
    import cv2

    red, green = photograph[..., 0], photograph[..., 1].astype(np.float32)
    eye = cv2.erode((cv2.GaussianBlur(red, (0, 0), 2) > 40).astype(np.uint8), np.ones((3, 3), np.uint8))
    weight = eye.astype(np.float32)

    def surroundings(sigma: float) -> NDArray[np.float32]:
        total = cv2.GaussianBlur(weight, (0, 0), sigma)
        return (cv2.GaussianBlur(green * weight, (0, 0), sigma) / np.maximum(total, 1e-3)).astype(np.float32)

    around = surroundings(14)
    # Outside the eye its colour goes on, so that its rim is no edge.
    inner = np.where(eye > 0, green, surroundings(20))
    return eye.astype(np.uint8), ((inner - around) / np.maximum(around, 20)).astype(np.float32)


def _line_answer(relief: NDArray[np.float32]) -> NDArray[np.float32]:
    import cv2

    best = np.full(relief.shape, -1, np.float32)
    for width in WIDTHS_PX:
        for turn in range(DIRECTIONS):
            kernel = _line(width, 2.5 * width + 1.5, math.pi * turn / DIRECTIONS)
            best = np.maximum(best, cv2.filter2D(relief, -1, kernel))
    return best


def _line(width: float, length: float, angle: float) -> NDArray[np.float32]:
    """Second derivative across, Gaussian along; the sum is 0, the sum of magnitudes 2."""
    reach = math.ceil(3 * max(width, length))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    along, across = x * math.cos(angle) + y * math.sin(angle), -x * math.sin(angle) + y * math.cos(angle)
    kernel = (across**2 / width**2 - 1) * np.exp(-(along**2) / (2 * length**2) - across**2 / (2 * width**2))
    kernel -= kernel.mean()
    return (kernel / np.abs(kernel).sum() * 2).astype(np.float32)


def _hysteresis(answer: NDArray[np.float32]) -> NDArray[np.bool_]:
    import cv2

    count, lines, figures, _ = cv2.connectedComponentsWithStats((answer > FAINT).astype(np.uint8), connectivity=8)
    keep = np.zeros(count, np.bool_)
    lines = np.asarray(lines, np.intp)
    keep[np.unique(lines[answer > CLEAR])] = True
    keep &= figures[:, cv2.CC_STAT_AREA] >= 2 * SMALLEST_PX
    keep[0] = False
    return keep[lines]


def _components(mask: NDArray[np.bool_], *, least: int, neighbours: int) -> NDArray[np.bool_]:
    """The components of at least so many pixels."""
    import cv2

    count, found, figures, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=neighbours)
    keep = figures[:count, cv2.CC_STAT_AREA] >= least
    keep[0] = False
    return keep[np.asarray(found, np.intp)]


def _disc(radius: int) -> NDArray[np.uint8]:
    import cv2

    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.uint8)

"""The hand of the demo's person."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from segstudio.demo.hand import HandStroke, strokes_for
from segstudio.geometry import Rect
from segstudio.labels.paint.stroke import capsule_spans
from tests.ui.canvas_values import spans_mask


def painted(stroke: HandStroke, shape: tuple[int, int]) -> NDArray[np.bool_]:
    area = Rect(0, 0, shape[1], shape[0])
    mask = spans_mask(capsule_spans(stroke.points[0], stroke.points[0], stroke.radius, area), area)
    for a, b in pairwise(stroke.points):
        mask |= spans_mask(capsule_spans(a, b, stroke.radius, area), area)
    return mask


def test_a_line_is_followed_by_one_stroke_along_its_middle() -> None:
    line = np.zeros((40, 60), np.bool_)
    line[18:23, 5:55] = True
    strokes = strokes_for(line, line, most=10)
    assert len(strokes) == 1
    found = painted(strokes[0], line.shape)
    assert (found & line).sum() / (found | line).sum() > 0.9


def test_only_what_is_wrong_is_painted_and_specks_are_left() -> None:
    inside = np.ones((30, 30), np.bool_)
    wrong = np.zeros_like(inside)
    wrong[4:10, 4:10] = True
    wrong[25, 25] = True
    strokes = strokes_for(wrong, inside, most=10, least_px=3)
    assert len(strokes) >= 1
    assert all(4 <= x <= 10 and 4 <= y <= 10 for stroke in strokes for x, y in stroke.points)


def test_no_more_strokes_than_asked_for_and_none_where_nothing_is_wrong() -> None:
    inside = np.ones((30, 30), np.bool_)
    dots = np.zeros_like(inside)
    dots[2::8, 2::8] = dots[3::8, 2::8] = dots[2::8, 3::8] = True
    assert len(strokes_for(dots, inside, most=2, least_px=1)) == 2
    assert strokes_for(np.zeros_like(inside), inside, most=5) == []

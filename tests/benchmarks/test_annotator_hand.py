"""What a person paints to correct a proposal."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))


def _truth() -> np.ndarray:
    truth = np.zeros((60, 80), np.int64)
    truth[10:20, 10:70] = 1
    truth[40:44, 5:9] = 1
    return truth


def test_the_largest_wrong_region_comes_first_and_specks_are_left():
    from annotator.hand import wrong_regions

    found = wrong_regions(np.zeros((60, 80), np.int64), _truth(), 10)
    assert [(r.truth, r.area) for r in found] == [(1, 600), (1, 16)]
    assert [r.area for r in wrong_regions(np.zeros((60, 80), np.int64), _truth(), 17)] == [600]


def test_what_is_right_or_unknown_is_not_painted():
    from annotator.hand import wrong_regions

    truth = _truth()
    assert wrong_regions(truth, truth, 1) == []
    unknown = np.where(truth == 1, -1, truth)
    assert wrong_regions(np.zeros_like(truth), unknown, 1) == []


def test_wrong_ground_and_wrong_objects_are_regions_of_their_own():
    from annotator.hand import wrong_regions

    shown = np.zeros((60, 80), np.int64)
    shown[20:25, 10:70] = 1  # below the bar, which is missed
    assert [(r.truth, r.area) for r in wrong_regions(shown, _truth(), 20)] == [(1, 600), (0, 300)]


def test_nothing_proposed_is_wrong_everywhere():
    from annotator.hand import wrong_regions

    found = wrong_regions(np.full((60, 80), -1), _truth(), 1)
    assert sum(r.area for r in found) == 60 * 80


@pytest.mark.parametrize("width", [1, 4, 10, 30])
def test_the_brush_is_as_wide_as_a_strip(width: int):
    from annotator.hand import brush_px

    assert brush_px(np.ones((width, 200), np.bool_)) == pytest.approx(width, abs=max(1, width * 0.2))


def test_the_brush_has_a_widest_size():
    from annotator.hand import brush_px

    assert brush_px(np.ones((600, 600), np.bool_)) == 64


@pytest.mark.parametrize("turned", [False, True])
def test_a_strip_is_one_stroke_of_its_length(turned: bool):
    from annotator.hand import strokes_of, wrong_regions

    truth = np.zeros((40, 120), np.int64)
    truth[10:14, 10:110] = 1
    truth = truth.T if turned else truth
    (region,) = wrong_regions(np.zeros_like(truth), truth, 1)
    (stroke,) = strokes_of(region)
    assert 90 <= stroke.px <= 100
    (y, x) = stroke.start[::-1] if turned else stroke.start
    assert 10 <= y <= 14
    assert 10 <= x <= 14


def test_an_area_is_covered_to_and_fro():
    from annotator.hand import brush_px, strokes_of, wrong_regions

    truth = np.zeros((300, 400), np.int64)
    truth[20:220, 20:380] = 1
    (region,) = wrong_regions(np.zeros_like(truth), truth, 1)
    strokes = list(strokes_of(region))
    width = brush_px(region.inside)
    assert len(strokes) == -(-200 // width)
    assert strokes[0].end[1] > strokes[0].start[1]
    assert strokes[1].end[1] < strokes[1].start[1]
    painted = sum(stroke.px for stroke in strokes)
    assert painted == pytest.approx(200 * 360 / width, rel=0.25)

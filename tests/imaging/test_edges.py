"""Superpixels and paths along edges, on pictures whose edges are known."""

import cv2
import numpy as np
import pytest

from segstudio.geometry import TILE, Rect
from segstudio.imaging.edge_paths import EdgeMap
from segstudio.imaging.superpixels import Superpixels, superpixels


def picture(noise: int = 4) -> np.ndarray:
    """A bright ellipse on grey, with noise."""
    plane = np.full((500, 600), 90, np.uint8)
    cv2.ellipse(plane, (300, 250), (180, 120), 20, 0, 360, 190, -1)
    rng = np.random.default_rng(3)
    noisy = np.clip(plane.astype(int) + rng.integers(-noise, noise + 1, plane.shape), 0, 255)
    return np.repeat(noisy.astype(np.uint8)[..., None], 3, 2)


def of(image: np.ndarray, rect: Rect, step: int) -> Superpixels:
    bounds = Rect(0, 0, image.shape[1], image.shape[0])
    return superpixels(
        lambda part: np.ascontiguousarray(image[part.y : part.bottom, part.x : part.right]), bounds, rect, step
    )


@pytest.mark.parametrize("step", [6, 16, 64])
def test_superpixels_keep_to_one_side_of_an_edge(step: int) -> None:
    image = picture()
    found = of(image, Rect(0, 0, 600, 500), step)
    bright = picture(0)[..., 0] > 128
    area = np.bincount(found.labels.ravel(), minlength=len(found.numbers))
    inside = np.bincount(found.labels[bright], minlength=len(found.numbers))
    wrong = np.minimum(inside, area - inside).sum()
    assert wrong < 0.01 * image.shape[0] * image.shape[1]
    assert 0.4 * step**2 < np.median(area) < 1.6 * step**2


def test_each_superpixel_hangs_together_and_every_pixel_has_one() -> None:
    found = of(picture(), Rect(0, 0, 600, 500), 16)
    assert found.labels.min() >= 0
    for label in range(0, len(found.numbers), 37):
        parts = cv2.connectedComponents((found.labels == label).astype(np.uint8), connectivity=8)[0]
        assert parts == 2, "the rest, and one part"


def test_a_superpixel_has_the_same_number_on_both_sides_of_a_tiles_border() -> None:
    image = picture()
    left, right = of(image, Rect(0, 0, TILE, TILE), 16), of(image, Rect(TILE, 0, TILE, TILE), 16)
    numbers = left.numbers[left.labels[:, -1]], right.numbers[right.labels[:, 0]]
    assert (numbers[0] == numbers[1]).mean() > 0.7, "some end at the border by themselves"
    assert set(left.numbers.tolist()) & set(right.numbers.tolist())


def test_those_under_a_mask_and_their_pixels() -> None:
    found = of(picture(), Rect(0, 0, TILE, TILE), 16)
    mask = np.zeros((TILE, TILE), np.bool_)
    mask[100, 50] = True
    (number,) = found.under(mask)
    assert np.array_equal(found.of(np.array([number])), found.labels == found.labels[100, 50])


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (300, 7)])
def test_a_plane_smaller_than_a_superpixel_has_some(size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), 50, np.uint8)
    found = of(image, Rect(0, 0, min(size[0], TILE), size[1]), 16)
    assert found.labels.min() >= 0
    assert found.labels.max() < len(found.numbers)


def test_a_path_follows_the_edge_between_two_points_on_it() -> None:
    image = picture()
    ellipse = cv2.ellipse2Poly((300, 250), (180, 120), 20, 0, 360, 1)
    start, end = ellipse[10], ellipse[100]
    path = EdgeMap(image, (int(start[0]), int(start[1]))).path((int(end[0]), int(end[1])))
    drawn = np.zeros(image.shape[:2], np.uint8)
    cv2.polylines(drawn, [path], False, 1)
    to_edge = cv2.distanceTransform(1 - _outline(ellipse, drawn.shape), cv2.DIST_L2, 3)
    assert to_edge[drawn > 0].max() < 4
    assert len(path) < 400, "corners, not every pixel"


def _outline(ellipse: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    out = np.zeros(shape, np.uint8)
    cv2.polylines(out, [ellipse], True, 1)
    return out


@pytest.mark.parametrize("image", [np.full((60, 80, 3), 70, np.uint8), np.full((2, 80, 3), 70, np.uint8)])
def test_without_an_edge_a_path_is_straight(image: np.ndarray) -> None:
    assert EdgeMap(image, (0, 0)).path((79, 1)).tolist() == [[0, 0], [79, 1]]


def test_where_there_is_no_edge_near_by_a_path_is_straight_although_there_is_one_elsewhere() -> None:
    path = EdgeMap(picture(noise=1), (20, 20)).path((90, 40))
    assert path.tolist() == [[20, 20], [90, 40]]

"""The orders in which images are to be labelled."""

import numpy as np
import pytest

from segstudio.labels.model import ImageId
from segstudio.tasks.learning.next_images import Description, Order, ordered

A, B, C, D, E = (ImageId(i) for i in range(1, 6))


def _described(unsure: float = 0.0, disputed: float | None = None, angle: float = 0.0) -> Description:
    """Features on the unit circle, at an angle in degrees."""
    radians = np.deg2rad(angle)
    return Description("v1", unsure, disputed, np.array([np.cos(radians), np.sin(radians)], np.float32))


def test_the_least_sure_comes_first_and_what_is_not_described_last():
    known = {A: _described(0.1), B: _described(0.7), D: _described(0.3)}
    assert ordered(Order.UNSURE, [A, B, C, D], known, []) == [B, D, A, C]
    assert ordered(Order.LIST, [C, A, B], known, []) == [C, A, B]


def test_where_versions_disagree_most_comes_first():
    known = {A: _described(disputed=0.1), B: _described(disputed=None), C: _described(disputed=0.4)}
    assert ordered(Order.DISPUTED, [A, B, C], known, []) == [C, A, B]


def test_the_farthest_from_all_that_is_done_comes_first_and_each_choice_counts_as_done():
    known = {A: _described(angle=0), B: _described(angle=10), C: _described(angle=170), D: _described(angle=155)}
    known[E] = _described(angle=90)
    assert ordered(Order.DIFFERENT, [B, C, D, E], known, [A]) == [C, E, D, B]


def test_without_anything_done_the_middle_of_all_begins():
    known = {A: _described(angle=0), B: _described(angle=45), C: _described(angle=90)}
    assert ordered(Order.DIFFERENT, [A, B, C], known, [])[0] == B
    assert ordered(Order.DIFFERENT, [], known, []) == []


@pytest.mark.parametrize("order", list(Order))
def test_every_order_names_each_image_once(order: Order):
    rng = np.random.default_rng(3)
    images = [ImageId(i) for i in range(20)]
    known = {i: _described(*rng.random(2).tolist(), angle=float(rng.random() * 360)) for i in images[:15]}
    assert sorted(ordered(order, images, known, images[:3])) == images

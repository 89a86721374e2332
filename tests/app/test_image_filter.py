"""Which rows fit a filter, and how rows are ordered: pure functions over made-up rows."""

import pytest

from segstudio.app.values import ImageItem
from segstudio.app.viewing.image_filter import ImageFilter, ImageOrder, Order, fitting, name_keys, ordered
from segstudio.labels.model import ClassId, ImageId, Status

ROWS = (
    ("Tissue 10.png", Status.NEW, None, 0, ""),
    ("tissue 2.png", Status.DONE, "held-out", 50, ""),
    ("a/coin.png", Status.IN_PROGRESS, "train", 100, ""),
    ("b/TISSUE 3.png", Status.NEW, None, 10, "The file is cut short."),
)
ITEMS = [
    ImageItem(i, ImageId(i + 1), name, status, split, labelled, 0, problem, 10, 10, 1)
    for i, (name, status, split, labelled, problem) in enumerate(ROWS)
]
NAMES = name_keys(ITEMS)


def left(wanted: ImageFilter, present: frozenset[ImageId] | None = None, also: int = -1) -> list[int]:
    return list(fitting(ITEMS, NAMES, range(len(ITEMS)), wanted, present, also))


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", [0, 1, 2, 3]),
        ("  ", [0, 1, 2, 3]),
        ("tissue", [0, 1, 3]),
        ("TISSUE", [0, 1, 3]),
        ("3 tissue", [3]),
        ("b/", [3]),
        ("a/ tissue", []),
    ],
)
def test_every_word_must_be_in_the_name_in_any_case_and_order(text: str, places: list[int]) -> None:
    assert left(ImageFilter(text)) == places


def test_several_statuses_are_alternatives_and_everything_else_adds_up() -> None:
    assert left(ImageFilter(statuses=frozenset({Status.NEW, Status.DONE}))) == [0, 1, 3]
    assert left(ImageFilter(problem=True)) == [3]
    assert left(ImageFilter(held_out=True)) == [1]
    assert left(ImageFilter("tissue", frozenset({Status.NEW}), problem=True)) == [3]
    assert left(ImageFilter(held_out=True, problem=True)) == []


def test_a_class_leaves_the_images_that_have_it_and_all_while_that_is_not_known() -> None:
    wanted = ImageFilter(has_class=ClassId(2))
    assert left(wanted) == [0, 1, 2, 3]
    assert left(wanted, frozenset({ImageId(2), ImageId(3)})) == [1, 2]
    assert left(wanted, frozenset()) == []


def test_one_place_stays_though_it_does_not_fit() -> None:
    assert left(ImageFilter("coin", frozenset({Status.DONE}), problem=True, held_out=True), also=0) == [0]


def test_names_are_sorted_as_people_count() -> None:
    assert list(ordered(ITEMS, NAMES, ImageOrder(Order.NAME))) == [2, 3, 1, 0]


@pytest.mark.parametrize(
    ("order", "places"),
    [
        (ImageOrder(), [0, 1, 2, 3]),
        (ImageOrder(backwards=True), [3, 2, 1, 0]),
        (ImageOrder(Order.STATUS), [2, 0, 3, 1]),
        (ImageOrder(Order.LABELLED), [2, 1, 3, 0]),
        (ImageOrder(Order.PROBLEM), [3, 0, 1, 2]),
        (ImageOrder(Order.PROBLEM, backwards=True), [0, 1, 2, 3]),
    ],
)
def test_rows_with_the_same_key_stay_in_the_order_of_the_project(order: ImageOrder, places: list[int]) -> None:
    assert list(ordered(ITEMS, NAMES, order)) == places


def test_a_filter_keeps_the_order_it_is_given() -> None:
    places = ordered(ITEMS, NAMES, ImageOrder(Order.LABELLED))
    assert list(fitting(ITEMS, NAMES, places, ImageFilter("tissue"))) == [1, 3, 0]

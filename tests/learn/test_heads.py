"""Matching a project's class names with the slices of the embedded head."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.learn.heads import Head, canonical, is_background_name, match_heads

HEADS = (
    Head("aerial", "aerial", ("land", "building", "road", "water"), (0, 4), False),
    Head("fluorescence", "microscopy", ("background", "nucleus"), (4, 6), True),
    Head("tissue", "histology", ("background", "nucleus"), (6, 8), False),
    Head("alloy", "materials", ("matrix", "secondary precipitate", "tertiary precipitate"), (8, 11), True),
    Head("foreground", "any", ("background", "object"), (11, 13), False),
)


@pytest.mark.parametrize("name", ["nucleus", "Nuclei", "cell", "CELLS", "my cells", "blueNuclei", "nucleus_1"])
def test_a_class_is_found_under_its_plural_its_synonym_and_other_spellings(name: str) -> None:
    match = match_heads(["background", name], HEADS, background=0, grey=True)
    assert (match.set, match.from_channel) == ("fluorescence", (4, 5))


@pytest.mark.parametrize(("grey", "wanted"), [(True, "fluorescence"), (False, "tissue"), (None, "fluorescence")])
def test_between_equal_heads_the_kind_of_image_decides(grey: bool | None, wanted: str) -> None:
    assert match_heads(["nucleus"], HEADS, background=None, grey=grey).set == wanted


def test_the_head_with_most_classes_wins_and_its_other_channels_are_background() -> None:
    match = match_heads(["background", "roads", "houses"], HEADS, background=0, grey=None)
    assert match.set == "aerial"
    assert match.to_class == (0, 2, 1, 0)
    assert match.from_channel == (0, 2, 1)


def test_a_class_named_by_the_last_word_of_an_embedded_one_takes_the_first_such() -> None:
    match = match_heads(["precipitate", "alloy"], HEADS, background=None, grey=None)
    assert (match.set, match.to_class) == ("alloy", (None, 0, None))


def test_an_exact_name_goes_before_a_similar_one() -> None:
    match = match_heads(["precipitate", "secondary precipitate"], HEADS, background=None, grey=None)
    assert match.from_channel == (10, 9)


@pytest.mark.parametrize("name", ["cell wall", "coin", "roadside", "42", "", "细胞"])
def test_other_names_get_the_foreground_as_the_first_class_that_is_no_background(name: str) -> None:
    match = match_heads(["background", name, "another"], HEADS, background=0, grey=None)
    assert (match.set, match.to_class, match.from_channel) == ("foreground", (0, 1), (11, 12, None))


def test_a_class_that_the_head_hardly_finds_is_no_reason_to_choose_it() -> None:
    heads = (Head("rock", "materials", ("background", "oxide", "crack"), (0, 3), True, (0.9, 0.8, 0.1)), HEADS[-1])
    assert match_heads(["background", "crack"], heads, background=0, grey=True).set == "foreground"
    both = match_heads(["background", "crack", "oxide"], heads, background=0, grey=True)
    assert (both.set, both.from_channel) == ("rock", (0, 2, 1))


FIELDS = (
    Head("ultrasound_nerves", "medical", ("background", "nerve", "vessel"), (0, 3), True),
    Head("coffee_leaves", "plants", ("background", "leaf", "symptom"), (3, 6), False),
    Head("coast_aerial", "aerial", ("land", "water"), (6, 8), False),
    Head("skin_lesions", "medical", ("skin", "lesion"), (8, 10), False),
    HEADS[-1],
)


@pytest.mark.parametrize(
    "name", ["vessel", "Blood vessels", "retina vessel", "artery", "lesion", "disease", "leaf", "water", "lake"]
)
def test_a_word_that_fields_share_chooses_no_head(name: str) -> None:
    match = match_heads(["background", name], FIELDS, background=0, grey=None)
    assert (match.set, match.to_class) == ("foreground", (0, 1))


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["vessel", "nerve"], "ultrasound_nerves"),
        (["ultrasound", "vessel"], "ultrasound_nerves"),
        (["leaf", "disease"], "coffee_leaves"),
        (["leaf disease"], "coffee_leaves"),
        (["plants", "lesion"], "coffee_leaves"),
        (["Coffee leaves"], "coffee_leaves"),
        (["aerial water"], "coast_aerial"),
        (["skin", "lesion"], "skin_lesions"),
    ],
)
def test_another_class_or_a_word_of_the_field_tells_which_head_is_meant(names: list[str], wanted: str) -> None:
    assert match_heads(names, FIELDS, background=None, grey=None).set == wanted


def test_sharing_the_background_alone_is_no_fit() -> None:
    assert match_heads(["matrix", "pore"], HEADS, background=None, grey=None).set == "foreground"


def test_a_class_called_like_a_background_is_one_where_none_is_marked() -> None:
    match = match_heads(["soil", "crop"], HEADS, background=None, grey=None)
    assert match.to_class == (0, 1)


def test_a_project_without_a_background_leaves_the_ground_unmarked() -> None:
    assert match_heads(["object"], HEADS, background=None, grey=None).to_class == (None, 0)


def test_canonical_names_are_stable() -> None:
    assert canonical("Leaves") == ("leaf",)
    assert canonical("glass") == ("glass",)
    assert is_background_name("Background")
    assert not is_background_name("background cells")


@given(st.lists(st.text(max_size=20), min_size=1, max_size=6), st.booleans() | st.none())
def test_any_names_get_a_slice_and_a_consistent_reading(names: list[str], grey: bool | None) -> None:
    match = match_heads(names, HEADS, background=None, grey=grey)
    assert len(match.to_class) == match.stop - match.start
    assert len(match.from_channel) == len(names)
    for k, channel in enumerate(match.from_channel):
        if channel is not None:
            assert match.to_class[channel - match.start] == k

"""The words at the end of a mask's name: whose mask it is, and how such names are written."""

import unicodedata

import pytest

from segstudio.formats.folder_words import stem_of_image, words_behind
from segstudio.labels.model import folded_name

DECOMPOSED = unicodedata.normalize("NFD", "é_mask")


@pytest.mark.parametrize(
    ("stem", "image", "words"),
    [
        ("p1_mask", "p1", "_mask"),
        ("p1-Ground_Truth", "p1", "-Ground_Truth"),
        ("p1_cp_masks", "p1", "_cp_masks"),
        ("Straße_Mask", "strasse", "_Mask"),
        ("STRASSE_mask", "strasse", "_mask"),
        (DECOMPOSED, "é", "_mask"),
        ("x̄_mask", "x̄", "_mask"),  # there is no one character for this letter
        ("कि_mask", "कि", "_mask"),
        ("細胞_mask", "細胞", "_mask"),
        ("İ_mask", folded_name("İ"), "_mask"),
        ("p1", "p1", ""),
        ("mask", "mask", ""),
        ("_mask", "_mask", ""),
        ("ü", "ü", ""),
        ("mask_é", "mask_é", ""),
    ],
)
def test_a_name_parts_before_the_words_that_call_it_a_mask(stem: str, image: str, words: str) -> None:
    assert stem_of_image(folded_name(stem)) == image
    assert words_behind(stem) == words

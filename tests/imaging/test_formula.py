"""Indices by formula, colour maps, and what the names of channels say."""

import numpy as np
import pytest

from segstudio.errors import UserError
from segstudio.imaging.bands import colour_of, formula_names, is_composite, mapping, roles
from segstudio.imaging.colour_maps import COLOUR_MAPS, colour_map
from segstudio.imaging.display import BLUE, GREEN, RED, ShownChannel, View, colours, is_plain, picked, to_rgb
from segstudio.imaging.first_view import first_view_of
from segstudio.imaging.formula import parsed
from segstudio.imaging.levels import EIGHT_BIT, Levels
from segstudio.imaging.metadata import Channel, Metadata

BANDS = {"red": 0, "nir": 1, "c1": 0, "c2": 1}
SAMPLES = np.array([[[10, 30], [0, 0], [50, 50]]], np.uint16)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("(nir - red) / (nir + red)", [0.5, np.nan, 0.0]),
        ("(NIR-Red)/(NIR+Red)", [0.5, np.nan, 0.0]),
        ("1.5 * c2 - -c1", [55.0, 0.0, 125.0]),
        ("red ** 2", [100.0, 0.0, 2500.0]),
        (" nir/red ", [3.0, np.nan, 1.0]),
    ],
)
def test_a_formula_is_computed_for_every_pixel(text: str, values: list[float]) -> None:
    found = parsed(text, BANDS).computed(SAMPLES)
    assert found.dtype == np.float32
    assert np.array_equal(found[0, :, 0], np.array(values, np.float32), equal_nan=True)


@pytest.mark.parametrize(
    "text",
    [
        "", "nir -", "nir; red", "__import__('os').system('true')", "nir.real", "nir if red else 1", "nir[0]",
        "'a' + nir", "nir @ red", "lambda: nir", "[nir]", "True + nir", "nir == red", "1" + "0" * 400 + " * nir",
        "nir" + "+nir" * 200,
        "(" * 60 + "nir" + ")" * 60 + "+" + "-" * 45 + "nir",
    ],
)  # fmt: skip
def test_what_is_no_formula_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UserError, match="is not understood") as refused:
        parsed(text, BANDS)
    assert "(nir - red)" in refused.value.todo


def test_a_channel_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UserError, match="no channel 'blue'") as refused:
        parsed("blue - red", BANDS)
    assert refused.value.todo == "Its channels are red, nir, c1, c2."
    with pytest.raises(UserError, match="names no channel"):
        parsed("1 + 2", BANDS)


def test_a_view_of_a_formula_shows_its_value_and_nothing_of_8_bits_as_stored() -> None:
    view = View((ShownChannel(0, Levels(-1.0, 1.0)),), formula=parsed("(nir - red) / (nir + red)", BANDS))
    assert to_rgb(SAMPLES, view)[0, :, 0].tolist() == [191, 0, 128]
    assert picked(SAMPLES, view).shape == (1, 3, 1)
    eight = View((ShownChannel(0, EIGHT_BIT),), formula=parsed("nir", BANDS))
    assert not is_plain(np.dtype(np.uint8), eight)
    assert View((ShownChannel(0, EIGHT_BIT),)).picks != eight.picks


def test_a_colour_map_colours_one_channel_and_follows_its_shades() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    for name in COLOUR_MAPS:
        table = colour_map(name)
        shown = colours(ramp, View((ShownChannel(0, EIGHT_BIT),), colours_by=name))
        assert np.array_equal(shown.reshape(256, 3), table)
        assert len(np.unique(table, axis=0)) > 60
        inverted = View((ShownChannel(0, EIGHT_BIT),), colours_by=name, invert=True)
        assert np.array_equal(to_rgb(ramp, inverted).reshape(256, 3), table[::-1])
    assert colour_map("viridis")[[0, 255]].tolist() == [[68, 1, 84], [253, 231, 37]]
    with pytest.raises(KeyError):
        colour_map("COLORMAP_JET")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("Blue", "Green", "Red", "NIR", "Red edge"), {"blue": 0, "green": 1, "red": 2, "nir": 3, "rededge": 4}),
        (("B02 (blue)", "B03_green", "B04 red", "B05 RedEdge", "B08 near-infrared"),
         {"blue": 0, "green": 1, "red": 2, "rededge": 3, "nir": 4}),
        (("DAPI", "infrared camera", "credits"), {}),
    ],
)  # fmt: skip
def test_names_say_what_bands_are(names: tuple[str, ...], found: dict[str, int]) -> None:
    assert roles(names) == found


def test_bands_are_mapped_by_their_names_or_not_at_all() -> None:
    names = ("Blue", "Green", "Red", "NIR")
    assert mapping("true colour", names) == (2, 1, 0)
    assert mapping("false colour infrared", names) == (3, 2, 1)
    assert mapping("false colour infrared", names[:3]) is None
    metadata = Metadata(channels=tuple(Channel(name) for name in (*names, "Red edge 1")))
    assert formula_names(metadata, 5) == {
        "c1": 0, "c2": 1, "c3": 2, "c4": 3, "c5": 4, "blue": 0, "green": 1, "red": 2, "nir": 3, "red_edge_1": 4,
        "rededge": 4,
    }  # fmt: skip
    assert formula_names(Metadata(), 3)["green"] == 1


def test_a_composite_is_first_shown_in_the_colours_of_its_channels_each_between_its_own_levels() -> None:
    stains = Metadata(channels=(Channel("DAPI", "#0000FF"), Channel("GFP", "#00ff00"), Channel("Cy5"), Channel("TL")))
    own = tuple(Levels(0, 100 * (n + 1)) for n in range(4))
    view = first_view_of(stains, 4, Levels(0, 5), own)
    assert [(c.colour, c.levels) for c in view.channels] == [
        (BLUE, own[0]),
        (GREEN, own[1]),
        (BLUE, own[2]),
        ((255, 255, 255), own[3]),
    ]
    assert colour_of(stains, 0) == BLUE
    rgb = Metadata(channels=(Channel("Red"), Channel("Green"), Channel("Blue")))
    assert not is_composite(rgb, 3)
    assert not is_composite(Metadata(), 5)
    bands = Metadata(channels=tuple(Channel(name) for name in ("Blue", "Green", "Red", "NIR")))
    assert [(c.index, c.colour) for c in first_view_of(bands, 4, Levels(0, 5), own).channels] == [
        (2, RED),
        (1, GREEN),
        (0, BLUE),
    ]

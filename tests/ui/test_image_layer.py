"""The layer of the image: what it keeps of its last drawing is never seen in the next one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segstudio.app.viewing.display import DisplayImage
from segstudio.geometry import Rect, ViewTransform
from segstudio.imaging.display import BLUE, GREEN, RED, WHITE, ShownChannel, View
from segstudio.imaging.levels import EIGHT_BIT, Levels
from segstudio.ui.canvas.layers import image
from segstudio.ui.canvas.layers.image import NEUTRAL, ImageLayer

RNG = np.random.default_rng(3)
BUFFER = Rect(0, 0, 150, 110)
WHOLE = ViewTransform(0.3, -4.25, 3.5)


def picture(dtype: str, channels: int, side: int = 600) -> DisplayImage:
    samples = (RNG.random((side - 21, side, channels)) * 250).astype(dtype)
    if dtype == "float32":
        samples[40:50, 60:90] = np.nan
    return DisplayImage.of(samples, EIGHT_BIT)


# Of one size and type, as the planes of a file are, and of others.
PICTURES = [picture("uint16", 3), picture("uint16", 3), picture("float32", 2), picture("int16", 1), picture("uint8", 3)]

views = st.builds(
    lambda channels, low, width, gamma, own: View(
        tuple(
            ShownChannel(c, Levels(low, low + width * (1 + own * i)), colour)
            for i, (c, colour) in enumerate(zip(channels, (RED, GREEN, BLUE), strict=False))
        ),
        gamma,
    ),
    st.permutations(range(3)).flatmap(lambda order: st.integers(0, 3).map(lambda n: order[:n])),
    st.integers(-20, 200),
    st.floats(0.5, 300),
    st.sampled_from([1.0, 1.0, 2.2]),
    st.integers(0, 1),
)
transforms = st.builds(
    ViewTransform, st.sampled_from([0.07, 0.3, 0.31, 0.7, 0.99, 1.0, 2.6]), st.floats(-90, 60), st.floats(-70, 40)
)
rects = st.sampled_from([BUFFER, Rect(0, 0, 150, 7), Rect(143, 0, 7, 110), Rect(20, 30, 60, 50)])
steps = st.one_of(
    st.tuples(st.just("levels"), views),
    st.tuples(st.just("picture"), st.sampled_from(PICTURES)),
    st.tuples(st.just("transform"), transforms),
    st.tuples(st.just("pan"), st.tuples(st.integers(-9, 9), st.integers(-9, 9))),
    st.tuples(st.just("rect"), rects),
)


def drawn(layer: ImageLayer, transform: ViewTransform, rect: Rect) -> NDArray[np.uint32]:
    out = np.full((BUFFER.h, BUFFER.w), 7, np.uint32)
    layer.draw(transform, rect, out)
    return out


@settings(max_examples=150)
@given(st.lists(steps, min_size=1, max_size=8))
def test_whatever_was_drawn_before_the_pixels_are_those_of_a_fresh_drawing(taken: list[tuple[str, Any]]) -> None:
    layer, transform, rect = ImageLayer(), WHOLE, BUFFER
    layer.pixels = PICTURES[0]
    drawn(layer, transform, rect)
    for what, value in taken:
        if what == "transform":
            transform = value
        elif what == "pan":
            transform = transform.panned(*value)
        elif what == "rect":
            rect = value
        elif what == "picture":
            layer.pixels = value
        elif layer.pixels is not None and layer.pixels.fits(value):  # type: ignore[attr-defined]
            layer.pixels = layer.pixels.seen(value)  # type: ignore[attr-defined]
        fresh = ImageLayer()
        fresh.pixels = layer.pixels
        assert np.array_equal(drawn(layer, transform, rect), drawn(fresh, transform, rect))
        if layer._kept is not None:
            height, width, channels = layer._kept.samples.shape
            assert (width <= BUFFER.w, height <= BUFFER.h, channels) == (True, True, len(layer._kept.picks))


def test_other_levels_and_colours_of_the_same_channels_resample_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, made = image.resampled, []
    monkeypatch.setattr(image, "resampled", lambda *args: made.append(1) or whole(*args))
    layer, one = ImageLayer(), PICTURES[0]
    layer.pixels = one
    seen = {drawn(layer, WHOLE, BUFFER).tobytes()}
    for low in range(5):
        layer.pixels = one.seen(one.view.between(Levels(low * 20, 200)))
        seen.add(drawn(layer, WHOLE, BUFFER).tobytes())
    layer.pixels = one.seen(View(tuple(ShownChannel(i, Levels(0, 99), BLUE) for i in range(3)), gamma=2.0))
    seen.add(drawn(layer, WHOLE, BUFFER).tobytes())
    assert (len(made), len(seen)) == (1, 7)
    layer.pixels = one.seen(View((ShownChannel(1, Levels(0, 99), WHITE),)))
    drawn(layer, WHOLE, BUFFER)
    assert len(made) == 2


def test_of_an_image_that_is_gone_nothing_is_kept() -> None:
    layer = ImageLayer()
    layer.pixels = PICTURES[0]
    drawn(layer, WHOLE, BUFFER)
    assert layer._kept is not None
    layer.pixels = None
    assert layer._kept is None
    assert (drawn(layer, WHOLE, BUFFER) == NEUTRAL).all()

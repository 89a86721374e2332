"""The scale bar: a round length, as long on screen as it is in the image, and none where no size is known."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.app.viewing.scale_bar import Spacing, scale_bar
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk


@given(st.floats(1e-6, 1e6), st.floats(1e-3, 64.0))
def test_the_bar_is_round_and_fills_at_least_two_fifths_of_its_room(size: float, scale: float) -> None:
    bar = scale_bar(Spacing(size, "µm"), scale, 160)
    assert bar is not None
    assert f"{bar.length:e}"[0] in "125"
    assert float(f"{bar.length:.0e}") == pytest.approx(bar.length)
    assert 160 * 0.4 - 1e-6 <= bar.view_px <= 160 * (1 + 1e-6)
    assert bar.view_px == pytest.approx(bar.length / size * scale)


def test_a_length_is_written_with_its_unit() -> None:
    bar = scale_bar(Spacing(0.5, "µm"), 2.0, 160)
    assert bar is not None
    assert bar.words == "20 µm"
    assert bar.view_px == 80


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan"), float("inf")])
def test_a_pixel_without_a_size_has_no_bar(size: float) -> None:
    assert scale_bar(Spacing(size, "mm"), 1.0, 160) is None
    assert scale_bar(None, 1.0, 160) is None


def test_the_bar_is_hidden_until_a_size_is_known_and_follows_the_zoom(window: MainWindow, desk: Desk) -> None:
    assert window.scale_bar.isHidden()
    displaying = desk.navigation.displaying
    assert displaying.display is not None
    displaying.display = replace(displaying.display, spacing=Spacing(0.25, "µm"))
    window.canvas.set_zoom(1.0)
    assert window.scale_bar.isVisible()
    assert window.scale_bar.bar is not None
    assert window.scale_bar.bar.words == "20 µm"
    window.canvas.set_zoom(10.0)
    assert window.scale_bar.bar.words == "2 µm"
    assert window.canvas.rect().contains(window.scale_bar.geometry())
    desk.leave()
    assert window.scale_bar.isHidden()

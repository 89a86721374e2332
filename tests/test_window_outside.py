"""A picture with pixels outside of it, in the real window: what is seen there, and what hands and commands do there."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage

from segstudio.app.values import Rest
from segstudio.tasks.images.new import new_project
from segstudio.ui.canvas.layers.image import NEUTRAL
from tests.imaging.geo_files import noise, write_raster
from tests.window_bench import Bench, without_proposals

SIDE = 120
OUTSIDE = np.zeros((SIDE, SIDE), bool)
OUTSIDE[:, :30] = OUTSIDE[:, 90:] = True


@pytest.fixture
def me(qtbot: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A window on one picture of which the middle half alone holds data."""
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    without_proposals(monkeypatch)
    samples = noise((SIDE, SIDE, 3), "uint8", low=180, high=182)
    samples[OUTSIDE] = 0
    write_raster(tmp_path / "a.tif", samples, nodata=0)
    path = tmp_path / "p.segstudio"
    for _ in new_project(path, [str(tmp_path / "a.tif")], ["background::background", "coin"]):
        pass
    bench = Bench(path)
    bench.wait(lambda: bench.session.project is not None and bench.opened.navigation.display is not None)
    bench.canvas.zoom_to_fit()
    bench.session.set_class("coin")
    yield bench
    bench.rest()
    bench.close()


def known(me: Bench) -> np.ndarray:
    return me.session.labels() != 0


def pixel(me: Bench, x: float, y: float) -> int:
    picture: QImage = me.canvas.grab().toImage()
    return picture.pixel(me.at(x, y) * picture.devicePixelRatio()) & 0xFFFFFFFF


def test_the_ground_is_seen_there_and_what_is_painted_upon_it(me: Bench) -> None:
    assert pixel(me, 15, 60) == NEUTRAL
    assert pixel(me, 100, 60) == NEUTRAL
    assert pixel(me, 60, 60) != NEUTRAL
    me.session.set_tool("brush")
    me.session.set_brush_radius(8)
    me.drag((15, 40), (15, 40))
    me.settle()
    assert known(me)[40, 15]
    assert pixel(me, 15, 40) != NEUTRAL


@pytest.mark.parametrize("tool", ["fill", "wand"])
def test_an_area_ends_at_the_edge_of_the_picture(me: Bench, tool: str) -> None:
    me.session.set_tool(tool)
    me.drag((60, 60))
    me.wait(lambda: me.seqs)
    assert np.array_equal(known(me), ~OUTSIDE)


@pytest.mark.parametrize("tool", ["fill", "wand"])
def test_a_click_outside_fills_nothing_and_says_why(me: Bench, tool: str) -> None:
    me.session.set_tool(tool)
    me.drag((15, 60))
    assert not known(me).any()
    assert "This lies outside the picture: there is nothing to fill." in me.said


def test_done_makes_background_of_the_picture_alone(me: Bench) -> None:
    me.opened.finishing.set_rest(Rest.BACKGROUND)
    me.session.set_tool("brush")
    me.drag((60, 60), (70, 60))
    me.settle()
    me.session.mark_done()
    me.wait(lambda: me.opened.navigation.items[0].status == "done")
    assert np.array_equal(known(me), ~OUTSIDE)
    assert not any("locked" in said for said in me.said)


def test_an_image_said_to_be_empty_is_background_within_the_picture(me: Bench) -> None:
    me.session.mark_done(empty=True)
    me.wait(lambda: me.opened.navigation.items[0].status == "done")
    assert np.array_equal(known(me), ~OUTSIDE)

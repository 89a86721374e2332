"""The card of the first step in a real window of any size: whole, readable, within the canvas."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from segstudio.app.viewing.proposals import Proposals
from tests.window_bench import Bench, make_project

pytestmark = pytest.mark.timeout(120)

SIZES = ((1280, 720), (800, 600), (1600, 1000), (700, 520), (900, 640), (700, 600), (800, 600))
"""Wide and narrow by turns: a card keeps nothing of the width that it had before."""


@pytest.fixture
def me(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(Proposals, "_propose_if_stale", lambda _: None)  # no engine: the card asks for the first stroke
    bench = Bench(make_project(tmp_path))
    bench.wait(lambda: bench.shown)
    bench.fresh()
    kept = QApplication.allWidgets()
    yield bench
    bench.close()
    kept.clear()


@pytest.mark.parametrize("name", ["coin", "a class of thirty-two characters"])
def test_the_card_is_whole_at_every_size_of_the_window(me: Bench, name: str) -> None:
    if name != "coin":
        me.opened.classes.add(name)
        me.session.set_class(name)
    card = me.window.first_step
    for width, height in SIZES:
        me.window.resize(width, height)
        me.wait(lambda width=width: me.window.width() == width)
        # The layout hands the canvas its size in the next turn of the event loop.
        me.wait(lambda: card.geometry().bottom() < me.canvas.height() < card.geometry().bottom() + 40)
        where = (width, height, card.geometry(), me.canvas.size())
        assert card.isVisible(), where
        assert me.canvas.rect().contains(card.geometry()), where
        assert abs(card.geometry().center().x() - me.canvas.rect().center().x()) <= 1, where
        assert card.height() >= card.heightForWidth(card.width()), where
        assert f"'{name}'" in card.text()


def test_on_a_canvas_without_room_the_card_is_not_shown(me: Bench) -> None:
    card = me.window.first_step
    assert card.isVisible()
    me.canvas.resize(150, 400)
    assert not card.isVisible()
    me.canvas.resize(400, 80)
    assert not card.isVisible()
    me.canvas.resize(400, 400)
    assert card.isVisible()

"""The lists of images and of classes in a real window: long names and pictures that cannot be made."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QRect
from PySide6.QtGui import QColor, QHelpEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QToolTip

from segstudio.app.viewing.proposals import Proposals
from segstudio.tasks.images.new import new_project
from segstudio.ui.panels.thumbnails import THUMBNAIL_H, THUMBNAIL_W
from segstudio.ui.theme import current_theme
from tests.window_bench import Bench

pytestmark = pytest.mark.timeout(120)

LONG = "/".join(letter * 100 for letter in "abc")
"""A path of 302 characters in three folders."""
CLASS = "d" * 150


@pytest.fixture
def me(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Three images: one that can be read, one whose file was damaged since, one far down in folders."""
    monkeypatch.setattr(Proposals, "_propose_if_stale", lambda _: None)
    images = tmp_path / "images"
    (images / LONG).mkdir(parents=True)
    pixels = np.full((60, 90), 200, np.uint8)
    for name in ("0.png", "1.png", f"{LONG}/2.png"):
        Image.fromarray(pixels).save(images / name)
    path = tmp_path / "lists.segstudio"
    for _ in new_project(path, [str(images)], ["background::background", "coin", CLASS]):
        pass
    (images / "1.png").write_bytes(b"no picture any more")
    bench = Bench(path)
    bench.wait(lambda: bench.shown)
    yield bench
    QToolTip.hideText()
    bench.wait(lambda: not QToolTip.isVisible())
    bench.close()


def _tip(view: QAbstractItemView, row: int, at: QPoint) -> str:
    """The tooltip that the list shows where the pointer rests on a row, `at` from its corner."""
    place = view.visualRect(view.model().index(row, 0)).topLeft() + at
    event = QHelpEvent(QEvent.Type.ToolTip, place, view.viewport().mapToGlobal(place))
    QApplication.sendEvent(view.viewport(), event)
    return QToolTip.text()


@pytest.mark.qt_log_ignore("This plugin does not support raise")  # said by the offscreen platform at a tooltip
def test_the_tooltips_of_long_names_are_broken_into_lines(me: Bench) -> None:
    images, classes = me.window.arrangement.images.view, me.window.arrangement.classes
    long = next(n for n, item in enumerate(me.opened.navigation.items) if len(item.name) > 300)
    images.scrollTo(images.model().index(long, 0))
    tip = _tip(images, long, QPoint(20, 20))
    assert tip.replace("\n", "").startswith(f"{LONG}/2.png")
    assert max(map(len, tip.splitlines())) <= 80
    tip = _tip(classes.view, classes.model.row_of(CLASS), QPoint(60, 8))
    assert tip.replace("\n", "").startswith(CLASS)
    assert max(map(len, tip.splitlines())) <= 80


def _colours(view: QAbstractItemView, row: int) -> set[str]:
    """The colours of the field that a row has for its picture."""
    view.scrollTo(view.model().index(row, 0))
    corner = view.visualRect(view.model().index(row, 0)).topLeft() + QPoint(5, 4)
    shown = view.viewport().grab(QRect(corner, corner + QPoint(THUMBNAIL_W - 1, THUMBNAIL_H - 1))).toImage()
    return {shown.pixelColor(x, y).name() for x in range(shown.width()) for y in range(shown.height())}


def test_a_mark_stands_in_place_of_a_picture_that_cannot_be_made(me: Bench) -> None:
    view = me.window.arrangement.images.view
    field = QColor(current_theme().field).name()
    me.wait(lambda: _colours(view, 0) == {"#c8c8c8"})  # the picture of the first
    me.wait(lambda: len(_colours(view, 1)) > 1)
    assert field in _colours(view, 1)
    assert QColor(current_theme().faint).name() in _colours(view, 1)

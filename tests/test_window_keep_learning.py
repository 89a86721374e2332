"""Gestures with waits in them while rounds of learning are due, begin and end: a real window, engine and pointer."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.app.learning import keep_learning
from tests.window_bench import LEFT, RIGHT, Bench, disc_path, open_bench

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

WAIT_MS = 350
"""Longer than an automatic start takes from the moment that it is due."""
RADIUS = 6.0
WAY = [(20, 60), (38, 68), (56, 60), (74, 70), (92, 60), (110, 68)]
CORNERS = [(30, 100), (70, 98), (105, 108), (100, 135), (65, 140), (35, 132)]
LATER = np.s_[112:128, 60:95]
"""Within the polygon, and not within the triangle of its first three corners."""


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """Not looked for here: a round goes on from one test to the next."""


@pytest.fixture(scope="module")
def learning(tmp_path_factory: pytest.TempPathFactory, qapp: QApplication) -> Iterator[Bench]:
    """A window that keeps learning, in rounds of seconds, and has learned all that was painted."""
    with pytest.MonkeyPatch.context() as patch, open_bench(tmp_path_factory.mktemp("keeps-learning")) as bench:
        patch.setattr(keep_learning, "_ROUND_S", 3.0)
        bench.fresh()
        bench.drag((30, 40), (60, 44))
        bench.drag((20, 90), (70, 95), button=RIGHT)
        bench.session.keep_learning()
        bench.wait(lambda: _running(bench), 120)
        yield bench
        bench.session.keep_learning(False)
        bench.wait(lambda: not _running(bench), 120)


@pytest.fixture
def bench(learning: Bench) -> Bench:
    """It waits for new labels, and nothing is on its way."""
    owners = learning.opened
    learning.settle()
    learning.wait(
        lambda: owners.keep_learning.waits and not (owners.proposals_ahead.busy or owners.proposals.coming), 180
    )
    learning.session.set_tool("brush")
    learning.seqs.clear()
    return learning


def _running(bench: Bench) -> bool:
    return bench.opened.training.running


def _coin(bench: Bench) -> NDArray[np.bool_]:
    """Where the image on screen has objects of the class that is painted."""
    documents = bench.opened.documents
    assert documents.current is not None
    objects = documents.current.document.objects
    return np.isin(bench.session.labels(), [id_ for id_, class_ in objects.items() if class_ == documents.class_id])


def _makes_a_round_due(bench: Bench, y: float) -> None:
    """A stroke whose edit is on disk a moment later, while the hand is at the next gesture already."""
    bench.drag((30, y), (50, y))


def test_a_round_that_is_due_waits_for_the_pointer_and_the_whole_stroke_is_there(bench: Bench) -> None:
    _makes_a_round_due(bench, 20)
    before = _coin(bench)
    at = [bench.at(*point) for point in WAY]
    QTest.mousePress(bench.canvas, LEFT, pos=at[0])
    for position in at[1:]:
        QTest.mouseMove(bench.canvas, position)
        QTest.qWait(WAIT_MS)
        assert not _running(bench), "a run began under the hand"
    QTest.mouseRelease(bench.canvas, LEFT, pos=at[-1])
    bench.wait(lambda: _running(bench), 60)
    bench.settle()
    painted = _coin(bench)
    real = [bench.canvas.to_image(QPointF(position)) for position in at]
    assert len(bench.seqs) == 2
    assert np.array_equal(painted, before | disc_path(real, RADIUS, painted.shape))


def test_a_round_that_is_due_waits_for_a_polygon_in_progress(bench: Bench) -> None:
    _makes_a_round_due(bench, 30)
    bench.session.set_tool("polygon")
    for corner in CORNERS:
        QTest.mouseClick(bench.canvas, LEFT, pos=bench.at(*corner))
        QTest.qWait(WAIT_MS)
        assert not _running(bench), "a run began between two corners"
    bench.key(Qt.Key.Key_Return)
    bench.wait(lambda: _running(bench), 60)
    bench.settle()
    assert len(bench.seqs) == 2
    assert _coin(bench)[LATER].all()


def test_a_stroke_during_which_a_round_ends_is_whole(bench: Bench) -> None:
    _makes_a_round_due(bench, 12)
    bench.wait(lambda: _running(bench), 60)
    at = [bench.at(x, y + 18) for x, y in WAY]
    QTest.mousePress(bench.canvas, LEFT, pos=at[0])
    bench.wait(lambda: not _running(bench), 120)
    for position in at[1:]:
        QTest.mouseMove(bench.canvas, position)
        QTest.qWait(WAIT_MS)
        assert not _running(bench)
    QTest.mouseRelease(bench.canvas, LEFT, pos=at[-1])
    bench.wait(lambda: _running(bench), 120)
    bench.settle()
    painted = _coin(bench)
    real = [bench.canvas.to_image(QPointF(position)) for position in at]
    assert len(bench.seqs) == 2
    assert (painted | ~disc_path(real, RADIUS, painted.shape)).all()
    assert bench.failures == []

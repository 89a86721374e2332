"""What a person sees of the age of a proposal."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from segstudio.app.viewing.proposal_age import ProposalAge
from tests.window_bench import RIGHT, Bench, open_bench

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

WORDS = "older than your strokes"


@pytest.fixture(scope="module")
def shared(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_bench(tmp_path_factory.mktemp("old")) as bench:
        kept = QApplication.allWidgets()
        yield bench
        kept.clear()


@pytest.fixture
def me(shared: Bench) -> Iterator[Bench]:
    shared.fresh()
    yield shared
    shared.rest()


def _propose(me: Bench) -> None:
    before = len(me.ready)
    me.key(Qt.Key.Key_P)
    me.wait(lambda: len(me.ready) > before and not me.opened.proposals.running, 120)


def test_the_status_bar_says_that_a_proposal_is_older_than_the_strokes(
    me: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProposalAge, "is_quick", lambda *_: False)  # as for a large image: not fitted again by itself
    me.drag((60, 60), (80, 70))
    me.drag((20, 100), (60, 104), button=RIGHT)
    me.settle()
    _propose(me)
    label = me.window.status_bar.proposal_label
    assert label.isVisible()
    assert label.text() == "proposal: instant learner"
    me.drag((70, 60), (90, 75))
    me.settle()
    me.wait(lambda: label.text() == f"proposal: instant learner, {WORDS}")
    _propose(me)
    assert label.text() == "proposal: instant learner"
    me.drag((60, 70), (85, 75))
    me.settle()
    me.wait(lambda: WORDS in label.text())
    me.shows(1)
    me.idle()
    assert WORDS not in label.text()

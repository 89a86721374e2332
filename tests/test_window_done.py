"""Done in the real window: it waits, it asks, and it never marks an image with nothing labelled."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from segstudio.app.values import DoneState, Rest
from tests.window_bench import RIGHT, Bench, open_bench

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def shared(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_bench(tmp_path_factory.mktemp("done")) as bench:
        # The look at what a test leaves behind tells widgets apart by their Python objects: these live on.
        kept = QApplication.allWidgets()
        yield bench
        kept.clear()


@pytest.fixture
def me(shared: Bench) -> Iterator[Bench]:
    shared.opened.finishing.set_rest(Rest("proposal"))
    shared.fresh()
    yield shared
    shared.rest()


def status(me: Bench, image: int = 0) -> str:
    return me.opened.navigation.items[image].status


def test_enter_waits_for_the_proposal_under_way_and_then_fills_and_goes_on(me: Bench) -> None:
    me.session.propose()
    me.key(Qt.Key.Key_Return)
    assert me.opened.finishing.state is DoneState.WAITING
    assert me.labels_say("Waiting for the proposal; Esc stops waiting")
    me.wait(lambda: me.seqs and len(me.shown) == 1, 120)
    assert me.ready[0] == "coins_1.png"
    assert len(me.seqs) == 1
    assert (me.session.labels(0) > 0).all()
    assert set(np.unique(me.session.origins(0))) == {4}
    assert status(me) == "done"
    assert me.opened.navigation.index == 1
    assert not me.labels_say("Waiting")


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Z])
def test_escape_and_undo_end_the_wait_and_nothing_is_marked(me: Bench, key: Qt.Key) -> None:
    me.drag((60, 60), button=RIGHT)
    me.settle()
    me.session.propose()
    me.key(Qt.Key.Key_Return)
    plain, control = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
    me.key(key, control if key == Qt.Key.Key_Z else plain)
    assert me.opened.finishing.state is DoneState.IDLE
    assert not me.labels_say("Waiting")
    me.wait(lambda: me.ready, 120)
    me.idle()
    assert len(me.seqs) == 1  # the stroke, which is still there
    assert (me.session.labels(0) > 0).any()
    assert status(me) == "in-progress"


def test_an_image_on_which_nothing_would_be_labelled_is_confirmed_in_place(me: Bench) -> None:
    me.opened.finishing.set_rest(Rest("unknown"))
    me.key(Qt.Key.Key_Return)
    me.wait(lambda: me.opened.finishing.state is DoneState.NOTHING_LABELLED)
    assert me.labels_say("Nothing would be labelled")
    assert status(me) == "new"
    me.click("confirmEmptyButton")
    me.wait(lambda: me.seqs and me.shown)
    values = me.session.labels(0)
    assert (values == values[0, 0]).all()
    assert values[0, 0] > 0
    assert status(me) == "done"
    assert len(me.seqs) == 1
    assert not me.labels_say("Nothing would be labelled")
    me.shows(0)
    me.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    me.wait(lambda: len(me.seqs) == 2)
    assert status(me) == "new"
    assert not me.session.labels(0).any()


def test_what_is_painted_then_answers_the_question(me: Bench) -> None:
    me.opened.finishing.set_rest(Rest("unknown"))
    me.key(Qt.Key.Key_Return)
    me.wait(lambda: me.opened.finishing.state is DoneState.NOTHING_LABELLED)
    me.drag((60, 60), (90, 60))
    assert me.opened.finishing.state is DoneState.IDLE
    me.key(Qt.Key.Key_Return)
    me.wait(lambda: len(me.seqs) == 2)
    assert status(me) == "done"
    assert set(np.unique(me.session.origins(0))) == {0, 1}


def test_a_script_confirms_with_empty(me: Bench) -> None:
    me.drag((60, 60), (90, 60))
    me.session.mark_done(empty=True)
    me.wait(lambda: len(me.seqs) == 2)
    assert set(np.unique(me.session.origins(0))) == {1, 4}
    assert status(me) == "done"


def test_the_panel_counts_the_objects_of_the_image_on_screen(me: Bench) -> None:
    rim = next(c for c in me.opened.documents.classes if c.name == "rim")
    me.session.set_class("rim")
    for x in (20, 60, 100):
        me.drag((x, 60))
    me.drag((60, 120), button=RIGHT)
    me.settle()
    me.wait(lambda: me.opened.object_counts.by_class == {rim.id: 3})
    model = me.window.arrangement.classes.model
    words = model.data(model.index(model.row_of("rim")), Qt.ItemDataRole.AccessibleTextRole)
    assert "3 objects in this image" in words
    me.shows(1)
    me.wait(lambda: me.opened.object_counts.by_class == {rim.id: 0})

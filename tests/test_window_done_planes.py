"""Done in the real window on a stack: it is of the plane on screen, and of all planes only where a person says so."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from segstudio.app.values import DoneState, Rest
from segstudio.tasks.images.new import new_project
from segstudio.tasks.progress import finished
from segstudio.ui import open_window
from tests.window_bench import RIGHT, Bench, without_proposals

PLANES = 5
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def me(qtbot: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    without_proposals(monkeypatch)
    images = tmp_path / "images"
    images.mkdir()
    pages = [Image.fromarray(np.full((70, 90), 40 * n + 20, np.uint8)) for n in range(PLANES)]
    pages[0].save(images / "a.tif", save_all=True, append_images=pages[1:])
    pages[0].save(images / "b.png")
    project = tmp_path / "stack.segstudio"
    finished(new_project(project, [str(images)], ["background::background", "coin"]))
    bench = Bench(project)
    bench.wait(lambda: bench.shown)
    bench.opened.finishing.set_rest(Rest.BACKGROUND)
    bench.fresh()
    yield bench
    bench.rest()
    bench.close()


def done(me: Bench) -> list[int]:
    return list(me.opened.navigation.items[0].marks.done(PLANES))


def filled(me: Bench) -> list[int]:
    return [plane for plane in range(PLANES) if (me.session.labels(0, plane) > 0).all()]


def press_done(me: Bench) -> None:
    before = len(me.seqs)
    me.key(Qt.Key.Key_Return)
    me.wait(lambda: len(me.seqs) > before)


def test_enter_fills_and_marks_the_plane_on_screen_alone_and_shows_the_next_one(me: Bench) -> None:
    me.shows(0, 2)
    press_done(me)
    assert "Plane 3 is done (1 of 5)" in " ".join(me.said)
    me.wait(lambda: me.opened.navigation.plane == 3 and me.opened.navigation.shown)
    me.settle()
    assert (filled(me), done(me)) == ([2], [2])
    assert me.opened.store.image(me.opened.navigation.rows[0].id).marks.done(PLANES) == {2}
    assert me.opened.navigation.items[0].status == "in-progress"


def test_after_the_last_plane_comes_the_first_that_is_not_done_and_then_the_next_image(me: Bench) -> None:
    for plane in (1, 2, 3, 4):
        me.shows(0, plane)
        press_done(me)
    me.wait(lambda: (me.opened.navigation.index, me.opened.navigation.plane) == (0, 0))
    me.wait(lambda: me.opened.navigation.shown is not None)
    assert me.opened.navigation.items[0].status == "in-progress"
    press_done(me)
    me.wait(lambda: me.session.current_image == "b.png" and me.opened.navigation.shown is not None)
    assert me.opened.navigation.items[0].status == "done"
    assert done(me) == [0, 1, 2, 3, 4]
    assert "(5 of 5)" in me.said[-1]


def test_undo_takes_the_plane_back_and_leaves_the_others_done(me: Bench) -> None:
    press_done(me)
    me.wait(lambda: me.opened.navigation.plane == 1 and me.opened.navigation.shown)
    press_done(me)
    me.wait(lambda: me.opened.navigation.plane == 2 and me.opened.navigation.shown)
    me.key(Qt.Key.Key_Z, CONTROL)
    me.wait(lambda: len(me.seqs) == 3)
    assert (filled(me), done(me)) == ([0], [0])


def test_shift_enter_asks_before_it_fills_planes_that_were_never_shown(me: Bench) -> None:
    me.shows(0, 1)
    me.key(Qt.Key.Key_Return, SHIFT)
    assert me.opened.finishing.state is DoneState.NEVER_SHOWN
    assert me.labels_say("Mark all 5 planes done? 3 were never shown.")
    assert not me.seqs
    me.key(Qt.Key.Key_Escape)
    assert me.opened.finishing.state is DoneState.IDLE
    assert not me.labels_say("Mark all")
    me.key(Qt.Key.Key_Return, SHIFT)
    me.click("confirmAllButton")
    me.wait(lambda: me.seqs)
    me.wait(lambda: me.session.current_image == "b.png")
    assert (filled(me), done(me), len(me.seqs)) == ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4], 1)
    assert "5 of 5 planes of a.tif are done" in " ".join(me.said)


def test_shift_enter_asks_nothing_where_every_plane_was_shown(me: Bench) -> None:
    for plane in range(PLANES):
        me.shows(0, plane)
    me.key(Qt.Key.Key_Return, SHIFT)
    me.wait(lambda: me.seqs)
    assert done(me) == [0, 1, 2, 3, 4]


def test_what_was_shown_before_the_project_was_closed_still_counts(me: Bench) -> None:
    for plane in range(PLANES - 1):
        me.shows(0, plane)
    path = me.project
    me.session.close()
    window = open_window(path)
    try:
        again = window.session
        me.wait(lambda: again.project is not None and again.project.navigation.shown is not None)
        assert again.project is not None
        assert again.project.navigation.plane == PLANES - 2, "it opens where it was left"
        assert again.project.finishing.never_shown == 1
    finally:
        window.close()
        window.deleteLater()


def test_a_plane_on_which_nothing_would_be_labelled_is_confirmed_in_place(me: Bench) -> None:
    me.opened.finishing.set_rest(Rest.UNKNOWN)
    me.drag((20, 20), (40, 20))
    me.wait(lambda: len(me.seqs) == 1)
    me.shows(0, 1)
    me.key(Qt.Key.Key_Return)
    me.wait(lambda: me.opened.finishing.state is DoneState.NOTHING_LABELLED)
    assert me.labels_say("Nothing would be labelled on this plane")
    assert done(me) == []
    me.click("confirmEmptyButton")
    me.wait(lambda: len(me.seqs) == 2)
    assert (filled(me), done(me)) == ([1], [1])


def test_all_planes_leaves_those_without_a_label_and_says_so(me: Bench) -> None:
    me.opened.finishing.set_rest(Rest.UNKNOWN)
    for plane in (0, 3):
        me.shows(0, plane)
        me.drag((20, 20), (40, 20), button=RIGHT)
        me.wait(lambda: me.seqs)
        me.settle()
    before = len(me.seqs)
    me.session.mark_all_done(confirmed=True)
    me.wait(lambda: len(me.seqs) > before)
    assert done(me) == [0, 3]
    assert "2 of 5 planes of a.tif are done" in me.said[-1]
    assert "On 3 planes nothing would be labelled" in me.said[-1]
    me.wait(lambda: me.opened.navigation.plane == 4)


def test_the_list_counts_the_planes_of_a_stack(me: Bench) -> None:
    press_done(me)
    item = me.opened.navigation.items[0]
    assert item.planes_done == 1
    from segstudio.ui.panels.image_model import described

    assert "1 of 5 planes done" in described(item)


def test_shift_enter_on_an_image_of_one_plane_is_done(me: Bench) -> None:
    me.shows(1)
    me.key(Qt.Key.Key_Return, SHIFT)
    me.wait(lambda: me.seqs)
    assert me.opened.navigation.items[1].status == "done"


def test_the_button_says_how_many(me: Bench) -> None:
    me.key(Qt.Key.Key_Return, SHIFT)
    button = me.window.findChild(QPushButton, "confirmAllButton")
    assert button is not None
    assert button.isVisible()
    assert button.text() == "Mark all 5 done"


def test_a_plane_is_marked_not_done_and_keeps_its_labels(me: Bench) -> None:
    for plane in (0, 1):
        me.shows(0, plane)
        press_done(me)
    me.shows(0, 0)
    me.window.bars.action("not-done").trigger()
    me.wait(lambda: len(me.seqs) == 3)
    assert (filled(me), done(me)) == ([0, 1], [1])
    assert me.said[-1] == "Plane 1 is not done (1 of 5 are)."
    me.window.bars.action("not-done").trigger()
    assert me.said[-1] == "This plane is not marked done."
    assert len(me.seqs) == 3
    me.key(Qt.Key.Key_Z, CONTROL)
    me.wait(lambda: len(me.seqs) == 4)
    assert done(me) == [0, 1]

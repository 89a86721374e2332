"""The contract's section on Python and the window, sentence by sentence, in the real window with the real engine.

The tests share one window; each begins with an image on which nothing is labelled.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt, SignalInstance
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QStatusBar, QWidget

from segstudio.store.project import Project
from tests.window_bench import LEFT, MIDDLE, PLANES, RIGHT, Bench, disc_path, make_project, open_bench

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

NAMES = [
    "canvas",
    "imageList",
    "classPanel",
    "toolBrush",
    "toolEraser",
    "brushSize",
    "fineTuneButton",
    "stopTrainingButton",
    "trainingPanel",
    "lossPlot",
    "iouPlot",
    "proposeButton",
    "acceptButton",
    "doneButton",
    "exportButton",
    "statusBar",
]
CALLS = {
    "open_image": ["index_or_path"],
    "set_tool": ["name"],
    "set_brush_radius": ["px"],
    "set_class": ["name"],
    "undo": [],
    "redo": [],
    "propose": [],
    "accept_proposal": [],
    "mark_done": [],
    "stop_training": [],
    "export": ["format", "out"],
    "close": [],
}
SIGNALS = [
    "imageShown",
    "editCommitted",
    "proposalReady",
    "trainingEvent",
    "trainingFinished",
    "exportFinished",
    "failed",
]
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def shared(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_bench(tmp_path_factory.mktemp("contract")) as bench:
        # The look at what a test leaves behind tells widgets apart by their Python objects: these live on.
        kept = QApplication.allWidgets()
        yield bench
        kept.clear()


@pytest.fixture
def me(shared: Bench) -> Iterator[Bench]:
    shared.fresh()
    yield shared
    shared.rest()


def stored_sha(project: Path | None, name: str) -> str:
    assert project is not None
    with Project.open(project, write=False) as reader:
        return reader.labels_sha256(reader.find_image(name).id)


# -- names ------------------------------------------------------------------------------------------------------------


def test_every_part_exists_from_opening_and_no_image_was_shown_yet(qtbot: object, me: Bench, tmp_path: Path) -> None:
    empty = Bench(None)
    try:
        for bench in (empty, me):
            assert bench.window.objectName() == "mainWindow"
            assert [name for name in NAMES if bench.window.findChild(QWidget, name) is None] == []
    finally:
        empty.rest()
        empty.close()
    opened = Bench(make_project(tmp_path / "second", 1))
    try:
        assert opened.shown == []
        assert [name for name in NAMES if opened.window.findChild(QWidget, name) is None] == []
        opened.wait(lambda: opened.shown)
    finally:
        opened.rest()
        opened.close()


def test_calls_and_signals_have_their_names_and_arguments(me: Bench) -> None:
    for name, arguments in CALLS.items():
        parameters = inspect.signature(getattr(me.session, name)).parameters
        assert [p for p in parameters if parameters[p].default is inspect.Parameter.empty] == arguments, name
    for name in ("labels", "origins", "proposal"):
        parameters = inspect.signature(getattr(me.session, name)).parameters
        assert {p: v.default for p, v in parameters.items()} == {"image": None, "plane": 0, "rect": None}
    assert all(isinstance(getattr(me.session, name), SignalInstance) for name in SIGNALS)


# -- reading ----------------------------------------------------------------------------------------------------------


def test_labels_and_origins_are_read_only_and_taken_by_place_or_path_plane_and_rectangle(me: Bench) -> None:
    name = me.session.current_image
    assert name is not None
    me.drag((30, 30), (50, 40))
    ids, origins = me.session.labels(), me.session.origins()
    assert (ids.dtype, origins.dtype) == (np.uint32, np.uint8)
    w, h = me.opened.navigation.items[0].width, me.opened.navigation.items[0].height
    assert ids.shape == origins.shape == (h, w)
    assert np.array_equal(origins, (ids > 0).astype(np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        ids[0, 0] = 1
    me.shows(1)
    for image in (0, np.int64(0), name, Path(name)):
        assert np.array_equal(me.session.labels(image), ids)  # type: ignore[arg-type]
    assert np.array_equal(me.session.labels(0, rect=(20, 25, 30, 10)), ids[25:35, 20:50])
    beyond = me.session.labels(image=0, plane=0, rect=(-5, h - 5, 20, 10))
    assert beyond.shape == (10, 20)
    assert not beyond[5:].any()
    assert np.array_equal(beyond[:5, 5:], ids[h - 5 :, :15])
    assert not me.session.labels().any()


def test_a_proposal_has_class_values_and_a_confidence_of_every_pixel(me: Bench) -> None:
    found = me.session.proposal()
    assert found is not None
    values, confidence = found
    assert values.shape == confidence.shape == me.session.labels().shape
    assert set(np.unique(values)) <= {0, 1, 2, 255}
    assert confidence.dtype == np.float32
    assert 0 <= confidence.min() <= confidence.max() <= 1
    assert not values.flags.writeable
    part = me.session.proposal(0, 0, (10, 20, 30, 40))
    assert part is not None
    assert np.array_equal(part[0], values[20:60, 10:40])
    assert me.session.proposal("pages.tif", plane=2) is None


def test_planes_have_their_own_labels(me: Bench) -> None:
    me.fresh("pages.tif", 1)
    path = me.drag((40, 30), (60, 30))
    mask = disc_path(path, 6, (70, 90))
    assert np.array_equal(me.session.labels(plane=1) > 0, mask)
    assert not me.session.labels(plane=0).any()
    me.shows("pages.tif", 2)
    assert me.opened.navigation.plane == 2
    me.session.undo()
    me.settle()
    assert not me.session.labels("pages.tif", 1).any()
    with pytest.raises(Exception, match="no plane 3"):
        me.session.open_image("pages.tif", PLANES)


# -- the brush --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.7, 8.0])
def test_the_brush_paints_what_lies_within_its_radius_at_every_zoom(me: Bench, scale: float) -> None:
    shape = me.session.labels().shape
    h, w = shape
    me.canvas.set_zoom(scale)
    middle = me.canvas.to_image(QPointF(me.canvas.width() / 2, me.canvas.height() / 2))
    for radius in (0.5, 1, 7.3, 40):
        me.session.set_brush_radius(radius)
        x, y = middle
        path = me.drag((x - 20, y - 9), (x + 3, y + 11), (x + 17, y + 10), (x + 17, y - 8))
        assert np.array_equal(me.session.labels() > 0, disc_path(path, radius, shape)), (scale, radius)
        me.session.undo()
        assert not me.session.labels().any()
        click = me.drag((x + 0.3, y - 0.2))
        assert np.array_equal(me.session.labels() > 0, disc_path(click, radius, shape)), (scale, radius)
        me.session.undo()
    if scale <= 1:
        me.session.set_brush_radius(7.3)
        path = me.drag((-4, 10), (3, -3), (w - 2, 4), (w + 6, h / 2), (w - 5, h + 2), (5, h - 1))
        assert np.array_equal(me.session.labels() > 0, disc_path(path, 7.3, shape))


def test_the_eraser_and_the_right_button_are_as_exact(me: Bench) -> None:
    shape = me.session.labels().shape
    me.session.set_brush_radius(30)
    disc = disc_path(me.drag((60, 60)), 30, shape)
    me.click("toolEraser")
    me.session.set_brush_radius(7.3)
    hole = disc_path(me.drag((50, 60), (70, 66)), 7.3, shape)
    assert np.array_equal(me.session.labels() > 0, disc & ~hole)
    ground = disc_path(me.drag((70, 45), (90, 50), button=RIGHT), 7.3, shape)
    assert np.array_equal(me.session.labels() > 0, (disc & ~hole) | ground)
    values = {int(c.id): c.value for c in me.opened.documents.classes}
    assert me.opened.documents.current is not None
    owners = me.opened.documents.current.document.class_lookup().tolist()
    assert {values[owners[i]] for i in np.unique(me.session.labels()[ground])} == {0}


def test_number_keys_pick_the_class_of_that_place(me: Bench) -> None:
    for key, name in ((Qt.Key.Key_1, "background"), (Qt.Key.Key_3, "rim"), (Qt.Key.Key_2, "coin")):
        me.key(key)
        assert me.opened.documents.current_class is not None
        assert me.opened.documents.current_class.name == name
    me.key(Qt.Key.Key_9)
    assert me.opened.documents.current_class.name == "coin"


# -- the view ---------------------------------------------------------------------------------------------------------


def test_positions_go_to_the_widget_and_back_at_every_zoom(me: Bench) -> None:
    for scale in (0.37, 1.0, 13.0):
        me.canvas.set_zoom(scale)
        a, b = me.canvas.to_widget(0, 0), me.canvas.to_widget(1, 0)
        assert b.x() - a.x() == pytest.approx(scale)
        for x, y in ((0, 0), (33.3, 71.9), (-5, 400)):
            assert me.canvas.to_image(me.canvas.to_widget(x, y)) == pytest.approx((x, y), abs=1e-9)
    me.canvas.zoom_to_fit()
    h, w = me.session.labels().shape
    corner = me.canvas.to_widget(w, h)
    assert me.canvas.to_widget(0, 0).x() >= 0
    assert corner.x() <= me.canvas.width()
    assert corner.y() <= me.canvas.height()


def test_a_stroke_goes_on_through_wheel_middle_drag_and_space_drag(me: Bench) -> None:
    shape = me.session.labels().shape
    h, w = shape
    me.session.set_brush_radius(4)
    me.canvas.set_zoom(3)
    path = me.drag((w / 2, h / 2), (w / 2 + 12, h / 2), release=False)
    last = me.canvas.to_widget(*path[-1])
    me.wheel(last, 3)
    assert me.canvas.to_image(last) == pytest.approx(path[-1], abs=1e-6)
    assert me.canvas.scale == pytest.approx(6)
    at = last.toPoint()
    QTest.mousePress(me.canvas, MIDDLE, pos=at)
    at += QPointF(-60, 30).toPoint()
    QTest.mouseMove(me.canvas, at)
    QTest.mouseRelease(me.canvas, MIDDLE, pos=at)
    held = me.canvas.to_image(QPointF(at))
    assert held == pytest.approx(path[-1], abs=0.4)
    QTest.keyPress(me.canvas, Qt.Key.Key_Space)
    at += QPointF(25, 40).toPoint()
    QTest.mouseMove(me.canvas, at)
    QTest.keyRelease(me.canvas, Qt.Key.Key_Space)
    assert me.canvas.to_image(QPointF(at)) == pytest.approx(held, abs=0.4)
    assert np.array_equal(me.session.labels() > 0, disc_path(path, 4, shape))
    for dx, dy in ((30, 0), (30, -40)):
        at += QPointF(dx, dy).toPoint()
        QTest.mouseMove(me.canvas, at)
        path.append(me.canvas.to_image(QPointF(at)))
    QTest.mouseRelease(me.canvas, LEFT, pos=at)
    assert np.array_equal(me.session.labels() > 0, disc_path(path, 4, shape))
    me.settle()
    assert len(me.seqs) == 1


# -- edits ------------------------------------------------------------------------------------------------------------


def test_stroke_accept_undo_and_redo_are_one_edit_each_and_numbers_rise_by_one(me: Bench) -> None:
    me.drag((30, 30), (40, 40))
    me.drag((30, 30))  # changes nothing
    me.session.accept_proposal()
    me.wait(lambda: (me.session.labels() > 0).all())
    me.session.accept_proposal()  # nothing is unlabelled any more
    me.key(Qt.Key.Key_Z, CTRL)
    me.key(Qt.Key.Key_Z, CTRL | SHIFT)
    me.settle()
    assert len(me.seqs) == 4
    assert np.diff(me.seqs).tolist() == [1, 1, 1]


def test_accept_fills_what_is_unlabelled_and_nothing_else(me: Bench) -> None:
    me.drag((30, 30), (60, 40), button=RIGHT)
    me.session.set_class("rim")
    me.drag((80, 70))
    by_hand = me.session.labels().copy()
    proposal = me.session.proposal()
    assert proposal is not None
    me.click("acceptButton")
    me.wait(lambda: (me.session.labels() > 0).any() and (me.session.origins() == 2).any())
    now, origins = me.session.labels(), me.session.origins()
    assert np.array_equal(now[by_hand > 0], by_hand[by_hand > 0])
    assert np.array_equal(origins == 1, by_hand > 0)
    assert np.array_equal(origins == 2, (by_hand == 0) & (proposal[0] != 255))


def test_with_nothing_to_undo_or_redo_nothing_happens(me: Bench) -> None:
    assert not me.opened.documents.can_undo
    me.session.undo()
    me.drag((30, 30))
    assert not me.opened.documents.can_redo
    me.session.redo()
    me.settle()
    assert len(me.seqs) == 1
    assert me.failures == []


def test_undo_belongs_to_the_image_on_screen_and_a_class_is_undone_from_any(me: Bench) -> None:
    me.drag((30, 30))
    painted = me.session.labels().copy()
    me.fresh(1)
    me.session.undo()
    assert np.array_equal(me.session.labels(0), painted)
    me.shows(0)
    me.opened.classes.add("speck")
    me.shows(1)
    me.session.undo()
    me.settle()
    assert "speck" not in [c.name for c in me.opened.documents.classes]
    assert np.array_equal(me.session.labels(0), painted)


def test_the_first_stroke_of_an_image_is_aborted_by_escape_and_by_undo(me: Bench) -> None:
    for abort in (Qt.Key.Key_Escape, Qt.Key.Key_Z):
        me.drag((30, 30), (50, 30), release=False)
        assert me.session.labels().any()
        me.key(abort, CTRL if abort is Qt.Key.Key_Z else Qt.KeyboardModifier.NoModifier)
        assert not me.session.labels().any()
        QTest.mouseMove(me.canvas, me.at(70, 70))
        me.lift(70, 70)
        assert not me.session.labels().any()
    QTest.qWait(50)
    assert me.seqs == []
    assert not me.opened.documents.can_undo


@pytest.mark.parametrize("way", ["image", "tool", "class", "focus", "propose", "redo", "export"])
def test_whatever_interrupts_a_stroke_keeps_it(me: Bench, way: str, tmp_path: Path) -> None:
    path = me.drag((30, 30), (50, 30), release=False)
    if way == "image":
        me.shows(1)
    elif way == "tool":
        me.key(Qt.Key.Key_E)
    elif way == "class":
        me.key(Qt.Key.Key_1)
    elif way == "focus":
        me.canvas.clearFocus()
    elif way == "propose":
        me.session.propose()
    elif way == "redo":
        me.session.redo()
    else:
        me.session.export("png", tmp_path / "out")
        me.wait(lambda: (tmp_path / "out" / "masks").exists())
    me.wait(lambda: me.seqs)
    assert np.array_equal(me.session.labels(0) > 0, disc_path(path, 6, me.session.labels(0).shape))
    me.lift(60, 60)
    me.idle()
    assert len(me.seqs) == 1


def test_thirty_strokes_accept_and_done_are_undone_to_blank(me: Bench) -> None:
    blank = stored_sha(me.project, "coins_3.png")
    me.fresh("coins_3.png")
    rng = np.random.default_rng(5)
    h, w = me.session.labels().shape
    for _ in range(28):
        x, y = rng.uniform(0, (w, h))
        me.drag((x, y), tuple(rng.uniform(0, (w, h))), button=RIGHT if rng.random() < 0.3 else LEFT)
    me.session.accept_proposal()
    me.session.mark_done()
    me.wait(lambda: me.opened.navigation.items[2].status == "done")
    me.wait(lambda: me.session.current_image != "coins_3.png" and not me.opened.navigation.loading)
    me.settle()
    assert stored_sha(me.project, "coins_3.png") != blank
    me.shows("coins_3.png")
    edits = 0
    while me.opened.documents.can_undo:
        me.session.undo()
        edits += 1
    me.settle()
    assert 28 <= edits <= 30
    assert stored_sha(me.project, "coins_3.png") == blank
    assert me.opened.navigation.items[2].status == "new"


# -- proposing, done --------------------------------------------------------------------------------------------------


def test_propose_ends_in_one_answer_also_when_asked_twice(me: Bench) -> None:
    me.session.propose()
    me.session.propose()
    me.idle()
    QTest.qWait(300)
    assert me.ready == [me.session.current_image]


def test_propose_while_the_image_loads_or_is_left_is_answered_once_for_the_one_on_screen(me: Bench) -> None:
    me.session.open_image(1)
    me.session.propose()
    me.wait(lambda: me.ready)
    me.idle()
    assert me.ready == [me.opened.navigation.items[1].name]
    me.ready.clear()
    me.session.propose()
    me.session.open_image(0)
    me.wait(lambda: me.ready)
    me.idle()
    QTest.qWait(300)
    assert me.ready == [me.opened.navigation.items[0].name]


def test_propose_after_an_edit_knows_that_edit_though_an_older_request_is_on_its_way(me: Bench) -> None:
    me.session.propose()
    me.drag((30, 30))
    me.drag((80, 80), button=RIGHT)
    me.session.propose()
    me.wait(lambda: me.ready)
    me.idle()
    assert len(me.ready) == 1
    assert not me.opened.proposals.is_guess


def test_done_shows_the_next_image_that_is_not_and_a_second_done_waits_for_it(me: Bench) -> None:
    # Enter once more while the next image loads: nobody has seen that one yet.
    again = me.opened.navigation.imageLoading.connect(lambda _path: me.key(Qt.Key.Key_Return))
    me.key(Qt.Key.Key_Return)
    me.wait(lambda: me.shown)
    me.opened.navigation.imageLoading.disconnect(again)
    me.settle()
    QTest.qWait(100)
    assert me.session.current_image == me.opened.navigation.items[1].name
    assert [item.status for item in me.opened.navigation.items[:2]] == ["done", "new"]
    assert len(me.seqs) == 1
    me.shows(0)
    me.session.undo()
    me.settle()
    assert me.opened.navigation.items[0].status == "new"


def test_the_last_line_begins_with_saved_or_not_saved(me: Bench) -> None:
    bar = me.window.findChild(QStatusBar, "statusBar")
    assert bar is not None
    assert bar.currentMessage().startswith("saved")
    texts: list[str] = []
    bar.messageChanged.connect(texts.append)
    me.drag((30, 30))
    me.settle()
    assert any(text.startswith("not saved") for text in texts)
    assert all(text.startswith(("saved", "not saved")) for text in texts)
    assert bar.currentMessage().startswith("saved ")

"""A stack in the window: from plane to plane by slider, keys, wheel and call; labels, view and undo go along."""

from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QSlider, QWidget
from pytestqt.qtbot import QtBot

from segstudio.app.preferences import Preferences, save_preferences
from segstudio.app.viewing import plane_proposals, proposals
from segstudio.errors import UserError
from segstudio.geometry import TILE
from segstudio.imaging.metadata import Metadata
from segstudio.imaging.metadata import encoded as encoded_metadata
from segstudio.labels.model import ClassId, ImageId
from segstudio.labels.proposal import ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import Constant
from segstudio.store.project import Project
from segstudio.store.proposals import encoded
from segstudio.tasks.images.new import new_project
from segstudio.tasks.learning.predict import Plane, PredictProgress, PredictReport, PredictSeconds
from tests.shown_pixels import whole
from tests.window_bench import Bench

CTRL, PLAIN = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier
PLANES, SIDE = 12, 64
STACK, OTHER = 0, 1


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Iterator[Bench]:
    """A stack of twelve planes, each of its own grey, and a picture; nothing is proposed."""
    from PIL import Image

    save_preferences(Preferences(automatic_proposals=False))
    images = tmp_path / "images"
    images.mkdir()
    pages = [Image.fromarray(np.full((SIDE, SIDE), 10 * n + 5, np.uint8)) for n in range(PLANES)]
    pages[0].save(images / "a.tif", save_all=True, append_images=pages[1:])
    pages[3].save(images / "b.png")
    path = tmp_path / "stack.segstudio"
    for _ in new_project(path, [str(images)], ["background::background", "organ", "cell::instance"]):
        pass
    made = Bench(path)
    made.wait(lambda: made.shown)
    made.window.activateWindow()
    made.wait(made.window.isActiveWindow)
    made.canvas.setFocus()
    yield made
    made.close()


def part(bench: Bench, name: str) -> QWidget:
    found = bench.window.findChild(QWidget, name)
    assert found is not None, name
    return found


def slider(bench: Bench, name: str = "planeSlider") -> QSlider:
    found = bench.window.findChild(QSlider, name)
    assert found is not None, name
    return found


def text(bench: Bench) -> str:
    found = bench.window.findChild(QLabel, "planeText")
    assert found is not None
    return found.text()


def grey(bench: Bench) -> int:
    display = bench.opened.navigation.display
    assert display is not None
    return int(whole(display)[0, 0, 0])


def comes(bench: Bench, plane: int) -> None:
    """The pixels of a plane are on screen, and its labels."""
    navigation, documents = bench.opened.navigation, bench.opened.documents
    bench.wait(lambda: not navigation.loading and navigation.plane == plane and documents.plane == plane)
    assert grey(bench) == 10 * plane + 5


def wheel(bench: Bench, eighths: int) -> None:
    middle = QPointF(bench.canvas.rect().center())
    event = QWheelEvent(
        middle, bench.canvas.mapToGlobal(middle), QPoint(), QPoint(0, eighths), Qt.MouseButton.NoButton,
        CTRL, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(bench.canvas, event)


def test_keys_go_to_the_next_and_previous_first_and_last_plane(bench: Bench) -> None:
    for key, plane in (
        (Qt.Key.Key_PageDown, 1), (Qt.Key.Key_PageDown, 2), (Qt.Key.Key_PageUp, 1), (Qt.Key.Key_End, PLANES - 1),
        (Qt.Key.Key_PageDown, PLANES - 1), (Qt.Key.Key_Home, 0), (Qt.Key.Key_PageUp, 0),
    ):  # fmt: skip
        bench.key(key, CTRL)
        comes(bench, plane)
        assert text(bench) == f"Plane {plane + 1} of {PLANES}"
        assert slider(bench).value() == plane


def test_the_keys_of_images_stay_what_they_were(bench: Bench) -> None:
    bench.key(Qt.Key.Key_PageDown)
    bench.wait(lambda: bench.opened.navigation.index == OTHER)


def test_the_wheel_with_ctrl_turns_planes_of_a_stack_and_zooms_a_picture(bench: Bench) -> None:
    scale = bench.canvas.scale
    wheel(bench, -120)
    comes(bench, 1)
    wheel(bench, -240)
    comes(bench, 3)
    wheel(bench, 120)
    comes(bench, 2)
    assert bench.canvas.scale == scale
    bench.shows(OTHER)
    scale = bench.canvas.scale
    wheel(bench, 120)
    assert bench.canvas.scale > scale


def test_parts_of_a_notch_add_up_to_one_plane(bench: Bench) -> None:
    for _part in range(3):
        wheel(bench, -40)
    comes(bench, 1)


def test_the_slider_goes_to_any_plane_and_stands_only_below_a_stack(bench: Bench) -> None:
    assert part(bench, "planeStrip").isVisible()
    assert (slider(bench).minimum(), slider(bench).maximum()) == (0, PLANES - 1)
    slider(bench).setValue(7)
    comes(bench, 7)
    bench.click("nextPlaneButton")
    comes(bench, 8)
    bench.click("previousPlaneButton")
    comes(bench, 7)
    bench.shows(OTHER)
    assert part(bench, "planeStrip").isHidden()
    assert not bench.window.bars.action("next-plane").isEnabled()


def test_a_call_counts_from_0_and_refuses_a_plane_that_is_not_there(bench: Bench) -> None:
    bench.session.set_plane(5)
    comes(bench, 5)
    for plane in (-1, PLANES):
        with pytest.raises(UserError, match="There is no plane"):
            bench.session.set_plane(plane)
    comes(bench, 5)


def test_an_image_is_shown_again_on_the_plane_where_it_was_left(bench: Bench) -> None:
    bench.session.set_plane(5)
    comes(bench, 5)
    bench.key(Qt.Key.Key_N)
    bench.wait(lambda: bench.opened.navigation.shown == bench.opened.navigation.rows[OTHER].id)
    bench.key(Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    bench.wait(lambda: bench.opened.navigation.index == STACK)
    comes(bench, 5)


def test_the_view_and_the_chosen_display_stay(bench: Bench) -> None:
    bench.canvas.set_zoom(9.0)
    bench.session.set_window(100, 50)
    before = bench.canvas.to_image(QPointF(10, 10))
    display = bench.opened.navigation.display
    assert display is not None
    chosen = display.view
    assert chosen != display.automatic
    bench.key(Qt.Key.Key_PageDown, CTRL)
    comes(bench, 1)
    assert bench.canvas.scale == 9.0
    assert bench.canvas.to_image(QPointF(10, 10)) == before
    display = bench.opened.navigation.display
    assert display is not None
    assert display.view == chosen


def test_labels_belong_to_their_plane_and_a_stroke_under_way_is_kept(bench: Bench) -> None:
    bench.session.set_class("organ")
    bench.session.set_brush_radius(4)
    bench.drag((20.0, 20.0), (40.0, 20.0), release=False)
    bench.key(Qt.Key.Key_PageDown, CTRL)
    comes(bench, 1)
    bench.lift(40, 20)
    assert not bench.session.labels(plane=1).any()
    assert bench.session.labels(plane=0)[20, 20]
    bench.drag((20.0, 40.0), (40.0, 40.0))
    assert bench.session.labels(plane=1)[40, 30]
    assert not bench.session.labels(plane=0)[40, 30]


def test_undo_and_redo_go_to_the_plane_they_change_and_say_so(bench: Bench) -> None:
    bench.session.set_class("organ")
    bench.session.set_plane(3)
    comes(bench, 3)
    bench.drag((20.0, 20.0), (40.0, 20.0))
    bench.session.set_plane(9)
    comes(bench, 9)
    bench.key(Qt.Key.Key_Z, CTRL)
    comes(bench, 3)
    assert not bench.session.labels(plane=3).any()
    assert bench.said[-1] == "Undone on plane 4."
    bench.session.set_plane(0)
    comes(bench, 0)
    bench.key(Qt.Key.Key_Y, CTRL)
    comes(bench, 3)
    assert bench.said[-1] == "Redone on plane 4."
    assert bench.session.labels(plane=3).any()


def test_undo_of_what_is_on_screen_says_nothing_of_planes(bench: Bench) -> None:
    bench.session.set_class("organ")
    bench.drag((20.0, 20.0), (40.0, 20.0))
    bench.said.clear()
    bench.key(Qt.Key.Key_Z, CTRL)
    QTest.qWait(50)
    assert bench.opened.navigation.plane == 0
    assert not any("plane" in sentence for sentence in bench.said)


def test_a_key_that_is_held_never_waits_for_planes_that_nobody_sees(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty steps while one plane is decoded cost two planes: the one under way, and the one where the key was let
    go."""
    import threading

    bench.opened.navigation._ahead.close(5)
    monkeypatch.setattr(bench.opened.navigation._ahead, "want", lambda *_: None)
    navigation, gate, loaded = bench.opened.navigation, threading.Event(), []
    load = navigation.displaying.load

    def slow(row, plane, look):  # type: ignore[no-untyped-def]
        loaded.append(plane)
        gate.wait(10)
        return load(row, plane, look)

    monkeypatch.setattr(navigation.displaying, "kept", lambda *_: None)
    monkeypatch.setattr(navigation.displaying, "load", slow)
    for _step in range(9):
        bench.key(Qt.Key.Key_PageDown, CTRL)
    bench.wait(lambda: loaded)
    assert text(bench) == f"Plane 10 of {PLANES}"
    gate.set()
    comes(bench, 9)
    assert loaded == [1, 9]


def test_a_plane_that_cannot_be_read_is_stepped_over(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    navigation = bench.opened.navigation
    load = navigation.displaying.load

    def broken(row, plane, look):  # type: ignore[no-untyped-def]
        if plane == 1:
            raise UserError("The page is damaged.")
        return load(row, plane, look)

    monkeypatch.setattr(navigation.displaying, "kept", lambda *_: None)
    monkeypatch.setattr(navigation.displaying, "load", broken)
    bench.key(Qt.Key.Key_PageDown, CTRL)
    bench.wait(lambda: navigation.failed)
    assert bench.window.bars.action("next-plane").isEnabled()
    bench.key(Qt.Key.Key_PageDown, CTRL)
    comes(bench, 2)


def test_neighbours_are_decoded_ahead_and_then_shown_at_once(bench: Bench) -> None:
    navigation = bench.opened.navigation
    stamp, image = navigation._look.stamp, navigation.rows[STACK].id
    bench.wait(lambda: all(navigation.displaying.kept(image, n, stamp) for n in range(1, PLANES)))
    bench.session.set_plane(1)
    assert navigation.plane == 1
    assert navigation.shown == image
    assert grey(bench) == 15


def test_a_stack_over_time_has_a_slider_for_each_axis(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    navigation = bench.opened.navigation
    from msgspec import structs

    metadata = Metadata(axes="tzyx", sizes=(3, 4), spacing=(2.5, 1.0, 1.0), unit="mm")
    navigation.rows[STACK] = structs.replace(navigation.rows[STACK], metadata=encoded_metadata(metadata))
    bench.session.set_plane(5)
    comes(bench, 5)
    assert (slider(bench).value(), slider(bench).maximum()) == (1, 3)
    assert (slider(bench, "planeSliderT").value(), slider(bench, "planeSliderT").maximum()) == (1, 2)
    assert text(bench) == "Plane 6 of 12 · Time 2 of 3 · z 2 of 4 · 2.5 mm"
    slider(bench, "planeSliderT").setValue(2)
    comes(bench, 9)
    slider(bench).setValue(0)
    comes(bench, 8)


def test_the_strip_stands_back_while_a_page_covers_the_image(bench: Bench) -> None:
    bench.key(Qt.Key.Key_F1)
    assert part(bench, "planeStrip").isHidden()
    bench.key(Qt.Key.Key_Escape)
    bench.window.close_topmost()
    assert part(bench, "planeStrip").isVisible()


def test_labels_are_copied_to_the_next_plane_as_one_edit_and_shown_there(bench: Bench) -> None:
    bench.session.set_class("organ")
    bench.drag((20.0, 20.0), (40.0, 20.0))
    bench.session.set_class("cell")
    bench.drag((20.0, 45.0), (40.0, 45.0))
    bench.settle()
    edits = len(bench.seqs)
    bench.key(Qt.Key.Key_D, CTRL)
    comes(bench, 1)
    bench.settle()
    assert np.array_equal(bench.session.labels(plane=1), bench.session.labels(plane=0))
    assert bench.said[-1] == "2 objects copied to plane 2."
    assert len(bench.seqs) == edits + 1
    bench.key(Qt.Key.Key_Z, CTRL)
    assert not bench.session.labels(plane=1).any()
    bench.session.set_plane(PLANES - 1)
    comes(bench, PLANES - 1)
    bench.key(Qt.Key.Key_D, CTRL)
    assert bench.said[-1] == "This is the last plane: there is none to copy the labels to."


def test_the_chosen_class_is_copied_alone_and_within_what_may_be_painted_over(bench: Bench) -> None:
    bench.session.set_class("organ")
    bench.drag((20.0, 20.0), (40.0, 20.0))
    bench.session.set_class("cell")
    bench.drag((20.0, 45.0), (40.0, 45.0))
    bench.session.set_plane(1)
    comes(bench, 1)
    bench.session.set_class("organ")
    bench.drag((30.0, 45.0), (31.0, 45.0))
    there = bench.session.labels(plane=1) != 0
    bench.session.set_plane(0)
    comes(bench, 0)
    bench.session.set_class("cell")
    bench.session.set_touch("unlabelled")
    bench.window.bars.action("copy-plane-class").trigger()
    comes(bench, 1)
    here, now = bench.session.labels(plane=0), bench.session.labels(plane=1)
    cell = here == here[45, 30]
    assert np.array_equal(now == here[45, 30], cell & ~there)
    assert not (now[15:25] != 0).any()


def test_interpolation_fills_the_planes_between_as_one_edit_that_counts_as_computed(bench: Bench) -> None:
    bench.session.set_class("organ")
    bench.drag((20.0, 30.0), (40.0, 30.0))
    bench.session.set_plane(6)
    comes(bench, 6)
    bench.session.set_brush_radius(12)
    bench.drag((20.0, 30.0), (40.0, 30.0))
    bench.settle()
    edits = len(bench.seqs)
    bench.key(Qt.Key.Key_I, CTRL | Qt.KeyboardModifier.ShiftModifier)
    bench.wait(lambda: "Labels interpolated on 5 planes." in bench.said)
    bench.settle()
    assert len(bench.seqs) == edits + 1
    areas = [np.count_nonzero(bench.session.labels(plane=n)) for n in range(8)]
    assert areas[:7] == sorted(areas[:7])
    assert areas[7] == 0
    assert set(np.unique(bench.session.origins(plane=3)).tolist()) == {0, 5}
    assert len(bench.session.objects()) == 1
    bench.key(Qt.Key.Key_Z, CTRL)
    comes(bench, 5)
    assert bench.said[-1] == "Undone on 5 planes; the nearest is 6."


def test_around_a_plane_only_that_gap_is_filled(bench: Bench) -> None:
    bench.session.set_class("organ")
    for plane in (0, 3, 8):
        bench.session.set_plane(plane)
        comes(bench, plane)
        bench.drag((20.0, 30.0), (40.0, 30.0))
    bench.session.set_plane(5)
    comes(bench, 5)
    bench.window.bars.action("interpolate-around").trigger()
    bench.wait(lambda: "Labels interpolated on 4 planes." in bench.said)
    assert not bench.session.labels(plane=1).any()
    assert bench.session.labels(plane=5).any()
    bench.window.bars.action("interpolate-around").trigger()
    bench.wait(lambda: bench.said[-1].startswith("Nothing is unlabelled between a labelled plane"))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[list[Plane]]:
    """The planes that were asked for, each of which is proposed at once."""
    asked: list[list[Plane]] = []

    def predict(
        project: Project, _engine: object, images: list[ImageId], *, planes: list[Plane], **_options: object
    ) -> Generator[PredictProgress, None, PredictReport]:
        asked.append(list(planes))
        tile = encoded(ProposalTile(Constant(1, 0), np.full((TILE // 4, TILE // 4), 9, np.uint8)))
        for n, place in enumerate(planes):
            project.proposals.write(*place, "embedded", {1: ProposalRow(ClassId(2), 0.9)}, {(0, 0): tile})
            yield PredictProgress(n + 1, len(planes), place[0], place[1])
        return PredictReport(len(images), 1, 1.0, PredictSeconds(0, 0, 0), "embedded")

    for module in (plane_proposals, proposals):
        monkeypatch.setattr(module, "predict", predict)
    return asked


def test_propose_is_of_the_plane_on_screen(bench: Bench, answers: list[list[Plane]]) -> None:
    bench.session.set_plane(4)
    comes(bench, 4)
    bench.key(Qt.Key.Key_P)
    bench.wait(lambda: bench.ready)
    image = bench.opened.navigation.shown
    assert answers == [[(image, 4)]]


def test_all_planes_or_those_that_follow_are_proposed_in_one_job(bench: Bench, answers: list[list[Plane]]) -> None:
    image = bench.opened.navigation.shown
    bench.window.bars.action("propose-planes").trigger()
    bench.session.set_plane(9)
    comes(bench, 9)
    bench.wait(lambda: "12 planes have a proposal now." in bench.said)
    assert answers == [[(image, plane) for plane in range(PLANES)]]
    bench.wait(lambda: bench.opened.proposals.on_screen is not None)
    assert {note.plane for note in bench.opened.store.proposals.notes()} == set(range(PLANES))
    bench.session.reject_proposal()
    bench.wait(lambda: bench.opened.store.proposals.is_rejected(ImageId(int(image or 0)), 9))
    bench.window.bars.action("propose-from-here").trigger()
    bench.wait(lambda: "2 planes have a proposal now." in bench.said)
    assert answers[1:] == [[(image, 10), (image, 11)]], "what a person rejected stays rejected"


def test_planes_are_played_one_after_another_and_round_the_end(bench: Bench) -> None:
    planes: list[int] = []
    bench.opened.navigation.imageShown.connect(lambda: planes.append(bench.opened.navigation.plane))
    bench.opened.cine.set_rate(60)
    bench.click("playPlanesButton")
    bench.wait(lambda: len(planes) > PLANES)
    assert bench.window.bars.action("play-planes").isChecked()
    bench.click("playPlanesButton")
    assert not bench.opened.cine.playing
    assert not bench.window.bars.action("play-planes").isChecked()
    assert planes == [(n + 1) % PLANES for n in range(len(planes))], "none is skipped"
    stopped = bench.opened.navigation.plane
    QTest.qWait(60)
    assert bench.opened.navigation.plane == stopped


def test_another_image_or_a_stroke_stops_playing(bench: Bench) -> None:
    bench.opened.cine.play(True)
    bench.drag((20.0, 20.0), (30.0, 20.0), release=False)
    bench.wait(lambda: not bench.opened.cine.playing)
    bench.lift(30, 20)
    bench.opened.cine.play(True)
    bench.shows(OTHER)
    bench.wait(lambda: not bench.opened.cine.playing)

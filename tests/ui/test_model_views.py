"""What the model is unsure of, what it would change, and the next spot worth a look: with mouse and keys."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QRegion
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from segstudio.app.values import LABELS, JobKind, ModelView
from segstudio.app.viewing import spot_search
from segstudio.engine.protocol import Done, Doubt, DoubtTile, PredictedImage, PredictedTile
from segstudio.geometry import TILE, Rect, tiles_of
from segstudio.labels.proposal import Proposal, ProposalTile, encode_confidence, quantised_confidence
from segstudio.labels.tiles.tile import Constant
from segstudio.learn.uncertainty import uncertainty
from segstudio.runs import INSTANT
from segstudio.store.proposals import encoded
from segstudio.ui.window.main_window import MainWindow
from tests.ui.canvas_values import proposal_of
from tests.ui.desk import Desk
from tests.ui.room import Room
from tests.ui.small_projects import SIZE
from tests.ui.test_training_panel import make_plots
from tests.ui.test_versions import two_versions

LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
BACKGROUND, NUCLEUS, MEMBRANE = 1, 2, 3
UNSURE = Rect(320, 160, 32, 32)
LESS = Rect(96, 400, 16, 16)


@pytest.fixture(scope="module", autouse=True)
def plots(room: Room) -> None:
    """The plots live as long as the window: they are there before the first test."""
    make_plots(room)


def proposed(desk: Desk, parts: dict[int, Rect], *unsure: tuple[Rect, int]) -> Proposal:
    """A proposal for the image on screen: background, but for these parts; sure, but for some."""
    ids = np.full((SIZE[1], SIZE[0]), BACKGROUND)
    for class_id, rect in parts.items():
        ids[rect.y : rect.bottom, rect.x : rect.right] = class_id
    levels = np.full((2 * TILE // 4, 3 * TILE // 4), 15, np.uint8)
    for rect, level in unsure:
        levels[rect.y // 4 : rect.bottom // 4, rect.x // 4 : rect.right // 4] = level
    made = proposal_of(ids)
    tiles = {
        (ty, tx): ProposalTile(tile.labels, levels[64 * ty : 64 * ty + 64, 64 * tx : 64 * tx + 64])
        for (ty, tx), tile in made.tiles.items()
    }
    return replace(made, image=desk.document.image, tiles=tiles)


def picture(window: MainWindow) -> NDArray[np.uint8]:
    """Colours (480, 640, 3) of the image as it is shown whole, one for 4 x 4 pixels."""
    canvas = window.canvas
    out = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    canvas.zoom_to_fit()
    QApplication.processEvents()
    shown = QImage(canvas.size(), QImage.Format.Format_RGB32)
    # Without the card that says what to do first.
    canvas.render(shown, QPoint(), QRegion(), QWidget.RenderFlag.DrawWindowBackground)
    for y in range(0, SIZE[1], 4):
        for x in range(0, SIZE[0], 4):
            at = canvas.to_widget(x + 2, y + 2)
            color = QColor(shown.pixel(int(at.x()), int(at.y())))
            out[y : y + 4, x : x + 4] = color.getRgb()[:3]
    return out


def bare(window: MainWindow) -> NDArray[np.uint8]:
    """The same without anything above the image."""
    window.canvas.set_labels_shown(False)
    window.canvas.set_proposal_shown(False)
    seen = picture(window)
    window.canvas.set_labels_shown(True)
    window.canvas.set_proposal_shown(True)
    return seen


def inside(rect: Rect) -> tuple[slice, slice]:
    """The pixels of a rectangle without its outermost four, which a view between pixels may mix."""
    return slice(rect.y + 4, rect.bottom - 4), slice(rect.x + 4, rect.right - 4)


def key(window: MainWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Press and release a key over the canvas."""
    QTest.keyClick(window.canvas, key, modifiers)


def without_labels(desk: Desk) -> None:
    """Open a project without any label."""
    desk.load(labelled=False)


def test_confidence_tints_what_the_model_is_unsure_of_and_only_that(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    desk.stores(proposed(desk, {NUCLEUS: Rect(40, 40, 160, 160)}, (UNSURE, 2)))
    classes, image = picture(window), bare(window)
    assert (classes[inside(Rect(40, 40, 160, 160))] != image[inside(Rect(40, 40, 160, 160))]).any()
    key(window, Qt.Key.Key_C, SHIFT)
    seen = picture(window)
    assert (seen[inside(UNSURE)] != image[inside(UNSURE)]).any(axis=2).all()
    away = np.ones(seen.shape[:2], np.bool_)
    away[UNSURE.y - 8 : UNSURE.bottom + 8, UNSURE.x - 8 : UNSURE.right + 8] = False
    assert np.array_equal(seen[away], image[away])
    assert window.bars.action("show-confidence").isChecked()
    assert desk.said[-1].startswith("Coloured where the model is unsure")
    key(window, Qt.Key.Key_C, SHIFT)
    assert np.array_equal(picture(window), classes)
    assert not window.bars.action("show-confidence").isChecked()


def test_a_label_is_not_hidden_by_confidence_and_s_hides_it(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    desk.stores(proposed(desk, {}, (Rect(0, 0, 640, 480), 2)))
    desk.paint(Rect(100, 100, 120, 120), NUCLEUS)
    window.canvas.set_proposal_shown(False)
    labelled = picture(window)
    window.canvas.set_proposal_shown(True)
    key(window, Qt.Key.Key_C, SHIFT)
    seen = picture(window)
    assert np.array_equal(seen[inside(Rect(100, 100, 120, 120))], labelled[inside(Rect(100, 100, 120, 120))])
    assert (seen[inside(Rect(300, 300, 120, 120))] != labelled[inside(Rect(300, 300, 120, 120))]).any(axis=2).all()
    key(window, Qt.Key.Key_S)
    assert np.array_equal(picture(window), labelled)
    key(window, Qt.Key.Key_X, SHIFT)  # a view that is asked for is seen
    assert window.bars.action("show-proposals").isChecked()


def test_differences_show_what_would_come_and_what_would_go_and_follow_the_hand(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    comes, goes = Rect(40, 40, 120, 120), Rect(300, 40, 120, 120)
    desk.stores(proposed(desk, {MEMBRANE: comes}))
    desk.paint(comes, NUCLEUS)
    desk.paint(goes, NUCLEUS)
    desk.paint(Rect(40, 300, 80, 80), BACKGROUND)
    filled, image = picture(window), bare(window)
    key(window, Qt.Key.Key_X, SHIFT)
    assert desk.opened.views.against == LABELS
    window.canvas.set_proposal_shown(False)
    labelled = picture(window)
    window.canvas.set_proposal_shown(True)
    seen = picture(window)
    # Labels step back: what differs is not to be taken for one of them.
    assert (
        np.abs(labelled[inside(goes)] - image[inside(goes)].astype(float)).mean()
        < 0.5 * np.abs(filled[inside(goes)] - image[inside(goes)].astype(float)).mean()
    )
    assert (seen[inside(comes)] != labelled[inside(comes)]).any(axis=2).all()
    assert len(np.unique(seen[inside(goes)].reshape(-1, 3), axis=0)) > len(
        np.unique(labelled[inside(goes)].reshape(-1, 3), axis=0)
    )
    same = Rect(40, 300, 80, 80)
    assert np.array_equal(seen[inside(same)], labelled[inside(same)])
    desk.paint(comes, MEMBRANE)
    now = picture(window)
    assert (now[inside(comes)] != seen[inside(comes)]).any(axis=2).all()
    window.canvas.set_proposal_shown(False)
    assert np.array_equal(now[inside(comes)], picture(window)[inside(comes)])
    desk.settle()
    desk.session.undo()
    window.canvas.set_proposal_shown(True)
    assert np.array_equal(picture(window), seen)


def answers(desk: Desk, class_id: int, version: str) -> None:
    """Let the engine answer the newest request with one class for all of it."""
    (target,) = desk.engine.predicts[-1].targets
    labels, sureness = encoded(ProposalTile(Constant(1, 0), np.full((TILE // 4, TILE // 4), 12, np.uint8)))
    for ty, tx in tiles_of(Rect(0, 0, *SIZE)):
        desk.engine.answer(PredictedTile(0, target.image, target.plane, ty, tx, labels, sureness))
    rows = [(1, class_id, 0.9)]
    desk.engine.answer(PredictedImage(id=0, image=target.image, plane=target.plane, version=version, rows=rows))
    desk.engine.end()


def test_compare_beside_a_version_shows_where_that_proposes_something_else(window: MainWindow, desk: Desk) -> None:
    desk.open(desk.projects.grown(desk.place(), two_versions))
    desk.shows(5)
    desk.stores(proposed(desk, {MEMBRANE: Rect(40, 40, 120, 120)}))
    QTest.mouseClick(window.arrangement.training.head.versions, LEFT)
    image, striped = bare(window), picture(window)
    button = window.findChild(QPushButton, "compareVersion-v2")
    assert button is not None
    QTest.mouseClick(button, LEFT)
    desk.wait(lambda: desk.engine.predicts)
    assert desk.engine.predicts[-1].version == "v2"
    assert desk.opened.views.view is ModelView.DIFFERENCE
    assert np.array_equal(picture(window), striped)  # the proposal is seen until the other is there
    answers(desk, BACKGROUND, "v2")
    desk.wait(lambda: desk.opened.compared.proposal)
    seen = picture(window)
    part = inside(Rect(40, 40, 120, 120))
    assert (seen[part] != image[part]).any(axis=2).all()
    assert np.array_equal(seen[inside(Rect(300, 300, 120, 120))], image[inside(Rect(300, 300, 120, 120))])
    seen_proposal = desk.opened.proposals.seen
    assert seen_proposal is not None
    assert seen_proposal.version == "imported"  # what is compared is never proposed
    desk.shows(4)
    desk.wait(lambda: len(desk.engine.predicts) == 2)
    desk.shows(5)
    desk.wait(lambda: desk.opened.compared.proposal)
    assert len(desk.engine.predicts) == 2, "what is kept is not asked for again"


def test_holding_z_shows_the_other_version_in_the_proposals_place(window: MainWindow, desk: Desk) -> None:
    desk.open(desk.projects.grown(desk.place(), two_versions))
    desk.shows(5)
    desk.stores(proposed(desk, {MEMBRANE: Rect(40, 40, 120, 120)}))
    desk.opened.views.compare_with("v2")
    before, image = picture(window), bare(window)
    QTest.keyPress(window.canvas, Qt.Key.Key_Z)
    desk.wait(lambda: desk.engine.predicts)
    assert np.array_equal(picture(window), before)
    answers(desk, NUCLEUS, "v2")
    desk.wait(lambda: desk.opened.compared.proposal)
    held = picture(window)
    assert (held[inside(Rect(300, 300, 120, 120))] != image[inside(Rect(300, 300, 120, 120))]).any()
    QTest.keyRelease(window.canvas, Qt.Key.Key_Z)
    assert np.array_equal(picture(window), before)


def test_in_turns_the_two_are_shown_until_it_is_switched_off(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    desk.stores(proposed(desk, {MEMBRANE: Rect(40, 40, 120, 120)}))
    views = desk.opened.views
    key(window, Qt.Key.Key_Z, SHIFT)
    assert views.blinking
    assert views.proposal is None
    desk.wait(lambda: views.proposal is not None)
    desk.wait(lambda: views.proposal is None)
    assert window.bars.action("blink").isChecked()
    key(window, Qt.Key.Key_Z, SHIFT)
    assert not views.blinking
    assert views.proposal is desk.opened.proposals.seen


def test_a_version_that_cannot_propose_is_said_and_nothing_is_drawn(window: MainWindow, desk: Desk) -> None:
    desk.open(desk.projects.grown(desk.place(), two_versions))
    desk.shows(5)
    desk.stores(proposed(desk, {MEMBRANE: Rect(40, 40, 120, 120)}))
    failed: list[object] = []
    desk.session.failed.connect(failed.append)
    desk.opened.views.compare_with("v2")
    desk.opened.views.show(ModelView.DIFFERENCE)
    desk.wait(lambda: desk.engine.predicts)
    desk.engine.refuse("The weights of v2 are damaged.", "WeightsDamaged")
    desk.wait(lambda: failed)
    desk.session.failed.disconnect(failed.append)
    assert failed == [{"job": JobKind.COMPARE, "sentence": "The weights of v2 are damaged.", "details": ""}]
    assert not desk.opened.views.coming
    assert desk.opened.views.tiles is None


def middle(window: MainWindow) -> tuple[float, float]:
    canvas = window.canvas
    return canvas.to_image(QPointF(canvas.width() / 2, canvas.height() / 2))


def is_in(at: tuple[float, float], rect: Rect) -> bool:
    return rect.x <= at[0] <= rect.right and rect.y <= at[1] <= rect.bottom


def test_u_goes_from_one_spot_to_the_next_likely_and_shift_u_back(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    desk.stores(proposed(desk, {}, (UNSURE, 3), (LESS, 3)))
    key(window, Qt.Key.Key_U)
    desk.wait(lambda: is_in(middle(window), UNSURE))
    assert window.canvas.scale > 2
    key(window, Qt.Key.Key_U)
    assert is_in(middle(window), LESS)
    key(window, Qt.Key.Key_U)
    assert desk.said[-1] == "There is no further spot in this image; 2 were looked at."
    key(window, Qt.Key.Key_U, SHIFT)
    assert is_in(middle(window), UNSURE)
    key(window, Qt.Key.Key_U, SHIFT)
    assert desk.said[-1] == "This is the first spot."


def doubted(*parts: tuple[Rect, int], classes: int = 3) -> list[DoubtTile]:
    """The engine's answer: sure everywhere, but for some places."""
    levels = np.zeros((2 * TILE // 4, 3 * TILE // 4), np.uint8)
    for rect, level in parts:
        levels[rect.y // 4 : rect.bottom // 4, rect.x // 4 : rect.right // 4] = level
    places = [(ty, tx) for ty in range(2) for tx in range(3)]
    return [
        DoubtTile(0, ty, tx, encode_confidence(levels[64 * ty : 64 * ty + 64, 64 * tx : 64 * tx + 64]), classes)
        for ty, tx in places
    ]


def test_by_another_measure_the_model_is_asked_and_its_doubts_are_gone_through(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    desk.session.kept_preferences.prefer(uncertainty="flips")
    desk.stores(proposed(desk, {}, (UNSURE, 3)), INSTANT)
    key(window, Qt.Key.Key_U)
    desk.wait(lambda: any(isinstance(request, Doubt) for request in desk.engine.asked))
    asked = desk.engine.asked[-1]
    assert isinstance(asked, Doubt)
    assert (asked.measure, asked.target.image, asked.version) == ("flips", int(desk.document.image), INSTANT)
    key(window, Qt.Key.Key_U)  # patience: it is on its way
    desk.engine.answer(*doubted((LESS, 12)), Done(0))
    desk.wait(lambda: is_in(middle(window), LESS))
    asks = len(desk.engine.asked)
    key(window, Qt.Key.Key_U)
    assert desk.said[-1] == "There is no further spot in this image; 1 was looked at."
    assert len(desk.engine.asked) == asks
    desk.session.kept_preferences.prefer(uncertainty="confidence")
    key(window, Qt.Key.Key_U)
    desk.wait(lambda: is_in(middle(window), UNSURE))
    assert len(desk.engine.asked) == asks


@pytest.mark.parametrize("classes", [2, 8])
def test_by_entropy_two_level_classes_are_a_spot_however_many_others_there_are(
    window: MainWindow, desk: Desk, classes: int
) -> None:
    without_labels(desk)
    desk.session.kept_preferences.prefer(uncertainty="entropy")
    desk.stores(proposed(desk, {}), INSTANT)
    key(window, Qt.Key.Key_U)
    desk.wait(lambda: any(isinstance(request, Doubt) for request in desk.engine.asked))
    level, surer = (_entropy_level(classes, share) for share in (0.5, 0.8))
    desk.engine.answer(*doubted((LESS, level), (UNSURE, surer), classes=classes), Done(0))
    desk.wait(lambda: is_in(middle(window), LESS))
    key(window, Qt.Key.Key_U)
    assert desk.said[-1] == "There is no further spot in this image; 1 was looked at."
    desk.session.kept_preferences.prefer(uncertainty="confidence")


def _entropy_level(classes: int, share: float) -> int:
    """The level that the engine sends for a pixel of two classes, of which the likelier one has this share."""
    values = np.zeros((classes, 1, 1), np.float32)
    values[:2, 0, 0] = share, 1 - share
    return int(quantised_confidence(uncertainty("entropy", values))[0, 0])


def test_where_the_model_cannot_say_it_that_is_said_and_u_asks_again(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    desk.session.kept_preferences.prefer(uncertainty="entropy")
    desk.stores(proposed(desk, {}, (UNSURE, 3)), INSTANT)
    key(window, Qt.Key.Key_U)
    desk.wait(lambda: any(isinstance(request, Doubt) for request in desk.engine.asked))
    desk.engine.refuse("The weights of v1 are damaged.", "WeightsDamaged")
    desk.wait(window.message_strip.isVisible)
    assert window.message_strip.text.text() == "The weights of v1 are damaged."
    asks = len(desk.engine.asked)
    key(window, Qt.Key.Key_U)
    desk.wait(lambda: len(desk.engine.asked) > asks)
    desk.shows(1)  # nobody waits for it any more
    desk.wait(lambda: not desk.session.jobs.states)
    desk.session.kept_preferences.prefer(uncertainty="confidence")


def test_what_a_person_proposed_has_no_other_doubt_than_its_confidence(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    desk.session.kept_preferences.prefer(uncertainty="flips")
    desk.stores(proposed(desk, {}, (UNSURE, 3)))
    key(window, Qt.Key.Key_U)
    desk.wait(lambda: is_in(middle(window), UNSURE))
    assert not any(isinstance(request, Doubt) for request in desk.engine.asked)
    desk.session.kept_preferences.prefer(uncertainty="confidence")


def test_a_spot_that_was_painted_since_is_not_shown(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    desk.stores(proposed(desk, {}, (UNSURE, 3), (LESS, 3)))
    button = window.findChild(QToolButton, "nextErrorButton")
    assert button is not None
    QTest.mouseClick(button, LEFT)
    desk.wait(lambda: is_in(middle(window), UNSURE))
    desk.paint(LESS, NUCLEUS)
    QTest.mouseClick(button, LEFT)
    assert desk.said[-1] == "There is no further spot in this image; 1 was looked at."


def test_in_differences_the_next_spot_is_the_largest_of_them(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    desk.stores(proposed(desk, {}, (UNSURE, 3)))
    desk.paint(LESS, NUCLEUS)
    desk.opened.views.show(ModelView.DIFFERENCE)
    desk.session.next_error()
    desk.wait(lambda: is_in(middle(window), LESS))
    desk.session.next_error()
    assert desk.said[-1] == "There is no further spot in this image; 1 was looked at."


def test_the_frame_of_a_spot_stays_until_something_is_painted(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    without_labels(desk)
    desk.stores(proposed(desk, {}, (UNSURE, 3)))
    desk.session.next_error()
    desk.wait(lambda: desk.documents.tools.overlay)
    qtbot.wait(3300)
    assert desk.documents.tools.overlay
    desk.paint(LESS, NUCLEUS)
    assert not desk.documents.tools.overlay


def held_search(desk: Desk) -> threading.Event:
    """The worker of the search is busy until the event is set."""
    goes = threading.Event()
    desk.opened.spots._worker.submit(lambda: goes.wait(30) and None)
    return goes


def test_a_search_that_ends_on_another_image_moves_nothing_there(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    desk.stores(proposed(desk, {}, (UNSURE, 3)))
    sought: list[object] = []
    desk.opened.spots.sought.connect(sought.append)
    goes = held_search(desk)
    key(window, Qt.Key.Key_U)
    desk.shows(1)
    goes.set()
    desk.shows(0)
    assert sought == []
    key(window, Qt.Key.Key_U)  # and the first image is searched anew
    desk.wait(lambda: sought)


def test_a_search_whose_view_was_left_shows_no_spot_of_it(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    desk.stores(proposed(desk, {}, (UNSURE, 3)))
    desk.paint(LESS, NUCLEUS)
    goes = held_search(desk)
    key(window, Qt.Key.Key_U)
    key(window, Qt.Key.Key_X, SHIFT)
    goes.set()
    key(window, Qt.Key.Key_U)
    desk.wait(lambda: is_in(middle(window), LESS))


def test_after_a_bug_in_the_search_u_looks_again(
    window: MainWindow, desk: Desk, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    without_labels(desk)
    desk.stores(proposed(desk, {}, (UNSURE, 3)))
    with monkeypatch.context() as patch, qtbot.capture_exceptions() as caught:
        patch.setattr(spot_search, "find_spots", lambda *_: 1 / 0)
        key(window, Qt.Key.Key_U)
        desk.wait(lambda: caught or desk.bugs)
    desk.bugs.clear()
    key(window, Qt.Key.Key_U)
    desk.wait(lambda: is_in(middle(window), UNSURE))


def test_a_difference_that_was_painted_away_is_not_shown(window: MainWindow, desk: Desk) -> None:
    without_labels(desk)
    desk.stores(proposed(desk, {}))
    desk.paint(UNSURE, NUCLEUS)
    desk.paint(LESS, NUCLEUS)
    desk.opened.views.show(ModelView.DIFFERENCE)
    desk.session.next_error()
    desk.wait(lambda: is_in(middle(window), UNSURE))
    desk.erase(LESS)
    desk.session.next_error()
    assert desk.said[-1] == "There is no further spot in this image; 1 was looked at."


@pytest.mark.parametrize("look", [{"opacity": 0.0}, {"visible": False}])
def test_confidence_leaves_labels_alone_that_are_not_filled(
    window: MainWindow, desk: Desk, look: dict[str, float | bool]
) -> None:
    without_labels(desk)
    desk.stores(proposed(desk, {}, (Rect(0, 0, 640, 480), 2)))
    desk.paint(Rect(100, 100, 120, 120), NUCLEUS)
    desk.opened.classes.change("nucleus", **look)
    image = bare(window)
    key(window, Qt.Key.Key_C, SHIFT)
    seen, within = picture(window), inside(Rect(108, 108, 104, 104))
    assert np.array_equal(seen[within], image[within])
    assert (seen[inside(Rect(300, 300, 120, 120))] != image[inside(Rect(300, 300, 120, 120))]).any(axis=2).all()


def test_without_a_proposal_u_says_how_to_get_one(window: MainWindow, desk: Desk) -> None:
    key(window, Qt.Key.Key_U)
    assert desk.said[-1] == "There is no proposal to look through: propose first."


def test_the_panel_says_how_the_proposal_is_drawn_and_changes_it(window: MainWindow, desk: Desk) -> None:
    panel = window.arrangement.panels["proposal"]
    views = desk.opened.views
    choice, against = panel.view_choice, panel.against_choice  # type: ignore[attr-defined]
    assert [choice.itemText(n) for n in range(choice.count())] == ["Proposal", "Confidence", "Differences"]
    assert not against.isVisible()
    QTest.keyClick(choice, Qt.Key.Key_Down)
    assert views.view is ModelView.CONFIDENCE
    QTest.keyClick(choice, Qt.Key.Key_Down)
    assert views.view is ModelView.DIFFERENCE
    assert against.isVisible()
    assert [against.itemText(n) for n in range(against.count())] == ["Labels"]
    key(window, Qt.Key.Key_X, SHIFT)
    assert choice.currentText() == "Proposal"

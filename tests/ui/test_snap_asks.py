"""What the snapping brush asks of the worker: never more than can be kept, and again where no answer will come."""

import threading
from collections.abc import Callable

import numpy as np
import pytest

from segstudio.app.editing.documents import Documents
from segstudio.app.editing.tool_work import Computation
from segstudio.app.editing.tools import superpixel_tiles
from segstudio.app.editing.tools.base import Answer, Context, End
from segstudio.app.editing.tools.overlay import Patch
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.editing.tools.snap import SuperpixelBrush
from segstudio.app.editing.tools.superpixel_tiles import SuperpixelTiles
from segstudio.errors import UserError
from segstudio.geometry import TILE
from segstudio.labels.model import ClassId
from segstudio.labels.paint.region import Place
from tests.ui.desk import Desk

TILES = 16
WIDE = np.full((TILE, TILES * TILE, 3), 120, np.uint8)
SMALL = np.full((200, 300, 3), 120, np.uint8)


def pointed(phase: Phase, x: float, y: float) -> Pointer:
    return Pointer(phase, x, y, Button.NONE if phase is Phase.HOVER else Button.LEFT)


def ready(desk: Desk, *pictures: np.ndarray) -> Context:
    """The pictures are open, 'snap' is chosen with a small disc, and with the second class."""
    desk.show({f"{n}.png": picture for n, picture in enumerate(pictures)})
    chosen = desk.documents.classes.effective(ClassId(2))
    assert chosen is not None
    desk.session.set_class(chosen.name)
    desk.session.set_tool("snap")
    desk.session.set_brush_radius(2.0)
    return context_of(desk.documents)


def context_of(documents: Documents) -> Context:
    context = documents.context()
    assert context is not None
    return context


def ended(brush: SuperpixelBrush, context: Context, *points: tuple[float, float]) -> Answer:
    """The answer in which a stroke through points ends, of which the worker answers the newest question each time."""
    answers = [brush.press(pointed(Phase.PRESS, *points[0]), context)]
    answers += [brush.move(pointed(Phase.MOVE, *point), context) for point in points[1:]]
    answers.append(brush.release(pointed(Phase.RELEASE, *points[-1]), context))
    question = [answer.asks for answer in answers if answer.asks is not None][-1]
    for _ in range(4 * TILES):
        assert isinstance(question, Computation)
        answer = brush.arrived(question.work(lambda: False), context)
        if answer.ends is not End.NOT_YET:
            return answer
        question = answer.asks
    pytest.fail("the stroke does not end")


def test_a_stroke_over_more_tiles_than_are_kept_ends_and_is_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(superpixel_tiles, "_KEPT", 8)
    context = ready(desk, WIDE)
    brush = SuperpixelBrush("snap")
    assert ended(brush, context, (10, 128), (TILES * TILE - 10, 128), (10, 128)).ends is End.KEEP
    assert (desk.class_ids()[128, 10:-10] == 2).all()
    brush.abort()


def test_no_question_is_about_more_than_can_be_kept_until_it_is_answered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(superpixel_tiles, "_KEPT", 8)
    context = ready(desk, WIDE)
    computed: list[list[Place]] = []
    compute = SuperpixelTiles.compute

    def noted(tiles: SuperpixelTiles, places: list[Place], cancelled: Callable[[], bool]) -> None:
        computed.append(tiles.missing(places))
        compute(tiles, places, cancelled)

    monkeypatch.setattr(SuperpixelTiles, "compute", noted)
    brush = SuperpixelBrush("snap")
    ended(brush, context, (10, 128), (TILES * TILE - 10, 128))
    assert max(map(len, computed)) <= 4
    assert sorted(place for places in computed for place in places) == [(0, n) for n in range(TILES)], "each once"
    brush.abort()


def test_tiles_that_are_asked_for_again_stay_while_others_are_computed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(superpixel_tiles, "_KEPT", 4)
    image = ready(desk, WIDE).seen.image
    assert image is not None
    tiles = SuperpixelTiles(image, 16)
    tiles.compute([(0, n) for n in range(4)], lambda: False)
    tiles.compute([(0, 0), (0, 4)], lambda: False)
    assert tiles.missing([(0, n) for n in range(5)]) == [(0, 1)]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Holds the worker back until it is set."""
    opened = threading.Event()
    compute = SuperpixelTiles.compute

    def held(tiles: SuperpixelTiles, places: list[Place], cancelled: Callable[[], bool]) -> None:
        assert opened.wait(20)
        compute(tiles, places, cancelled)

    monkeypatch.setattr(SuperpixelTiles, "compute", held)
    return opened


def test_a_click_after_another_image_was_shown_and_this_one_again_ends(desk: Desk, gate: threading.Event) -> None:
    ready(desk, SMALL, SMALL)
    tool = desk.documents.active_tool
    tool.pointer(pointed(Phase.HOVER, 150, 100))
    desk.shows(1)
    desk.shows(0)
    tool.pointer(pointed(Phase.PRESS, 150, 100))
    tool.pointer(pointed(Phase.RELEASE, 150, 100))
    assert tool.active
    gate.set()
    desk.wait(lambda: not tool.active)
    assert desk.class_ids()[100, 150] == 2


def test_the_preview_comes_back_with_the_image_at_the_first_move(desk: Desk, gate: threading.Event) -> None:
    ready(desk, SMALL, SMALL)
    tool = desk.documents.active_tool
    tool.pointer(pointed(Phase.HOVER, 150, 100))
    desk.shows(1)
    desk.shows(0)
    tool.pointer(pointed(Phase.HOVER, 150, 100))
    gate.set()
    desk.wait(lambda: any(isinstance(shape, Patch) for shape in desk.session.tools.overlay))


@pytest.mark.parametrize("next_event", ["press", "leave"])
def test_what_failed_while_hovering_is_asked_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, next_event: str
) -> None:
    context = ready(desk, SMALL)
    brush = SuperpixelBrush("snap")
    over = pointed(Phase.HOVER, 150, 100)
    asked = brush.hover(over, context).asks
    assert isinstance(asked, Computation)

    def refuse(*_: object) -> None:
        raise UserError("The image cannot be read.")

    with monkeypatch.context() as patch:
        patch.setattr(SuperpixelTiles, "_colours", refuse)
        with pytest.raises(UserError):
            asked.work(lambda: False)
    assert brush.hover(over, context).asks is None, "nobody has said that it failed"
    if next_event == "press":
        assert brush.press(pointed(Phase.PRESS, 150, 100), context).asks is not None
    else:
        brush.leave(over, context)
        assert brush.hover(over, context).asks is not None
    brush.abort()

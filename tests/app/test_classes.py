"""The owner of the class list: what is chosen is what paints, and a removal says what it takes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from segstudio.app.editing.classes import Classes, removed_words
from segstudio.app.editing.refusals import Refusal, refusal_of
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.viewing.solo import Solo
from segstudio.errors import UserError
from segstudio.labels.model import Kind
from segstudio.store.project import Project
from tests.app.test_documents import Bench


@pytest.fixture
def bench(opened: Callable[[], Project]) -> Iterator[Bench]:
    bench = Bench(opened())
    yield bench
    bench.documents.close()


@pytest.fixture
def classes(bench: Bench) -> Iterator[Classes]:
    made = Classes(bench.ground, bench.documents)
    yield made
    made.wait(5)
    bench.main.close()


def test_a_new_class_is_chosen_at_once_and_that_is_told(qtbot: Any, bench: Bench, classes: Classes) -> None:
    told: list[str] = []
    bench.documents.classChosen.connect(lambda: told.append(bench.documents.current_class.name))
    classes.add("nerve", None, Kind.SEMANTIC)
    assert told == ["nerve"]
    bench.stroke(20, 20)
    assert bench.documents.current is not None
    painted = bench.documents.current.document.class_ids(0, bench.documents.current.document.raster.bounds(0))
    assert painted[20, 20] == bench.documents.classes.named("nerve").id  # type: ignore[union-attr]


def test_a_class_that_goes_gives_the_brush_to_another_and_that_is_told(
    qtbot: Any, bench: Bench, classes: Classes
) -> None:
    told: list[str] = []
    bench.documents.classChosen.connect(lambda: told.append(bench.documents.current_class.name))
    classes.remove("cell")
    bench.documents.undo()
    assert told == ["crack"]
    assert bench.documents.current_class.name == "crack"


def test_a_removal_says_how_many_pixels_in_how_many_images(qtbot: Any, bench: Bench, classes: Classes) -> None:
    said = bench.heard.words
    bench.stroke(20, 20)
    pixels = int((bench.ids() > 0).sum())
    classes.remove("cell")
    qtbot.waitUntil(lambda: bool(said))
    assert said == [
        f"The class 'cell' was removed: {pixels:,} pixels in 1 image now count as unlabelled. Undo brings them back."
    ]
    classes.remove("crack")
    qtbot.waitUntil(lambda: len(said) == 2)
    assert said[1] == "The class 'crack' was removed; nothing was labelled with it. Undo brings it back."


def test_one_pixel_and_many_are_counted_in_words() -> None:
    assert "1 pixel in 1 image now" in removed_words("a", 1, 1)
    assert "1,234 pixels in 2,000 images now" in removed_words("a", 2000, 1234)


def _refusal(
    bench: Bench, x: float, y: float, button: Button = Button.LEFT, *, erasing: bool = False
) -> Refusal | None:
    context = bench.documents.context()
    assert context is not None
    return refusal_of(context, Pointer(Phase.PRESS, x, y, button), erasing=erasing)


def test_a_locked_class_says_so_for_each_button_and_tool_that_would_paint_it(
    qtbot: Any, bench: Bench, classes: Classes
) -> None:
    assert _refusal(bench, 20, 20) is None
    classes.change("cell", locked=True)
    refused = _refusal(bench, 20, 20)
    assert refused == Refusal("Nothing is painted: the class 'cell' is locked. Unlock it in the list.", whole=True)
    assert _refusal(bench, 20, 20, Button.RIGHT) is None
    assert _refusal(bench, 20, 20, erasing=True) is None


def test_pixels_of_a_locked_class_say_so_under_the_brush_and_under_the_eraser(
    qtbot: Any, bench: Bench, classes: Classes
) -> None:
    bench.stroke(20, 20)
    classes.change("cell", locked=True)
    bench.documents.class_id = bench.documents.classes.named("crack").id  # type: ignore[union-attr]
    for refused in (_refusal(bench, 20, 20), _refusal(bench, 20, 20, erasing=True)):
        assert refused is not None
        assert not refused.whole
        assert "belong to 'cell', which is locked" in refused.sentence
    assert _refusal(bench, 60, 60) is None
    assert _refusal(bench, -5, -5) is None


def test_a_hidden_class_says_that_what_is_painted_is_saved_and_not_shown(
    qtbot: Any, bench: Bench, classes: Classes
) -> None:
    classes.change("cell", visible=False)
    refused = _refusal(bench, 20, 20)
    assert refused == Refusal("The class 'cell' is hidden: your painting is saved, but not shown.")
    assert _refusal(bench, 20, 20, erasing=True) is None


def _order(bench: Bench) -> list[str]:
    return [c.name for c in bench.documents.classes]


def test_a_class_is_moved_in_one_edit_and_undo_moves_it_back(qtbot: Any, bench: Bench, classes: Classes) -> None:
    before, edits = _order(bench), bench.documents.submitted
    classes.move(before[0], 2)
    assert _order(bench) == [*before[1:3], before[0], *before[3:]]
    assert bench.documents.submitted == edits + 1
    bench.documents.undo()
    assert _order(bench) == before


def test_a_class_that_is_moved_nowhere_makes_no_edit(qtbot: Any, bench: Bench, classes: Classes) -> None:
    before, edits = _order(bench), bench.documents.submitted
    classes.move(before[0], -5)
    classes.move(before[-1], 99)
    assert _order(bench) == before
    assert bench.documents.submitted == edits


def test_an_order_is_there_when_the_project_is_read_again(qtbot: Any, bench: Bench, classes: Classes) -> None:
    names = _order(bench)
    classes.move(names[-1], 0)
    assert bench.ground.project.writer is not None
    bench.ground.project.writer.flush(10)
    assert [c.name for c in bench.ground.project.classes()] == [names[-1], *names[:-1]]


def test_a_merged_class_counts_as_the_other_and_undo_brings_it_back(qtbot: Any, bench: Bench, classes: Classes) -> None:
    bench.stroke(20, 20)
    classes.merge("cell", "crack")
    assert bench.documents.classes.named("cell") is None
    assert bench.documents.current_class.name == "crack"
    assert bench.heard.words == ["'cell' now counts as 'crack'. Undo takes it back."]
    bench.documents.undo()
    assert bench.documents.classes.named("cell") is not None
    assert bench.documents.current_class.name == "cell"


def test_background_and_the_class_itself_cannot_be_merged(qtbot: Any, bench: Bench, classes: Classes) -> None:
    edits = bench.documents.submitted
    with pytest.raises(UserError, match="merged into itself"):
        classes.merge("cell", "cell")
    with pytest.raises(UserError, match="cannot be merged away"):
        classes.merge(bench.documents.classes.background.name, "cell")
    with pytest.raises(UserError, match="no class 'nothing'"):
        classes.merge("cell", "nothing")
    assert bench.documents.submitted == edits


def test_a_painted_class_without_objects_is_not_merged_into_one_with_objects(
    qtbot: Any, bench: Bench, classes: Classes
) -> None:
    classes.add("nerve", None, Kind.SEMANTIC)
    classes.add("spot", None, Kind.INSTANCE)
    classes.add("blank", None, Kind.SEMANTIC)
    classes.merge("blank", "spot")
    qtbot.waitUntil(lambda: bench.documents.classes.named("blank") is None)
    bench.documents.choose_class("nerve")
    bench.stroke(20, 20)
    with pytest.raises(UserError, match="it has no single objects"):
        classes.merge("nerve", "spot")
    assert bench.documents.classes.named("nerve") is not None


def test_the_use_of_a_class_is_counted_with_what_was_merged_into_it(qtbot: Any, bench: Bench, classes: Classes) -> None:
    bench.stroke(20, 20)
    pixels = int((bench.ids() > 0).sum())
    classes.merge("cell", "crack")
    counted: list[tuple[int, int]] = []
    classes.count_use("crack", lambda *use: counted.append(use))
    qtbot.waitUntil(lambda: bool(counted))
    assert counted == [(1, pixels)]


def test_solo_follows_the_chosen_class_and_stores_nothing(qtbot: Any, bench: Bench, classes: Classes) -> None:
    solo, told = Solo(bench.documents), []
    solo.changed.connect(lambda: told.append(solo.on))
    edits = bench.documents.submitted
    solo.on = True
    assert [c.name for c in solo.classes if c.visible] == ["cell"]
    bench.documents.choose_class("crack")
    assert [c.name for c in solo.classes if c.visible] == ["crack"]
    solo.on = False
    assert solo.classes is bench.documents.classes
    assert told == [True, True, False]
    assert bench.documents.submitted == edits


def test_the_kind_of_a_class_is_refused_for_what_is_being_computed_and_says_so(
    qtbot: Any, bench: Bench, classes: Classes
) -> None:
    opened = bench.documents.current
    assert opened is not None
    bench.documents.computing = lambda: [opened]
    with pytest.raises(UserError, match="Something is still being computed"):
        classes.change("cell", kind="instance")
    bench.documents.computing = tuple
    classes.change("cell", kind="instance")
    qtbot.waitUntil(lambda: bench.documents.classes.named("cell").kind is Kind.INSTANCE)  # type: ignore[union-attr]


def test_what_a_removal_takes_is_counted_once_all_of_it_is_there(qtbot: Any, bench: Bench, classes: Classes) -> None:
    opened = bench.documents.current
    assert opened is not None
    bench.documents.computing = lambda: [opened]
    classes.remove("cell")
    qtbot.wait(100)
    assert bench.heard.words == []
    bench.documents.computing = tuple
    bench.documents.go_on()
    qtbot.waitUntil(lambda: len(bench.heard.words) == 1)

"""Another class for whole objects through the owners of a real project; and what scripts read of objects."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from segstudio.app.editing import reclassing as operation
from segstudio.geometry import Rect
from segstudio.labels.paint.objects.recolor import reclassed
from tests.shown_pixels import whole
from tests.ui.desk import Desk

A, B, C = Rect(20, 30, 50, 40), Rect(240, 100, 60, 200), Rect(400, 300, 30, 30)


@pytest.fixture
def lab(own_desk: Desk) -> Desk:
    """Three nuclei, which are instances: objects 1 to 3 of an image without other labels."""
    own_desk.load(labelled=False)
    own_desk.opened.classes.change("nucleus", kind="instance")
    own_desk.wait(lambda: own_desk.documents.classes.named("nucleus").kind == "instance")
    nucleus = own_desk.documents.classes.named("nucleus").id
    for rect in (A, B, C):
        own_desk.paint(rect, nucleus)
    return own_desk


def classes_of(desk: Desk) -> dict[int, str]:
    """Names by object id of the objects that scripts see."""
    return {row["id"]: row["class"] for row in desk.session.objects()}


def reclass(desk: Desk, ids: list[int], name: str) -> None:
    """Select these objects and give them a class."""
    desk.opened.objects.select(ids)
    desk.opened.objects.reclass(desk.documents.classes.named(name).id)


@contextmanager
def slow_computing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Inside, changes of class are computed and not ready; the list has one entry for each that was begun."""
    goes, begun = threading.Event(), list[int]()

    def waited(*arguments):
        begun.append(1)
        assert goes.wait(60)
        yield from reclassed(*arguments)

    monkeypatch.setattr(operation, "reclassed", waited)
    try:
        yield begun
    finally:
        goes.set()


def test_scripts_read_what_every_object_measures(lab: Desk) -> None:
    values = whole(lab.navigation.display)
    first, second, third = lab.session.objects()
    part = values[B.y : B.bottom, B.x : B.right].reshape(-1, 3)
    assert second.pop("mean") == pytest.approx(tuple(part.mean(axis=0)))
    assert second == {
        "id": 2,
        "class": "nucleus",
        "planes": [0],
        "area_px": 12000,
        "area": 12000.0,
        "unit": "px",
        "rect": (240, 100, 60, 200),
        "origins": {"painted": 12000},
        "locked": False,
    }
    assert (first["id"], third["rect"]) == (1, (400, 300, 30, 30))
    lab.shows(1)
    lab.settle()
    by_path = lab.session.objects(lab.navigation.rows[0].path)
    assert by_path == [first, {**second, "mean": by_path[1]["mean"]}, third]
    assert lab.session.objects() == []


def test_several_objects_get_another_class_in_one_step(lab: Desk) -> None:
    lab.opened.classes.change("debris", kind="instance")
    lab.wait(lambda: lab.documents.classes.named("debris").kind == "instance")
    edits = lab.edits
    reclass(lab, [1, 3], "debris")
    lab.wait(lambda: lab.edits == edits + 1)
    assert classes_of(lab) == {1: "debris", 2: "nucleus", 3: "debris"}
    assert lab.said[-1] == "2 objects are 'debris' now."
    assert lab.documents.selection.ids == {1, 3}
    lab.settle()
    counts = lab.opened.store.object_counts(lab.document.image)
    assert {lab.documents.classes[id_].name: n for id_, n in counts.items() if n} == {"nucleus": 1, "debris": 2}
    lab.session.undo()
    lab.wait(lambda: set(classes_of(lab).values()) == {"nucleus"})


def test_a_semantic_class_takes_them_into_its_one_object_which_is_selected_then(lab: Desk) -> None:
    reclass(lab, [1, 2], "membrane")
    lab.wait(lambda: classes_of(lab) == {1: "membrane", 3: "nucleus"})
    assert lab.documents.selection.ids == {1}
    reclass(lab, [3], "membrane")
    lab.wait(lambda: classes_of(lab) == {1: "membrane"})
    assert lab.session.objects()[0]["area_px"] == A.area + B.area + C.area
    assert lab.documents.selection.ids == {1}
    assert lab.said[-1] == "1 object is 'membrane' now."
    lab.settle()
    lab.session.undo()
    lab.wait(lambda: len(classes_of(lab)) == 2)


def test_objects_that_are_of_the_class_already_stay_and_a_sentence_says_so(lab: Desk) -> None:
    edits = lab.edits
    reclass(lab, [1, 2], "nucleus")
    lab.wait(lambda: lab.said and lab.said[-1] == "The selected objects are 'nucleus' already.")
    assert lab.edits == edits


def test_a_stroke_drawn_meanwhile_stays(lab: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    debris = lab.documents.classes.named("debris").id
    with slow_computing(monkeypatch) as begun:
        reclass(lab, [1], "membrane")
        lab.wait(lambda: begun)
        lab.paint(Rect(30, 40, 5, 5), debris)
    lab.wait(lambda: "membrane" in classes_of(lab).values())
    assert (lab.class_ids()[40:45, 30:35] == debris).all()
    assert np.count_nonzero(lab.class_ids() == lab.documents.classes.named("membrane").id) == A.area - 25


def test_painted_on_in_the_same_tiles_its_pixels_are_looked_at_again(
    lab: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reclass(lab, [3], "membrane")
    lab.wait(lambda: classes_of(lab)[3] == "membrane")
    with slow_computing(monkeypatch) as begun:
        reclass(lab, [1], "membrane")
        lab.wait(lambda: begun)
        lab.paint(Rect(30, 40, 5, 5), lab.documents.classes.named("debris").id)
    lab.wait(lambda: 1 not in classes_of(lab))
    assert len(begun) == 2
    assert np.count_nonzero(lab.class_ids() == lab.documents.classes.named("membrane").id) == A.area + C.area - 25


@pytest.mark.parametrize("ending", ["undo", "escape"])
def test_undo_and_escape_drop_what_is_being_computed_and_leave_the_edit_before_it(
    lab: Desk, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    edits = lab.edits
    with slow_computing(monkeypatch) as begun:
        reclass(lab, [1, 2], "membrane")
        lab.wait(lambda: begun)
        lab.session.undo() if ending == "undo" else lab.opened.cancel()
        assert lab.said[-1] == "Change of class was cancelled; nothing was changed."
    lab.settle()
    assert lab.edits == edits
    assert classes_of(lab) == {1: "nucleus", 2: "nucleus", 3: "nucleus"}


def test_what_is_asked_for_while_it_is_computed_comes_after_it(lab: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with slow_computing(monkeypatch) as begun:
        reclass(lab, [1, 2], "membrane")
        lab.wait(lambda: begun)
        lab.opened.objects.select([1])
        lab.opened.objects.delete()
    lab.wait(lambda: classes_of(lab) == {3: "nucleus"})


def test_closing_at_once_keeps_what_is_being_computed(lab: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lab.opened.path
    with slow_computing(monkeypatch) as begun:
        reclass(lab, [1, 2], "membrane")
        lab.wait(lambda: begun)
        assert not lab.opened.ready_to_close(0.05)
    lab.opened.secure()
    lab.session.projects.close()
    lab.open(path)
    assert classes_of(lab) == {1: "membrane", 3: "nucleus"}


def test_what_is_too_large_for_memory_is_written_as_a_job(lab: Desk) -> None:
    lab.documents.largest_edit_bytes = 1000
    edits = lab.edits
    reclass(lab, [1, 2], "membrane")
    lab.wait(lambda: classes_of(lab) == {1: "membrane", 3: "nucleus"} and not lab.documents.busy)
    assert (lab.edits, lab.documents.selection.ids) == (edits + 1, {1})
    lab.session.undo()
    lab.wait(lambda: set(classes_of(lab)) == {1, 2, 3})


def test_closing_at_once_keeps_what_is_written_as_a_job_too(lab: Desk) -> None:
    path = lab.opened.path
    lab.documents.largest_edit_bytes = 1000
    reclass(lab, [1, 2], "membrane")
    lab.wait(lambda: lab.opened.ready_to_close(0.05))
    lab.opened.secure()
    lab.session.projects.close()
    lab.open(path)
    assert classes_of(lab) == {1: "membrane", 3: "nucleus"}


@pytest.mark.parametrize("locked", ["nucleus", "membrane"])
def test_locked_classes_are_refused_in_a_sentence(lab: Desk, locked: str) -> None:
    lab.opened.classes.change(locked, locked=True)
    lab.wait(lambda: lab.documents.classes.named(locked).locked)
    edits = lab.edits
    reclass(lab, [1], "membrane")
    lab.wait(lambda: lab.said and f"'{locked}' is locked" in lab.said[-1])
    assert lab.edits == edits
    assert classes_of(lab)[1] == "nucleus"


def test_a_window_that_may_not_write_says_so(lab: Desk) -> None:
    lab.settle()
    path = lab.opened.path
    lab.session.projects.close()
    lab.read_only(path)
    reclass(lab, [1], "membrane")
    assert "read-only" in lab.said[-1]
    assert classes_of(lab)[1] == "nucleus"

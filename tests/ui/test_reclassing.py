"""Whole objects through the owners of a real project: another class, or none; and what scripts read of objects."""

import numpy as np
import pytest

from segstudio.app.editing import reclassing
from segstudio.errors import UserError
from segstudio.geometry import Rect
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


def test_scripts_read_what_every_object_measures(lab: Desk) -> None:
    values = lab.navigation.display.pixels
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
    lab.opened.reclassing.reclass([1, 3], lab.documents.classes.named("debris").id)
    assert lab.edits == edits + 1
    assert classes_of(lab) == {1: "debris", 2: "nucleus", 3: "debris"}
    lab.settle()
    counts = lab.opened.store.object_counts(lab.document.image)
    assert {lab.documents.classes[id_].name: n for id_, n in counts.items() if n} == {"nucleus": 1, "debris": 2}
    lab.session.undo()
    lab.wait(lambda: set(classes_of(lab).values()) == {"nucleus"})


def test_a_semantic_class_takes_them_into_its_one_object_which_is_selected_then(lab: Desk) -> None:
    membrane = lab.documents.classes.named("membrane").id
    lab.documents.select([1, 2])
    lab.opened.reclassing.reclass([1, 2], membrane)
    lab.wait(lambda: classes_of(lab) == {1: "membrane", 3: "nucleus"})
    assert lab.documents.selection.ids == {1}
    lab.opened.reclassing.reclass([3], membrane)
    lab.wait(lambda: classes_of(lab) == {1: "membrane"})
    assert lab.session.objects()[0]["area_px"] == A.area + B.area + C.area
    assert lab.said[-1] == "1 object is 'membrane' now"
    lab.settle()
    lab.session.undo()
    lab.wait(lambda: len(classes_of(lab)) == 2)


def test_deleted_objects_are_unknown_and_selected_no_longer(lab: Desk) -> None:
    lab.documents.select([1, 2, 3])
    lab.opened.reclassing.delete([1, 3])
    lab.wait(lambda: set(classes_of(lab)) == {2})
    assert lab.documents.selection.ids == {2}
    assert lab.said[-1] == "2 objects were deleted"
    assert np.count_nonzero(lab.class_ids()) == B.area


def test_painted_on_meanwhile_it_is_computed_again(lab: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    collected, calls = reclassing._collected, []

    def meanwhile(*arguments):
        calls.append(1)
        return collected(*arguments)

    monkeypatch.setattr(reclassing, "_collected", meanwhile)
    lab.opened.reclassing.delete([1])
    lab.paint(Rect(30, 40, 5, 5), lab.documents.classes.named("membrane").id)
    lab.wait(lambda: 1 not in classes_of(lab))
    assert len(calls) == 2
    assert (lab.class_ids()[40:45, 30:35] == lab.documents.classes.named("membrane").id).all()


def test_what_is_too_large_for_memory_is_written_as_a_job(lab: Desk) -> None:
    lab.documents.largest_edit_bytes = 1000
    edits = lab.edits
    lab.opened.reclassing.delete([2])
    lab.wait(lambda: set(classes_of(lab)) == {1, 3} and not lab.documents.busy)
    assert lab.edits == edits + 1
    lab.session.undo()
    lab.wait(lambda: set(classes_of(lab)) == {1, 2, 3})


def test_locked_classes_are_refused_in_a_sentence(lab: Desk) -> None:
    lab.opened.classes.change("nucleus", locked=True)
    edits = lab.edits
    with pytest.raises(UserError, match="'nucleus' is locked"):
        lab.opened.reclassing.delete([1])
    assert lab.edits == edits


def test_a_window_that_may_not_write_says_so(lab: Desk) -> None:
    lab.settle()
    path = lab.opened.path
    lab.session.projects.close()
    lab.read_only(path)
    with pytest.raises(UserError, match="read-only"):
        lab.opened.reclassing.delete([1])

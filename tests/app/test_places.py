"""Where a person was in a project: one small file a project, and never more than a few hundred."""

import json
from pathlib import Path

import pytest

from segstudio.app.values import Place
from segstudio.app.viewing import places
from segstudio.app.viewing.places import place_file, read_place, write_place


def test_a_place_is_read_back_as_it_was_written_whatever_the_projects_name(tmp_path: Path) -> None:
    place = Place(image="sub/ü.png", plane=2, fitted=False, scale=3.5, x=10.25, y=-4.0)
    for project in (tmp_path / "a.segstudio", tmp_path / "ü b.segstudio"):
        assert read_place(project) is None
        write_place(project, place)
        assert read_place(project) == place


def test_numbers_that_are_none_are_no_place(tmp_path: Path) -> None:
    project = tmp_path / "a.segstudio"
    write_place(project, Place(image="a.png"))
    file = place_file(project)
    for wrong in ('"scale": NaN', '"scale": 0.0', '"scale": true', '"x": "1"'):
        name = wrong.split(":")[0]
        line = next(part for part in file.read_text(encoding="utf-8").split("\n") if name in part)
        whole = file.read_text(encoding="utf-8")
        file.write_text(whole.replace(line.strip().rstrip(","), wrong), encoding="utf-8")
        assert read_place(project) is None, wrong
        file.write_text(whole, encoding="utf-8")
    assert read_place(project) == Place(image="a.png")


def test_places_kept_longest_ago_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_KEPT", 3)
    for n in range(6):
        write_place(tmp_path / f"{n}.segstudio", Place(image="a.png"))
    there = [n for n in range(6) if read_place(tmp_path / f"{n}.segstudio") is not None]
    assert len(there) == 3
    assert 5 in there


def test_the_class_and_the_views_of_other_images_are_read_back(tmp_path: Path) -> None:
    place = Place(image="a.png", label_class=3, views=(("b.png", 2.5, 1.0, 2.0), ("ü/c.png", 0.25, 9.0, -1.0)))
    write_place(tmp_path / "a.segstudio", place)
    assert read_place(tmp_path / "a.segstudio") == place


def test_a_place_of_an_earlier_version_has_no_class_and_no_views(tmp_path: Path) -> None:
    project = tmp_path / "a.segstudio"
    write_place(project, Place(image="a.png", label_class=3, views=(("b.png", 2.5, 1.0, 2.0),)))
    found = json.loads(place_file(project).read_bytes())
    del found["label_class"], found["views"]
    place_file(project).write_text(json.dumps(found), encoding="utf-8")
    assert read_place(project) == Place(image="a.png")


@pytest.mark.parametrize("wrong", [["b.png", 0.0, 1.0, 1.0], ["b.png", 1.0], [1, 1.0, 1.0, 1.0], "b.png", None])
def test_a_view_that_is_none_is_left_out_and_the_others_count(tmp_path: Path, wrong: object) -> None:
    project = tmp_path / "a.segstudio"
    write_place(project, Place(image="a.png", views=(("b.png", 2.5, 1.0, 2.0),)))
    found = json.loads(place_file(project).read_bytes())
    found["views"].insert(0, wrong)
    found["label_class"] = "3"
    place_file(project).write_text(json.dumps(found), encoding="utf-8")
    assert read_place(project) == Place(image="a.png", views=(("b.png", 2.5, 1.0, 2.0),))

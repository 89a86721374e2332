"""Where a person was in a project: one small file a project, and never more than a few hundred."""

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

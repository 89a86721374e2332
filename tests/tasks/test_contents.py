"""A file whose content is another than was labelled is flagged; a touched one, and one without labels, is not."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.engine.project_data import ProjectData
from segstudio.engine.sources import Sources
from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging import hashing
from segstudio.store import file_check
from segstudio.store.file_check import Content, adopt, look_at, note, remember_hash
from segstudio.store.project import Project
from segstudio.tasks.images.info import info
from segstudio.tasks.labels.export import export
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.progress import finished
from tests.tasks.pictures import label, picture, project_of


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(project_of(tmp_path)) as opened:
        label(opened, opened.images()[0].id)
        yield opened


def _change(project: Project, seed: int = 50) -> None:
    picture(project.images()[0].file, seed)


def test_an_untouched_file_is_not_even_opened(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_check, "quick_hash", lambda _: pytest.fail("read"))
    assert look_at(project.images()[0]).content is Content.SAME


def test_a_touched_file_is_the_same_and_its_new_time_is_kept(project: Project) -> None:
    row = project.images()[0]
    os.utime(row.file, ns=(5, 5))
    look = look_at(row)
    assert look.content is Content.TOUCHED
    waiting = note(project, row, look)
    assert waiting is not None
    waiting.result(30)
    assert look_at(project.images()[0]).content is Content.SAME
    assert project.images()[0].changed == ""


def test_a_change_between_both_ends_is_seen_once_the_whole_was_hashed(tmp_path: Path) -> None:
    file = picture(tmp_path / "images" / "big.png", 0, (600, 600))
    assert file.stat().st_size > 200_000
    with Project.open(project_of(tmp_path, ())) as project:
        row = project.images()[0]
        label(project, row.id)
        remember_hash(project, project.images()[0])
        assert project.writer is not None
        assert project.writer.flush(30)
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        os.utime(file, ns=(5, 5))
        row = project.images()[0]
        assert hashing.quick_hash(file) == row.quick_hash
        assert look_at(row).content is Content.CHANGED


def test_a_changed_file_is_flagged_until_it_is_put_back_or_adopted(project: Project) -> None:
    original, status = project.images()[0].file.read_bytes(), project.images()[0].file.stat()
    _change(project)
    row = project.images()[0]
    look = look_at(row)
    assert look.content is Content.CHANGED
    waiting = note(project, row, look)
    assert waiting is not None
    waiting.result(30)
    assert project.images()[0].changed == look.digest
    assert "has changed since" in info(project)["images"][0]["problem"]
    project.set_problem(row.id, file_check.changed_sentence(row)).result(30)
    assert note(project, project.images()[0], look) is None
    row.file.write_bytes(original)
    os.utime(row.file, ns=(status.st_atime_ns, status.st_mtime_ns))
    row = project.images()[0]
    waiting = note(project, row, look_at(row))
    assert waiting is not None
    waiting.result(30)
    assert project.images()[0].changed == ""
    _change(project)
    adopt(project, project.images()[0], look_at(project.images()[0])).result(30)
    row = project.images()[0]
    assert (look_at(row).content, row.changed) == (Content.SAME, "")
    assert row.content_hash == hashing.content_hash(row.file)
    assert row.problem == ""


def test_without_labels_a_new_content_is_simply_the_content(project: Project) -> None:
    row = project.images()[1]
    picture(row.file, 60)
    look = look_at(row)
    assert look.content is Content.TOUCHED
    waiting = note(project, row, look)
    assert waiting is not None
    waiting.result(30)
    assert look_at(project.images()[1]).content is Content.SAME


def test_the_engine_does_not_use_a_changed_content_and_export_says_it(project: Project, tmp_path: Path) -> None:
    _change(project)
    sources = Sources()
    data = ProjectData(project, sources)
    image = int(project.images()[0].id)
    try:
        with pytest.raises(UnreadableImage, match=r"content of 'a.png' has changed since it was labelled"):
            data.pixels(image, 0, Rect(0, 0, 5, 5))
        assert data.labelled(image, 0) == []
        assert len(data.unreadable()) == 1
    finally:
        sources.close()
    report = finished(export(project, "png", tmp_path / "out"))
    assert (report.images, report.changed) == (1, ("a.png",))
    assert (tmp_path / "out" / "masks" / "a.png").is_file()


def test_labels_that_are_imported_belong_to_the_content_of_that_day(project: Project, tmp_path: Path) -> None:
    row = project.images()[1]
    picture(row.file, 61)
    masks = tmp_path / "masks" / "sub"
    masks.mkdir(parents=True)
    Image.fromarray(np.ones((40, 60), np.uint8)).save(masks / "b.png")
    finished(import_masks(project, "png", tmp_path / "masks"))
    row = project.images()[1]
    assert row.labelled_pixels == 2400
    assert look_at(row).content is Content.SAME


def test_a_file_that_goes_while_it_is_adopted_says_so(project: Project) -> None:
    row = project.images()[0]
    seen = look_at(row)
    row.file.unlink()
    with pytest.raises(UnreadableImage):
        adopt(project, row, seen)

"""The large projects of benchmarks/store.py are what the writer itself would have written."""

import importlib.util
from pathlib import Path

import pytest

from segstudio.labels.model import ImageId, Seq
from segstudio.store.project import Project

_FILE = Path(__file__).parents[2] / "benchmarks" / "large_project.py"


def test_a_multiplied_image_has_the_labels_journal_and_sums_of_its_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("large_project", _FILE)
    assert spec is not None
    assert spec.loader is not None
    large = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(large)
    monkeypatch.setattr(large, "_TEMPLATES", 3)
    path = tmp_path / "large.segstudio"
    large.build(path, 12, 10, tmp_path / "files")
    assert large.check(path / "project.db") == "ok"
    with Project.open(path) as project:
        rows = project.images()
        assert [row.objects for row in rows] == [large.OBJECTS_AN_IMAGE] * 10 + [0, 0]
        for row in rows[3:10]:
            template = ImageId(1 + (row.id - 1) % 3)
            assert project.labels_sha256(row.id) == project.labels_sha256(template)
            assert project.objects(row.id) == project.objects(template)
            assert project.counts(row.id) == project.counts(template)
            assert sum(o.area for o in project.objects(row.id)) == row.labelled_pixels
            document = project.document(row.id)
            edit = project.load_edit(Seq(row.last_edit), document.raster.tile)
            document.apply(edit.inverted(Seq(row.last_edit), edit.cause))
            assert not document.raster.read(0, document.raster.bounds(0))[0].any()
            assert project.history(row.id).undoable == (row.last_edit,)

"""Makes schema-1.zip: a project of schema 1 as its program wrote it, and what is in it. Run once, by that program.

`git stash` or check out the commit that released schema 1 (0.1.0), then `python tests/store/projects/make_schema_1.py`.
Later programs must open, migrate, undo and export what is in the archive, which therefore never changes.
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from segstudio.geometry import Rect  # noqa: E402
from segstudio.labels.class_rows import class_columns  # noqa: E402
from segstudio.labels.edit import Edit, RowChange, Table  # noqa: E402
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass, Seq, Status  # noqa: E402
from segstudio.store.catalog.split import Split  # noqa: E402
from segstudio.store.catalog.versions import add_version, begin_run, end_run  # noqa: E402
from segstudio.store.database.schema import SCHEMA_VERSION  # noqa: E402
from segstudio.store.project import Project  # noqa: E402
from segstudio.store.values import VersionRow  # noqa: E402
from tests.store.store_painting import CELL, CLASSES, VESSEL, commit, new_images, paint, painted, redo, status_row, undo  # noqa: E402

IMAGES = 4


def main() -> None:
    """Write the archive and its figures."""
    assert SCHEMA_VERSION == 1
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "field.segstudio"
        with Project.create(path, new_images(Path("/images"), IMAGES, planes=2), CLASSES) as project:
            _paint(project)
            _learn(project)
            assert project.writer is not None
            assert project.writer.flush(30)
            found = _facts(project)
        target = HERE / "schema-1.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in sorted(path.rglob("*")):
                if file.is_file() and file.name != "project.lock":
                    archive.write(file, file.relative_to(path).as_posix())
        (HERE / "schema-1.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _paint(project: Project) -> None:
    """Strokes on three images, one taken back, one taken back and done again, a class made, an image done."""
    assert project.writer is not None
    one, two, three = (project.document(ImageId(n)) for n in (1, 2, 3))
    paint(project, one, Rect(20, 20, 300, 120), CELL)
    vessel = paint(project, one, Rect(100, 80, 90, 200), VESSEL)
    taken_back = paint(project, one, Rect(400, 10, 50, 50), CELL)
    undo(project, one, taken_back)
    paint(project, two, Rect(0, 0, 600, 400), VESSEL)
    again = commit(project, two, painted(two, Rect(50, 50, 40, 40), 0))
    redo(project, two, undo(project, two, again))
    made = LabelClass(ClassId(4), "nucleus", "#56B4E9", Kind.INSTANCE, 3, 3)
    project.writer.submit(
        Edit(None, Cause.CLASSES, rows=(RowChange(Table.CLASSES, 4, None, class_columns(made)),), author="a")
    )
    commit(project, three, painted(three, Rect(10, 10, 30, 30), 1, plane=1, new_class=4))
    done = painted(three, Rect(256, 0, 256, 256), 2, new_class=1, extra_rows=(status_row(three, Status.DONE),))
    commit(project, three, done)
    undo(project, one, vessel)  # can be redone


def _learn(project: Project) -> None:
    assert project.writer is not None
    time = "2026-01-01T00:00:00.000Z"
    row = VersionRow("v1", 1, "deep", "embedded", time, Seq(5), True, "better", 45, 60.5, {"mean_iou": 0.5}, True)
    run = project.writer.call(lambda db: begin_run(db, "r1", parent="embedded", device="cpu", seed=3)).result(30)
    project.writer.call(lambda db: add_version(db, row, run=run, groups={1: Split.TRAIN, 2: Split.HELD_OUT})).result(30)
    project.writer.call(lambda db: end_run(db, run, state="done", version="v1", steps=45, seconds=60.5)).result(30)
    (project.path / "models" / "v1.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    (project.path / "models" / "v1.json").write_text('{"version": "v1"}')
    project.add_time(ImageId(1), 12.5, "a").result(30)
    project.set_effort(ImageId(3), 10, 100).result(30)
    project.set_problem(ImageId(4), "The file could not be read.").result(30)


def _facts(project: Project) -> dict[str, object]:
    ids = [row.id for row in project.images()]
    return {
        "uuid": project.uuid,
        "last_edit": project.last_seq(),
        "labels_sha256": [project.labels_sha256(id_) for id_ in ids],
        "undoable": [list(project.history(id_).undoable) for id_ in ids],
        "redoable": [list(project.history(id_).redoable) for id_ in ids],
        "labelled_pixels": [row.labelled_pixels for row in project.images()],
    }


if __name__ == "__main__":
    main()

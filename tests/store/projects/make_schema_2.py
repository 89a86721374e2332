"""Makes schema-2.zip: a project of schema 2 as its program wrote it, and what is in it. Run once, by that program.

Check out the last commit of schema 2, bring this file and `python tests/store/projects/make_schema_2.py`. Beside what
the archive of schema 1 holds there are background, several objects of a semantic class, a merged and a removed class.
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from segstudio.geometry import Rect  # noqa: E402
from segstudio.labels.class_rows import changed_class_row, class_columns  # noqa: E402
from segstudio.labels.edit import Edit, RowChange, Table  # noqa: E402
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass  # noqa: E402
from segstudio.store.database.schema import SCHEMA_VERSION  # noqa: E402
from segstudio.store.project import Project  # noqa: E402
from tests.store.projects.make_schema_1 import IMAGES, _facts, _learn, _paint  # noqa: E402
from tests.store.store_painting import BACKGROUND, CELL, CLASSES, VESSEL, new_images, paint  # noqa: E402


def main() -> None:
    """Write the archive and its figures."""
    assert SCHEMA_VERSION == 2
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "field.segstudio"
        with Project.create(path, new_images(Path("/images"), IMAGES + 1, planes=2), CLASSES) as project:
            _classes(project)
            _paint(project)
            _learn(project)
            assert project.writer is not None
            assert project.writer.flush(30)
            found = {**_facts(project), "objects": _objects(project)}
        target = HERE / "schema-2.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in sorted(path.rglob("*")):
                if file.is_file() and file.name != "project.lock":
                    archive.write(file, file.relative_to(path).as_posix())
        (HERE / "schema-2.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _classes(project: Project) -> None:
    """The fifth image: background, two objects that become one when 'lane' is merged into 'vessel', one removed."""
    assert project.writer is not None
    lane = LabelClass(ClassId(5), "lane", "#009E73", Kind.SEMANTIC, 4, 4)
    spot = LabelClass(ClassId(6), "spot", "#D55E00", Kind.INSTANCE, 5, 5)
    for c in (lane, spot):
        row = RowChange(Table.CLASSES, int(c.id), None, class_columns(c))
        project.writer.submit(Edit(None, Cause.CLASSES, rows=(row,), author="a"))
    document = project.document(ImageId(5))
    for n, class_id in enumerate((BACKGROUND, VESSEL, lane.id, CELL, CELL, spot.id)):
        paint(project, document, Rect(90 * n, 0, 90, 90), class_id)
    for row in (changed_class_row(lane, merged_into=VESSEL), changed_class_row(spot, removed=True)):
        project.writer.submit(Edit(None, Cause.CLASSES, rows=(row,), author="a"))


def _objects(project: Project) -> list[int]:
    """What `info` has to say, which this program counted wrongly: from the rows, in plain words."""
    classes, found = project.classes(), []
    for row in project.images():
        instances, semantic = 0, set()
        for o in project.objects(row.id):
            c = classes.effective(o.class_id)
            if o.area and c is not None and c.kind is Kind.INSTANCE:
                instances += 1
            elif o.area and c is not None and c.kind is Kind.SEMANTIC:
                semantic.add(c.id)
        found.append(instances + len(semantic))
    return found


if __name__ == "__main__":
    main()

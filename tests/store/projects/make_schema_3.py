"""Makes schema-3.zip: a project of schema 3 as its program wrote it, and what is in it. Run once, by that program.

Check out the last commit of schema 3, bring this file and `python tests/store/projects/make_schema_3.py`. It holds what
the archive of schema 2 holds, and a locked and a hidden class.
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from segstudio.labels.class_rows import changed_class_row  # noqa: E402
from segstudio.labels.edit import Edit  # noqa: E402
from segstudio.labels.model import Cause  # noqa: E402
from segstudio.store.database.schema import SCHEMA_VERSION  # noqa: E402
from segstudio.store.project import Project  # noqa: E402
from tests.store.projects.make_schema_1 import IMAGES, _facts, _learn, _paint  # noqa: E402
from tests.store.projects.make_schema_2 import _classes, _objects  # noqa: E402
from tests.store.store_painting import CELL, CLASSES, VESSEL, new_images  # noqa: E402


def main() -> None:
    """Write the archive and its figures."""
    assert SCHEMA_VERSION == 3
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "field.segstudio"
        with Project.create(path, new_images(Path("/images"), IMAGES + 1, planes=2), CLASSES) as project:
            _classes(project)
            _locks(project)
            _paint(project)
            _learn(project)
            assert project.writer is not None
            assert project.writer.flush(30)
            found = {**_facts(project), "objects": _objects(project)}
        target = HERE / "schema-3.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in sorted(path.rglob("*")):
                if file.is_file() and file.name != "project.lock":
                    archive.write(file, file.relative_to(path).as_posix())
        (HERE / "schema-3.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _locks(project: Project) -> None:
    """A class that is locked, and one that is hidden."""
    assert project.writer is not None
    classes = project.classes()
    for row in (changed_class_row(classes[CELL], locked=True), changed_class_row(classes[VESSEL], visible=False)):
        project.writer.submit(Edit(None, Cause.CLASSES, rows=(row,), author="a"))


if __name__ == "__main__":
    main()

"""Makes schema-5.zip: a project of schema 5 as its program wrote it, and what is in it. Run once, by that program.

Check out the last commit of schema 5, bring this file and `python tests/store/projects/make_schema_5.py`. It holds what
the archive of schema 4 holds, an image that a file said something about, and one of two planes that is done.
"""

import json
import sys
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from segstudio.imaging.metadata import Metadata, encoded  # noqa: E402
from segstudio.store.database.schema import SCHEMA_VERSION  # noqa: E402
from segstudio.store.project import Project  # noqa: E402
from tests.store.projects.make_schema_1 import IMAGES, _facts, _learn, _paint  # noqa: E402
from tests.store.projects.make_schema_2 import _classes, _objects  # noqa: E402
from tests.store.projects.make_schema_3 import _locks  # noqa: E402
from tests.store.projects.make_schema_4 import _lock_object  # noqa: E402
from tests.store.store_painting import CLASSES, new_images  # noqa: E402


def main() -> None:
    """Write the archive and its figures."""
    assert SCHEMA_VERSION == 5
    told = encoded(Metadata(spacing=(2.0, 0.5, 0.5), unit="mm"))
    images = [replace(image, metadata=told if n == 0 else "") for n, image in enumerate(_images())]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "field.segstudio"
        with Project.create(path, images, CLASSES) as project:
            _classes(project)
            _locks(project)
            _paint(project)
            _lock_object(project)
            _learn(project)
            assert project.writer is not None
            assert project.writer.flush(30)
            found = {**_facts(project), "objects": _objects(project)}
        target = HERE / "schema-5.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in sorted(path.rglob("*")):
                if file.is_file() and file.name != "project.lock":
                    archive.write(file, file.relative_to(path).as_posix())
        (HERE / "schema-5.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _images():
    return new_images(Path("/images"), IMAGES + 1, planes=2)


if __name__ == "__main__":
    main()

"""A format that another installed package adds, tried as a user has it: in a process of its own."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.added_package import install, run

ANNOTATIONS = """
import json
from pathlib import Path
from segstudio.formats.annotated import packed_polygons
from segstudio.formats.table import Format, Holds, Layout
from segstudio.formats.values import AnnotatedImage, Annotation, AnnotationClass

shapes = Format(
    "shapes", "Shapes", "extra_rows", (".shapes",), Layout.ANNOTATIONS, frozenset({Holds.OBJECTS}), "holes",
    exports=False,
)

class Reader:
    stray = 0
    def __init__(self, path):
        self.name, self.rows = path.name, json.loads(path.read_text())
        self.classes = [AnnotationClass("cell")]
        self.images = [
            AnnotatedImage(at, name, None, classes=frozenset({0}), annotations=len(shapes))
            for at, (name, shapes) in enumerate(self.rows.items())
        ]
    def annotations(self, image, width, height):
        for polygon in self.rows[image.path]:
            yield Annotation(image.path, 0, packed_polygons([polygon], width, height, image.path))

def annotation_reader(path):
    return Reader(path)
"""

MASKS = """
from pathlib import PurePosixPath
import numpy as np
from segstudio.formats.naming import mask_paths
from segstudio.formats.table import Format, Holds, Layout
from segstudio.formats.values import NOTHING, MaskFile, MaskValues

text = Format(
    "text", "Numbers as text", "extra_rows", (".txt",), Layout.MASKS, frozenset({Holds.CLASSES}), "objects"
)

class Writer:
    def __init__(self, folder, plan):
        self.folder, self.files = folder, []
        self.names = {path: names for (path, _), names in zip(plan.images, mask_paths(plan.images, ".txt"))}
    def add(self, labels):
        name = self.names[labels.path][labels.plane]
        np.savetxt(self.folder / name, np.where(labels.values == NOTHING, 255, labels.values), "%d")
        self.files.append(PurePosixPath(name))
    def names_of(self, path):
        return [PurePosixPath(name) for name in self.names[path]]
    def finish(self):
        return self.files

class Reader:
    def find(self, path):
        return [MaskFile(f, f.name) for f in ([path] if path.is_file() else sorted(path.glob("*.txt")))]
    def others(self, path):
        return []
    def holds_values(self, mask):
        return True
    def size(self, mask):
        return self.read(mask).values.shape[::-1]
    def read(self, mask, *, pictures=False):
        return MaskValues(np.loadtxt(mask.file, np.int32), 255)

writer, mask_reader = Writer, Reader
is_own = lambda path: True
earlier = lambda out: ()
"""

COMMANDS = """
    import os, sys
    from segstudio.cli.main import entry
    os.chdir({home!r})
    sys.stderr = sys.stdout
    for words in {commands!r}:
        code = entry(words.split())
        assert code == 0, (words, code)
"""
NEW = "new p.segstudio --images a.png --class cell::instance --json"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "a.png")
    return tmp_path


def ran(home: Path, *commands: str) -> list[str]:
    return run(home, COMMANDS.format(home=str(home), commands=commands)).splitlines()


def test_a_file_of_annotations_is_one_row_and_one_module(home: Path) -> None:
    install(home, ANNOTATIONS, "formats", "shapes")
    (home / "all.shapes").write_text('{"a.png": [[1, 1, 5, 1, 5, 5, 1, 5], [5, 1, 9, 1, 9, 5, 5, 5]]}')
    *_, dry, said, _ = ran(
        home, NEW, "import p.segstudio all.shapes --dry-run --json", "import p.segstudio all.shapes", "info p.segstudio"
    )[:4]
    assert '"objects": 2, "pixels": 32, "overwrites": 0' in dry
    assert said == "2 annotations of 1 image imported as labels: 32 known pixels."


def test_masks_are_one_row_and_one_module_and_go_both_ways(home: Path) -> None:
    install(home, MASKS, "formats", "text")
    (home / "given").mkdir()
    given = home / "given" / "a.txt"
    np.savetxt(given, np.pad(np.ones((5, 5), int), ((0, 25), (0, 35)), constant_values=255), "%d")
    said = ran(
        home,
        NEW,
        f"import p.segstudio --format text {home / 'given'}",
        f"import p.segstudio {home / 'given'}",
        f"import p.segstudio {given}",
        "export p.segstudio --format text --out out",
        "evaluate p.segstudio --format text --truth out --content labels",
        "export --help",
    )
    # The second and the third find the format out: the folder holds nothing else, and the file ends like it.
    assert sum(line == "1 mask of 1 image imported as labels: 25 known pixels." for line in said) == 3
    assert np.loadtxt(home / "out/a.txt").astype(int).tolist() == np.loadtxt(given).tolist()
    assert any("1 image, 25 pixels, pixel accuracy 1.0000" in line for line in said)
    assert any("Numbers as text; lost: objects." in line for line in said)


def test_a_folder_with_masks_in_two_formats_asks_which(home: Path) -> None:
    install(home, MASKS, "formats", "text")
    (home / "given").mkdir()
    np.savetxt(home / "given" / "a.txt", np.ones((30, 40), int), "%d")
    Image.fromarray(np.ones((30, 40), np.uint8)).save(home / "given" / "a.png")
    program = f"""
        import os
        from segstudio.cli.main import entry
        os.chdir({str(home)!r})
        entry({NEW.split()!r})
        print("exit", entry(["import", "p.segstudio", "given"]))
        print("exit", entry(["import", "p.segstudio", "given", "--format", "png"]))
    """
    assert [line for line in run(home, program).splitlines() if line.startswith("exit")] == ["exit 2", "exit 0"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise OSError('half installed')", "OSError: half installed"),
        ("text = 3", "it is not of the type Format"),
        (MASKS.replace('"text",', '"texts",'), "its own name is 'texts'"),
    ],
)
def test_one_that_is_broken_is_said_once_and_the_others_work(home: Path, source: str, reason: str) -> None:
    install(home, source, "formats", "text")
    said = ran(home, NEW, "help import")
    assert sum("left out of SegStudio's formats" in line for line in said) == 1
    assert any(reason in line for line in said)

"""Every command on a project that an older version made: readers leave it as it is, writers bring it up to date."""

import json
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from segstudio.cli.main import entry
from segstudio.store.database.connect import Access, connect
from segstudio.store.database.schema import SCHEMA_VERSION
from segstudio.store.project import Project

PROJECTS = Path(__file__).parent.parent / "store" / "projects"

Run = Callable[..., dict[str, object]]


@pytest.fixture(params=sorted(PROJECTS.glob("schema-*.zip")), ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "old.segstudio"
    with zipfile.ZipFile(request.param) as archive:
        archive.extractall(path)
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command that must succeed; what it printed as JSON."""

    def call(*arguments: object) -> dict[str, object]:
        capsys.readouterr()
        assert entry([*(str(a) for a in arguments), "--json"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return call


def _schema(project: Path) -> int:
    with closing(connect(project / "project.db", Access.READ)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def _labels(project: Path) -> list[str]:
    with Project.open(project, write=False) as opened:
        return [opened.labels_sha256(row.id) for row in opened.images()]


def test_merging_brings_both_copies_up_to_date_and_leaves_the_projects(old: Path, run: Run, tmp_path: Path) -> None:
    before, labels = _schema(old), _labels(old)
    found = run("merge", old, old, "--out", tmp_path / "both.segstudio")
    assert found["conflicts"] == []
    assert _schema(old) == before
    assert _schema(tmp_path / "both.segstudio") == SCHEMA_VERSION
    assert _labels(tmp_path / "both.segstudio") == labels
    with Project.open(tmp_path / "both.segstudio") as both:
        assert both.images()[0].changed == ""


@pytest.mark.parametrize("command", ["info", "compare"])
def test_a_reader_leaves_it_as_it_is(old: Path, run: Run, command: str) -> None:
    before = _schema(old)
    run(command, old, *([old] if command == "compare" else []))
    assert _schema(old) == before


@pytest.mark.parametrize("command", ["snapshot", "compact"])
def test_a_writer_brings_it_up_to_date_and_keeps_its_labels(old: Path, run: Run, command: str) -> None:
    labels = _labels(old)
    run(command, old)
    assert _schema(old) == SCHEMA_VERSION
    assert _labels(old) == labels


@pytest.mark.parametrize("command", ["backup", "repair"])
def test_a_copy_of_it_opens_and_holds_the_same_labels(old: Path, run: Run, tmp_path: Path, command: str) -> None:
    labels, new = _labels(old), tmp_path / "new.segstudio"
    run(command, old, *([new] if command == "backup" else ["--out", new]))
    with Project.open(new):
        pass
    assert _schema(new) == SCHEMA_VERSION
    assert _labels(new) == labels

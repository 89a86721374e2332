"""What other packages give the engine, and what the program hears of it: its own tables, its own sentences."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from segstudio import registry
from segstudio.engine.client import EngineClient
from segstudio.errors import NoSuchNetwork
from segstudio.labels.model import Seq
from segstudio.store.catalog.versions import add_version
from segstudio.store.project import Project
from segstudio.store.values import VersionRow
from segstudio.tasks.learning.predict import predict
from segstudio.tasks.progress import finished
from segstudio.text import PSEUDO, set_language
from tests.added_package import install
from tests.engine.conftest import new_project

pytestmark = pytest.mark.engine

CARD = {"network": "gone", "channels": 1, "outputs": [1, 2], "mean": [0.5], "std": [0.2], "pitch": 1}


@pytest.fixture(scope="module")
def versioned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose current version was made by the network `gone` of another package."""
    project, _truths = new_project(tmp_path_factory.mktemp("versioned"), 1)
    writer = project.writer
    assert writer is not None
    row = VersionRow("v1", 1, "deep", "embedded", "2026-11-21T10:00:00Z", Seq(0), True, "", figures={}, current=True)
    writer.call(lambda db: add_version(db, row)).result(10)
    models = project.path / "models"
    models.mkdir(exist_ok=True)
    (models / "v1.json").write_text(json.dumps(CARD))
    (models / "v1.safetensors").write_bytes(b"")
    with project:
        yield project


def test_a_version_of_a_network_that_is_gone_is_one_sentence_and_the_engine_lives(
    versioned: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "raise OSError('half installed')", "networks", "gone")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(registry, "_broken", [])
    monkeypatch.setattr(registry, "_said", 0)
    images = [versioned.images()[0].id]
    with EngineClient(versioned.path, log=tmp_path / "engine.log") as engine:
        for _again in range(2):
            with pytest.raises(NoSuchNetwork, match="no network 'gone'"):
                finished(predict(versioned, engine, images, version="v1"))
        pid = engine.pid
        assert engine.ready()
        assert engine.pid == pid
        broken = registry.unsaid()
    assert [(row.table, row.name, row.package) for row in broken] == [("networks", "gone", "extra-rows")]
    assert "half installed" in broken[0].sentence
    assert registry.unsaid() == ()


def test_the_engine_speaks_the_language_of_the_program(versioned: Project, tmp_path: Path) -> None:
    set_language(PSEUDO)
    images = [versioned.images()[0].id]
    try:
        with EngineClient(versioned.path, log=tmp_path / "engine.log") as engine, pytest.raises(NoSuchNetwork) as found:
            finished(predict(versioned, engine, images, version="v1"))
    finally:
        set_language("en")
    assert found.value.sentence.startswith("⟦There is no network 'gone'")

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from segstudio.engine.client import EngineClient
from segstudio.errors import NotEnoughLabels, ReadOnly, WeightsDamaged
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit, RowChange, Table, TileChange
from segstudio.labels.model import Cause, Kind
from segstudio.labels.tiles.tile import EMPTY, frozen
from segstudio.runs import Choices
from segstudio.store.project import Project
from segstudio.tasks.learning.predict import PredictProgress, predict
from segstudio.tasks.learning.train import train
from segstudio.tasks.progress import finished
from tests.engine.conftest import SIDE, label, new_project

pytestmark = pytest.mark.engine
WHOLE = Rect(0, 0, SIDE, SIDE)


def test_the_guess_before_any_label_covers_the_picture(engine: EngineClient, discs_project: Project):
    row = discs_project.images()[5]
    report = finished(predict(discs_project, engine, [row.id], version="embedded"))
    assert (report.images, report.scale, report.version) == (1, 1.0, "embedded")
    assert report.network_pixels == SIDE * SIDE
    proposal = discs_project.proposals.read(row.id, 0)
    assert proposal.version == "embedded"
    known = {c.id for c in discs_project.classes()}
    assert set(np.unique(proposal.class_ids(WHOLE)).tolist()) <= known | {0}
    assert proposal.confidence(WHOLE).max() > 0


def test_the_instant_learner_finds_what_was_painted_elsewhere(engine: EngineClient, discs_project: Project):
    row = discs_project.images()[5]
    report = finished(predict(discs_project, engine, [row.id], version="instant"))
    assert report.version == "instant"
    found = discs_project.proposals.read(row.id, 0).class_ids(WHOLE)
    from tests.learn.conftest import blobs

    truth = blobs(5, SIDE)[1]
    by_place = [c.id for c in discs_project.classes()]
    inside, found_inside = truth == 2, found == by_place[1]
    assert (inside & found_inside).sum() / (inside | found_inside).sum() > 0.85


def test_current_is_the_instant_learner_once_two_classes_are_known(tmp_path: Path):
    project, truths = new_project(tmp_path, 2)
    rows = project.images()
    with project, EngineClient(project.path, log=tmp_path / "log") as client:
        assert finished(predict(project, client, [rows[1].id])).version == "embedded"
        with pytest.raises(NotEnoughLabels):
            finished(predict(project, client, [rows[1].id], version="instant"))
        label(project, rows[0].id, truths[0], part=Rect(0, 0, 100, 100))
        assert finished(predict(project, client, [rows[1].id])).version == "instant"


def test_a_broken_file_is_flagged_and_the_others_are_done(tmp_path: Path):
    project, _ = new_project(tmp_path, 3, broken=[1])
    with project, EngineClient(project.path, log=tmp_path / "log") as client:
        report = finished(predict(project, client, [row.id for row in project.images()]))
        assert report.images == 2
        assert [broken.path for broken in report.failed] == ["1.png"]
        assert "1.png" in report.failed[0].sentence
        problems = [row.problem for row in project.images()]
        assert problems[0] == problems[2] == ""
        assert "1.png" in problems[1]


def test_parts_of_an_instance_class_are_objects_with_their_scores(tmp_path: Path):
    import cv2

    project, truths = new_project(tmp_path, 2, kind=Kind.INSTANCE)
    rows = project.images()
    label(project, rows[0].id, truths[0])
    with project, EngineClient(project.path, log=tmp_path / "log") as client:
        finished(predict(project, client, [rows[1].id]))
        proposal = project.proposals.read(rows[1].id, 0)
        cell = project.classes().named("blob").id
        classes = proposal.class_ids(WHOLE)
        n, _ = cv2.connectedComponents((classes == cell).astype(np.uint8), connectivity=8)
        objects = [row for row in proposal.rows.values() if row.class_id == cell]
        assert len(objects) >= n - 1 >= 2
        assert all(0.3 < row.score <= 1 for row in objects)


def test_progress_ends_at_the_total_and_closing_cancels(engine: EngineClient, discs_project: Project):
    images = [row.id for row in discs_project.images()]
    values = list(predict(discs_project, engine, images))
    assert isinstance(values[-1], PredictProgress)
    assert (values[-1].done, values[-1].total) == (6, 6)
    assert [v.image for v in values if v.image is not None] == images
    steps = predict(discs_project, engine, images)
    next(steps)
    steps.close()
    assert finished(predict(discs_project, engine, images[:1])).images == 1


def test_what_is_on_the_screen_comes_first(engine: EngineClient, discs_project: Project):
    images = [row.id for row in discs_project.images()]
    steps = predict(discs_project, engine, images, visible=lambda: (images[3], 0, Rect(0, 0, 50, 50)))
    done = [v.image for v in steps if v.image is not None]
    assert done[0] == images[3]
    assert sorted(done) == images


def test_no_images_is_an_empty_report(engine: EngineClient, discs_project: Project):
    assert finished(predict(discs_project, engine, [])).images == 0


def test_a_version_that_is_not_there_is_said(engine: EngineClient, discs_project: Project):
    with pytest.raises(WeightsDamaged, match="v77"):
        finished(predict(discs_project, engine, [discs_project.images()[0].id], version="v77"))


def test_a_read_only_project_gets_no_proposals(engine: EngineClient, discs_project: Project):
    with Project.open(discs_project.path, write=False) as reader, pytest.raises(ReadOnly):
        finished(predict(reader, engine, [reader.images()[0].id]))


@contextmanager
def _changed(project: Project, name: str, **columns: object) -> Iterator[None]:
    """Change columns of a class for a while."""
    class_ = project.classes().named(name)
    before = {column: getattr(class_, column) for column in columns}
    for a, b in ((before, columns), (columns, before)):
        change = RowChange(Table.CLASSES, class_.id, dict(a), dict(b))
        project.writer.submit(Edit(None, Cause.CLASSES, {}, (change,)))
        project.writer.flush()
        if b is columns:
            yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, EngineClient, str]]:
    """A project of discs with a version that has learned background and discs."""
    folder = tmp_path_factory.mktemp("trained")
    project, truths = new_project(folder, 2)
    label(project, project.images()[0].id, truths[0])
    with project, EngineClient(project.path, log=folder / "log") as client:
        version = finished(train(project, client, Choices(network="tiny", base="scratch", max_steps=60))).version
        yield project, client, version


def _found(project: Project, client: EngineClient, version: str) -> tuple[set[str], float]:
    """Names of the classes that a version proposes on the second image, and its mean confidence."""
    row = project.images()[1]
    finished(predict(project, client, [row.id], version=version))
    proposal = project.proposals.read(row.id, 0)
    ids = np.unique(proposal.class_ids(WHOLE)).tolist()
    return {project.classes().all[i - 1].name for i in ids}, float(proposal.confidence(WHOLE).mean())


def test_a_trained_version_sees_the_mirror_image_and_asks_the_instant_learner_where_nobody_waits(
    trained: tuple[Project, EngineClient, str],
):
    project, client, version = trained
    row = project.images()[1]
    behind = finished(predict(project, client, [row.id], version=version))
    shown = finished(predict(project, client, [row.id], version=version, visible=lambda: (row.id, 0, WHOLE)))
    company = json.loads((project.path / "models" / f"{version}.json").read_text())["instant"] is not None
    assert behind.network_pixels == (3 if company else 2) * shown.network_pixels > 0
    assert finished(predict(project, client, [row.id], version="instant")).network_pixels == shown.network_pixels


def test_a_class_that_was_removed_is_not_predicted_and_the_next_best_is(trained: tuple[Project, EngineClient, str]):
    project, client, version = trained
    assert _found(project, client, version)[0] == {"background", "blob"}
    with _changed(project, "blob", removed=True):
        assert _found(project, client, version) == ({"background"}, 255.0)
    assert _found(project, client, version)[0] == {"background", "blob"}


def test_a_class_that_was_merged_counts_as_the_other(trained: tuple[Project, EngineClient, str]):
    project, client, version = trained
    with _changed(project, "blob", merged_into=project.classes().background.id):
        assert _found(project, client, version) == ({"background"}, 255.0)


def test_a_class_without_a_known_pixel_is_not_predicted(trained: tuple[Project, EngineClient, str]):
    project, client, version = trained
    image, key = project.images()[0].id, (0, 0, 0)
    tile = project.tile(image, key)
    ids = np.where(tile.ids == 2, 0, tile.ids).astype(np.uint32)
    rest = frozen(ids, np.where(ids > 0, tile.origins, 0).astype(np.uint8))
    for before, after, found in (
        (tile, rest, {"background"}),
        (rest, EMPTY, {"background", "blob"}),
        (EMPTY, tile, {"background", "blob"}),
    ):
        project.writer.submit(Edit(image, Cause.ERASE, {key: TileChange(before, after)}))
        project.writer.flush()
        assert _found(project, client, version)[0] == found

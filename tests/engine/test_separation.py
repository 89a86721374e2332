"""How touching objects are separated is tuned at the end of a run, kept in the card, and used by predictions."""

from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from segstudio.engine.client import EngineClient
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit, RowChange, Table, TileChange
from segstudio.labels.model import Cause, Kind, Origin, Status
from segstudio.labels.tiles.tile import EMPTY, frozen
from segstudio.runs import Choices, Separation
from segstudio.store.project import Project
from segstudio.store.values import NewClass
from segstudio.tasks.learning.predict import predict
from segstudio.tasks.learning.train import train
from segstudio.tasks.progress import finished
from tests.engine.conftest import new_image

SIDE = 256


def _picture(seed: int) -> NDArray[np.uint32]:
    """Objects 1 to 12, each of two lobes; the default cuts them in two."""
    out = np.zeros((SIDE, SIDE), np.uint8)
    shift = int(np.random.default_rng(seed).integers(0, 6))
    for k in range(12):
        x, y = 38 + shift + 80 * (k % 3), 30 + 62 * (k // 3)
        for side in (-13, 13):
            cv2.circle(out, (x + side, y), 15, k + 1, -1)
    return out.astype(np.uint32)


def _labelled(project: Project) -> None:
    """Each picture wholly labelled: object 13 is the background."""
    assert project.writer is not None
    background, cell = (c.id for c in project.classes())
    for row in project.images()[:4]:
        ids = _picture(int(row.id))
        ids[ids == 0] = 13
        rows = [RowChange(Table.OBJECTS, n, None, {"class_id": cell}) for n in range(1, 13)]
        rows.append(RowChange(Table.OBJECTS, 13, None, {"class_id": background}))
        status = RowChange(Table.IMAGES, row.id, {"status": Status.NEW.value}, {"status": Status.IN_PROGRESS.value})
        tile = frozen(ids, np.full((SIDE, SIDE), Origin.PAINTED, np.uint8))
        project.writer.submit(Edit(row.id, Cause.PAINT, {(0, 0, 0): TileChange(EMPTY, tile)}, (*rows, status)))
    project.writer.flush()


@pytest.fixture
def project(tmp_path: Path) -> Any:
    for n in range(5):
        noise = np.random.default_rng(n).integers(0, 8, (SIDE, SIDE))
        seen = np.where(_picture(n + 1) > 0, 220, 40) + noise
        assert cv2.imwrite(str(tmp_path / f"{n}.png"), seen.astype(np.uint8))
    images = [new_image(tmp_path / f"{n}.png") for n in range(5)]
    classes = [NewClass("background", kind=Kind.BACKGROUND), NewClass("cell", kind=Kind.INSTANCE)]
    with Project.create(tmp_path / "p.segstudio", images, classes) as made:
        _labelled(made)
        yield made


def _objects(project: Project, version: str, client: EngineClient) -> int:
    """How many cells a version proposes in the last image."""
    row = project.images()[4]
    finished(predict(project, client, [row.id], version=version))
    proposal = project.proposals.read(row.id, 0)
    found = np.unique(proposal._ids(Rect(0, 0, SIDE, SIDE)))
    cell = [c.id for c in project.classes()][1]
    return sum(proposal.rows[int(id_)].class_id == cell for id_ in found if id_)


@pytest.mark.engine
def test_the_card_has_the_tuned_setting_and_predictions_follow_it(project: Project, tmp_path: Path) -> None:
    with EngineClient(project.path, log=tmp_path / "log") as client:
        result = finished(train(project, client, Choices(network="tiny", base="scratch", max_steps=60)))
        child = result.held_out["child"]
        assert child is not None
        assert child.objects is not None
        assert child.mean_iou > 0.9
        assert child.objects.tuned
        assert child.objects.objects == 12
        assert child.objects.f1 > child.objects.f1_default + 0.2
        file = project.path / "models" / f"{result.version}.json"
        card = msgspec.json.decode(file.read_bytes())
        assert msgspec.convert(card["separation"], Separation) != Separation()
        assert _objects(project, result.version, client) == 12
    del card["separation"]  # as a version of an earlier release
    file.write_bytes(msgspec.json.encode(card))
    with EngineClient(project.path, log=tmp_path / "log") as client:
        assert _objects(project, result.version, client) == 24

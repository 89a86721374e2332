"""Pictures that are not of 8 bits: a run learns between levels that the project's images share, and a version predicts
between those that it has learned with.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from segstudio.engine.project_data import ProjectData
from segstudio.engine.protocol import Blob, RunPlanned, Train, Trained
from segstudio.engine.sources import Sources
from segstudio.engine.training import Stopping, train_job
from segstudio.engine.workshop import Workshop
from segstudio.geometry import Rect
from segstudio.imaging.levels import auto_levels, to_float
from segstudio.imaging.source import open_stored
from segstudio.labels.model import Kind
from segstudio.learn.predict import predict_tiles
from segstudio.learn.versions import read_card, version_model
from segstudio.runs import Choices, Plan
from segstudio.store.project import Project
from segstudio.store.values import NewClass
from tests.engine.conftest import SIDE, label, new_image
from tests.learn.conftest import blobs

WHOLE = Rect(0, 0, SIDE, SIDE)
TINY = Choices(network="tiny", base="scratch", device="cpu", max_steps=2)


def _deep(i: int, exposure: float) -> NDArray[np.uint16]:
    return (blobs(i, SIDE)[0][..., 0] * 10_000 * exposure).astype(np.uint16)


def _project(folder: Path, exposures: list[float], *, eight_bit: int = 0) -> Project:
    """16-bit pictures of discs, the first `eight_bit` of them of 8 bits, all labelled."""
    from PIL import Image

    files = []
    for i, exposure in enumerate(exposures):
        files.append(folder / f"{i}.png")
        samples = _deep(i, exposure)
        Image.fromarray((samples >> 8).astype(np.uint8) if i < eight_bit else samples).save(files[-1])
    classes = [NewClass("background", kind=Kind.BACKGROUND), NewClass("blob")]
    project = Project.create(folder / "p.segstudio", [new_image(file) for file in files], classes)
    for i, row in enumerate(project.images()):
        label(project, row.id, blobs(i, SIDE)[1])
    return project


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Project]:
    with _project(tmp_path, [1.0, 0.8, 0.6]) as project:
        yield project


def _run(project: Project, choices: Choices = TINY) -> tuple[Plan, dict[str, object], bytes]:
    """The plan, the card and the weights of a run."""
    shop = Workshop(lambda: ProjectData(project, Sources()))
    sent = list(train_job(shop, Train(id=1, run="r1", version="v1", choices=choices), Stopping()))
    plan = next(found.plan for found in sent if isinstance(found, RunPlanned))
    card = next(found.card for found in sent if isinstance(found, Trained))
    return plan, card, b"".join(m.data for m in sent if isinstance(m, Blob) and m.kind == "weights")


def _keep(project: Project, name: str, card: dict[str, object], weights: bytes) -> None:
    import hashlib

    folder = project.path / "models"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.safetensors").write_bytes(weights)
    whole = {**card, "sha256": hashlib.sha256(weights).hexdigest()}
    (folder / f"{name}.json").write_text(json.dumps(whole), encoding="utf-8")


def _predicted(project: Project, name: str, image: int) -> NDArray[np.float32]:
    data = ProjectData(project, Sources())
    model = version_model(name, data, torch.device("cpu"), bfloat16=False)
    entry = data.entry(int(project.images()[image].id), 0)
    assert entry is not None
    return next(found.values for found in predict_tiles(model, data, entry) if found is not None)


def test_a_run_takes_the_levels_of_all_its_images_and_its_version_keeps_them(three: Project) -> None:
    plan, card, _ = _run(three)
    own = [auto_levels(_deep(i, exposure)[..., None]) for i, exposure in enumerate([1.0, 0.8, 0.6])]
    ((low, high),) = plan.levels
    assert min(o.low for o in own) <= low <= sorted(o.low for o in own)[1]
    assert sorted(o.high for o in own)[1] <= high <= max(o.high for o in own)
    assert card["levels"] == [[low, high]] or card["levels"] == ((low, high),)


def test_between_shared_levels_a_picture_half_as_bright_is_half_as_bright(three: Project) -> None:
    data = ProjectData(three, Sources())
    rows = three.images()
    bright, dim = (data.pixels(int(rows[i].id), 0, WHOLE, ((0.0, 20_000.0),)) for i in (0, 2))
    assert np.median(dim) / np.median(bright) == pytest.approx(0.6, abs=0.02)
    own = [np.median(data.pixels(int(rows[i].id), 0, WHOLE)) for i in (0, 2)]
    assert own[1] / own[0] == pytest.approx(1.0, abs=0.15)  # between its own levels it is not


def test_a_version_of_an_earlier_release_predicts_the_same_bits(three: Project) -> None:
    _, card, weights = _run(three)
    old = {key: value for key, value in card.items() if key != "levels"}
    _keep(three, "v1", card, weights)
    _keep(three, "v2", old, weights)
    _keep(three, "v3", {**card, "levels": []}, weights)
    assert read_card("v2", ProjectData(three, Sources())).levels == ()
    assert np.array_equal(_predicted(three, "v2", 2), _predicted(three, "v3", 2))
    assert not np.array_equal(_predicted(three, "v1", 2), _predicted(three, "v2", 2))


def test_a_run_that_continues_a_version_keeps_its_levels(three: Project) -> None:
    _, card, weights = _run(three)
    _keep(three, "v1", {**card, "levels": [[7.0, 4000.0]]}, weights)
    _keep(three, "v2", {key: value for key, value in card.items() if key != "levels"}, weights)
    assert _run(three, msgspec.structs.replace(TINY, base="v1"))[0].levels == ((7.0, 4000.0),)
    assert _run(three, msgspec.structs.replace(TINY, base="v2"))[0].levels == ()


def test_exposures_that_differ_too_much_are_left_to_each_image(tmp_path: Path) -> None:
    with _project(tmp_path, [0.05, 0.06, 5.0]) as project:
        assert _run(project)[0].levels == ()


def test_pictures_of_8_bits_and_of_other_channels_stay_as_they_are(tmp_path: Path) -> None:
    with _project(tmp_path, [1.0, 0.8, 0.6], eight_bit=1) as project:
        data = ProjectData(project, Sources())
        rows = project.images()
        shared = ((0.0, 20_000.0),)
        eight = data.pixels(int(rows[0].id), 0, WHOLE)
        assert np.array_equal(data.pixels(int(rows[0].id), 0, WHOLE, shared), eight)
        assert data.own_levels(int(rows[0].id), 0) is None
        sixteen = data.pixels(int(rows[1].id), 0, WHOLE)
        samples = _deep(1, 0.8)[..., None]
        assert np.array_equal(sixteen, to_float(samples, auto_levels(samples)))
        assert np.array_equal(data.pixels(int(rows[1].id), 0, WHOLE, shared * 3), sixteen)
        assert not np.array_equal(data.pixels(int(rows[1].id), 0, WHOLE, shared), sixteen)
        assert len(_run(project)[0].levels) == 1


def test_a_project_of_8_bit_pictures_shares_none_and_opens_no_file_for_it(tmp_path: Path) -> None:
    with _project(tmp_path, [1.0, 0.8, 0.6], eight_bit=3) as project:
        opened: list[Path] = []
        sources = Sources(open_=lambda stored: opened.append(stored.first) or open_stored(stored))  # type: ignore[func-returns-value]
        data = ProjectData(project, sources)
        assert [data.own_levels(int(row.id), 0) for row in project.images()] == [None] * 3
        assert not opened
        plan, card, _ = _run(project)
        assert plan.levels == ()
        assert not card["levels"]

import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from segstudio.engine import launch
from segstudio.engine.client import EngineClient
from segstudio.engine.project_data import ProjectData
from segstudio.engine.protocol import Train
from segstudio.engine.sources import Sources
from segstudio.engine.training import Stopping, train_job
from segstudio.engine.workshop import Workshop
from segstudio.errors import Cancelled, EngineDied, NoSuchDevice, NotEnoughLabels, UserError
from segstudio.geometry import Rect
from segstudio.labels.model import Kind
from segstudio.learn.loop import Trainer
from segstudio.learn.sampling import Batch
from segstudio.runs import (
    Checkpointed,
    Choices,
    Evaluated,
    Event,
    Finished,
    HeldOutPicture,
    Plan,
    Preparing,
    Started,
    Stepped,
    TrainResult,
    Warned,
)
from segstudio.store.learning import LEARNING
from segstudio.store.project import Project
from segstudio.store.values import NewClass
from segstudio.tasks.learning.predict import predict
from segstudio.tasks.learning.train import train
from segstudio.tasks.learning.unlearned import unlearned_labels
from segstudio.tasks.progress import finished
from tests.engine.conftest import Hours, label, new_image, new_project
from tests.learn.conftest import blobs

pytestmark = pytest.mark.engine
TINY = Choices(network="tiny", base="scratch", max_steps=12)


def _run(steps) -> tuple[list[Event], TrainResult]:
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


def _started(events: list[Event]) -> Started:
    return next(e for e in events if isinstance(e, Started))


def test_a_run_leaves_plan_events_weights_card_and_rows(engine: EngineClient, discs_project: Project):
    before = len(discs_project.versions())
    events, result = _run(train(discs_project, engine, TINY))
    preparing = list(itertools.takewhile(lambda e: isinstance(e, Preparing), events))
    assert preparing[0].text == "Waiting for the engine"
    assert isinstance(events[len(preparing)], Started)
    assert [e.step for e in events if isinstance(e, Stepped)] == list(range(1, 13))
    assert any(isinstance(e, Evaluated) for e in events)
    assert isinstance(events[-1], Finished)
    folder = discs_project.path
    version = discs_project.versions()[before]
    assert version.name == result.version
    assert version.promoted is result.promoted
    run = discs_project.runs()[-1]
    assert (run.version, run.state, run.steps) == (result.version, "done", 12)
    plan = msgspec.json.decode((folder / "runs" / run.name / "plan.json").read_bytes(), type=Plan)
    assert plan.steps == 12
    assert plan.groups("held-out") == [row.path for row in discs_project.images() if row.split == "held-out"]
    written = (folder / "runs" / run.name / "events.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=Event) for line in written] == events
    card = msgspec.json.decode((folder / "models" / f"{result.version}.json").read_bytes())
    assert card["seed"] == 0
    assert card["sha256"]
    assert card["data"]["held_out_groups"] == plan.groups("held-out")
    digests = {row.path: discs_project.labels_sha256(row.id) for row in discs_project.images()}
    assert {i["path"]: i["labels_sha256"] for i in card["data"]["images"]}.items() <= digests.items()
    assert len(card["data"]["sha256"]) == 64
    assert result.held_out["parent"] is not None
    assert result.held_out["child"].iou.keys() == result.held_out["parent"].iou.keys()
    assert not (folder / "runs" / run.name / "checkpoint.safetensors").exists()


def test_a_run_shows_a_held_out_image_after_each_measurement_and_keeps_it_nowhere(
    engine: EngineClient, discs_project: Project
):
    pictures: list[HeldOutPicture] = []
    events, result = _run(train(discs_project, engine, TINY, on_picture=pictures.append))
    assert [picture.step for picture in pictures] == [e.step for e in events if isinstance(e, Evaluated)]
    assert pictures
    first = pictures[0]
    assert first.path in {row.path for row in discs_project.images() if row.split == "held-out"}
    assert max(first.width, first.height) <= 256
    assert len(first.image) == 3 * first.width * first.height
    known = {int(found.id) for found in discs_project.classes()}
    assert set(np.frombuffer(first.predicted, "<u2").tolist()) <= known
    assert set(np.frombuffer(first.truth, "<u2").tolist()) - {0}
    folder = discs_project.path / "runs" / discs_project.runs()[-1].name
    assert b"picture" not in (folder / "events.jsonl").read_bytes()
    child = result.held_out["child"]
    assert child is not None
    assert child.confusion is not None
    total = sum(map(sum, child.confusion.counts))
    right = sum(child.confusion.counts[n][n] for n in range(len(child.confusion.names)))
    assert 0 <= right <= total
    assert total > 0
    assert child.iou.keys() == {
        name for name, row in zip(child.confusion.names, child.confusion.counts, strict=True) if any(row)
    }


def test_a_discarded_run_leaves_its_record_and_the_engine_goes_on(engine: EngineClient, discs_project: Project):
    seen: list[Event] = []
    steps = train(discs_project, engine, TINY, discard=lambda: bool(seen))
    seen += [next(event for event in steps if isinstance(event, Stepped))]
    with pytest.raises(Cancelled, match="was discarded"):
        _run(steps)
    row = discs_project.runs()[-1]
    assert (row.state, row.version) == ("discarded", "")
    assert discs_project.setting(LEARNING) is None
    folder = discs_project.path / "runs" / row.name
    assert sorted(path.name for path in folder.iterdir()) == ["events.jsonl", "plan.json"]
    _events, result = _run(train(discs_project, engine, TINY))
    assert result.version


def test_a_version_predicts_by_its_name(engine: EngineClient, discs_project: Project):
    _, result = _run(train(discs_project, engine, TINY))
    row = discs_project.images()[5]
    report = finished(predict(discs_project, engine, [row.id], version=result.version))
    assert report.version == result.version
    assert discs_project.proposals.read(row.id, 0).version == result.version


def test_a_run_continues_from_the_version_it_is_based_on(engine: EngineClient, discs_project: Project):
    _, first = _run(train(discs_project, engine, TINY))
    events, second = _run(train(discs_project, engine, msgspec.structs.replace(TINY, base=first.version, seed=1)))
    losses = [e.loss for e in events if isinstance(e, Stepped)]
    assert _started(events).parent == first.version
    assert second.held_out["child"].loss <= first.held_out["child"].loss * 1.1
    assert losses[0] < 1.6


def test_versions_that_learned_from_nearly_the_same_labels_are_counted(tmp_path: Path):
    project, truths = new_project(tmp_path, 6)
    with project, EngineClient(project.path) as engine:
        rows = project.images()
        for row, truth in zip(rows[:4], truths, strict=False):
            label(project, row.id, truth)

        def tries(steps: int) -> int:
            _run(train(project, engine, msgspec.structs.replace(TINY, max_steps=4)))
            folder = project.path / "runs" / project.runs()[-1].name
            plan = msgspec.json.decode((folder / "plan.json").read_bytes(), type=Plan)
            return ProjectData(project, Sources()).tries(plan.planes, steps)

        assert tries(4) == 1
        assert unlearned_labels(project, None) is None
        assert tries(8) == 2
        assert tries(9) == 0  # a run that is twice as long is no repetition
        label(project, rows[4].id, truths[4], part=Rect(80, 80, 30, 30))
        assert unlearned_labels(project, None) is not None
        assert tries(4) == 4  # a dab makes no labels new
        label(project, rows[5].id, truths[5])
        assert tries(4) == 1


def test_stop_keeps_what_was_learned(engine: EngineClient, discs_project: Project):
    asked = threading.Event()
    steps = train(discs_project, engine, msgspec.structs.replace(TINY, max_steps=100_000), stop=asked.is_set)
    events = []
    result = None
    while result is None:
        try:
            events.append(next(steps))
            if isinstance(events[-1], Stepped) and events[-1].step >= 3:
                asked.set()
        except StopIteration as end:
            result = end.value
    assert events[-1].reason == "stopped"
    assert 3 <= result.steps < 1000
    assert (discs_project.path / "models" / f"{result.version}.safetensors").exists()
    assert discs_project.runs()[-1].state == "stopped"


def test_the_clock_ends_a_run(engine: EngineClient, discs_project: Project):
    begun = time.monotonic()
    events, result = _run(train(discs_project, engine, msgspec.structs.replace(TINY, max_steps=None, max_seconds=3.0)))
    assert result.seconds < 30.0  # the step under way is finished: on a busy machine that takes its time
    assert time.monotonic() - begun < 120.0
    assert _started(events).max_seconds == 3.0
    assert [e.done for e in events if isinstance(e, Preparing) and e.total == 3] == [0, 1, 2, 3]


def test_what_is_painted_during_a_run_is_learned_in_it_and_the_version_says_so(tmp_path: Path):
    project, truths = new_project(tmp_path, 3)
    ids = [row.id for row in project.images()]
    label(project, ids[0], truths[0], part=Rect(0, 0, 100, 60))
    label(project, ids[1], truths[1], part=Rect(0, 0, 100, 60))
    choices = msgspec.structs.replace(TINY, max_steps=None, max_seconds=40.0)
    stop = threading.Event()
    with project, EngineClient(project.path, log=tmp_path / "log") as client:
        steps = train(project, client, choices, stop=stop.is_set, picks_up=True)
        while not isinstance(next(steps), Stepped):
            continue
        label(project, ids[1], truths[1])
        assert project.writer is not None
        assert project.writer.flush()
        painted, written = int(project.last_seq()), project.path / "runs" / "r1" / "plan.json"
        for _event in steps:
            if msgspec.json.decode(written.read_bytes(), type=Plan).picked_up:
                break
        stop.set()
        _, result = _run(steps)
        plan = msgspec.json.decode(written.read_bytes(), type=Plan)
        card = msgspec.json.decode((project.path / "models" / f"{result.version}.json").read_bytes())
        assert [edit for _step, edit in plan.picked_up] == [painted]
        assert {p.image for p in plan.planes} == {int(ids[0]), int(ids[1])}
        assert [image["path"] for image in card["data"]["images"]] == [p.path for p in plan.planes]
        assert all(image["labels_sha256"] for image in card["data"]["images"])
        assert card["data"]["last_edit"] == painted
        assert int(project.versions()[-1].seq) == painted


def test_a_proposal_on_screen_comes_in_the_midst_of_a_run(engine: EngineClient, discs_project: Project):
    steps = train(discs_project, engine, msgspec.structs.replace(TINY, max_steps=100_000))
    while not isinstance(next(steps), Stepped):
        continue
    begun = time.monotonic()
    row = discs_project.images()[5]
    on_screen = (row.id, 0, Rect(0, 0, 50, 50))
    assert finished(predict(discs_project, engine, [row.id], version="embedded", visible=lambda: on_screen)).images == 1
    assert time.monotonic() - begun < 120  # the run would take hours
    assert isinstance(next(steps), Event)
    steps.close()
    assert discs_project.runs()[-1].state in ("running", "stopped")
    assert discs_project.writer is not None
    assert discs_project.writer.flush()
    why = discs_project.runs()[-1].summary["why"]
    assert why == "It was cut off before its result was measured, so no version came of it."


@pytest.fixture
def killable(tmp_path: Path):
    """A project with an engine of its own, which may be killed."""
    project, truths = new_project(tmp_path, 4)
    for row, truth in zip(project.images(), truths, strict=True):
        label(project, row.id, truth)
    with project, EngineClient(project.path, log=tmp_path / "log", clock=Hours()) as client:
        yield project, client


def test_a_killed_engine_is_started_again_and_the_run_ends(killable):
    project, client = killable
    steps = train(project, client, msgspec.structs.replace(TINY, max_steps=24))
    events: list[Event] = []
    result = None
    killed = False
    while result is None:
        try:
            events.append(next(steps))
        except StopIteration as end:
            result = end.value
            break
        if isinstance(events[-1], Stepped) and events[-1].step == 5 and not killed:
            killed = True
            os.kill(client.pid, signal.SIGKILL)
    warned = [e for e in events if isinstance(e, Warned)]
    assert len(warned) == 1
    assert "signal 9" in warned[0].sentence
    assert result.steps == 24
    assert project.runs()[-1].state == "done"


def test_a_resumed_run_begins_at_its_checkpoint(killable, monkeypatch: pytest.MonkeyPatch):
    code = (
        "import sys; from segstudio.learn import loop; loop._CHECKPOINT_S = 0.0;"
        "from segstudio.engine import server; sys.exit(server.main([]))"
    )
    monkeypatch.setattr(launch, "engine_command", lambda: [sys.executable, "-c", code])
    project, client = killable
    events: list[Event] = []
    killed = False
    steps = train(project, client, msgspec.structs.replace(TINY, max_steps=20))
    while True:
        try:
            events.append(next(steps))
        except StopIteration:
            break
        if isinstance(events[-1], Checkpointed) and events[-1].step >= 6 and not killed:
            killed = True
            os.kill(client.pid, signal.SIGKILL)
    place = next(i for i, e in enumerate(events) if isinstance(e, Warned))
    assert "last checkpoint" in events[place].sentence
    resumed = next(e for e in events[place:] if isinstance(e, Stepped))
    assert resumed.step >= 7


def test_the_same_run_dying_twice_is_given_up_in_one_sentence(killable):
    project, client = killable
    before = {p.name for p in (project.path / "models").glob("*")} if (project.path / "models").exists() else set()
    steps = train(project, client, msgspec.structs.replace(TINY, max_steps=100_000))
    killing = (os.kill(client.pid, signal.SIGKILL) for event in steps if isinstance(event, Stepped))
    with pytest.raises(EngineDied, match="died twice") as caught:
        list(killing)
    assert "\n" not in caught.value.line
    assert project.runs()[-1].state == "failed"
    after = {p.name for p in (project.path / "models").glob("*")} if (project.path / "models").exists() else set()
    assert before == after
    assert not project.versions()


def test_closing_the_engine_ends_a_run_at_once(killable):
    project, client = killable
    steps = train(project, client, msgspec.structs.replace(TINY, max_steps=100_000))
    while not isinstance(next(steps), Stepped):
        continue
    client.close()
    with pytest.raises(EngineDied):
        list(steps)


def test_too_little_labelled_leaves_no_run_behind(tmp_path: Path, engine_log: Path):
    project, truths = new_project(tmp_path, 1)
    truths[0][...] = 1
    label(project, project.images()[0].id, truths[0])
    with project, EngineClient(project.path, log=engine_log) as client:
        with pytest.raises(NotEnoughLabels):
            finished(train(project, client, TINY))
        with pytest.raises(NoSuchDevice):
            finished(train(project, client, msgspec.structs.replace(TINY, device="cuda:7")))
        assert not project.runs()
        assert not project.versions()
        assert not (project.path / "runs" / "r1").exists()


def test_where_the_files_are_gone_the_reason_is_not_that_too_little_is_labelled(tmp_path: Path, engine_log: Path):
    project, truths = new_project(tmp_path, 1)
    label(project, project.images()[0].id, truths[0])
    project.images()[0].file.unlink()
    with project, EngineClient(project.path, log=engine_log) as client:
        with pytest.raises(NotEnoughLabels, match="there is no such file") as refused:
            finished(train(project, client, TINY))
        assert "relink" in refused.value.todo


def test_blocks_are_written_down_for_the_next_run(tmp_path: Path):
    project, truths = new_project(tmp_path, 1)
    label(project, project.images()[0].id, truths[0])
    with project, EngineClient(project.path, log=tmp_path / "log") as client:
        events, result = _run(train(project, client, TINY))
        assert _started(events).optimistic
        blocks = project.setting("held_out_blocks")
        assert blocks
        assert result.held_out["child"] is not None
        _run(train(project, client, TINY))
        assert project.setting("held_out_blocks") == blocks


def test_small_images_and_one_of_five_bands_are_learned_from_and_predicted_after(tmp_path: Path):
    import tifffile

    files, truths = [], []
    for i, (side, bands) in enumerate(((128, 5), (150, 3))):
        picture, truth = blobs(i, side)
        files.append(tmp_path / f"{i}.tif")
        tifffile.imwrite(
            files[-1],
            np.resize((picture[:, :, :1] * 255).astype(np.uint8), (side, side, bands)),
            photometric="rgb" if bands == 3 else "minisblack",
            planarconfig="contig",
        )
        truths.append(truth)
    classes = [NewClass("background", kind=Kind.BACKGROUND), NewClass("blob")]
    with (
        Project.create(tmp_path / "p.segstudio", [new_image(file) for file in files], classes) as project,
        EngineClient(project.path, log=tmp_path / "log") as client,
    ):
        for row, truth in zip(project.images(), truths, strict=True):
            label(project, row.id, truth)
        events, result = _run(train(project, client, TINY))
        assert not [e for e in events if isinstance(e, Warned)]
        assert result.held_out["child"] is not None
        for version in ("current", "instant", result.version):
            report = finished(predict(project, client, [row.id for row in project.images()], version=version))
            assert report.images == 2
        events, _ = _run(train(project, client, TINY))
        assert not [e for e in events if isinstance(e, Preparing) and "images" in e.text]


def test_names_whose_files_a_repair_left_behind_are_not_used_again(engine: EngineClient, discs_project: Project):
    folder = discs_project.path
    for path in (folder / "models" / "v900.safetensors", folder / "runs" / "r800" / "events.jsonl"):
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"of a version whose row is lost")
    _, result = _run(train(discs_project, engine, msgspec.structs.replace(TINY, max_steps=2)))
    assert result.version == "v901"
    assert discs_project.runs()[-1].name == "r801"
    assert (folder / "models" / "v900.safetensors").read_bytes() == b"of a version whose row is lost"
    assert (folder / "runs" / "r800" / "events.jsonl").read_bytes() == b"of a version whose row is lost"


def test_a_picture_damaged_inside_is_told_and_the_run_goes_on_without(tmp_path: Path):
    project, truths = new_project(tmp_path, 3, broken=[1])
    for row, truth in zip(project.images(), truths, strict=True):
        label(project, row.id, truth)
    with project, EngineClient(project.path, log=tmp_path / "log") as client:
        events, result = _run(train(project, client, TINY))
        warned = [e.sentence for e in events if isinstance(e, Warned)]
        assert len(warned) == 1
        assert warned[0].startswith("1.png cannot be read")
        card = msgspec.json.decode((project.path / "models" / f"{result.version}.json").read_bytes())
        assert [image["path"] for image in card["data"]["images"]] == ["0.png", "2.png"]
        for row in project.images():
            row.file.write_bytes(row.file.read_bytes()[:2000])
        with pytest.raises(NotEnoughLabels, match=r"png") as refused:
            _run(train(project, client, TINY))
        assert "\n" not in refused.value.line
        assert client.pid is not None


def test_where_memory_runs_out_for_good_the_run_fails_with_a_sentence(
    discs_project: Project, monkeypatch: pytest.MonkeyPatch
):
    def full(self: Trainer, batch: Batch) -> float:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    monkeypatch.setattr(Trainer, "learn", full)
    sources = Sources()
    shop = Workshop(lambda: ProjectData(discs_project, sources))
    request = Train(id=1, run="r1", version="v1", choices=msgspec.structs.replace(TINY, device="cpu"))
    with pytest.raises(UserError, match="The computer has too little memory to train") as caught:
        list(train_job(shop, request, Stopping()))
    assert "painted is safe" in caught.value.safe
    sources.close()

"""What can go wrong in a run, in a real engine process: one sentence, a way on, and the labels as they were."""

import hashlib
import os
import pickle
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from segstudio.engine import launch
from segstudio.engine.client import EngineClient
from segstudio.errors import NotEnoughLabels, UserError, WeightsDamaged
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit, RowChange, Table
from segstudio.labels.model import Cause, Kind
from segstudio.labels.tiles.codec import encode_tile
from segstudio.runs import Checkpointed, Choices, Event, Stepped, TrainResult, Warned
from segstudio.store.project import Project
from segstudio.store.values import NewClass
from segstudio.tasks.images.remove import remove_images
from segstudio.tasks.learning.predict import predict
from segstudio.tasks.learning.train import train
from segstudio.tasks.progress import finished
from tests.engine.conftest import SIDE, Hours, label, new_image, new_project

pytestmark = pytest.mark.engine
TINY = Choices(network="tiny", base="scratch", max_steps=12)
WHOLE = Rect(0, 0, SIDE, SIDE)

ENGINE = """
import ctypes, sys, torch
from pathlib import Path
from segstudio.learn import loop
from segstudio.learn.trainer import Trainer
fault = Path({fault!r})
learn, loss = Trainer.learn, None
loop._CHECKPOINT_S = 0.0
def full(logits, truth):
    raise MemoryError
def faulty(self, batch):
    global loss
    what = fault.read_text() if self.plan.planes and fault.exists() else ""
    loss = loss or self._loss
    self._loss = loss
    if what == "crash" and self.step == 4:
        fault.unlink()
        ctypes.string_at(0)
    if what == "device" and self.step == 4:
        fault.unlink()
        raise torch.AcceleratorError("CUDA error: unspecified launch failure")
    if what == "memory" and self.step >= 4:
        self._loss = full
    if what.startswith("nan") and self.step in range(4, int(what[3:])):
        self._loss = lambda logits, truth: logits.sum() * float("nan")
    return learn(self, batch)
Trainer.learn = faulty
from segstudio.engine import server
sys.exit(server.main([]))
"""

Labels = dict[str, dict[tuple[int, int, int], bytes]]


class Bench:
    """A labelled project, an engine of its own that has a fault when asked to, and what was in the labels."""

    def __init__(self, project: Project, client: EngineClient, fault: Path) -> None:
        self.project = project
        self.client = client
        self.fault = fault
        self.labels = _labels(project)

    def run(
        self, choices: Choices = TINY, seen: Callable[[Event], object] = lambda event: None
    ) -> tuple[list[Event], TrainResult]:
        events: list[Event] = []
        steps = train(self.project, self.client, choices)
        while True:
            try:
                events.append(next(steps))
            except StopIteration as end:
                return events, end.value
            seen(events[-1])

    def written(self) -> list[Event]:
        """The last run's events as they are read again; every line must be one."""
        file = self.project.path / "runs" / self.project.runs()[-1].name / "events.jsonl"
        return [msgspec.json.decode(line, type=Event) for line in file.read_bytes().splitlines()]

    def goes_on(self) -> None:
        """The labels are as they were, and the next run makes a version."""
        assert _labels(self.project) == self.labels
        _, result = self.run()
        assert self.project.versions()[-1].name == result.version


def _labels(project: Project) -> Labels:
    found: Labels = {}
    for row in project.images():
        tiles = project.frozen(row.id).tiles
        found[row.path] = {key: encode_tile(tile) for key, tile in sorted(tiles.items())}
    return found


def _warned(events: list[Event]) -> list[str]:
    return [event.sentence for event in events if isinstance(event, Warned)]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fault = tmp_path / "fault"
    code = ENGINE.format(fault=str(fault))
    monkeypatch.setattr(launch, "engine_command", lambda: [sys.executable, "-c", code])
    project, truths = new_project(tmp_path, 4)
    for row, truth in zip(project.images(), truths, strict=True):
        label(project, row.id, truth)
    with project, EngineClient(project.path, log=tmp_path / "log", clock=Hours()) as client:
        yield Bench(project, client, fault)


def test_a_segmentation_fault_is_one_sentence_and_the_run_ends(bench: Bench) -> None:
    bench.fault.write_text("crash")
    events, result = bench.run()
    (said,) = _warned(events)
    assert f"signal {int(signal.SIGSEGV)}" in said
    assert "resumed from its last checkpoint" in said
    assert result.steps == 12
    assert bench.project.runs()[-1].state == "done"
    bench.goes_on()


def test_a_gpu_that_fails_is_named_and_the_run_ends(bench: Bench) -> None:
    bench.fault.write_text("device")
    events, result = bench.run()
    (said,) = _warned(events)
    assert said.startswith("The GPU failed")
    assert "resumed from its last checkpoint" in said
    assert result.steps == 12
    bench.goes_on()


def test_a_few_steps_without_a_finite_loss_are_told_once_and_every_event_can_be_read_again(bench: Bench) -> None:
    bench.fault.write_text("nan7")
    events, result = bench.run()
    (said,) = _warned(events)
    assert said == "The loss of step 5 is not a finite number. Such steps change nothing, and the run goes on."
    assert [event.step for event in events if isinstance(event, Stepped)] == [1, 2, 3, 4, 8, 9, 10, 11, 12]
    assert bench.written() == events
    assert result.steps == 12
    assert result.held_out["child"] is not None
    assert np.isfinite(result.held_out["child"].loss)


def test_a_run_without_any_finite_loss_is_given_up_in_one_sentence(bench: Bench) -> None:
    bench.fault.write_text("nan100000")
    with pytest.raises(UserError, match="20 steps in a row had no finite loss") as caught:
        bench.run(msgspec.structs.replace(TINY, max_steps=100_000))
    assert "\n" not in caught.value.line
    assert "painted is safe" in caught.value.safe
    assert caught.value.todo
    assert bench.project.runs()[-1].state == "failed"
    assert not bench.project.versions()
    bench.fault.unlink()
    bench.goes_on()


def test_too_little_memory_for_one_patch_is_one_sentence_and_the_engine_lives(bench: Bench) -> None:
    bench.fault.write_text("memory")
    with pytest.raises(UserError, match="too little memory to train, even on one patch") as caught:
        bench.run()
    assert caught.value.todo == "Close other programs."
    assert bench.project.runs()[-1].state == "failed"
    pid = bench.client.pid
    bench.fault.unlink()
    bench.goes_on()
    assert bench.client.pid == pid


def test_a_pickle_in_place_of_weights_is_refused_without_being_run(bench: Bench, tmp_path: Path) -> None:
    _, result = bench.run()
    made = tmp_path / "made"

    class Trap:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
            return _write, (str(made), "run")

    trap = pickle.dumps(Trap())
    for file in (bench.project.path / "models" / f"{result.version}.safetensors", tmp_path / "weights.pt"):
        file.write_bytes(trap)
    card = bench.project.path / "models" / f"{result.version}.json"
    said = msgspec.json.decode(card.read_bytes())
    card.write_bytes(msgspec.json.encode({**said, "sha256": hashlib.sha256(trap).hexdigest()}))
    image = bench.project.images()[0].id
    with pytest.raises(WeightsDamaged, match=r"damaged") as caught:
        finished(predict(bench.project, bench.client, [image], version=result.version))
    assert caught.value.todo == "Choose another version."
    for base in (result.version, str(tmp_path / "weights.pt")):
        with pytest.raises(WeightsDamaged):
            bench.run(msgspec.structs.replace(TINY, base=base))
    assert not made.exists()
    assert finished(predict(bench.project, bench.client, [image], version="instant")).images == 1
    bench.goes_on()


def test_a_checkpoint_that_is_damaged_is_said_and_a_new_run_begins(bench: Bench) -> None:
    def damage(event: Event) -> None:
        if isinstance(event, Checkpointed) and event.step >= 5 and not bench.fault.exists():
            bench.fault.write_text("")
            pid = bench.client.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            file = bench.project.path / event.path
            file.write_bytes(file.read_bytes()[:-500])

    with pytest.raises(WeightsDamaged, match="The checkpoint of this run cannot be read") as caught:
        bench.run(msgspec.structs.replace(TINY, max_steps=100_000), damage)
    assert caught.value.todo == "Start a new run."
    assert bench.project.runs()[-1].state == "failed"
    bench.goes_on()


def test_an_image_and_a_class_that_are_removed_during_a_run_are_no_end_to_it(bench: Bench) -> None:
    project = bench.project
    image = project.images()[1]

    def remove(event: Event) -> None:
        if isinstance(event, Stepped) and event.step == 4:
            remove_images(project, [image.path])
            blob = project.classes().named("blob")
            change = RowChange(Table.CLASSES, blob.id, {"removed": False}, {"removed": True})
            assert project.writer is not None
            project.writer.submit(Edit(None, Cause.CLASSES, {}, (change,)))
            project.writer.flush()

    _, result = bench.run(seen=remove)
    assert result.steps == 12
    row = project.images()[0]
    report = finished(predict(project, bench.client, [row.id], version=result.version))
    assert report.version == result.version
    proposal = project.proposals.read(row.id, 0)
    assert {project.classes().all[i - 1].name for i in _classes(proposal.class_ids(WHOLE))} == {"background"}
    assert _labels(project) == {path: tiles for path, tiles in bench.labels.items() if path != image.path}


def test_an_image_whose_file_goes_during_a_run_does_not_end_it(bench: Bench) -> None:
    def remove(event: Event) -> None:
        if isinstance(event, Stepped) and event.step == 4:
            bench.project.images()[1].file.unlink()

    _, result = bench.run(seen=remove)
    assert result.steps == 12
    bench.goes_on()


def test_without_labels_there_is_a_sentence_and_of_one_image_a_version(tmp_path: Path) -> None:
    project, truths = new_project(tmp_path, 1)
    with project, EngineClient(project.path, log=tmp_path / "log", clock=Hours()) as client:
        row = project.images()[0]
        with pytest.raises(NotEnoughLabels) as caught:
            finished(train(project, client, TINY))
        assert caught.value.todo
        assert "\n" not in caught.value.line
        assert finished(predict(project, client, [row.id])).version == "embedded"
        label(project, row.id, truths[0])
        result = finished(train(project, client, TINY))
        assert [version.name for version in project.versions()] == [result.version]


def test_grey_and_colour_and_images_smaller_than_a_patch_share_a_run(tmp_path: Path) -> None:
    from PIL import Image

    sizes = [(40, 40), (7, 90), (60, 33), (192, 192)]
    truths = [np.where(np.arange(w)[None] < w // 2, 1, 2).repeat(h, 0).reshape(h, w) for w, h in sizes]
    files = [tmp_path / f"{i}.png" for i in range(len(sizes))]
    for i, (file, truth) in enumerate(zip(files, truths, strict=True)):
        grey = (truth * 90).astype(np.uint8)
        Image.fromarray(grey if i % 2 else np.repeat(grey[..., None], 3, 2)).save(file)
    classes = [NewClass("background", kind=Kind.BACKGROUND), NewClass("right")]
    project = Project.create(tmp_path / "p.segstudio", [new_image(file) for file in files], classes)
    with project, EngineClient(project.path, log=tmp_path / "log", clock=Hours()) as client:
        for row, truth in zip(project.images(), truths, strict=True):
            label(project, row.id, truth.astype(np.int32))
        before = _labels(project)
        result = finished(train(project, client, TINY))
        for version in (result.version, "instant"):
            report = finished(predict(project, client, [row.id for row in project.images()], version=version))
            assert report.images == 4
        assert _labels(project) == before


def test_of_forty_classes_those_that_occur_are_learned(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    truth = _stripes(30)
    files = [tmp_path / f"{i}.png" for i in range(2)]
    for file in files:
        grey = truth * 8 + rng.integers(0, 4, truth.shape)
        Image.fromarray(np.repeat(grey[..., None], 3, 2).astype(np.uint8)).save(file)
    classes = [NewClass("background", kind=Kind.BACKGROUND), *(NewClass(f"class {i}") for i in range(1, 40))]
    project = Project.create(tmp_path / "p.segstudio", [new_image(file) for file in files], classes)
    with project, EngineClient(project.path, log=tmp_path / "log", clock=Hours()) as client:
        rows = project.images()
        label(project, rows[0].id, truth)
        before = _labels(project)
        for version in ("current", finished(train(project, client, TINY)).version):
            report = finished(predict(project, client, [rows[1].id], version=version))
            assert report.images == 1
            found = _classes(project.proposals.read(rows[1].id, 0).class_ids(WHOLE))
            assert found <= set(range(1, 31))
            assert found
        assert _labels(project) == before


def _stripes(n: int) -> NDArray[np.int32]:
    """Classes 1..n as upright stripes."""
    return np.broadcast_to(np.arange(SIDE) * n // SIDE + 1, (SIDE, SIDE)).astype(np.int32)


def _write(file: str, text: str) -> None:
    Path(file).write_text(text, encoding="utf-8")


def _classes(ids: NDArray[np.integer]) -> set[int]:
    return set(np.unique(ids).tolist())

"""The owner of exports: files in place before it says so, a sentence where there are none, nothing after a close."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segstudio.app.exporting import ExportReport, Exports
from segstudio.app.values import JobKind, JobState
from segstudio.store.project import Project
from tests.app.test_documents import Bench


@pytest.fixture
def bench(opened: Callable[[], Project]) -> Iterator[Bench]:
    bench = Bench(opened())
    yield bench
    bench.documents.close()


def test_what_was_committed_is_exported_while_painting_goes_on(qtbot: Any, bench: Bench, tmp_path: Path) -> None:
    exports = Exports(bench.ground, bench.documents)
    done: list[ExportReport] = []
    exports.finished.connect(done.append)
    bench.stroke(20, 20)
    exports.start("png", tmp_path / "png", "labels")
    exports.start("coco", tmp_path / "coco", "labels")
    bench.stroke(50, 50)
    qtbot.waitUntil(lambda: len(done) == 2)
    by_format = {report.format: report for report in done}
    assert by_format["png"].images == 1
    assert by_format["png"].out == tmp_path / "png"
    assert all(file.is_file() for report in done for file in report.files)
    assert not bench.ground.jobs.states
    bench.main.close()


def test_exports_side_by_side_are_told_apart_and_the_end_of_one_is_not_the_end_of_the_other(
    qtbot: Any, bench: Bench, tmp_path: Path
) -> None:
    exports = Exports(bench.ground, bench.documents)
    jobs, states = bench.ground.jobs, list[tuple[JobState, ...]]()
    jobs.changed.connect(lambda: states.append(jobs.states))
    bench.stroke(20, 20)
    exports.start("png", tmp_path / "png", "labels")
    exports.start("coco", tmp_path / "coco", "labels")
    qtbot.waitUntil(lambda: not bench.ground.jobs.states)
    ids = {state.id for seen in states for state in seen}
    assert len(ids) == 2
    for id_ in ids:
        running = "".join("-+"[id_ in {state.id for state in seen}] for seen in states)
        assert running.strip("-").count("-") == 0
    assert states[-1] == ()
    bench.main.close()


def test_one_of_two_exports_is_cancelled_alone(qtbot: Any, bench: Bench, tmp_path: Path) -> None:
    exports = Exports(bench.ground, bench.documents)
    done: list[ExportReport] = []
    exports.finished.connect(done.append)
    bench.stroke(20, 20)
    exports.start("png", tmp_path / "png", "labels")
    exports.start("coco", tmp_path / "coco", "labels")
    bench.ground.jobs.cancel(bench.ground.jobs.states[0].id)
    qtbot.waitUntil(lambda: not bench.ground.jobs.states)
    assert "coco" in [report.format for report in done]
    bench.main.close()


@pytest.mark.parametrize(("format_", "words"), [("tiff", "not a format"), ("png", "nothing to export")])
def test_an_export_that_cannot_be_is_said_and_leaves_nothing(
    qtbot: Any, bench: Bench, tmp_path: Path, format_: str, words: str
) -> None:
    exports = Exports(bench.ground, bench.documents)
    failures = bench.heard.failures
    exports.start(format_, tmp_path / "out", "labels")
    qtbot.waitUntil(lambda: bool(failures))
    assert failures[0].job is JobKind.EXPORT
    assert words in failures[0].sentence
    assert not (tmp_path / "out").exists()
    bench.main.close()

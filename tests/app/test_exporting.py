"""The owner of exports: files in place before it says so, a sentence where there are none, nothing after a close."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segstudio.app.exporting import Exports
from segstudio.app.values import JobState
from segstudio.store.project import Project
from tests.app.test_documents import Bench


@pytest.fixture
def bench(opened: Callable[[], Project]) -> Bench:
    return Bench(opened())


def test_what_was_committed_is_exported_while_painting_goes_on(qtbot: Any, bench: Bench, tmp_path: Path) -> None:
    exports = Exports(bench.project, bench.main)
    done: list[dict[str, Any]] = []
    exports.exportFinished.connect(done.append)
    bench.stroke(20, 20)
    exports.start("png", tmp_path / "png", "labels")
    exports.start("coco", tmp_path / "coco", "labels")
    bench.stroke(50, 50)
    qtbot.waitUntil(lambda: len(done) == 2)
    by_format = {report["format"]: report for report in done}
    assert by_format["png"]["images"] == 1
    assert by_format["png"]["out"] == str(tmp_path / "png")
    assert all(Path(file).is_file() for report in done for file in report["files"])
    assert not exports.running
    exports.wait(5)
    bench.main.close()


def test_exports_side_by_side_are_told_apart_and_the_end_of_one_is_not_the_end_of_the_other(
    qtbot: Any, bench: Bench, tmp_path: Path
) -> None:
    exports = Exports(bench.project, bench.main)
    states: list[JobState] = []
    exports.jobChanged.connect(states.append)
    bench.stroke(20, 20)
    exports.start("png", tmp_path / "png", "labels")
    exports.start("coco", tmp_path / "coco", "labels")
    qtbot.waitUntil(lambda: not exports.running)
    assert {state.part for state in states} == {1, 2}
    for part in (1, 2):
        running = [state.running for state in states if state.part == part]
        assert running == [True] * (len(running) - 1) + [False]
    exports.wait(5)
    bench.main.close()


def test_one_of_two_exports_is_cancelled_alone(qtbot: Any, bench: Bench, tmp_path: Path) -> None:
    exports = Exports(bench.project, bench.main)
    done: list[dict[str, Any]] = []
    exports.exportFinished.connect(done.append)
    bench.stroke(20, 20)
    exports.start("png", tmp_path / "png", "labels")
    exports.start("coco", tmp_path / "coco", "labels")
    exports.cancel(1)
    qtbot.waitUntil(lambda: not exports.running)
    assert "coco" in [report["format"] for report in done]
    exports.wait(5)
    bench.main.close()


@pytest.mark.parametrize(("format_", "words"), [("tiff", "no format"), ("png", "nothing to export")])
def test_an_export_that_cannot_be_is_said_and_leaves_nothing(
    qtbot: Any, bench: Bench, tmp_path: Path, format_: str, words: str
) -> None:
    exports = Exports(bench.project, bench.main)
    failures: list[dict[str, Any]] = []
    exports.failed.connect(failures.append)
    exports.start(format_, tmp_path / "out", "labels")
    qtbot.waitUntil(lambda: bool(failures))
    assert failures[0]["job"] == "export"
    assert words in failures[0]["sentence"]
    assert not (tmp_path / "out").exists()
    exports.wait(5)
    bench.main.close()

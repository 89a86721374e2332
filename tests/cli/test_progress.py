import io
import sys

import pytest

from segstudio.cli.progress import Bar, run_task, shown
from segstudio.tasks.progress import Progress


class Terminal(io.StringIO):
    """A screen that tells itself to be one."""

    def isatty(self) -> bool:
        return True


def steps():
    for done in range(3):
        yield Progress(done, 3, f"file {done}")
    return "report"


def test_a_bar_is_drawn_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, drawn in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        assert shown(steps(), "file") == "report"
        assert bool(stream.getvalue()) is drawn


def test_a_bar_is_drawn_at_most_ten_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = Bar("file")
    length = 0
    for done in range(1000):
        bar.show(done, 1000, "x")
        length = len(sys.stderr.getvalue()) if done == 0 else length
    assert len(sys.stderr.getvalue()) < 5 * length + 1000
    bar.close()


def test_an_interrupted_task_is_closed() -> None:
    ended: list[str] = []

    def task():
        try:
            yield 1
        finally:
            ended.append("cleaned up")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_task(task(), interrupt)
    assert ended == ["cleaned up"]

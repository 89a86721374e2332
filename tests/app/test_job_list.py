"""Jobs run beside each other under ids of their own; what is said about them goes one way."""

import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from pytestqt.exceptions import capture_exceptions

from segstudio import faults
from segstudio.app.job_list import Jobs
from segstudio.app.jobs import MainThread
from segstudio.app.notices import Notices
from segstudio.app.values import JobKind, Notice, NoticeKind
from segstudio.errors import UserError


class _Bench:
    def __init__(self) -> None:
        self.told: list[Notice] = []
        notices = Notices()
        notices.close()
        notices.told.connect(self.told.append)
        self.notices, self.jobs, self.main = notices, Jobs(notices), MainThread()
        self.go = threading.Event()

    def steps(self, error: UserError | None = None) -> Generator[int, None, str]:
        while not self.go.wait(0.005):
            yield 1
        if error is not None:
            raise error
        return "done"


@pytest.fixture
def bench(qtbot: Any) -> Iterator[_Bench]:
    made = _Bench()
    yield made
    made.go.set()
    made.jobs.cancel_all(made.main)
    made.jobs.wait_all(made.main, lambda: 5)
    made.main.close()


def test_two_jobs_of_a_kind_have_ids_and_one_is_cancelled_alone(qtbot: Any, bench: _Bench) -> None:
    ends: list[object] = []
    one = bench.jobs.start(JobKind.EXPORT, "one", bench.steps(), bench.main, on_done=ends.append)
    other = bench.jobs.start(JobKind.EXPORT, "other", bench.steps(), bench.main, on_done=ends.append)
    assert [state.id for state in bench.jobs.of(JobKind.EXPORT)] == [one, other]
    bench.jobs.cancel(one)
    qtbot.waitUntil(lambda: [state.id for state in bench.jobs.states] == [other])
    bench.go.set()
    qtbot.waitUntil(lambda: bench.jobs.states == ())
    assert ends == ["done"]
    assert bench.told == []


def test_a_failure_is_one_notice_of_its_kind_after_the_job_is_off_the_list(qtbot: Any, bench: _Bench) -> None:
    left: list[int] = []
    bench.notices.told.connect(lambda _: left.append(len(bench.jobs.states)))
    bench.go.set()
    bench.jobs.start(JobKind.BACKUP, "", bench.steps(UserError("The disk is full.")), bench.main)
    qtbot.waitUntil(lambda: bool(bench.told))
    assert bench.told == [Notice(NoticeKind.FAILURE, "The disk is full.", job=JobKind.BACKUP)]
    assert left == [0]


def test_of_a_project_that_is_closed_nothing_more_is_told(qtbot: Any, bench: _Bench) -> None:
    heard: list[object] = []
    bench.jobs.start(
        JobKind.TRAIN,
        "",
        bench.steps(),
        bench.main,
        on_value=lambda _id, value: heard.append(value),
        on_done=heard.append,
    )
    mine = bench.jobs.show(JobKind.OPEN, "another's")
    qtbot.waitUntil(lambda: bool(heard))
    bench.jobs.cancel_all(bench.main)
    bench.jobs.wait_all(bench.main, lambda: 5)
    before = len(heard)
    qtbot.wait(30)
    assert len(heard) == before
    assert [state.id for state in bench.jobs.states] == [mine]


def test_what_cannot_be_done_is_said_in_passing_or_as_the_failure_of_a_job(bench: _Bench) -> None:
    def refuse() -> None:
        raise UserError("There is none.")

    assert not bench.notices.attempt(refuse)
    assert not bench.notices.attempt(refuse, JobKind.RESTORE)
    assert bench.notices.attempt(lambda: None)
    assert [(told.kind, told.job) for told in bench.told] == [
        (NoticeKind.WORD, None),
        (NoticeKind.FAILURE, JobKind.RESTORE),
    ]


def test_a_dropped_job_is_off_the_list_at_once_and_nothing_is_heard_of_it(qtbot: Any, bench: _Bench) -> None:
    heard: list[object] = []
    at_work, go = threading.Event(), threading.Event()

    def steps() -> Generator[int, None, str]:
        at_work.set()
        go.wait(10)
        yield 1
        return "done"

    job = bench.jobs.start(
        JobKind.PROPOSE, "", steps(), bench.main, on_value=lambda _id, value: heard.append(value), on_done=heard.append
    )
    assert at_work.wait(10)
    wait = bench.jobs.waiter(JobKind.PROPOSE, bench.main)
    bench.jobs.drop(job)
    assert bench.jobs.states == ()
    ended: list[bool] = []
    waiting = threading.Thread(target=lambda: (wait(10), ended.append(go.is_set())))
    waiting.start()
    go.set()
    waiting.join(10)
    qtbot.wait(30)
    assert (ended, heard, bench.told) == ([True], [], [])


def test_the_thread_of_a_dropped_job_is_waited_for_when_its_project_closes(qtbot: Any, bench: _Bench) -> None:
    go = threading.Event()
    order: list[str] = []

    def steps() -> Generator[int, None, None]:
        go.wait(10)
        order.append("step")
        yield 1

    bench.jobs.drop(bench.jobs.start(JobKind.PROPOSE, "", steps(), bench.main))
    bench.jobs.cancel_all(bench.main)
    threading.Timer(0.05, go.set).start()
    bench.jobs.wait_all(bench.main, lambda: 10)
    order.append("closed")
    assert order == ["step", "closed"]


def test_the_owner_of_a_job_hears_of_a_bug_before_it_is_reported(qtbot: Any, bench: _Bench) -> None:
    def steps() -> Generator[int, None, None]:
        yield 1
        raise ZeroDivisionError

    heard: list[str] = []
    with capture_exceptions() as found:
        faults.watch()  # pytest's hook stands in front of ours
        bench.jobs.start(
            JobKind.PROPOSE,
            "",
            steps(),
            bench.main,
            on_done=lambda _: heard.append("done"),
            on_failed=lambda _: heard.append("failed"),
            on_end=lambda: heard.append("end"),
            on_bug=lambda: heard.append("bug"),
        )
        qtbot.waitUntil(lambda: bool(found))
    assert heard == ["end", "bug"]
    assert [kind for kind, _error, _trace in found] == [ZeroDivisionError]
    assert (bench.jobs.states, bench.told) == ((), [])


def test_a_bug_of_a_job_that_was_dropped_is_reported_all_the_same(qtbot: Any, bench: _Bench) -> None:
    at_work, go = threading.Event(), threading.Event()

    def steps(error: Exception) -> Generator[int, None, None]:
        yield 1
        at_work.set()
        go.wait(10)
        raise error

    heard: list[str] = []
    with capture_exceptions() as found:
        faults.watch()  # pytest's hook stands in front of ours
        for error in (UserError("Nobody wants to know."), ZeroDivisionError()):
            at_work.clear()
            go.clear()
            job = bench.jobs.start(
                JobKind.PROPOSE, "", steps(error), bench.main, on_bug=lambda: heard.append("bug"), on_end=lambda: None
            )
            assert at_work.wait(10)
            bench.jobs.drop(job)
            go.set()
            bench.jobs.waiter(JobKind.PROPOSE, bench.main)(10)
        qtbot.waitUntil(lambda: bool(found))
    assert [kind for kind, _error, _trace in found] == [ZeroDivisionError]
    assert (heard, bench.told) == ([], []), "its owner has another one, and a refusal is no longer of interest"

"""The writer: one thread that owns the write connection and makes edits durable in the order they came.

An edit is 'saved' only after its COMMIT under synchronous=FULL. Edits that wait are committed together. Where the disk
refuses, nothing is lost: the edits stay first in the queue and are tried again every two seconds and at each new one.
An edit that does not follow what is saved, which is a fault of the program, is set aside and reported; later ones
are saved. Where even that fails the thread ends, reports it, and keeps all that waits for the next opening.
"""

import sqlite3
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from segstudio.errors import DiskRefused, ReadOnly
from segstudio.labels.edit import Batch, Edit, now_utc
from segstudio.labels.model import Seq
from segstudio.store.database.disk_errors import refusal
from segstudio.store.writing.fitting import write_group
from segstudio.store.writing.journal import Edits, last_seq, write_edits
from segstudio.store.writing.listeners import ignore, tell
from segstudio.store.writing.outbox import Outbox
from segstudio.store.writing.pauses import Pauses
from segstudio.store.writing.write_connection import WriteConnection
from segstudio.store.writing.write_queue import Queued, SetAside, WriterState
from segstudio.text import N_, _

__all__ = ["SetAside", "Writer", "WriterState"]

T = TypeVar("T")
Batches = Batch | None | Callable[[sqlite3.Connection], Batch | None]

_RETRY_S = 2.0
_IDLE_S = 1.0
_GROUP = 64
_BREATH_S = 0.02
"""The hand goes first: what a stroke sets off in the window is over before its tiles are packed. Nobody waits so."""

_FAULT = N_(
    "A fault in SegStudio stopped the saving. What was saved before is safe; later strokes are kept until the project "
    "is next opened: close it and open it again."
)


class Writer:
    """Starts its thread when made and ends it in `stop`. The call-backs are called on the writer's thread.

    `on_set_aside` comes before `on_saved` of what was written in the same transaction; `on_refused` says why nothing is
    written, `on_recovered` that it is again. What a call-back raises goes to `threading.excepthook` and ends nothing.
    """

    def __init__(
        self,
        path: Path,
        connection_type: type[sqlite3.Connection] = sqlite3.Connection,
        outbox: Outbox | None = None,
    ) -> None:
        """Without an `outbox` edits that do not fit stay in memory, and `stop` returns them."""
        self.on_saved: Callable[[Seq], None] = ignore
        self.on_set_aside: Callable[[SetAside], None] = ignore
        self.on_refused: Callable[[str], None] = ignore
        self.on_recovered: Callable[[], None] = ignore
        self._outbox = outbox
        self._connection = WriteConnection(path, connection_type)
        self._pauses = Pauses(self._connection)
        self._durable = last_seq(self._connection.db)
        self._next = int(self._durable) + 1
        self._changed = threading.Condition()
        self._queue: deque[Queued] = deque()
        self._refused = ""
        self._tries = 0
        self._refused_try = 0
        self._seen_nudges = 0
        self._nudges = 0
        self._flushing = 0
        self._telling = False
        self._fault = ""
        self._not_kept: list[tuple[Seq, Edit]] = []
        """Edits that do not fit and could not be put into the outbox either."""
        self._last_saved = ""
        self._stopping = False
        self._ended = False
        self._when_ended: Callable[[], None] = ignore
        self._thread = threading.Thread(target=self._run, name="segstudio-writer", daemon=True)
        self._thread.start()

    # --- called from any thread

    def submit(self, edit: Edit) -> Seq:
        """Put an edit in the queue and return its number at once; numbers rise by one."""
        with self._changed:
            self._must_run()
            if any(waiting.numbers for waiting in self._queue):
                raise ReadOnly(_("A large change is being written; nothing else can be written until it is done."))
            seq = Seq(self._next)
            self._next += 1
            self._queue.append(Queued(seq, edit))
            self._nudge()
        return seq

    def call(self, job: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """Run a job in its own transaction, after everything that waits.

        Where the disk refuses it, or an edit before it, its future raises `DiskRefused`; it is not tried again.
        """
        return self._put(Queued(job=job))

    def write_all(self, edits: Edits, batch: Batches = None) -> "Future[int]":
        """Write edits in one transaction, all or none, after everything that waits; the future says how many.

        Each, and each part of a streamed one, is taken from `edits` on the writer's thread once the one before it is
        written; what `edits` raises, or the disk, is raised by the future. They are numbered as they come: until then
        `submit` raises `ReadOnly`. With a `batch` they belong together and are undone together; of no edits there
        is no batch. A function that gives it is called on the writer's thread.
        """
        waiting = Queued(numbers=True)

        def job(db: sqlite3.Connection) -> int:
            before, last = write_edits(db, edits, batch(db) if callable(batch) else batch)
            waiting.seq = last if last > before else None
            return last - before

        waiting.job = job
        return self._put(waiting)

    @property
    def writing_all(self) -> bool:
        """Whether `write_all` is under way or waits: until it is done `submit` refuses."""
        with self._changed:
            return any(waiting.numbers for waiting in self._queue)

    def _put(self, waiting: Queued) -> "Future[Any]":
        with self._changed:
            self._must_run()
            if self._fault:
                waiting.future.set_exception(DiskRefused(self._refused))
            else:
                self._queue.append(waiting)
                self._nudge()
        return waiting.future

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until everything that waits now is done, and reported; not to be called from a call-back.

        False after the timeout, or as soon as the disk refuses a try that began after this was called.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            last = self._queue[-1] if self._queue else None
            tries = self._tries
            self._flushing += 1
            self._nudge()
            try:
                while self._telling or any(waiting is last for waiting in self._queue):
                    left = None if end is None else end - time.monotonic()
                    if self._refused_try > tries or self._fault or (left is not None and left <= 0):
                        return False
                    self._changed.wait(left)
            finally:
                self._flushing -= 1
        return True

    @property
    def pending(self) -> int:
        """Edits and jobs that are not durable yet."""
        with self._changed:
            return len(self._queue)

    @property
    def state(self) -> WriterState:
        """Whether all is saved, and if not, why nothing is written."""
        with self._changed:
            saved = not self._queue and not self._not_kept and not self._fault
            return WriterState(saved, self._refused, self._last_saved, self._fault)

    @property
    def durable(self) -> Seq:
        """Number of the last edit that is on disk."""
        with self._changed:
            return self._durable

    def pending_edit(self, seq: Seq) -> Edit | None:
        """An edit that is not durable yet."""
        with self._changed:
            return next((w.edit for w in self._queue if w.edit is not None and w.seq == seq), None)

    def pending_edits(self) -> list[tuple[Seq, Edit]]:
        """All edits that are not durable yet, oldest first."""
        with self._changed:
            return [(w.seq, w.edit) for w in self._queue if w.edit is not None and w.seq is not None]

    def stop(self, wait_s: float) -> list[tuple[Seq, Edit]]:
        """End the thread and return the edits that could not be written within the time, or were refused, in order.

        A disk that hangs may hold the thread for longer: then what is being written may still be, and so may the edits
        behind it, and no other process may write until then (`when_ended`). Jobs that have not begun fail.
        """
        self.flush(wait_s)
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(max(wait_s, _RETRY_S))
        with self._changed:
            rest = [*self._not_kept, *self.pending_edits()]
        self._fail_jobs(self._refused or _("The project was closed before this was written."))
        return rest

    def when_ended(self, call: Callable[[], None]) -> bool:
        """Call once the thread has ended: now, where it has, else on that thread. Returns whether it has."""
        with self._changed:
            if not self._ended:
                self._when_ended = call
                return False
        call()
        return True

    def _fail_jobs(self, sentence: str) -> None:
        """Fail the jobs that wait; the outcome of one under way is known only at its end."""
        with self._changed:
            jobs = [waiting for waiting in self._queue if waiting.job is not None and not waiting.future.running()]
            for waiting in jobs:
                self._queue.remove(waiting)
            wanted = [waiting.future for waiting in jobs if waiting.future.set_running_or_notify_cancel()]
            self._changed.notify_all()
        for future in wanted:
            future.set_exception(DiskRefused(sentence))

    def _nudge(self) -> None:
        """Wake the thread, also where it waits for its next try."""
        self._nudges += 1
        self._changed.notify_all()

    def _must_run(self) -> None:
        if self._stopping:
            raise ReadOnly(_("The project is closed."))

    # --- on the writer's thread

    def _run(self) -> None:
        try:
            while self._await_work():
                self._work()
        except BaseException:
            self._note_fault(traceback.format_exc())
            raise  # to `threading.excepthook`
        finally:
            try:
                self._end()
            finally:
                with self._changed:
                    self._ended = True
                self._when_ended()

    def _await_work(self) -> bool:
        """Wait for work, for the next try, or to be idle; False when it is time to end."""
        with self._changed:
            if self._refused:
                # A request made while the last try was under way asks for another one at once.
                self._changed.wait_for(lambda: self._stopping or self._nudges != self._seen_nudges, _RETRY_S)
                return not self._stopping
            while not self._queue:
                if self._stopping:
                    return False
                if not self._changed.wait(_IDLE_S if self._pauses.owed else None) and not self._queue:
                    break
            if self._queue:
                self._changed.wait_for(self._is_awaited, _BREATH_S)
        if not self._queue:
            self._pauses.use(lambda: self._stopping or bool(self._queue))
        return True

    def _is_awaited(self) -> bool:
        """Whether somebody waits for what is in the queue."""
        return self._stopping or self._flushing > 0 or any(waiting.edit is None for waiting in self._queue)

    def _work(self) -> None:
        group = self._next_group()
        if not group:
            return
        if group[0].job is not None:
            self._run_job(group[0])
        else:
            self._write(group)

    def _next_group(self) -> list[Queued]:
        """What is done in the next transaction: one job, or the edits in front of the next job."""
        group: list[Queued] = []
        limit = 1 if self._refused else _GROUP
        with self._changed:
            for waiting in self._queue:
                if waiting.job is not None:
                    return group or [waiting]
                group.append(waiting)
                if len(group) == limit:
                    break
        return group

    def _write(self, group: list[Queued]) -> None:
        with self._changed:
            self._tries += 1
            self._seen_nudges = self._nudges
        try:
            aside = write_group(self._connection, group, self._outbox)
        except Exception as error:
            sentence = refusal(error)
            if sentence is None:
                raise  # no edit is to blame: the writer cannot continue
            self._refuse(sentence)
            return
        self._finish(group, aside)

    def _run_job(self, waiting: Queued) -> None:
        job = waiting.job
        assert job is not None
        with self._changed:
            if waiting not in self._queue:
                return  # failed meanwhile
            if not waiting.future.set_running_or_notify_cancel():
                self._drop(1)
                return
        try:
            result = self._connection.transact(job)
        except Exception as error:  # noqa: BLE001 - the caller gets it from the future
            sentence = refusal(error)
            self._drop(1)
            waiting.future.set_exception(error if sentence is None else DiskRefused(sentence))
        except BaseException as error:
            self._drop(1)
            waiting.future.set_exception(error)
            raise
        else:
            self._finish([waiting])
            waiting.future.set_result(result)

    def _refuse(self, sentence: str) -> None:
        with self._changed:
            new = sentence != self._refused
            self._refused = sentence
            self._refused_try = self._tries
            self._changed.notify_all()
        self._fail_jobs(sentence)
        if new:
            tell(self.on_refused, sentence)

    def _finish(self, group: list[Queued], aside: SetAside | None = None) -> None:
        """Take what is durable, or set aside, out of the queue and report it."""
        with self._changed:
            recovered, self._refused = self._refused, ""
            refused = {seq for seq, _ in aside.edits} if aside is not None else set[Seq]()
            if len(refused) < len(group):
                self._last_saved = now_utc()
            self._durable = group[-1].seq or self._durable
            self._next = max(self._next, self._durable + 1)
            self._telling = True
            if aside is not None and aside.kept is None:
                self._not_kept += aside.edits
        self._drop(len(group))
        if recovered:
            tell(self.on_recovered)
        if aside is not None:
            tell(self.on_set_aside, aside)
        for waiting in group:
            if waiting.seq is not None and waiting.seq not in refused:
                tell(self.on_saved, waiting.seq)
        with self._changed:
            self._telling = False
            self._changed.notify_all()
        self._pauses.fold_if_long()

    def _drop(self, n: int) -> None:
        with self._changed:
            for _unused in range(n):
                self._queue.popleft()
            self._changed.notify_all()

    def _note_fault(self, trace: str) -> None:
        """Nothing more is written: report it, and keep all that waits for the next opening, whatever happens."""
        with self._changed:
            self._fault = trace
            self._refused = _(_FAULT)
            self._changed.notify_all()
        self._fail_jobs(self._refused)
        tell(self.on_refused, self._refused)
        waiting = self.pending_edits()
        if self._outbox is not None and waiting:
            tell(self._outbox.keep, waiting)

    def _end(self) -> None:
        if not self._fault and not self._refused:
            self._pauses.end()
        self._connection.close()

"""One request to the engine and its replies, from any thread."""

import queue
from collections.abc import Iterator
from typing import Protocol

from segstudio import errors
from segstudio.engine.protocol import Cancel, Done, Failed, Look, Message, Reply, Stop
from segstudio.errors import EngineDied, UserError

__all__ = ["Call", "Engine", "error_of"]


class Engine(Protocol):
    """What a call needs of the engine's client."""

    def post(self, message: Message) -> None:
        """Send a message that has no reply of its own."""
        ...

    def forget(self, id_: int) -> None:
        """Drop any further replies to this request."""
        ...


class Call:
    """The replies to one request, as an iterator; it ends after the last one and raises the engine's error.

    `close` tells the engine that nobody is waiting any more; later replies are dropped.
    """

    def __init__(self, engine: Engine, id_: int, replies: "queue.SimpleQueue[Reply | UserError]") -> None:
        self.id = id_
        self._engine = engine
        self._replies = replies
        self._open = True

    def __iter__(self) -> Iterator[Reply]:
        return self

    def __next__(self) -> Reply:
        while True:
            found = self.wait(None)
            if found is not None:
                return found
            if not self._open:
                raise StopIteration

    def wait(self, timeout_s: float | None) -> Reply | None:
        """The next reply; None on a timeout or when the call has ended (`ended`). Raises `UserError` on failure."""
        if not self._open:
            return None
        try:
            found = self._replies.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(found, UserError):
            self._end()
            raise found
        if isinstance(found, Failed):
            self._end()
            raise error_of(found)
        if isinstance(found, Done):
            self._end()
            return None
        return found

    @property
    def ended(self) -> bool:
        """Whether no more replies will come."""
        return not self._open

    def stop(self) -> None:
        """Ask a run to end after its current step and to keep what it has learned."""
        if self._open:
            self._engine.post(Stop(self.id))

    def look(self, image: int, plane: int, visible: tuple[int, int, int, int]) -> None:
        """Tell a prediction what is on screen now: that part (x, y, w, h) of this plane comes next."""
        if self._open:
            self._engine.post(Look(self.id, image, plane, visible))

    def close(self) -> None:
        """Drop the call; no effect if it has ended."""
        if self._open:
            self._end()
            self._engine.post(Cancel(self.id))

    def _end(self) -> None:
        self._open = False
        self._engine.forget(self.id)

    def __enter__(self) -> "Call":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def error_of(failed: Failed) -> UserError:
    """The error of a failed request; a bug of the engine becomes an `EngineDied` that names it."""
    kind = getattr(errors, failed.error, None) if failed.error else None
    if isinstance(kind, type) and issubclass(kind, UserError):
        return kind(failed.sentence, safe=failed.safe, todo=failed.todo)
    return EngineDied(failed.sentence, safe=failed.safe, todo=failed.todo)

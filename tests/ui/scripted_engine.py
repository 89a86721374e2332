"""An engine in the hands of a test: it takes requests, starts no process, and answers what the test says."""

import queue
from pathlib import Path
from typing import Any

import msgspec

from segstudio.engine.client import Call, EngineClient
from segstudio.engine.protocol import Done, Failed, Message, Predict, Reply, Request, Stop, Train
from segstudio.errors import EngineDied, UserError

__all__ = ["ScriptedEngine"]

Replies = queue.SimpleQueue[Reply | UserError]


class ScriptedEngine(EngineClient):
    """`asked` are the requests so far, `sent` the messages beside them; `answer` goes to the newest open request.

    Without an answer a request stays open until it is cancelled or the project closes, as with an engine at work.
    """

    def __init__(self, project: Path, **options: Any) -> None:
        super().__init__(project, **options)
        self.asked: list[Request] = []
        self.sent: list[Message] = []
        self._answers: dict[int, Replies] = {}

    @property
    def trains(self) -> list[Train]:
        """The runs that were asked for."""
        return [request for request in self.asked if isinstance(request, Train)]

    @property
    def predicts(self) -> list[Predict]:
        """The proposals that were asked for."""
        return [request for request in self.asked if isinstance(request, Predict)]

    @property
    def stops(self) -> int:
        """How often a run was asked to end early."""
        return sum(isinstance(message, Stop) for message in self.sent)

    def says(self, kind: str, device: str = "", sentence: str = "") -> None:
        """Tell of the state of the process, as its reader does."""
        assert self.on_state is not None
        self.on_state(kind, device, sentence)

    def answer(self, *replies: Any) -> None:
        """Answer the newest open request; its id is set here."""
        with self._lock:
            id_ = max(self._answers)
            for reply in replies:
                self._answers[id_].put(msgspec.structs.replace(reply, id=id_))

    def end(self) -> None:
        """Nothing more comes to the newest open request."""
        self.answer(Done(0))

    def refuse(self, sentence: str, error: str = "") -> None:
        """The newest open request fails: with an error of `segstudio.errors`, or as a death that is final."""
        self.answer(Failed(id=0, error=error or "UserError", sentence=sentence))

    def start(self) -> None:
        """No process is needed."""

    def call(self, request: Request) -> Call:
        """Take a request."""
        with self._lock:
            if self._closed:
                raise EngineDied("The engine was closed together with its project.")
            id_ = self._next_id
            self._next_id += 1
            self._answers[id_] = replies = Replies()
            self.asked.append(msgspec.structs.replace(request, id=id_))
            return Call(self, id_, replies)

    def post(self, message: Message) -> None:
        """Take a message."""
        self.sent.append(message)

    def forget(self, id_: int) -> None:
        """Nobody waits for this request any more."""
        with self._lock:
            self._answers.pop(id_, None)

    def close(self, wait_s: float = 0.0) -> None:
        """End every open request."""
        with self._lock:
            self._closed = True
            for replies in self._answers.values():
                replies.put(EngineDied("The engine was closed together with its project."))

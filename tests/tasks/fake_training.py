"""An engine that answers a request to train at once, with a run of one step."""

from dataclasses import dataclass, field
from typing import Any

from segstudio.engine.protocol import Blob, RunEvent, RunPlanned, Train, Trained
from segstudio.runs import Checkpointed, Finished, Plan, Recipe, Stepped

__all__ = ["FakeCall", "FakeEngine"]


@dataclass
class FakeCall:
    """A run of one step, as the engine tells of it."""

    replies: list[Any]
    ended: bool = False

    def __enter__(self) -> "FakeCall":
        return self

    def __exit__(self, *_: object) -> None:
        self.ended = True

    def wait(self, _timeout_s: float | None) -> Any:
        self.ended = len(self.replies) == 1
        return self.replies.pop(0)

    def stop(self) -> None:
        """Nothing to stop."""


@dataclass
class FakeEngine:
    """`promoted`: what the gate says of the next run; `base`: what it continues, `current` what it is
    compared with.
    """

    closed: bool = False
    promoted: bool = True
    base: str = "scratch"
    current: str = "embedded"
    asked: list[Train] = field(default_factory=list)

    def call(self, request: Train) -> FakeCall:
        """What a run of one step sends."""
        self.asked.append(request)
        plan = Plan(
            classes=(), planes=(), mean=(0.5,), std=(0.2,), network="tiny", base=self.base, recipe=Recipe(),
            device="cpu", threads=1, seed=1, max_seconds=None, max_steps=1,
        )  # fmt: skip
        trained = Trained(
            id=1, parent=self.current, promoted=self.promoted,
            current=request.version if self.promoted else self.current, reason="better", steps=1, seconds=1.0,
            figures={}, card={},
        )  # fmt: skip
        step = Stepped(step=1, seconds=0.1, loss=1.0, rate=0.1, patches_per_second=1.0, memory_mb=1.0)
        return FakeCall(
            [
                RunPlanned(1, plan),
                RunEvent(1, step),
                Blob(1, "checkpoint", b"c" * 50_000, True),
                RunEvent(1, Checkpointed(step=1, seconds=0.2, path="")),
                RunEvent(1, Finished(step=1, seconds=0.3, reason="done")),
                Blob(1, "weights", b"w" * 50_000, True),
                trained,
            ]
        )

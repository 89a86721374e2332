"""What a run tells its client: messages that are made in more than one place."""

from collections.abc import Generator, Sequence

from segstudio.engine.predicting import Step
from segstudio.engine.protocol import CHUNK_BYTES, Blob, RunEvent, Train
from segstudio.learn.trainer import Trainer
from segstudio.runs import Preparing, Warned
from segstudio.text import count

__all__ = ["all_of", "blobs", "preparing", "warned"]


def preparing(request: Train, text: str, done: int = 0, total: int = 0) -> RunEvent:
    """What happens before the first step, and how far it is."""
    return RunEvent(request.id, Preparing(step=0, seconds=request.elapsed_s, text=text, done=done, total=total))


def warned(request: Train, sentence: str, trainer: Trainer | None = None) -> RunEvent:
    """A sentence that a person must know, at the trainer's step."""
    step, seconds = (0, request.elapsed_s) if trainer is None else (trainer.step, trainer.seconds)
    return RunEvent(request.id, Warned(step=step, seconds=seconds, sentence=sentence))


def all_of(broken: Sequence[str]) -> str:
    """The first of some sentences about images, and how many more there are."""
    more = len(broken) - 1
    if not more:
        return broken[0]
    others = count(more, "{n} more could not be read either.", "{n} more could not be read either.")
    return " ".join((broken[0], others))


def blobs(request: Train, kind: str, data: bytes) -> Generator[Step, None, None]:
    """A file as messages of a bounded size."""
    for start in range(0, len(data), CHUNK_BYTES):
        part = data[start : start + CHUNK_BYTES]
        yield Blob(request.id, kind, part, start + CHUNK_BYTES >= len(data))

"""Files of runs and versions: written durably, never over one another, and refused in words."""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TypeVar

from segstudio.durable import write_durably
from segstudio.errors import DiskRefused
from segstudio.text import _

__all__ = ["all_or_none", "free_number", "outcome", "refused", "write"]

Result = TypeVar("Result")


def free_number(prefix: str, numbers: Iterable[int], *names: Iterable[str]) -> int:
    """The number after the highest one that is in use, as such or in a name."""
    named = [re.fullmatch(f"{prefix}([0-9]{{1,9}})", name) for name in chain(*names)]
    return max([0, *numbers, *(int(found[1]) for found in named if found)]) + 1


def write(path: Path, data: bytes) -> None:
    """Write a file durably and at once. Raises `DiskRefused`."""
    try:
        path.parent.mkdir(exist_ok=True)
        write_durably(path, data)
    except OSError as error:
        raise refused(path.name, error) from error


def refused(name: str, error: OSError) -> DiskRefused:
    """What to tell a person where a file of a run could not be written."""
    return DiskRefused(
        _("'{name}' could not be written: {why}.", name=name, why=error.strerror or error),
        safe=_("Everything painted is safe, and the version before it stays in use."),
        todo=_("Make room and train again."),
    )


@contextmanager
def all_or_none(*files: Path) -> Iterator[None]:
    """Within it files are written that mean nothing alone: where it does not come to its end, whatever the reason, none
    of them is left on the disk.
    """
    try:
        yield
    except BaseException:
        for file in files:
            with suppress(OSError):  # the disk that refused the file may refuse this too
                file.unlink(missing_ok=True)
        raise


def outcome(job: "Future[Result]") -> Result:
    """What a job of the writer that rests on files came to. Interrupted, it is dropped if it has not begun; if it has,
    the interruption comes too late, for nobody knows yet whether the files are needed. Raises what the job raised.
    """
    while True:
        try:
            return job.result()
        except KeyboardInterrupt:
            if job.cancel() or (job.done() and job.exception() is not None):
                raise

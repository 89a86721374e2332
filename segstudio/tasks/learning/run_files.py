"""Files of runs and versions: written durably, never over one another, and refused in words."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from segstudio.durable import write_durably
from segstudio.errors import DiskRefused, UserError
from segstudio.text import _

__all__ = ["all_or_none", "free_number", "refused", "write"]


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
    """Within it files are written that mean nothing alone: after a `UserError` none of them is left on the disk."""
    try:
        yield
    except UserError:
        for file in files:
            with suppress(OSError):  # the disk that refused the file may refuse this too
                file.unlink(missing_ok=True)
        raise

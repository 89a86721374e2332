"""The options of a run, as the command line and `fine_tune()` take them: from a person's words, and from a file.

Options of the call win over the file, the file over the defaults.
"""

import re
import tomllib
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from segstudio.errors import DiskRefused, UsageError
from segstudio.runs import Choices, Event
from segstudio.text import _

__all__ = ["OPTIONS", "choices_of", "recorded", "write_event"]

OPTIONS = ("base", "max_seconds", "max_steps", "device", "seed")
_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?|mps")

R = TypeVar("R")


def choices_of(values: Mapping[str, object], config: Path | None = None) -> Choices:
    """The choices that are given (None = not given), then those of a TOML file, then the defaults. Raises `UsageError`.

    The file has the names of `OPTIONS`; `values` may name any field of `Choices`.
    """
    found = {} if config is None else _from_file(config)
    found |= {name: value for name, value in values.items() if value is not None}

    def refused(why: object) -> UsageError:
        if config is None:
            return UsageError(_("{why}.", why=why))
        return UsageError(_("{file}: {why}.", file=config, why=why))

    try:
        choices = msgspec.convert(found, Choices)
    except msgspec.ValidationError as error:
        raise refused(error) from error
    if not _DEVICE.fullmatch(choices.device):
        raise UsageError(
            _("'{device}' is not a device; choose one of auto, cpu, cuda, cuda:N and mps.", device=choices.device)
        )
    limits = (choices.max_seconds, choices.max_steps)
    if any(limit is not None and limit <= 0 for limit in limits) or choices.seed < 0:
        raise refused(_("max_seconds and max_steps must be above 0, and seed must not be negative"))
    return choices


def recorded(steps: Generator[Event, None, R], path: Path | None) -> Generator[Event, None, R]:
    """The same run, each event written to a file as it comes, one JSON object a line. Raises `DiskRefused`."""
    with ExitStack() as stack:
        file = None
        if path is not None:
            try:
                file = stack.enter_context(path.open("wb"))
            except OSError as error:
                steps.close()
                raise DiskRefused(
                    _("{path} cannot be written: {why}.", path=path, why=error.strerror or error)
                ) from error
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                return end.value
            if file is not None:
                write_event(file, event)
            try:
                yield event
            except GeneratorExit:
                steps.close()
                raise


def write_event(file: BinaryIO, event: Event) -> None:
    """Write one event, at once. Raises `DiskRefused`, and `BrokenPipeError` as it is."""
    try:
        file.write(msgspec.json.encode(event) + b"\n")
        file.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DiskRefused(_("The events could not be written: {why}.", why=error.strerror or error)) from error


def _from_file(path: Path) -> dict[str, object]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(_("{path} cannot be read: {why}.", path=path, why=error.strerror or error)) from error
    except ValueError as error:
        raise UsageError(_("{path} is not valid TOML: {error}.", path=path, error=error)) from error
    unknown = sorted(set(values) - set(OPTIONS))
    if unknown:
        raise UsageError(
            _(
                "{path}: '{unknown}' is not an option of train; choose from {options}.",
                path=path,
                unknown=unknown[0],
                options=", ".join(OPTIONS),
            )
        )
    return values

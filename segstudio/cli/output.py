"""What commands say, and where: results on standard output, everything else on standard error."""

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from segstudio.errors import DiskRefused
from segstudio.text import _

__all__ = ["complain", "counted", "drop_output", "say", "say_json", "say_skipped"]


def say(text: str) -> None:
    """A line, or lines, for people, on standard output. Raises `DiskRefused` where that goes to a full disk."""
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        raise DiskRefused(
            _("The output could not be written: {strerror}.", strerror=error.strerror or error)
        ) from error


def counted(n: int, thing: str) -> str:
    """'1 mask', '3 masks'."""
    return f"{n} {thing}{'' if n == 1 else 's'}"


def drop_output() -> None:
    """Let standard output go nowhere, so that the interpreter does not fail once more when it flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say_json(value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
    """The one JSON object (of `formats` a list) of `--json`, on a line of standard output."""
    say(json.dumps(_finite(value), allow_nan=False))


def _finite(value: Any) -> Any:
    """The value with null for NaN and infinities, which JSON does not know (a loss may be one)."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def say_skipped(masks: Sequence[str], unread: Sequence[str]) -> None:
    """Say which masks were passed over: those without an image, and files in a format that is not read."""
    for name in masks:
        say(_("skipped {name}: it belongs to no image of the project, or to several alike.", name=name))
    for name in unread:
        say(_("skipped {name}: masks in this format are not read; convert it to PNG of class values.", name=name))


def complain(line: str) -> None:
    """One line on standard error."""
    _write(sys.stderr, " ".join(f"segstudio: {line}".split("\n")))


def _write(stream: Any, text: str) -> None:
    try:
        stream.write(f"{text}\n")
    except UnicodeEncodeError:
        stream.write(f"{text}\n".encode("ascii", "backslashreplace").decode("ascii"))
    stream.flush()

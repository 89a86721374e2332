"""Printing: results go to standard output, everything else to standard error."""

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from segstudio.errors import DiskRefused
from segstudio.text import _

__all__ = ["complain", "drop_output", "say", "say_json", "say_skipped"]


def say(text: str) -> None:
    """Print lines for people on standard output. Raises `DiskRefused` if that is redirected to a full disk."""
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        raise DiskRefused(_("The output could not be written: {reason}.", reason=error.strerror or error)) from error


def drop_output() -> None:
    """Discard standard output from now on, so that the interpreter does not fail again when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say_json(value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
    """Print the one JSON object of `--json` (a list for `formats`) on one line of standard output."""
    say(json.dumps(_finite(value), allow_nan=False))


def _finite(value: Any) -> Any:
    """The value with null for NaN and infinities, which JSON cannot express (a loss may be one)."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def say_skipped(masks: Sequence[str], unread: Sequence[str]) -> None:
    """Print which masks were passed over: those without an image, and files in a format that is not read."""
    for name in masks:
        say(_("skipped {name}: it matches no image of the project, or several equally well.", name=name))
    for name in unread:
        say(_("skipped {name}: masks in this format cannot be read; convert it to a PNG of class values.", name=name))


def complain(line: str) -> None:
    """Print one line on standard error."""
    _write(sys.stderr, " ".join(f"segstudio: {line}".split("\n")))


def _write(stream: Any, text: str) -> None:
    try:
        stream.write(f"{text}\n")
    except UnicodeEncodeError:
        stream.write(f"{text}\n".encode("ascii", "backslashreplace").decode("ascii"))
    stream.flush()

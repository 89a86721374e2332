"""What commands say, and where: results on standard output, everything else on standard error."""

import json
import math
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["complain", "say", "say_json"]


def say(text: str) -> None:
    """A line, or lines, for people, on standard output."""
    _write(sys.stdout, text)


def say_json(value: Mapping[str, Any]) -> None:
    """The one JSON object of `--json`, on a line of standard output."""
    _write(sys.stdout, json.dumps(_finite(value), allow_nan=False))


def _finite(value: Any) -> Any:
    """The value with null for NaN and infinities, which JSON does not know (a loss may be one)."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def complain(line: str) -> None:
    """One line on standard error."""
    _write(sys.stderr, " ".join(f"segstudio: {line}".split("\n")))


def _write(stream: Any, text: str) -> None:
    try:
        stream.write(f"{text}\n")
    except UnicodeEncodeError:
        stream.write(f"{text}\n".encode("ascii", "backslashreplace").decode("ascii"))
    stream.flush()

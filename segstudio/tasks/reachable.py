"""Whether something is at a path that a person named: a refusal of the system is a sentence, not a bug."""

import os
from pathlib import Path

from segstudio.errors import UserError
from segstudio.text import _

__all__ = ["status_of"]


def status_of(path: Path) -> os.stat_result | None:
    """What is at a path; None for nothing.

    Raises `UserError` where the system refuses: a folder on the way may not be entered, or a name is too long.
    """
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # a ValueError: the name holds a character that no file's has
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        shown = str(path)
        if len(shown) > _LONGEST_SHOWN:
            shown = f"{shown[:_LONGEST_SHOWN]}..."
        raise UserError(
            _("{shown} cannot be reached: {reason}.", shown=shown, reason=reason), todo=_("Name another path.")
        ) from error


_LONGEST_SHOWN = 120

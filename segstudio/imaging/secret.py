"""A secret of this user's: what is derived from it cannot be found by trying on another computer, or from a project."""

import os
import secrets
from functools import cache
from pathlib import Path

__all__ = ["group_secret"]

_BYTES = 32


@cache
def group_secret() -> bytes:
    """32 bytes, made once for each user and kept in the user's data folder; for this process alone where that cannot be
    written.
    """
    import platformdirs

    path = platformdirs.user_data_path("segstudio", appauthor=False) / "group.key"
    try:
        found = path.read_bytes()
    except OSError:
        found = b""
    return found if len(found) == _BYTES else _made(path)


def _made(path: Path) -> bytes:
    secret = secrets.token_bytes(_BYTES)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_bytes(secret)
        part.chmod(0o600)
        os.replace(part, path)
    except OSError:
        return secret
    return secret

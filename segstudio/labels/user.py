"""The user: the name that edits carry and the lock shows."""

from getpass import getuser

__all__ = ["user_name"]


def user_name() -> str:
    """The name of the user of this process; 'unknown' where the system has none for it."""
    try:
        return getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"

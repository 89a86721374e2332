"""A person's preferences: a small JSON file in the user's configuration folder, written whole or not at all."""

import os
from pathlib import Path

import msgspec

__all__ = ["Preferences", "load_preferences", "save_preferences"]


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """Every field has a default that carries the day."""

    overlay_opacity: float = 0.45
    show_proposals: bool = True
    brush_radius: float = 12.0
    last_folder: str = ""
    recent_projects: list[str] = msgspec.field(default_factory=list)
    window_geometry: str = ""
    panel_state: str = ""


def _file() -> Path:
    from platformdirs import user_config_path

    return user_config_path("segstudio", appauthor=False) / "preferences.json"


def load_preferences() -> Preferences:
    """What was saved last; defaults where there is nothing, or nothing that can be read."""
    try:
        return msgspec.json.decode(_file().read_bytes(), type=Preferences)
    except (OSError, msgspec.DecodeError):
        return Preferences()


def save_preferences(preferences: Preferences) -> None:
    """Write to a temporary file beside, sync, rename. Raises OSError where the disk refuses."""
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(f".{os.getpid()}.tmp")
    with beside.open("wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(preferences)))
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)

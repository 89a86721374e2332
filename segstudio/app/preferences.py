"""A person's preferences: a small JSON file in the user's configuration folder, written whole or not at all."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from segstudio.app.editing.tools.options import OptionValue
from segstudio.app.notices import Notices
from segstudio.app.values import MAX_RADIUS_PX, MIN_RADIUS_PX
from segstudio.text import N_, _, languages

__all__ = [
    "LABEL_STYLES",
    "LEAST_OPACITY",
    "RIGHT_BUTTONS",
    "THEMES",
    "UNCERTAINTIES",
    "Preferences",
    "checked_preferences",
    "keep_preferences",
    "load_preferences",
    "preferences_file",
    "save_preferences",
    "unsaved_words",
]

THEMES = (("system", N_("Match the system")), ("light", N_("Light")), ("dark", N_("Dark")))
"""The themes to choose from, with their words."""

LABEL_STYLES = (("fill", N_("Filled")), ("both", N_("Both")), ("outline", N_("Outlines")))
"""How labels are drawn, with words; filled, objects of instance classes are outlined too."""

RIGHT_BUTTONS = (("background", N_("Paints background")), ("menu", N_("Opens a menu")))
"""What the right button does on the image, with words."""

UNCERTAINTIES = (
    ("confidence", N_("Confidence")),
    ("margin", N_("Margin of the two likeliest classes")),
    ("entropy", N_("Entropy of all classes")),
    ("flips", N_("Disagreement with the mirror image")),
)
"""By what a version is unsure of a pixel, with words; `segstudio.learn.uncertainty` says what each is."""

LEAST_OPACITY = 0.05
"""Labels that cannot be seen at all would be painted over unnoticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Every field has a default. Opacities are `LEAST_OPACITY` to 1, the radius `MIN_RADIUS_PX` to `MAX_RADIUS_PX`;
    `language` is 'en' or the code of a catalogue. `keys` has the actions whose keys are not those of the table, by
    name; one that this version does not know stays. `recent_entries` are rows of the command palette, newest first.
    `tool_options` are values of tools' options by name, unknown ones included."""

    theme: str = "system"
    language: str = "en"
    overlay_opacity: float = 0.45
    proposal_opacity: float = 0.45
    automatic_proposals: bool = True
    add_new_images: bool = False
    show_proposals: bool = True
    label_style: str = "fill"
    right_button: str = "background"
    uncertainty: str = "confidence"
    pixel_grid: bool = True
    minimap: bool = True
    display_panel: bool = False
    brush_radius: float = 12.0
    tool_options: dict[str, OptionValue] = field(default_factory=dict)
    images_beside: bool = False
    panels_left: bool = False
    last_folder: str = ""
    recent_projects: list[str] = field(default_factory=list)
    window_geometry: str = ""
    panel_state: str = ""
    keys: dict[str, list[str]] = field(default_factory=dict)
    recent_entries: list[str] = field(default_factory=list)

    @property
    def label_look(self) -> tuple[float, float, bool]:
        """Opacity of filled labels (0 where there are outlines only) and of proposals, and whether all is outlined."""
        filled = self.overlay_opacity if self.label_style != "outline" else 0.0
        return filled, self.proposal_opacity, self.label_style != "fill"


def preferences_file() -> Path:
    """Where they are kept."""
    from platformdirs import user_config_path

    return user_config_path("segstudio", appauthor=False) / "preferences.json"


def load_preferences() -> Preferences:
    """The preferences saved last; defaults where there are none, or none that can be read."""
    # The standard library's JSON: msgspec alone would take a tenth of the time until the first window is idle.
    try:
        found = json.loads(preferences_file().read_bytes())
    except (OSError, ValueError):
        return Preferences()
    return Preferences(**_fitting(found)) if isinstance(found, dict) else Preferences()


_CAN_BE: dict[str, Callable[[Any], bool]] = {
    "theme": lambda value: value in dict(THEMES),
    "language": lambda value: value == "en" or value in languages(),
    "label_style": lambda value: value in dict(LABEL_STYLES),
    "right_button": lambda value: value in dict(RIGHT_BUTTONS),
    "uncertainty": lambda value: value in dict(UNCERTAINTIES),
    "overlay_opacity": lambda value: LEAST_OPACITY <= value <= 1.0,
    "proposal_opacity": lambda value: LEAST_OPACITY <= value <= 1.0,
    "tool_options": lambda value: all(isinstance(part, float | int | str) for part in value.values()),
    "brush_radius": lambda value: MIN_RADIUS_PX <= value <= MAX_RADIUS_PX,
}
"""Which values of a field can be, where not all can."""


def _fitting(found: dict[str, object]) -> dict[str, Any]:
    """The entries with a known name, kind of value, and a value that can be; wrong ones are ignored."""
    standard = Preferences()
    out: dict[str, Any] = {}
    for known in fields(standard):
        value, usual = found.get(known.name), getattr(standard, known.name)
        if isinstance(usual, float) and type(value) is int:
            value = float(value)
        if known.name == "keys" and isinstance(value, dict):
            value = {key: part for key, part in value.items() if _are_words(part)}
        words = not isinstance(value, list) or _are_words(value)
        if type(value) is type(usual) and words and _CAN_BE.get(known.name, lambda _value: True)(value):
            out[known.name] = value
    return out


def _are_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def checked_preferences(preferences: Preferences) -> Preferences:
    """The same. Raises `ValueError` for a value that cannot be: it would be ignored when it is next loaded."""
    values = asdict(preferences)
    fitting = _fitting(values)
    if wrong := [
        f"{name}={value!r}" for name, value in values.items() if name not in fitting or fitting[name] != value
    ]:
        raise ValueError(f"no preference can be {', '.join(wrong)}")
    return Preferences(**fitting)


def save_preferences(preferences: Preferences) -> None:
    """Write to a temporary file beside, sync, rename. Raises OSError where the disk refuses."""
    from segstudio.durable import write_durably

    file = preferences_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_durably(file, json.dumps(asdict(preferences), indent=2).encode())


def keep_preferences(preferences: Preferences, notices: Notices) -> None:
    """Write them at the end of a window; where the disk refuses, a message says so, and closing continues."""
    try:
        save_preferences(preferences)
    except OSError as error:
        notices.say(unsaved_words(error))


def unsaved_words(error: OSError) -> str:
    """What is said where the disk refuses them."""
    return _("The preferences could not be saved: {why}.", why=error.strerror or error)

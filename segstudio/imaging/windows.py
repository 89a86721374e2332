"""Windows that can be chosen by name, in values after rescale: the file's own, and those radiologists use for CT."""

from dataclasses import dataclass, replace

from segstudio.imaging.display import View
from segstudio.imaging.levels import Levels
from segstudio.imaging.metadata import Metadata, Window
from segstudio.imaging.window_level import windowed
from segstudio.text import N_

__all__ = ["CT_PRESETS", "NamedWindow", "between", "offered", "window_of"]

CT_PRESETS = (
    Window(-600.0, 1500.0, N_("Lung"), "linear_exact"),
    Window(300.0, 2000.0, N_("Bone"), "linear_exact"),
    Window(35.0, 80.0, N_("Brain"), "linear_exact"),
    Window(40.0, 400.0, N_("Soft tissue"), "linear_exact"),
    Window(60.0, 350.0, N_("Abdomen"), "linear_exact"),
)
"""Level and width in Hounsfield units; the names are translated when shown."""


@dataclass(frozen=True, slots=True)
class NamedWindow:
    """A window with the `level` and `width` that are written beside it, and what they mean: `levels`, or a sigmoid."""

    name: str
    level: float
    width: float
    levels: Levels
    sigmoid: bool = False
    from_file: bool = False

    def matches(self, view: View) -> bool:
        """Whether a view of one channel is between these levels."""
        return view.formula is None and view.sigmoid == self.sigmoid and view.channels[0].levels == self.levels


def offered(metadata: Metadata, channels: int) -> tuple[NamedWindow, ...]:
    """What can be chosen for an image of one channel: its own windows, then the presets if it is a CT."""
    if channels != 1:
        return ()
    own = [found for window in metadata.windows if (found := window_of(window)) is not None]
    presets = CT_PRESETS if metadata.modality == "CT" else ()
    known = [found for window in presets if (found := window_of(window)) is not None]
    return (*(replace(each, from_file=True) for each in own), *known)


def window_of(window: Window) -> NamedWindow | None:
    """The levels of a window as PS3.3 C.11.2.1 defines them for its shape; None where it has none.

    LINEAR is for whole numbers: from the middle of the first to that of the last of `width` values.
    """
    level, width = window.level, window.width
    if window.shape == "linear":
        # C.11.2.1.2.1: a width of 1 is a step at level - 0.5.
        level, width = level - 0.5, max(width - 1.0, 1e-6)
    try:
        levels = windowed(level, width)
    except ValueError:
        return None
    return NamedWindow(window.name, window.level, window.width, levels, sigmoid=window.shape == "sigmoid")


def between(view: View, window: NamedWindow) -> View:
    """The view with its channels in this window."""
    return replace(view.between(window.levels), sigmoid=window.sigmoid)

"""The rows of the table of actions beside Done: all planes of a stack, and what is not done after all."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from segstudio.text import N_

if TYPE_CHECKING:
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["DONE_ROWS", "DONE_TIPS", "DoneRow"]

DONE_TIPS = {
    "proposal": N_("Fill unlabelled pixels from the proposal, mark this image or plane done and show the next one"),
    "background": N_("Make unlabelled pixels background, mark this image or plane done and show the next one"),
    "unknown": N_("Mark this image or plane done and show the next one; unlabelled pixels stay unknown"),
}
"""What Done does, by the project setting for unlabelled pixels; the keys table has the first."""


class DoneRow(NamedTuple):
    """What an `Action` about Done has of its own, under the names that it has there."""

    name: str
    text: str
    tip: str
    run: "Callable[[MainWindow], object]"
    keys: tuple[str, ...] = ()
    icon: str = ""


DONE_ROWS = (
    DoneRow("done-all", N_("All planes done"), N_("Mark every plane of this stack done, as Done does"),
            lambda w: w.session.mark_all_done(), ("Shift+Return", "Shift+Enter"), "done"),
    DoneRow("not-done", N_("Not done"), N_("Mark this image or plane not done; its labels stay as they are"),
            lambda w: w.session.mark_not_done()),
)  # fmt: skip

"""The rows of runs of a chosen length, and of a run that is resumed, in the table of actions: all in Training."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from segstudio.text import N_
from segstudio.ui.window import commands

if TYPE_CHECKING:
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["RUN_ROWS", "RunRow"]


class RunRow(NamedTuple):
    """What an `Action` that begins a run has of its own, under the names that it has there."""

    name: str
    text: str
    tip: str
    run: "Callable[[MainWindow], object]"
    button: str = ""
    icon: str = "train"


RUN_ROWS = (
    RunRow("fine-tune-1", N_("Fine-tune for 1 minute"), N_("Train for one minute"),
           partial(commands.fine_tune, max_seconds=60.0 * 1)),
    RunRow("fine-tune-5", N_("Fine-tune for 5 minutes"), N_("Train for five minutes"),
           partial(commands.fine_tune, max_seconds=60.0 * 5)),
    RunRow("fine-tune-20", N_("Fine-tune for 20 minutes"), N_("Train for twenty minutes"),
           partial(commands.fine_tune, max_seconds=60.0 * 20)),
    RunRow("resume-training", N_("Resume the run"),
           N_("Train on from the version of the newest run that made one, or of the run chosen in the history, for the "
              "time it had left, or as long as usual"),
           commands.resume_training, "resumeTrainingButton"),
)  # fmt: skip

"""The rows of the check of labels in the table of actions: all in the menu Project, and for a project alone."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from segstudio.text import N_
from segstudio.ui.window import commands

if TYPE_CHECKING:
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["LINT_ROWS", "LintRow"]


class LintRow(NamedTuple):
    """What an `Action` of the check of labels has of its own, under the names that it has there."""

    name: str
    text: str
    tip: str
    run: "Callable[[MainWindow], object]"
    keys: tuple[str, ...] = ()
    icon: str = ""
    separated: bool = False


LINT_ROWS = (
    LintRow("check-labels", N_("Check labels"),
            N_("Find specks, pinholes, objects that touch and other faults in the labels, and mend them"),
            commands.check_labels, ("F7",), "check", separated=True),
    LintRow("find-mistakes", N_("Find label mistakes"),
            N_("Find labels where a model that learned from the other images is sure of another class"),
            commands.find_mistakes, icon="search"),
    LintRow("next-finding", N_("Next finding"), N_("Go to the next fault found in the labels"),
            lambda w: commands.step_finding(w, 1), ("F4",), "next"),
    LintRow("previous-finding", N_("Previous finding"), N_("Go to the previous fault found in the labels"),
            lambda w: commands.step_finding(w, -1), ("Shift+F4",), "previous"),
    LintRow("mend-finding", N_("Mend the finding"),
            N_("Mend the chosen fault, or give a probable mistake the class it looks like; undo takes it back"),
            commands.mend_finding, ("Ctrl+M",), "mend"),
    LintRow("keep-label", N_("Keep the label"),
            N_("The label is right: take the chosen probable mistake off the list and show the next one"),
            commands.keep_label, ("Ctrl+Shift+M",), "keep"),
)  # fmt: skip

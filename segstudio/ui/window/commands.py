"""The actions that take more than one call; each gets the window. Commands make no decisions of their own."""

from typing import TYPE_CHECKING

from segstudio.app.preferences import LABEL_STYLES
from segstudio.app.values import Rest
from segstudio.text import N_, _

if TYPE_CHECKING:
    from segstudio.ui.window.main_window import MainWindow

__all__ = [
    "bigger",
    "cancel",
    "change_label_style",
    "fill_rest",
    "pick_class",
    "show_display",
    "show_labels",
    "show_proposals",
    "show_versions",
    "smaller",
    "step",
    "toggle_solo",
    "zoom_to_selection",
]

_BRUSH_STEP = 1.2
_REST_WORDS = {
    Rest.PROPOSAL: N_("Done fills unlabelled pixels with the proposal; images that are done stay as they are"),
    Rest.BACKGROUND: N_("Done makes unlabelled pixels background; images that are done stay as they are"),
    Rest.UNKNOWN: N_("Done leaves unlabelled pixels unknown; images that are done stay as they are"),
}


_STYLE_WORDS = {
    "fill": N_("Labels are filled"),
    "both": N_("Labels are filled and outlined"),
    "outline": N_("Labels are drawn as outlines only"),
}


def cancel(window: "MainWindow") -> None:
    """Cancel the current gesture; if there is none, close the panel or the message above the image."""
    project = window.session.project
    if project is None or not project.cancel():
        window.close_topmost()


def fill_rest(window: "MainWindow", rest: Rest) -> None:
    """Set what Done does with unlabelled pixels."""
    project, notices = window.session.project, window.session.notices
    if project is not None and notices.attempt(lambda: project.finishing.set_rest(rest)):
        notices.say(_(_REST_WORDS[rest]))
    window.bars.check_rest()


def step(window: "MainWindow", by: int) -> None:
    """Show the next (+1) or the previous (-1) image."""
    if window.session.project is not None:
        window.session.project.navigation.step(by)


def smaller(window: "MainWindow") -> None:
    """Make the brush smaller by a step in proportion to its size."""
    tools = window.session.tools
    tools.set_radius(min(tools.radius - 0.5, round(tools.radius / _BRUSH_STEP * 2) / 2))


def bigger(window: "MainWindow") -> None:
    """Make the brush bigger by a step in proportion to its size."""
    tools = window.session.tools
    tools.set_radius(max(tools.radius + 0.5, round(tools.radius * _BRUSH_STEP * 2) / 2))


def pick_class(window: "MainWindow", n: int) -> None:
    """Paint with the n-th class of the list; does nothing if there are fewer."""
    documents = window.session.project.documents if window.session.project is not None else None
    classes = list(documents.classes) if documents is not None else []
    if documents is not None and 1 <= n <= len(classes):
        documents.choose_class(classes[n - 1].name)


def show_versions(window: "MainWindow") -> None:
    """Show or hide the versions in the training panel."""
    shown = window.bars.action("versions").isChecked()
    if shown:
        window.bars.action("show-bottom").setChecked(True)
        window.show_panels()
    window.arrangement.training.show_versions(shown)


def change_label_style(window: "MainWindow") -> None:
    """Draw labels in the next of the ways, and say which that is."""
    names = [name for name, _words in LABEL_STYLES]
    name = names[(names.index(window.session.preferences.label_style) + 1) % len(names)]
    window.session.kept_preferences.prefer(label_style=name)
    window.session.notices.say(_(_STYLE_WORDS[name]))


def toggle_solo(window: "MainWindow") -> None:
    """Show only the chosen class, or all again."""
    project = window.session.project
    if project is not None:
        project.solo.on = not project.solo.on
        only = _("Only '{name}' is shown", name=project.documents.current_class.name)
        window.session.notices.say(only if project.solo.on else _("All classes are shown"))


def zoom_to_selection(window: "MainWindow") -> None:
    """Find where the selected objects are; the canvas shows that once it is known."""
    if window.session.project is not None:
        window.session.project.selected_area.find()


def show_display(window: "MainWindow") -> None:
    """Show or fold how the image is shown; the panels beside the image come with it."""
    panel = window.arrangement.display
    side = window.bars.action("show-side")
    if side.isChecked() or panel.body.isHidden():
        panel.toggle()
    side.setChecked(True)
    window.show_panels()


def show_proposals(window: "MainWindow") -> None:
    """Show or hide the proposal."""
    shown = window.bars.action("show-proposals").isChecked()
    window.show_proposals(shown)
    window.session.notices.say(_("The proposal is shown") if shown else _("The proposal is hidden"))


def show_labels(window: "MainWindow") -> None:
    """Show or hide the labels."""
    shown = window.bars.action("show-labels").isChecked()
    window.canvas.set_labels_shown(shown)
    window.session.notices.say(_("The labels are shown") if shown else _("The labels are hidden, not deleted"))

"""The actions that take more than one call; each gets the window. Commands make no decisions of their own."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from segstudio.app.preferences import LABEL_STYLES
from segstudio.app.values import LABELS, ModelView, Rest
from segstudio.text import N_, _
from segstudio.ui.text import version_words

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from segstudio.app.editing.objects import ObjectEdits
    from segstudio.app.open_project import OpenedProject
    from segstudio.ui.window.main_window import MainWindow

__all__ = [
    "begin_object",
    "bigger",
    "blink",
    "cancel",
    "change_label_style",
    "check_labels",
    "choose_order",
    "drop_part",
    "export",
    "export_training",
    "fill_rest",
    "find_image",
    "find_mistakes",
    "find_specks",
    "fine_tune",
    "keep_label",
    "keep_learning",
    "lock_objects",
    "mend_finding",
    "objects",
    "pick_class",
    "place_images",
    "place_panels",
    "previous_error",
    "show_display",
    "show_labels",
    "show_objects",
    "show_proposals",
    "show_versions",
    "show_view",
    "smaller",
    "step",
    "step_finding",
    "tint_objects",
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


def objects(window: "MainWindow", operation: "Callable[[ObjectEdits], None]") -> None:
    """Do something to the selected objects of the image on screen."""
    if project := window.session.projects.to_edit():
        operation(project.objects)


def begin_object(window: "MainWindow") -> None:
    """Let the next stroke begin an object, or not after all."""
    objects(window, lambda owner: owner.begin_new())
    window.bars.check_new_object()


def lock_objects(window: "MainWindow") -> None:
    """Lock the selected objects, or unlock them."""
    objects(window, lambda owner: owner.locks.toggle())
    window.bars.check_lock()


def drop_part(window: "MainWindow") -> None:
    """Make the part of an object under the pointer unknown."""
    at = window.readout.at
    if at is None:
        window.session.notices.say(_("Point at a part of an object first."))
    else:
        objects(window, lambda owner: owner.drop_part(*at))


def find_specks(window: "MainWindow") -> None:
    """Look for specks and show them, before they are erased."""
    if project := window.session.projects.to_edit():
        project.specks.begin()


def fine_tune(window: "MainWindow", **options: float) -> None:
    """Begin to learn; what the check of labels finds is told meanwhile."""
    window.session.fine_tune(**options)
    if window.session.project is not None:
        window.session.project.lint.remind()


def resume_training(window: "MainWindow") -> None:
    """Resume the run that the training panel shows: the newest, or the first that is chosen in the history."""
    if project := window.session.projects.to_write():
        project.training.go_on(window.arrangement.training.pages.shown_run)


def export(window: "MainWindow") -> None:
    """Open or close the export panel; what the check of labels finds is told before anything is written."""
    window.export_panel.toggle()
    if window.session.project is not None and not window.export_panel.isHidden():
        window.session.project.lint.remind()


def step(window: "MainWindow", by: int) -> None:
    """Show the next (+1) or the previous (-1) image."""
    if window.session.project is not None:
        window.session.project.navigation.step(by)


def find_image(window: "MainWindow") -> None:
    """Let a person type into the filter of the image list."""
    window.bars.action("show-bottom").setChecked(True)
    window.show_panels()
    window.arrangement.images.type_filter()


def place_images(window: "MainWindow") -> None:
    """List the images beside the image, or below it."""
    window.session.kept_preferences.prefer(images_beside=window.bars.action("images-beside").isChecked())


def place_panels(window: "MainWindow") -> None:
    """Have the panels at the left of the image, or at the right."""
    window.session.kept_preferences.prefer(panels_left=window.bars.action("panels-left").isChecked())


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


def choose_order(window: "MainWindow", order: str) -> None:
    """Have Done go through the images in this order."""
    from segstudio.app.viewing.next_images import Order

    if window.session.project is not None:
        window.session.project.next_images.choose(Order(order))
    window.bars.check_order()


def keep_learning(window: "MainWindow") -> None:
    """Let the model go on learning while a person labels, or no longer."""
    window.session.keep_learning(window.bars.action("keep-learning").isChecked())
    window.bars.check_keep_learning()


def show_versions(window: "MainWindow") -> None:
    """Show or hide the versions in the training panel."""
    shown = window.bars.action("versions").isChecked()
    if shown:
        window.bars.action("show-bottom").setChecked(True)
        window.show_panels()
    window.arrangement.training.show_versions(shown)


def export_training(window: "MainWindow", what: str) -> None:
    """Write what the training panel shows into a file: its 'curves', its figures of 'classes', or its 'plots'."""
    from segstudio.ui.panels.training_export import export_classes, export_curves, export_plots

    project, pages = window.session.project, window.arrangement.training.pages
    if project is not None:
        {"curves": export_curves, "classes": export_classes, "plots": export_plots}[what](project, pages)


def show_objects(window: "MainWindow") -> None:
    """Show the list of objects and put the focus there; where it has the focus, show the classes again."""
    _turn_to(window, "objects", window.arrangement.objects.view)


def check_labels(window: "MainWindow") -> None:
    """Show what is wrong with the labels and put the focus there; where it has the focus, show the classes again."""
    _turn_to(window, "lint", window.arrangement.lint.view)


def _turn_to(window: "MainWindow", name: str, view: "QWidget") -> None:
    """Show a tab beside the image and give its view the focus; from there, the classes, and the focus to the image."""
    if view.hasFocus():
        window.arrangement.turn_to("classes")
        window.pages.focus()
        return
    window.bars.action("show-side").setChecked(True)
    window.show_panels()
    window.arrangement.turn_to(name)
    view.setFocus()


def step_finding(window: "MainWindow", by: int) -> None:
    """Go to the next finding (+1) or the previous one (-1); what was found is listed then."""
    if project := window.session.projects.there():
        window.arrangement.turn_to("lint")
        project.lint.step(by)


def mend_finding(window: "MainWindow") -> None:
    """Mend the finding that is looked at."""
    if project := window.session.projects.to_edit():
        project.lint.mend_chosen()


def find_mistakes(window: "MainWindow") -> None:
    """Look for labels that are probably mistakes, and list them."""
    if project := window.session.projects.there():
        window.bars.action("show-side").setChecked(True)
        window.show_panels()
        window.arrangement.turn_to("lint")
        project.mistakes.search()


def keep_label(window: "MainWindow") -> None:
    """The label that is doubted is right."""
    if project := window.session.projects.there():
        project.lint.keep_chosen()


def tint_objects(window: "MainWindow") -> None:
    """Draw each object in a colour of its own, or in that of its class."""
    tinted = window.bars.action("tint-objects").isChecked()
    window.canvas.set_tinted(tinted)
    window.arrangement.objects.set_tinted(tinted)


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


def show_view(window: "MainWindow", view: ModelView) -> None:
    """Draw another view of the proposal, or its classes again; the proposal is shown then."""
    project = window.session.project
    if project is None:
        return
    back = project.views.view is view
    project.views.show(ModelView.CLASSES if back else view)
    if not back and not window.bars.action("show-proposals").isChecked():
        window.bars.action("show-proposals").setChecked(True)
        window.show_proposals(True)
    window.session.notices.say(_view_words(project, ModelView.CLASSES if back else view))


def blink(window: "MainWindow") -> None:
    """Begin or end to show the proposal and what it is compared with in turns."""
    project = window.session.project
    if project is not None:
        project.views.blink(not project.views.blinking)


def previous_error(window: "MainWindow") -> None:
    """Show the spot that was shown before."""
    if (project := window.session.projects.there()) and project.is_shown():
        project.spots.previous()


def _view_words(project: "OpenedProject", view: ModelView) -> str:
    if view is ModelView.CLASSES:
        return _("The proposal is drawn by classes")
    if view is ModelView.CONFIDENCE:
        return _("Coloured where the model is unsure; 'Next likely error' shows the most doubtful spot")
    if project.views.against == LABELS:
        return _("Filled: what the proposal would add to a class; striped: what it would take away from the labels")
    other = version_words(project.views.against)
    return _("Filled: added to a class; striped: taken away, compared with {version}", version=other)

"""What the actions do: each method is one `slot` of the table.

A command asks the Session; it decides nothing itself.
"""

from typing import TYPE_CHECKING

from segstudio.ui.text import tr

if TYPE_CHECKING:
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["Commands"]

_ZOOM_STEP = 1.25
_BRUSH_STEP = 1.2


class Commands:
    """The slots of `actions.ACTIONS` over one window."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._session = window.session

    # -- file --------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Choose a project, or a folder of images or images, which become one."""
        self._window.choose_to_open()

    def new(self) -> None:
        """Show the page that makes a project."""
        self._window.show_new_project("")

    def save(self) -> None:
        """Say that everything is saved, or why not."""
        self._window.status_bar.reassure()

    def export(self) -> None:
        """Show or hide the export panel above the image."""
        self._window.export_panel.toggle()

    def quit(self) -> None:
        """Close the window."""
        self._window.close()

    # -- project -----------------------------------------------------------------------------------------------------

    def keep_snapshot(self) -> None:
        """Show the snapshots, ready for the name of a new one."""
        self._window.snapshots_dialog().ask_name()

    def snapshots(self) -> None:
        """Show the snapshots."""
        self._window.snapshots_dialog().present()

    def backup(self) -> None:
        """Ask for the folder that the backup goes to."""
        self._window.choose_backup_folder()

    # -- edit --------------------------------------------------------------------------------------------------------

    def undo(self) -> None:
        """Take back the last change of the image on screen."""
        self._session.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        self._session.redo()

    def cancel(self) -> None:
        """Abort the gesture under way; without one, close the panel or the message above the image."""
        if not self._session.cancel_gesture():
            self._window.close_topmost()

    # -- image -------------------------------------------------------------------------------------------------------

    def propose(self) -> None:
        """Ask for a proposal for the image on screen."""
        self._session.propose()

    def accept(self) -> None:
        """Fill what is unlabelled with the proposal."""
        self._session.accept_proposal()

    def reject(self) -> None:
        """Drop the proposal for this image until one is asked for."""
        self._session.reject_proposal()

    def done(self) -> None:
        """Mark the image done, which shows the next."""
        self._session.mark_done()

    def fill_rest_with_proposal(self) -> None:
        """Done gives what is unlabelled the proposed classes."""
        self._fill_rest("proposal", tr("Done fills what is unlabelled with the proposal"))

    def fill_rest_with_background(self) -> None:
        """Done makes what is unlabelled background."""
        self._fill_rest("background", tr("Done makes everything that is unlabelled background"))

    def fill_rest_with_nothing(self) -> None:
        """Done leaves what is unlabelled unknown."""
        self._fill_rest("unknown", tr("Done leaves what is unlabelled unknown"))

    def _fill_rest(self, rest: str, words: str) -> None:
        self._session.set_done_rest(rest)
        self._window.bars.check_rest()
        if self._session.done_rest == rest:
            self._session.said.emit(tr("{words}; images that are done stay as they are", words=words))

    def next(self) -> None:
        """Show the next image."""
        self._session.next_image()

    def previous(self) -> None:
        """Show the previous image."""
        self._session.previous_image()

    # -- tools -------------------------------------------------------------------------------------------------------

    def use_tool(self, name: str) -> None:
        """Take a tool of the table."""
        self._session.set_tool(name)

    def smaller(self) -> None:
        """Make the brush smaller by a step of its size."""
        radius = self._session.brush_radius
        self._session.set_brush_radius(max(0.5, min(radius - 0.5, round(radius / _BRUSH_STEP * 2) / 2)))

    def bigger(self) -> None:
        """Make the brush bigger by a step of its size."""
        radius = self._session.brush_radius
        self._session.set_brush_radius(min(1000.0, max(radius + 0.5, round(radius * _BRUSH_STEP * 2) / 2)))

    def pick_class(self, n: int) -> None:
        """Paint with the n-th class of the list; nothing where there are fewer."""
        classes = list(self._session.classes)
        if 1 <= n <= len(classes):
            self._session.set_class(classes[n - 1].name)

    # -- training ----------------------------------------------------------------------------------------------------

    def fine_tune(self) -> None:
        """Start learning with the plan's own budget."""
        self._session.fine_tune()

    def fine_tune_for(self, minutes: int) -> None:
        """Start learning with a budget of so many minutes."""
        self._session.fine_tune(max_seconds=60.0 * minutes)

    def stop_training(self) -> None:
        """Stop learning and keep the best so far."""
        self._session.stop_training()

    def show_versions(self) -> None:
        """Show or hide the versions in the panel of training."""
        action = self._window.bars.action("versions")
        if action.isChecked():
            self._window.bars.action("show-bottom").setChecked(True)
            self._window.show_panels()
        self._window.training_panel.show_versions(action.isChecked())

    # -- view --------------------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """Show the whole image."""
        self._window.canvas.zoom_to_fit()

    def actual_size(self) -> None:
        """One image pixel on one screen pixel."""
        self._window.canvas.set_zoom(1.0)

    def zoom_in(self) -> None:
        """Enlarge the image by a step."""
        self._window.canvas.zoom_by(_ZOOM_STEP)

    def zoom_out(self) -> None:
        """Reduce the image by a step."""
        self._window.canvas.zoom_by(1 / _ZOOM_STEP)

    def show_proposals(self) -> None:
        """Show or hide the proposal."""
        shown = self._window.bars.action("show-proposals").isChecked()
        self._window.show_proposals(shown)
        self._session.said.emit(tr("The proposal is shown") if shown else tr("The proposal is hidden"))

    def show_labels(self) -> None:
        """Show or hide the labels."""
        shown = self._window.bars.action("show-labels").isChecked()
        self._window.canvas.set_labels_shown(shown)
        self._session.said.emit(tr("The labels are shown") if shown else tr("The labels are hidden, not gone"))

    def show_outlines(self) -> None:
        """Outline every labelled part, or only the objects of instance classes."""
        self._window.canvas.set_outlines(self._window.bars.action("show-outlines").isChecked())

    def show_side(self) -> None:
        """Show or hide the panels beside the image."""
        self._window.show_panels()

    def show_bottom(self) -> None:
        """Show or hide the panels below the image."""
        self._window.show_panels()

    # -- help --------------------------------------------------------------------------------------------------------

    def show_keys(self) -> None:
        """Show the list of keys."""
        self._window.show_help("keys")

    def show_about(self) -> None:
        """Show version, licences and where the log is."""
        self._window.show_help("about")

"""The table of actions: name, words, keys, place, icon, and the command that each runs.

Menus, toolbars, tooltips, the keys table in docs/keys.md and the tests are made from it. It knows no widgets: `bars`
makes them, `commands` does the work. Tools come from their own table.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from segstudio.app.editing.tools.base import Tool
from segstudio.app.editing.tools.table import TOOLS
from segstudio.app.values import ModelView, Rest
from segstudio.text import N_, _
from segstudio.ui.window import commands
from segstudio.ui.window.done_actions import DONE_ROWS, DONE_TIPS
from segstudio.ui.window.lint_actions import LINT_ROWS
from segstudio.ui.window.order_actions import ORDER_ROWS
from segstudio.ui.window.plane_actions import PLANE_ROWS
from segstudio.ui.window.run_actions import RUN_ROWS

if TYPE_CHECKING:
    from segstudio.app.editing.objects import ObjectEdits
    from segstudio.ui.window.main_window import MainWindow

__all__ = [
    "ACTIONS",
    "DONE_TIPS",
    "MENUS",
    "SUBMENUS",
    "Action",
    "Bar",
    "Menu",
    "Needs",
    "action_named",
    "added_tools",
    "keys_table",
    "object_name",
]


class Menu(StrEnum):
    """The menus, in the order of the page of keys; CLASS is a submenu of TOOLS, REST, ORDER and PLANES of IMAGE."""

    FILE = N_("File")
    PROJECT = N_("Project")
    EDIT = N_("Edit")
    PLANES = N_("Planes")
    IMAGE = N_("Image")
    OBJECTS = N_("Objects")
    TOOLS = N_("Tools")
    CLASS = N_("Class")
    TRAINING = N_("Training")
    VIEW = N_("View")
    REST = N_("Done fills the rest with")
    ORDER = N_("Done goes on to")
    HELP = N_("Help")


class Bar(StrEnum):
    """The toolbar that has a button for the action, besides the menu."""

    NONE = ""
    MAIN = "main"
    TOOLS = "tools"


class Needs(StrEnum):
    """What an action needs before it is enabled; a command still explains why it did nothing."""

    NOTHING = "nothing"
    PROJECT = "project"
    IMAGE = "image"
    SHOWN = "an image that can be shown"
    PLANES = "an image of several planes"
    LEARNING = "a project that is not learning"
    UNDO = "undo"
    REDO = "redo"
    TRAINING = "training"
    KEEPING = "training, or learning that goes on"


SUBMENUS = {Menu.CLASS: Menu.TOOLS, Menu.REST: Menu.IMAGE, Menu.ORDER: Menu.IMAGE, Menu.PLANES: Menu.IMAGE}
"""Submenus and their parents; each is placed at its first action."""

MENUS = (Menu.FILE, Menu.PROJECT, Menu.EDIT, Menu.IMAGE, Menu.OBJECTS, Menu.TOOLS, Menu.TRAINING, Menu.VIEW, Menu.HELP)


class Action(NamedTuple):
    """One action; `run` does it in a window, `button` is the object name of its toolbar button.

    `keys` are portable key sequences; the first is shown. Of the actions with one `group`, one is checked. `separated`
    puts a line before it. `number` fills in {n} in its words.
    """

    name: str
    text: str
    tip: str
    menu: Menu
    run: "Callable[[MainWindow], object]"
    keys: tuple[str, ...] = ()
    icon: str = ""
    bar: Bar = Bar.NONE
    button: str = ""
    group: str = ""
    checkable: bool = False
    needs: Needs = Needs.IMAGE
    separated: bool = False
    number: int = 0

    @property
    def shown_text(self) -> str:
        """The text in the chosen language."""
        return self._shown(self.text)

    @property
    def shown_tip(self) -> str:
        """The tip in the chosen language."""
        return self._shown(self.tip)

    def _shown(self, words: str) -> str:
        return _(words, n=self.number) if self.number else _(words)


_ZOOM_STEP = 1.25


def _class_action(n: int) -> Action:
    return Action(
        f"class-{n}",
        N_("Class {n}"),
        N_("Paint with class {n} in the list"),
        Menu.CLASS,
        lambda w: commands.pick_class(w, n),
        (str(n),),
        number=n,
    )


def _tool_action(tool: Tool) -> Action:
    button = "tool" + "".join(part.capitalize() for part in tool.name.split("-"))
    return Action(tool.name, tool.title, tool.tip, Menu.TOOLS, lambda w: w.session.set_tool(tool.name), tool.keys,
                  tool.icon, Bar.TOOLS, button, "tool", True)  # fmt: skip


def _object_action(
    name: str,
    text: str,
    tip: str,
    key: str,
    icon: str,
    operation: "Callable[[ObjectEdits], None]",
    *,
    separated: bool = False,
) -> Action:
    def run(window: "MainWindow") -> None:
        commands.objects(window, operation)

    return Action(name, text, tip, Menu.OBJECTS, run, (key,), icon, needs=Needs.SHOWN, separated=separated)


ACTIONS: tuple[Action, ...] = (
    Action("open", N_("Open…"), N_("Open a project, a folder of images, or images"), Menu.FILE,
           lambda w: w.opening.choose(), ("Ctrl+O",), "open", Bar.MAIN, "openButton", needs=Needs.NOTHING),
    Action("new", N_("New project…"), N_("Make a project from images"), Menu.FILE, lambda w: w.pages.show_new_project(),
           ("Ctrl+N",), "add", needs=Needs.NOTHING),
    Action("save", N_("Save"), N_("Check that everything is saved; SegStudio saves after every stroke"), Menu.FILE,
           lambda w: w.status_bar.reassure(), ("Ctrl+S",), "save", needs=Needs.PROJECT, separated=True),
    Action("import", N_("Import…"), N_("Import masks or annotations; see first what would change"), Menu.FILE,
           lambda w: w.pages.show_import(), ("Ctrl+I",), "import", Bar.MAIN, "importButton", needs=Needs.PROJECT,
           separated=True),
    Action("export", N_("Export…"), N_("Write the labels as masks or COCO, then read them back and compare"), Menu.FILE,
           commands.export, ("Ctrl+E",), "export", Bar.MAIN, "exportButton", needs=Needs.PROJECT),
    Action("quit", N_("Quit"), N_("Close the window; everything is saved already"), Menu.FILE, lambda w: w.close(),
           ("Ctrl+Q",), "close", needs=Needs.NOTHING, separated=True),
    Action("keep-snapshot", N_("Keep a snapshot…"),
           N_("Name the current labels, so that you can come back to them"), Menu.PROJECT,
           lambda w: w.later.snapshots.ask_name(), ("Ctrl+Shift+S",), "snapshot", needs=Needs.PROJECT),
    Action("snapshots", N_("Snapshots…"),
           N_("List the snapshots; restore the project or this image (can be undone)"), Menu.PROJECT,
           lambda w: w.later.snapshots.present(), needs=Needs.PROJECT, icon="search"),
    Action("backup", N_("Back up…"), N_("Copy the project to a folder and check the copy; you can go on painting"),
           Menu.PROJECT, lambda w: w.choose_backup_folder(), needs=Needs.PROJECT, icon="backup", separated=True),
    *(Action(**row._asdict(), menu=Menu.PROJECT, needs=Needs.PROJECT) for row in LINT_ROWS),
    Action("add-new-images", N_("Add new images without asking"),
           N_("Add images that appear in the project's folders, instead of asking first"), Menu.PROJECT,
           lambda w: w.add_new_images(w.bars.action("add-new-images").isChecked()), checkable=True,
           needs=Needs.PROJECT, separated=True),
    Action("undo", N_("Undo"), N_("Undo the last change to this image"), Menu.EDIT, lambda w: w.session.undo(),
           ("Ctrl+Z",), "undo", Bar.MAIN, "undoButton", needs=Needs.UNDO),
    Action("redo", N_("Redo"), N_("Redo the last change that was undone"), Menu.EDIT, lambda w: w.session.redo(),
           ("Ctrl+Shift+Z", "Ctrl+Y"), "redo", Bar.MAIN, "redoButton", needs=Needs.REDO),
    Action("cancel", N_("Cancel"), N_("Cancel the current stroke, or close what is open above the image"), Menu.EDIT,
           commands.cancel, ("Esc",), "close", needs=Needs.NOTHING, separated=True),
    Action("palette", N_("Command palette…"),
           N_("Find an action, a class, an image or a version by its name, and use it"), Menu.EDIT,
           lambda w: w.later.palette.toggle(), ("Ctrl+K",), "search", button="paletteButton",
           needs=Needs.NOTHING, separated=True),
    Action("settings", N_("Settings…"), N_("Theme, opacity, proposals, and what is kept where"), Menu.EDIT,
           lambda w: w.pages.show_settings(), ("Ctrl+,",), "settings", needs=Needs.NOTHING),
    Action("propose", N_("Propose"), N_("Let the best model propose labels for this image"), Menu.IMAGE,
           lambda w: w.session.propose(), ("P",), "propose", Bar.MAIN, "proposeButton", needs=Needs.SHOWN),
    Action("accept", N_("Accept"), N_("Accept the proposal wherever nothing is labelled yet"), Menu.IMAGE,
           lambda w: w.session.accept_proposal(), ("A",), "accept", Bar.MAIN, "acceptButton", needs=Needs.SHOWN),
    Action("reject", N_("Reject"), N_("Hide proposals for this image until you ask for one"), Menu.IMAGE,
           lambda w: w.session.reject_proposal(), ("Shift+A",), "reject", Bar.MAIN, "rejectButton", needs=Needs.SHOWN),
    Action("done", N_("Done"), DONE_TIPS["proposal"], Menu.IMAGE, lambda w: w.session.mark_done(), ("Return", "Enter"),
           "done", Bar.MAIN, "doneButton", needs=Needs.SHOWN),
    *(Action(**row._asdict(), menu=Menu.IMAGE, needs=Needs.SHOWN) for row in DONE_ROWS),
    Action("rest-proposal", N_("The proposal"), N_("Done fills unlabelled pixels with the proposed classes"),
           Menu.REST, lambda w: commands.fill_rest(w, Rest.PROPOSAL), group="rest", checkable=True,
           needs=Needs.PROJECT),
    Action("rest-background", N_("Background"), N_("Done makes unlabelled pixels background"), Menu.REST,
           lambda w: commands.fill_rest(w, Rest.BACKGROUND), group="rest", checkable=True, needs=Needs.PROJECT),
    Action("rest-unknown", N_("Nothing (leave unknown)"), N_("Done fills nothing; unlabelled pixels stay unknown"),
           Menu.REST, lambda w: commands.fill_rest(w, Rest.UNKNOWN), group="rest", checkable=True, needs=Needs.PROJECT),
    *(Action(**row._asdict(), menu=Menu.ORDER, needs=Needs.PROJECT) for row in ORDER_ROWS),
    Action("next", N_("Next image"), N_("Show the next image"), Menu.IMAGE, lambda w: commands.step(w, 1),
           ("N", "PgDown"), "next", separated=True),
    Action("previous", N_("Previous image"), N_("Show the previous image"), Menu.IMAGE, lambda w: commands.step(w, -1),
           ("Shift+N", "PgUp"), "previous"),
    *(Action(**row._asdict(), menu=Menu.PLANES, needs=Needs.PLANES) for row in PLANE_ROWS),
    Action("new-object", N_("New object"), N_("Let the next stroke begin a new object, also on top of another one"),
           Menu.OBJECTS, commands.begin_object, ("J",), checkable=True, needs=Needs.SHOWN),
    Action("merge-objects", N_("Merge"), N_("Make one object of the selected ones"), Menu.OBJECTS,
           lambda w: w.session.merge_selected(), ("M",), "merge", needs=Needs.SHOWN, separated=True),
    _object_action("separate-parts", N_("Separate parts"),
                   N_("Make each part of the selected objects an object; of all objects if none is selected"),
                   "Shift+D", "separate", lambda o: o.separate()),
    Action("delete-objects", N_("Delete"), N_("Make the pixels of the selected objects unknown"), Menu.OBJECTS,
           lambda w: w.session.delete_selected(), ("Del",), "delete", needs=Needs.SHOWN),
    Action("lock-objects", N_("Lock"), N_("Lock the selected objects, so that no tool changes them; or unlock them"),
           Menu.OBJECTS, commands.lock_objects, ("Ctrl+L",), checkable=True, needs=Needs.SHOWN),
    _object_action("copy-objects", N_("Copy"),
                   N_("Copy the selected objects, to paste them into another image or plane"), "Ctrl+C", "copy",
                   lambda o: o.copy(), separated=True),
    _object_action("paste-objects", N_("Paste"), N_("Paste the copied objects into the same place, as new objects"),
                   "Ctrl+V", "paste", lambda o: o.paste()),
    _object_action("fill-holes", N_("Fill holes"), N_("Fill what the selected objects enclose"), "Shift+H", "holes",
                   lambda o: o.fill_holes(), separated=True),
    _object_action("grow-objects", N_("Grow"), N_("Grow the selected objects; the Pick tool's options say by how much"),
                   "Ctrl+]", "grow", lambda o: o.grow()),
    _object_action("shrink-objects", N_("Shrink"),
                   N_("Shrink the selected objects; the Pick tool's options say by how much"), "Ctrl+[", "shrink",
                   lambda o: o.shrink()),
    _object_action("smooth-objects", N_("Smooth"), N_("Even out the outlines of the selected objects"), "Shift+M",
                   "smooth", lambda o: o.smooth()),
    _object_action("keep-largest-part", N_("Keep the largest part"),
                   N_("Of each selected object keep the largest part; the others become unknown"), "Shift+L",
                   "keep-largest", lambda o: o.keep_largest(), separated=True),
    _object_action("drop-small-parts", N_("Drop small parts"),
                   N_("Make small parts of the selected objects unknown; the Pick tool's options say how small"),
                   "Ctrl+Del", "drop-small", lambda o: o.drop_small()),
    Action("drop-part", N_("Drop the part under the pointer"),
           N_("Make the part of an object that is under the pointer unknown"), Menu.OBJECTS, commands.drop_part,
           ("Shift+Del",), "drop-part", needs=Needs.SHOWN),
    Action("erase-specks", N_("Erase specks…"), N_("Find parts of a few pixels in the whole image, and erase them"),
           Menu.OBJECTS, commands.find_specks, ("Ctrl+Shift+E",), "specks", needs=Needs.SHOWN),
    Action("next-error", N_("Next likely error"),
           N_("Show the spot where the proposal is most likely wrong, then the next likely one"), Menu.IMAGE,
           lambda w: w.session.next_error(), ("U",), "next-error", button="nextErrorButton", needs=Needs.SHOWN,
           separated=True),
    Action("previous-error", N_("Previous likely error"), N_("Show the spot that was shown before this one"),
           Menu.IMAGE, commands.previous_error, ("Shift+U",), "previous", needs=Needs.SHOWN),
    Action("find-image", N_("Find an image…"), N_("Type a part of its name; the list shows the images that have it"),
           Menu.IMAGE, commands.find_image, ("Ctrl+F",), "search", needs=Needs.PROJECT),
    *(_tool_action(tool) for tool in TOOLS.own),
    Action("smaller", N_("Smaller brush"), N_("Make the brush smaller"), Menu.TOOLS, commands.smaller, ("[", ","),
           separated=True),
    Action("bigger", N_("Bigger brush"), N_("Make the brush bigger"), Menu.TOOLS, commands.bigger, ("]", ".")),
    Action("keyboard-cursor", N_("Keyboard cursor"),
           N_("Move a cursor on the image with the arrow keys; Space held, or Enter, uses the tool there"), Menu.TOOLS,
           lambda w: w.keyboard_hand.set_active(w.bars.action("keyboard-cursor").isChecked()), ("Shift+F9",),
           checkable=True, needs=Needs.SHOWN, separated=True),
    *(_class_action(n) for n in range(1, 10)),
    Action("fine-tune", N_("Fine-tune"), N_("Let the model learn from your labels, in the background"), Menu.TRAINING,
           commands.fine_tune, ("Ctrl+T",), "train", Bar.MAIN, "fineTuneButton", needs=Needs.LEARNING),
    *(Action(**row._asdict(), menu=Menu.TRAINING, needs=Needs.LEARNING) for row in RUN_ROWS),
    Action("keep-learning", N_("Keep learning while I label"),
           N_("Keep training on what you correct, and propose the next images again after each round"), Menu.TRAINING,
           commands.keep_learning, ("Ctrl+Shift+T",), checkable=True, needs=Needs.PROJECT, separated=True),
    Action("stop-training", N_("Stop and keep the best"), N_("Stop training and keep the best result so far"),
           Menu.TRAINING, lambda w: w.session.stop_training(), ("Ctrl+.",), "stop", button="stopTrainingButton",
           needs=Needs.KEEPING, separated=True),
    Action("discard-training", N_("Discard the run"), N_("End the run at once and keep only its record"),
           Menu.TRAINING, lambda w: w.arrangement.training.discard(), icon="delete", button="discardTrainingButton",
           needs=Needs.TRAINING),
    Action("versions", N_("Versions"),
           N_("Show every version with its figures, and choose which one proposes"), Menu.TRAINING,
           commands.show_versions, checkable=True, needs=Needs.PROJECT, separated=True),
    Action("export-curves", N_("Export curves…"), N_("Write every step of the run that is shown, as CSV"),
           Menu.TRAINING, lambda w: commands.export_training(w, "curves"), icon="export", needs=Needs.PROJECT,
           separated=True),
    Action("export-class-figures", N_("Export figures by class…"),
           N_("Write IoU, Dice, precision and recall of each class, as CSV"), Menu.TRAINING,
           lambda w: commands.export_training(w, "classes"), icon="export", needs=Needs.PROJECT),
    Action("export-plots", N_("Export plots…"), N_("Write a picture of the plots that are shown, as PNG"),
           Menu.TRAINING, lambda w: commands.export_training(w, "plots"), icon="export", needs=Needs.PROJECT),
    Action("fit", N_("Fit the image"), N_("Show the whole image"), Menu.VIEW, lambda w: w.canvas.zoom_to_fit(),
           ("F", "0", "Ctrl+0"), "fit", Bar.TOOLS, "toolFit"),
    Action("actual-size", N_("Actual size"), N_("Show one image pixel per screen pixel"), Menu.VIEW,
           lambda w: w.canvas.set_zoom(1.0), ("Ctrl+1",), "actual-size", Bar.TOOLS, "toolActualSize"),
    Action("zoom-in", N_("Zoom in"), N_("Show the image larger"), Menu.VIEW, lambda w: w.canvas.zoom_by(_ZOOM_STEP),
           ("+", "=", "Ctrl++", "Ctrl+="), "zoom-in"),
    Action("zoom-out", N_("Zoom out"), N_("Show the image smaller"), Menu.VIEW,
           lambda w: w.canvas.zoom_by(1 / _ZOOM_STEP), ("-", "Ctrl+-"), "zoom-out"),
    Action("zoom-selection", N_("Zoom to the selection"), N_("Show the selected objects as large as they fit"),
           Menu.VIEW, commands.zoom_to_selection, ("Ctrl+2",), needs=Needs.SHOWN, icon="zoom-in"),
    Action("pixel-grid", N_("Pixel grid"), N_("Draw lines between pixels close up, and closer still their values"),
           Menu.VIEW, lambda w: w.session.kept_preferences.prefer(pixel_grid=w.bars.action("pixel-grid").isChecked()),
           ("Shift+G",), checkable=True, needs=Needs.PROJECT, separated=True),
    Action("minimap", N_("Minimap"), N_("Show the whole image in a corner while only a part of it is in view"),
           Menu.VIEW, lambda w: w.session.kept_preferences.prefer(minimap=w.bars.action("minimap").isChecked()),
           ("F5",), checkable=True, needs=Needs.PROJECT),
    Action("show-proposals", N_("Show the proposal"), N_("Show or hide the proposal of the model"), Menu.VIEW,
           commands.show_proposals, ("S",), checkable=True, needs=Needs.IMAGE, separated=True),
    Action("show-confidence", N_("Show confidence"), N_("Show where the model is unsure, in the proposal's place"),
           Menu.VIEW, lambda w: commands.show_view(w, ModelView.CONFIDENCE), ("Shift+C",), checkable=True),
    Action("show-differences", N_("Show differences"),
           N_("Show what the proposal would change, compared with another version or with the labels"), Menu.VIEW,
           lambda w: commands.show_view(w, ModelView.DIFFERENCE), ("Shift+X",), checkable=True),
    Action("flip", N_("Compare while held"),
           N_("Show what the proposal is compared with in its place, for as long as the key is held"), Menu.VIEW,
           lambda w: w.flip.begin(), ("Z",), "flip"),
    Action("blink", N_("Compare in turns"),
           N_("Show the proposal and what it is compared with in turns, once a second"), Menu.VIEW,
           commands.blink, ("Shift+Z",), checkable=True),
    Action("show-labels", N_("Show the labels"), N_("Show or hide the labels; hiding them changes nothing"), Menu.VIEW,
           commands.show_labels, ("Shift+S",), checkable=True, needs=Needs.IMAGE),
    Action("tint-objects", N_("Colour by object"),
           N_("Draw each separate object in a colour of its own, instead of its class's"), Menu.VIEW,
           commands.tint_objects, ("Shift+O",), checkable=True, needs=Needs.IMAGE),
    Action("objects", N_("Objects"), N_("List the objects of this image and what they measure"), Menu.VIEW,
           commands.show_objects, ("F8",), "list", needs=Needs.PROJECT, separated=True),
    Action("peek", N_("Hide labels while held"), N_("Hide labels and proposal for as long as the key is held"),
           Menu.VIEW, lambda w: w.peek.begin(), ("Y",), "eye-off", needs=Needs.IMAGE),
    Action("show-outlines", N_("Fill or outline labels"),
           N_("Draw labels filled, filled and outlined, or as outlines only: the next of the three"), Menu.VIEW,
           commands.change_label_style, ("O",), needs=Needs.IMAGE),
    Action("solo", N_("Only the chosen class"), N_("Show only the labels of the chosen class, or all again"), Menu.VIEW,
           commands.toggle_solo, ("Shift+Y",), needs=Needs.IMAGE),
    Action("show-display", N_("Brightness and contrast"),
           N_("Show or fold the histogram with brightness, contrast and gamma of the image"), Menu.VIEW,
           commands.show_display, ("F6",), needs=Needs.PROJECT, icon="window", separated=True),
    Action("show-side", N_("Classes and brush"), N_("Show or hide the panels beside the image"), Menu.VIEW,
           lambda w: w.show_panels(), ("F9",), checkable=True, needs=Needs.PROJECT),
    Action("show-bottom", N_("Images and training"), N_("Show or hide the images and the training"), Menu.VIEW,
           lambda w: w.show_panels(), ("F10",), checkable=True, needs=Needs.PROJECT),
    Action("images-beside", N_("Images beside the image"),
           N_("List the images in a column beside the image instead of a row below it"), Menu.VIEW,
           commands.place_images, checkable=True, needs=Needs.PROJECT),
    Action("panels-left", N_("Classes and brush on the left"),
           N_("Have the classes and the brush at the left of the image"), Menu.VIEW,
           commands.place_panels, checkable=True, needs=Needs.PROJECT),
    Action("reset-panels", N_("Reset the panels"), N_("Put every panel back in its place and to its size"), Menu.VIEW,
           lambda w: w.arrangement.reset(), needs=Needs.PROJECT),
    Action("keys", N_("Keys"), N_("List every action and its keys"), Menu.HELP, lambda w: w.pages.show_help("keys"),
           ("F1", "?"), needs=Needs.NOTHING),
    Action("about", N_("About SegStudio"), N_("Version, licences and the location of the log"), Menu.HELP,
           lambda w: w.pages.show_help("about"), needs=Needs.NOTHING, separated=True),
)  # fmt: skip
"""Our own actions; `added_tools` has the tools of other packages."""


def added_tools() -> tuple[Action, ...]:
    """The tools of other packages, without keys that are in use: Qt would run neither of two actions with one key."""
    seen = {key for row in ACTIONS for key in row.keys}
    out: list[Action] = []
    for tool in TOOLS.rows[len(TOOLS.own) :]:
        row = _tool_action(tool)
        out.append(row._replace(keys=tuple(key for key in row.keys if key not in seen)))
        seen.update(row.keys)
    return tuple(out)


def action_named(name: str) -> Action:
    """The row of this name. Raises KeyError if there is none."""
    for action in ACTIONS:
        if action.name == name:
            return action
    raise KeyError(name)


def object_name(action: Action) -> str:
    """Stable object name of the QAction: 'action' and the row's name in camel case."""
    return "action" + "".join(part.capitalize() for part in action.name.split("-"))


def keys_table() -> str:
    """The keys as a Markdown table, by menu, as in docs/keys.md."""
    lines = ["| Menu | Action | Keys | What it does |", "|---|---|---|---|"]
    for action in ACTIONS:
        if action.keys:
            keys = ", ".join(f"`{key}`" for key in action.keys)
            lines.append(f"| {action.menu} | {action.shown_text.rstrip('…')} | {keys} | {action.shown_tip}. |")
    return "\n".join(lines) + "\n"

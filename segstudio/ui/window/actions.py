"""The one table of what a person can do: name, words, keys, place, icon, and the command that does it.

Menus, toolbars, tooltips, the keys table in docs/keys.md and the tests are made from it. It knows no widget: `bars`
makes them, `commands` does the work. Tools come from a table of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from segstudio.app.editing.tools.base import Tool
from segstudio.app.editing.tools.table import TOOLS
from segstudio.app.values import Rest
from segstudio.ui.window import commands

if TYPE_CHECKING:
    from segstudio.ui.window.main_window import MainWindow

__all__ = [
    "ACTIONS",
    "DONE_TIPS",
    "ICONLESS",
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
    """The menus, in the order of the menu bar; CLASS stands inside TOOLS, REST inside IMAGE."""

    FILE = "File"
    PROJECT = "Project"
    EDIT = "Edit"
    IMAGE = "Image"
    TOOLS = "Tools"
    CLASS = "Class"
    TRAINING = "Training"
    VIEW = "View"
    REST = "Done fills the rest with"
    HELP = "Help"


class Bar(StrEnum):
    """Where a button stands besides the menu."""

    NONE = ""
    MAIN = "main"
    TOOLS = "tools"


class Needs(StrEnum):
    """What must be there for an action to make sense; a command still says why it did nothing."""

    NOTHING = "nothing"
    PROJECT = "project"
    IMAGE = "image"
    SHOWN = "an image that can be shown"
    LEARNING = "a project that is not learning"
    UNDO = "undo"
    REDO = "redo"
    TRAINING = "training"


SUBMENUS = {Menu.CLASS: Menu.TOOLS, Menu.REST: Menu.IMAGE}
"""Menus that stand inside another, at the place of their first action."""

MENUS = (Menu.FILE, Menu.PROJECT, Menu.EDIT, Menu.IMAGE, Menu.TOOLS, Menu.TRAINING, Menu.VIEW, Menu.HELP)


@dataclass(frozen=True, slots=True)
class Action:
    """One row; `run` does it in a window, `button` the object name of its toolbar button.

    `keys` are portable key sequences, the first is shown. `group` makes it one of several of which one is checked,
    `separated` puts a line before it.
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


_ZOOM_STEP = 1.25

DONE_TIPS = {
    "proposal": "Fill what is unlabelled from the proposal, mark this image done, and show the next one",
    "background": "Make what is unlabelled background, mark this image done, and show the next one",
    "unknown": "Mark this image done and show the next one; what is unlabelled stays unknown",
}
"""What Done does, by the project's setting of what it fills the rest with; the keys table has the first."""


def _class_action(n: int) -> Action:
    return Action(
        f"class-{n}",
        f"Class {n}",
        f"Paint with class {n} of the list",
        Menu.CLASS,
        lambda w: commands.pick_class(w, n),
        (str(n),),
    )


def _tool_action(tool: Tool) -> Action:
    button = "tool" + "".join(part.capitalize() for part in tool.name.split("-"))
    return Action(tool.name, tool.title, tool.tip, Menu.TOOLS, lambda w: w.session.set_tool(tool.name), tool.keys,
                  tool.icon, Bar.TOOLS, button, "tool", True)  # fmt: skip


ACTIONS: tuple[Action, ...] = (
    Action("open", "Open…", "Open a project, a folder of images, or images", Menu.FILE, lambda w: w.choose_to_open(),
           ("Ctrl+O",), "open", Bar.MAIN, "openButton", needs=Needs.NOTHING),
    Action("new", "New project…", "Make a project from images", Menu.FILE, lambda w: w.show_new_project(), ("Ctrl+N",),
           "add", needs=Needs.NOTHING),
    Action("save", "Save", "Check that everything is saved; SegStudio saves after every stroke", Menu.FILE,
           lambda w: w.status_bar.reassure(), ("Ctrl+S",), "save", needs=Needs.PROJECT, separated=True),
    Action("export", "Export…", "Write the labels as masks or COCO, then read them back and compare", Menu.FILE,
           lambda w: w.export_panel.toggle(), ("Ctrl+E",), "export", Bar.MAIN, "exportButton", needs=Needs.PROJECT,
           separated=True),
    Action("quit", "Quit", "Close the window; everything is saved already", Menu.FILE, lambda w: w.close(), ("Ctrl+Q",),
           "close", needs=Needs.NOTHING, separated=True),
    Action("keep-snapshot", "Keep a snapshot…", "Name the labels as they are now, so that you can come back to them",
           Menu.PROJECT, lambda w: w.snapshots_dialog().ask_name(), ("Ctrl+Shift+S",), "snapshot", needs=Needs.PROJECT),
    Action("snapshots", "Snapshots…", "List what was kept; restore the project or this image, which can be undone",
           Menu.PROJECT, lambda w: w.snapshots_dialog().present(), needs=Needs.PROJECT, icon="search"),
    Action("backup", "Back up…", "Copy the project into a folder and check the copy; painting goes on", Menu.PROJECT,
           lambda w: w.choose_backup_folder(), needs=Needs.PROJECT, icon="backup", separated=True),
    Action("undo", "Undo", "Undo the last change to this image", Menu.EDIT, lambda w: w.session.undo(), ("Ctrl+Z",),
           "undo", Bar.MAIN, "undoButton", needs=Needs.UNDO),
    Action("redo", "Redo", "Repeat what was undone", Menu.EDIT, lambda w: w.session.redo(), ("Ctrl+Shift+Z", "Ctrl+Y"),
           "redo", Bar.MAIN, "redoButton", needs=Needs.REDO),
    Action("cancel", "Cancel", "Drop the stroke under way, or close what is open above the image", Menu.EDIT,
           commands.cancel, ("Esc",), "close", needs=Needs.NOTHING, separated=True),
    Action("propose", "Propose", "Let the best model draw this image", Menu.IMAGE, lambda w: w.session.propose(),
           ("P",), "propose", Bar.MAIN, "proposeButton", needs=Needs.SHOWN),
    Action("accept", "Accept", "Take the proposal wherever nothing is labelled yet", Menu.IMAGE,
           lambda w: w.session.accept_proposal(), ("A",), "accept", Bar.MAIN, "acceptButton", needs=Needs.SHOWN),
    Action("reject", "Reject", "Show no proposal for this image until asked to", Menu.IMAGE,
           lambda w: w.session.reject_proposal(), ("Shift+A",), "reject", Bar.MAIN, "rejectButton", needs=Needs.SHOWN),
    Action("done", "Done", DONE_TIPS["proposal"], Menu.IMAGE, lambda w: w.session.mark_done(), ("Return", "Enter"),
           "done", Bar.MAIN, "doneButton", needs=Needs.SHOWN),
    Action("rest-proposal", "The proposal", "Done fills what is unlabelled with the proposed classes", Menu.REST,
           lambda w: commands.fill_rest(w, Rest.PROPOSAL), group="rest", checkable=True, needs=Needs.PROJECT),
    Action("rest-background", "Background", "Done makes everything that is unlabelled background", Menu.REST,
           lambda w: commands.fill_rest(w, Rest.BACKGROUND), group="rest", checkable=True, needs=Needs.PROJECT),
    Action("rest-unknown", "Nothing: it stays unknown", "Done fills nothing; what is unlabelled stays unknown",
           Menu.REST, lambda w: commands.fill_rest(w, Rest.UNKNOWN), group="rest", checkable=True, needs=Needs.PROJECT),
    Action("next", "Next image", "Show the next image", Menu.IMAGE, lambda w: commands.step(w, 1), ("N", "PgDown"),
           "next", separated=True),
    Action("previous", "Previous image", "Show the previous image", Menu.IMAGE, lambda w: commands.step(w, -1),
           ("Shift+N", "PgUp"), "previous"),
    *(_tool_action(tool) for tool in TOOLS.own),
    Action("smaller", "Smaller brush", "Make the brush smaller", Menu.TOOLS, commands.smaller, ("[",), separated=True),
    Action("bigger", "Bigger brush", "Make the brush bigger", Menu.TOOLS, commands.bigger, ("]",)),
    *(_class_action(n) for n in range(1, 10)),
    Action("fine-tune", "Fine-tune", "Let the model learn from your labels, in the background", Menu.TRAINING,
           lambda w: w.session.fine_tune(), ("Ctrl+T",), "train", Bar.MAIN, "fineTuneButton", needs=Needs.LEARNING),
    Action("fine-tune-1", "Fine-tune for 1 minute", "Learn for one minute", Menu.TRAINING,
           lambda w: w.session.fine_tune(max_seconds=60.0 * 1), icon="train", needs=Needs.LEARNING),
    Action("fine-tune-5", "Fine-tune for 5 minutes", "Learn for five minutes", Menu.TRAINING,
           lambda w: w.session.fine_tune(max_seconds=60.0 * 5), icon="train", needs=Needs.LEARNING),
    Action("fine-tune-20", "Fine-tune for 20 minutes", "Learn for twenty minutes", Menu.TRAINING,
           lambda w: w.session.fine_tune(max_seconds=60.0 * 20), icon="train", needs=Needs.LEARNING),
    Action("stop-training", "Stop training", "Stop, and keep the best so far", Menu.TRAINING,
           lambda w: w.session.stop_training(), ("Ctrl+.",), "stop", button="stopTrainingButton", needs=Needs.TRAINING,
           separated=True),
    Action("versions", "Versions", "Show every version with its figures, and choose which one makes the proposals",
           Menu.TRAINING, commands.show_versions, checkable=True, needs=Needs.PROJECT, separated=True),
    Action("fit", "Fit the image", "Show the whole image", Menu.VIEW, lambda w: w.canvas.zoom_to_fit(),
           ("F", "0", "Ctrl+0"), "fit", Bar.TOOLS, "toolFit"),
    Action("actual-size", "Actual size", "One image pixel is one screen pixel", Menu.VIEW,
           lambda w: w.canvas.set_zoom(1.0), ("Ctrl+1",), "actual-size", Bar.TOOLS, "toolActualSize"),
    Action("zoom-in", "Zoom in", "Show the image larger", Menu.VIEW, lambda w: w.canvas.zoom_by(_ZOOM_STEP),
           ("+", "=", "Ctrl++", "Ctrl+="), "zoom-in"),
    Action("zoom-out", "Zoom out", "Show the image smaller", Menu.VIEW, lambda w: w.canvas.zoom_by(1 / _ZOOM_STEP),
           ("-", "Ctrl+-"), "zoom-out"),
    Action("show-proposals", "Show the proposal", "Show or hide what the model proposes", Menu.VIEW,
           commands.show_proposals, ("S",), checkable=True, needs=Needs.IMAGE, separated=True),
    Action("show-labels", "Show the labels", "Show or hide what is labelled; it stays as it is", Menu.VIEW,
           commands.show_labels, ("Shift+S",), checkable=True, needs=Needs.IMAGE),
    Action("show-outlines", "Outlines", "Outline every labelled part, not only separate objects", Menu.VIEW,
           lambda w: w.canvas.set_outlines(w.bars.action("show-outlines").isChecked()), ("O",), checkable=True,
           needs=Needs.IMAGE),
    Action("show-side", "Classes and brush", "Show or hide the panels beside the image", Menu.VIEW,
           lambda w: w.show_panels(), ("F9",), checkable=True, needs=Needs.PROJECT, separated=True),
    Action("show-bottom", "Images and training", "Show or hide the panels below the image", Menu.VIEW,
           lambda w: w.show_panels(), ("F10",), checkable=True, needs=Needs.PROJECT),
    Action("keys", "Keys", "List every action and its keys", Menu.HELP, lambda w: w.show_help("keys"), ("F1",),
           needs=Needs.NOTHING),
    Action("about", "About SegStudio", "Version, licences, and where the log is", Menu.HELP,
           lambda w: w.show_help("about"), needs=Needs.NOTHING, separated=True),
)  # fmt: skip
"""Everything that is ours; `added_tools` has the tools of other packages."""

ICONLESS = {
    "smaller": "listed for its key; the brush panel has the slider",
    "bigger": "listed for its key; the brush panel has the slider",
    "show-proposals": "a check mark stands in the icon's place",
    "show-labels": "a check mark stands in the icon's place",
    "show-outlines": "a check mark stands in the icon's place",
    "show-side": "a check mark stands in the icon's place",
    "show-bottom": "a check mark stands in the icon's place",
    "rest-proposal": "a check mark stands in the icon's place",
    "rest-background": "a check mark stands in the icon's place",
    "rest-unknown": "a check mark stands in the icon's place",
    "versions": "a check mark stands in the icon's place",
    "keys": "words are enough in a menu of two",
    "about": "words are enough in a menu of two",
    **{f"class-{n}": "the class's colour is its icon" for n in range(1, 10)},
}
"""Actions without a drawing of their own, and why."""


def added_tools() -> tuple[Action, ...]:
    """The tools of other packages. A key that is in use already is taken from them: Qt would answer to neither."""
    seen = {key for row in ACTIONS for key in row.keys}
    out: list[Action] = []
    for tool in TOOLS.rows[len(TOOLS.own) :]:
        row = _tool_action(tool)
        out.append(replace(row, keys=tuple(key for key in row.keys if key not in seen)))
        seen.update(row.keys)
    return tuple(out)


def action_named(name: str) -> Action:
    """The row of this name. Raises KeyError where there is none."""
    for action in ACTIONS:
        if action.name == name:
            return action
    raise KeyError(name)


def object_name(action: Action) -> str:
    """Stable object name of the QAction: 'action' and the row's name in camel case."""
    return "action" + "".join(part.capitalize() for part in action.name.split("-"))


def keys_table() -> str:
    """The keys in Markdown, by menu, as docs/keys.md holds them."""
    lines = ["| Menu | Action | Keys | What it does |", "|---|---|---|---|"]
    for action in ACTIONS:
        if action.keys:
            keys = ", ".join(f"`{key}`" for key in action.keys)
            lines.append(f"| {action.menu} | {action.text.rstrip('…')} | {keys} | {action.tip}. |")
    return "\n".join(lines) + "\n"

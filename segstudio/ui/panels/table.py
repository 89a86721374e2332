"""The table of panels: name, place, and the function that makes each.

A panel is a row here and a module. It follows the open project (`Session.projectChanged`) and asks the owners that it
needs. Another package adds one by an entry point of the group `segstudio.panels` that names a `Panel`.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from segstudio.registry import Registry, named
from segstudio.text import N_
from segstudio.ui.panels.brush_panel import BrushPanel
from segstudio.ui.panels.class_panel import ClassPanel
from segstudio.ui.panels.display_panel import DisplayPanel
from segstudio.ui.panels.image_list import ImageListPanel
from segstudio.ui.panels.lint_panel import LintPanel
from segstudio.ui.panels.object_table import ObjectPanel
from segstudio.ui.panels.proposal_panel import ProposalPanel
from segstudio.ui.panels.training_panel import TrainingPanel

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from segstudio.app.session import Session

__all__ = ["PANELS", "Panel", "Place", "Surroundings"]


class Place(StrEnum):
    """In a column beside the image or in a row below it; F9 and F10 show and hide these."""

    SIDE = "side"
    BOTTOM = "bottom"


class Surroundings(NamedTuple):
    """What a panel is made with: the session of the window, and its actions by name."""

    session: "Session"
    action: "Callable[[str], QAction]"


class Panel(NamedTuple):
    """One panel; if it `grows`, it takes the room that the others in its place leave.

    Panels of one `group` are tabs of one place, each with its `title`, or where the column is too narrow for one more
    the `icon` that stands for it.
    """

    name: str
    place: Place
    make: "Callable[[Surroundings], QWidget]"
    grows: bool = False
    group: str = ""
    title: str = ""
    icon: str = ""


def _training(around: Surroundings) -> "QWidget":
    return TrainingPanel(around.session, around.action)


_OWN = (
    Panel(
        "classes",
        Place.SIDE,
        lambda around: ClassPanel(around.session),
        grows=True,
        group="sideTabs",
        title=N_("Classes"),
    ),
    Panel(
        "objects",
        Place.SIDE,
        lambda around: ObjectPanel(around.session),
        grows=True,
        group="sideTabs",
        title=N_("Objects"),
    ),
    Panel(
        "lint",
        Place.SIDE,
        lambda around: LintPanel(around.session),
        grows=True,
        group="sideTabs",
        title=N_("Check labels"),
        icon="check",
    ),
    Panel("proposal", Place.SIDE, lambda around: ProposalPanel(around.session, around.action("next-error"))),
    Panel("brush", Place.SIDE, lambda around: BrushPanel(around.session)),
    Panel("display", Place.SIDE, lambda around: DisplayPanel(around.session)),
    Panel("images", Place.BOTTOM, lambda around: ImageListPanel(around.session), grows=True),
    Panel("training", Place.BOTTOM, _training),
)

PANELS = Registry("panels", {row.name: row for row in _OWN}, named(Panel))

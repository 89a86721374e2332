"""The rows of the table of actions for images of several planes: a submenu of Image."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from segstudio.text import N_

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["PLANE_ROWS", "PlaneRow"]


class PlaneRow(NamedTuple):
    """What an `Action` on planes has of its own, under the names that it has there."""

    name: str
    text: str
    tip: str
    run: "Callable[[MainWindow], object]"
    keys: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False
    separated: bool = False


def _with_project(window: "MainWindow", act: "Callable[[OpenedProject], object]") -> None:
    project = window.session.project
    if project is not None:
        window.session.notices.attempt(lambda: act(project))


def _step(by: int) -> "Callable[[MainWindow], object]":
    return partial(_with_project, act=lambda project: project.planes.step(by))


_FAR = 1 << 31

PLANE_ROWS = (
    PlaneRow("next-plane", N_("Next plane"), N_("Show the next plane of this image"), _step(1), ("Ctrl+PgDown",),
             "next"),
    PlaneRow("previous-plane", N_("Previous plane"), N_("Show the previous plane of this image"), _step(-1),
             ("Ctrl+PgUp",), "previous"),
    PlaneRow("first-plane", N_("First plane"), N_("Show the first plane of this image"), _step(-_FAR),
             ("Ctrl+Home",)),
    PlaneRow("last-plane", N_("Last plane"), N_("Show the last plane of this image"), _step(_FAR), ("Ctrl+End",)),
    PlaneRow("play-planes", N_("Play"), N_("Show one plane after another, until it is switched off"),
             partial(_with_project, act=lambda project: project.cine.play(not project.cine.playing)), (), "play",
             checkable=True),
    PlaneRow("copy-plane", N_("Copy to the next plane"),
             N_("Copy what is labelled on this plane into the next one, and show it"),
             lambda w: w.session.copy_plane(), ("Ctrl+D",), "copy", separated=True),
    PlaneRow("copy-plane-class", N_("Copy the chosen class to the next plane"),
             N_("Copy what is labelled with the chosen class into the next plane, and show it"),
             lambda w: w.session.copy_plane(class_only=True), (), "copy"),
    PlaneRow("interpolate", N_("Interpolate"),
             N_("Fill what is unlabelled between labelled planes, in the whole stack"),
             lambda w: w.session.interpolate(), ("Ctrl+Shift+I",), "interpolate", separated=True),
    PlaneRow("interpolate-around", N_("Interpolate around this plane"),
             N_("Fill what is unlabelled between the labelled planes before and after this one"),
             lambda w: w.session.interpolate(around=True), (), "interpolate"),
    PlaneRow("propose-planes", N_("Propose for all planes"),
             N_("Let the best model propose labels for every plane of this image"),
             lambda w: w.session.propose_planes(), (), "propose", separated=True),
    PlaneRow("propose-from-here", N_("Propose from this plane on"),
             N_("Let the best model propose labels for this plane and all that follow it"),
             partial(_with_project, act=lambda project: project.plane_proposals.ask(
                 range(project.planes.asked, project.planes.number))), (), "propose"),
)  # fmt: skip

"""Files of what the training panel shows: curves and figures by class as CSV, plots as PNG. It asks where to, too."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice, QPoint, QSize
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from segstudio.app.learning.run_csv import classes_csv
from segstudio.text import _
from segstudio.ui.theme import current_theme

if TYPE_CHECKING:
    from segstudio.app.open_project import OpenedProject
    from segstudio.ui.panels.training_pages import TrainingPages

__all__ = ["export_classes", "export_curves", "export_plots", "png_of"]

_SCALE = 2
_GAP = 8


def export_curves(project: "OpenedProject", pages: "TrainingPages") -> None:
    """Ask where to write every step of the run that is shown, and write it."""
    run = pages.shown_run
    name = _("{run} curves.csv", run=run) if run else _("curves.csv")
    _ask(project, pages, "curvesDialog", name, partial(project.runs.save_curves, run))


def export_classes(project: "OpenedProject", pages: "TrainingPages") -> None:
    """Ask where to write the figures by class, and write them; says so where there are none."""
    classes = pages.classes_page()
    if not classes.rows:
        project.ground.notices.say(classes.none.text())
        return
    data = classes_csv(classes.rows).encode()
    name = _("{version} classes.csv", version=classes.version)
    _ask(project, pages, "classesDialog", name, partial(project.runs.save, data=data))


def export_plots(project: "OpenedProject", pages: "TrainingPages") -> None:
    """Ask where to write a picture of the plots of the page that is shown, and write it; says so if there are none."""
    plots = pages.plots
    if not plots:
        project.ground.notices.say(_("This page has no plot to export"))
        return
    _ask(project, pages, "plotsDialog", _("training.png"), partial(project.runs.save, data=png_of(plots)))


def png_of(parts: Sequence[QWidget]) -> bytes:
    """Widgets beside each other as a PNG, twice as fine as on the screen."""
    width = sum(part.width() for part in parts) + _GAP * (len(parts) - 1)
    picture = QImage(
        QSize(width, max(part.height() for part in parts)) * _SCALE, QImage.Format.Format_ARGB32_Premultiplied
    )
    picture.setDevicePixelRatio(_SCALE)
    picture.fill(QColor(current_theme().panel))
    painter = QPainter(picture)
    x = 0
    for part in parts:
        part.render(painter, QPoint(x, 0))
        x += part.width() + _GAP
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def _ask(project: "OpenedProject", parent: QWidget, dialog: str, name: str, write: "Callable[[Path], object]") -> None:
    from segstudio.ui.dialogs.files import ask_where_to_save

    kind = (_("Pictures"), "png") if name.endswith(".png") else (_("Tables"), "csv")
    start = str(project.path.parent / name)
    ask_where_to_save(parent.window(), dialog, _("Export"), start, kind, lambda path: write(Path(path)))

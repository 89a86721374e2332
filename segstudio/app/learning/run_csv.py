"""The curves of a run, and figures by class, as CSV. Pure functions; no Qt.

The titles of the columns are for programs: they are the same in every language.
"""

import csv
from collections.abc import Iterable
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segstudio.app.learning.class_figures import ClassFigures
    from segstudio.runs import Event

__all__ = ["classes_csv", "curves_csv"]

_STEP = ("step", "seconds", "training_loss", "patches_per_second", "rate", "memory_mb", "held_out_loss", "mean_iou")


def curves_csv(events: "Iterable[Event]") -> str:
    """A line for each step of a run, with the held-out figures after it where it was measured, IoU by class last.

    A run that was resumed has the steps after its checkpoint once: as they were made last.
    """
    from segstudio.runs import Evaluated, Started, Stepped

    lines: dict[int, dict[str, object]] = {}
    classes: dict[str, None] = {}
    for event in events:
        if isinstance(event, Started):
            for step in [step for step in lines if step > event.step]:
                del lines[step]
        elif isinstance(event, Stepped):
            line = lines.setdefault(event.step, {"step": event.step})
            line |= {"seconds": event.seconds, "training_loss": event.loss, "rate": event.rate}
            line |= {"patches_per_second": event.patches_per_second, "memory_mb": event.memory_mb}
        elif isinstance(event, Evaluated):
            line = lines.setdefault(event.step, {"step": event.step, "seconds": event.seconds})
            line |= {"held_out_loss": event.held_out.loss, "mean_iou": event.held_out.mean_iou}
            line |= {f"iou {name}": value for name, value in event.held_out.iou.items()}
            classes |= dict.fromkeys(event.held_out.iou)
    out = StringIO()
    writer = csv.DictWriter(out, [*_STEP, *(f"iou {name}" for name in classes)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines[step] for step in sorted(lines))
    return out.getvalue()


def classes_csv(rows: "Iterable[ClassFigures]") -> str:
    """A line for each class: IoU, Dice, precision, recall (empty where there is nothing to divide by), pixels."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("class", "iou", "dice", "precision", "recall", "pixels"))
    writer.writerows(("" if value is None else value for value in row) for row in rows)
    return out.getvalue()

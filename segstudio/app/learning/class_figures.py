"""Figures by class of what a version was judged by, and the shares of its confusion matrix. Pure functions; no Qt."""

from typing import TYPE_CHECKING, NamedTuple

from segstudio.text import amount, count

if TYPE_CHECKING:
    from segstudio.runs import Confusion, ObjectFigures

__all__ = ["ClassFigures", "ConfusionShares", "class_figures", "confusion_shares", "object_words"]


class ClassFigures(NamedTuple):
    """Figures of one class on held-out pixels, each 0..1; None where there is nothing to divide by.

    `pixels` are those of the class in the truth.
    """

    name: str
    iou: float | None
    dice: float | None
    precision: float | None
    recall: float | None
    pixels: int


class ConfusionShares(NamedTuple):
    """Of the pixels of each class that occurs in the truth (`rows`) the share that was predicted as each class of
    `columns`, and how many that are. The last column, named '', stands for no class; it is there if it has a pixel.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]
    pixels: tuple[tuple[int, ...], ...]


def class_figures(confusion: "Confusion") -> tuple[ClassFigures, ...]:
    """A row for each class that occurs in the truth or in what was predicted, in the order of the classes."""
    found: list[ClassFigures] = []
    for place, name in enumerate(confusion.names):
        truth = sum(confusion.counts[place])
        predicted = sum(row[place] for row in confusion.counts)
        both = confusion.counts[place][place]
        if truth or predicted:
            found.append(
                ClassFigures(
                    name,
                    both / (truth + predicted - both),
                    2 * both / (truth + predicted),
                    both / predicted if predicted else None,
                    both / truth if truth else None,
                    truth,
                )
            )
    return tuple(found)


def confusion_shares(confusion: "Confusion") -> ConfusionShares:
    """The matrix of the classes that occur, each row divided by its sum."""
    names = (*confusion.names, "")
    rows = [n for n, counts in enumerate(confusion.counts) if sum(counts)]
    occurring = {n for n in range(len(names)) if any(row[n] for row in confusion.counts)}
    columns = sorted(occurring.union(rows))
    pixels = tuple(tuple(confusion.counts[row][column] for column in columns) for row in rows)
    shares = tuple(
        tuple(n / sum(confusion.counts[row]) for n in counts) for row, counts in zip(rows, pixels, strict=True)
    )
    return ConfusionShares(tuple(names[n] for n in rows), tuple(names[n] for n in columns), shares, pixels)


def object_words(figures: "ObjectFigures") -> str:
    """How well objects match those that are held out, and how touching ones are separated."""
    found = {"f1": amount(figures.f1), "usual": amount(figures.f1_default)}
    if not figures.tuned:
        return count(
            figures.objects,
            "{n} held-out object: F1 {f1}; with fewer than 10, separation is not tuned",
            "{n} held-out objects: F1 {f1}; with fewer than 10, separation is not tuned",
            **found,
        )
    if figures.f1 == figures.f1_default:
        return count(figures.objects, "{n} held-out object: F1 {f1}", "{n} held-out objects: F1 {f1}", **found)
    return count(
        figures.objects,
        "{n} held-out object: F1 {usual} → {f1}, separation tuned",
        "{n} held-out objects: F1 {usual} → {f1}, separation tuned",
        **found,
    )

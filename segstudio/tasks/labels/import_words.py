"""What an import did, in one sentence: for the command line and the window."""

from segstudio.tasks.labels.import_masks import ImportReport, Target
from segstudio.text import _, count

__all__ = ["imported_words", "stopped_words"]


def imported_words(report: ImportReport) -> str:
    """'2 masks of 2 images imported as labels: 400 known pixels.'"""
    what = (
        count(report.annotations, "{n} annotation", "{n} annotations")
        if report.annotations
        else count(report.masks, "{n} mask", "{n} masks")
    )
    said = {
        "what": what,
        "images": count(report.images, "{n} image", "{n} images"),
        "pixels": count(report.pixels, "{n} known pixel", "{n} known pixels"),
    }
    if report.target is Target.PROPOSALS:
        return _("{what} of {images} imported as proposals: {pixels}.", **said)
    return _("{what} of {images} imported as labels: {pixels}.", **said)


def stopped_words(added: int, masks: int) -> str:
    """What became of an import of proposals that was cancelled: those of `added` of its `masks` have come in."""
    if not added:
        return _("Cancelled.")
    return count(
        masks,
        "Cancelled: {added} of 1 mask is imported as a proposal.",
        "Cancelled: {added} of {n} masks are imported as proposals.",
        added=added,
    )

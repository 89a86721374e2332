"""What an import did, in one sentence: for the command line and the window."""

from segstudio.tasks.labels.import_masks import ImportReport, Target
from segstudio.text import _, count

__all__ = ["imported_words"]


def imported_words(report: ImportReport, target: Target) -> str:
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
    if target is Target.PROPOSALS:
        return _("{what} of {images} imported as proposals: {pixels}.", **said)
    return _("{what} of {images} imported as labels: {pixels}.", **said)

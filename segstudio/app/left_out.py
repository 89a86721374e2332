"""What a new project left out of the files that it was made of, in one line for the window."""

from segstudio.tasks.images.new import NewReport
from segstudio.tasks.images.skipped import reasons
from segstudio.text import _, count

__all__ = ["left_out"]


def left_out(report: NewReport) -> str:
    """'' where every file became an image."""
    parts = [reasons(report.skipped_files)] if report.skipped_files else []
    if report.own_masks:
        parts.append(
            count(report.own_masks, "1 mask exported by SegStudio", "{n} masks exported by SegStudio"),
        )
    if masks := sum(found.files for found in report.mask_folders):
        parts.append(
            count(
                masks,
                "1 file looks like a mask of an image (File > Import reads it)",
                "{n} files look like masks of the images (File > Import reads them)",
            )
        )
    return _("Left out of the project: {parts}.", parts="; ".join(parts)) if parts else ""

"""Take images out of a project: one edit of the whole project, which can be undone; files and labels stay."""

import os
from collections.abc import Sequence
from pathlib import Path

from segstudio.errors import UserError
from segstudio.labels.user import user_name
from segstudio.store.growing import removal_edit
from segstudio.store.project import Project
from segstudio.store.values import ImageRow
from segstudio.tasks.images.selection import selected_images

__all__ = ["images_meant", "remove_images"]


def remove_images(project: Project, given: Sequence[str]) -> list[ImageRow]:
    """Take out the images that paths and globs mean; on disk when it returns. Those taken out, in the project's order.

    Raises `UserError` where one of them matches no image, `ReadOnly`, `DiskRefused`; then nothing is taken out.
    """
    writer = project.writing()
    rows = images_meant(project.images(), given)
    writer.write_all([removal_edit((row.id for row in rows), user_name())]).result()
    return rows


def images_meant(images: Sequence[ImageRow], given: Sequence[str]) -> list[ImageRow]:
    """The images of paths or globs as `info` has them, or of their files' paths; each once, in the project's order.

    Raises `UserError` for one that matches none.
    """
    meant: set[int] = set()
    by_file: dict[str, ImageRow] = {}
    for text in given:
        try:
            meant.update(row.id for row in selected_images(images, text))
        except UserError:
            by_file = by_file or {os.path.normpath(row.root / row.inner_path): row for row in images}
            row = by_file.get(str(Path(os.path.abspath(text))))
            if row is None:
                raise
            meant.add(row.id)
    return [row for row in images if row.id in meant]

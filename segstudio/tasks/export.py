"""Labels into files: written to a folder beside the target, read back there, then moved file by file.

What is exported is what was committed when each image was read; painting goes on. A failure before the move leaves
the target as it was.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from segstudio.durable import rename, sync_folder
from segstudio.errors import DiskRefused, UsageError, UserError
from segstudio.formats.table import Format, format_named, writable
from segstudio.formats.values import ExportPlan, LabelPlane
from segstudio.labels.model import Status
from segstudio.store.contents import Content as FileContent
from segstudio.store.contents import look_at
from segstudio.store.project import ImageRow, Project
from segstudio.tasks.class_values import Content, content_named, format_classes, plane_values
from segstudio.tasks.progress import Progress
from segstudio.tasks.selection import selected_images

__all__ = ["ExportReport", "export", "move_all", "staging_folder"]

_DRAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was exported: the number of images, and every file, in place and compared.

    `changed` are images whose file holds another content than was labelled: their labels were exported as they are.
    """

    format: str
    out: Path
    images: int
    files: tuple[Path, ...]
    changed: tuple[str, ...] = ()


def export(
    project: Project,
    format_: str,
    out: Path,
    *,
    content: str = Content.LABELS,
    images: str | None = None,
    background: bool = False,
) -> Generator[Progress, None, ExportReport]:
    """Write labels (every image with a known pixel), finished labels or proposals into the folder `out`.

    `images` is a glob over relative paths; `background` asks for the background where a format leaves it out. Raises
    `UsageError` for a format, `UserError` where there is nothing to export or a file would be replaced that we did not
    write, `DiskRefused`, `ExportMismatch`.
    """
    form = format_named(format_)
    if form is None or form.write is None:
        raise UsageError(f"'{format_}' is no format that can be exported; there are {', '.join(writable())}.")
    what = content_named(content)
    if project.writer is not None and not project.writer.flush(_DRAIN_S):
        raise DiskRefused(
            f"Not everything painted is on disk yet, so nothing was exported. {project.writer.state.refused}"
        )
    everything = project.images()
    chosen = _chosen(project, everything, what, images)
    classes = project.classes()
    plan = ExportPlan(format_classes(classes), tuple((i.path, len(i.planes)) for i in everything), background)
    out = Path(os.path.abspath(out))
    with staging_folder(out) as staging:
        writer = form.write(staging, plan)
        for done, image in enumerate(chosen):
            yield Progress(done, len(chosen), image.path)
            for plane, values in enumerate(plane_values(project, image, classes, what)):
                writer.add(LabelPlane(image.path, plane, len(image.planes), values.values, values.objects))
        changed = tuple(image.path for image in chosen if look_at(image).content is FileContent.CHANGED)
        names = list(writer.finish())
        yield Progress(len(chosen), len(chosen), "moving into place")
        _spare_others(form, out, names)
        move_all(staging, out, names)
    return ExportReport(form.name, out, len(chosen), tuple(out / name for name in names), changed)


def _chosen(project: Project, everything: list[ImageRow], what: Content, glob: str | None) -> list[ImageRow]:
    images = everything if glob is None else selected_images(everything, glob)
    if what is Content.PROPOSALS:
        proposed = {note.image for note in project.proposals.notes()}
        images = [image for image in images if image.id in proposed]
    elif what is Content.FINISHED:
        images = [image for image in images if image.status is Status.DONE]
    else:
        images = [image for image in images if image.labelled_pixels]
    if not images:
        lacking = {
            Content.LABELS: "has labels",
            Content.FINISHED: "is marked done",
            Content.PROPOSALS: "has a proposal",
        }[what]
        raise UserError(f"There is nothing to export: no image {lacking}{' among those chosen' if glob else ''}.")
    return images


def _spare_others(form: Format, out: Path, names: list[PurePosixPath]) -> None:
    """Raises `UserError` where a file would be replaced that no export of ours has made: a person's own mask."""
    others = [name for name in names if (out / name).exists() and not form.own(out / name)]
    if others:
        more = f" and {len(others) - 1} more were" if len(others) > 1 else " was"
        raise UserError(
            f"{out / others[0]}{more} not written by SegStudio, and the export would replace it.",
            safe="Nothing was exported, and no file was changed.",
            todo="Choose another folder.",
        )


@contextmanager
def staging_folder(out: Path) -> Iterator[Path]:
    """An empty folder beside the target, gone at the end; what the disk refuses inside becomes `DiskRefused`."""
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; an export needs a folder.")
    lacking = [folder for folder in (out, *out.parents) if not folder.exists()]
    staging: Path | None = None
    complete = False
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=_beside(out)))
        yield staging
        complete = True
    except OSError as error:
        raise DiskRefused(
            f"The export to {out} failed: {error.strerror or error}.", safe="The labels are safe."
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        if not complete:
            for folder in lacking:
                with contextlib.suppress(OSError):  # it is not there, or somebody has put something into it
                    folder.rmdir()


def _beside(out: Path) -> Path:
    """The folder that takes the staging folder: the target's parent, unless only the target is on that disk or may be
    written."""
    if out.is_dir() and (out.stat().st_dev != out.parent.stat().st_dev or not os.access(out.parent, os.W_OK)):
        return out
    return out.parent


def move_all(staging: Path, out: Path, names: list[PurePosixPath]) -> None:
    """Move files that are whole into place, one by one. Raises `OSError`."""
    for name in names:
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        rename(staging / name, target)
    # 'Done' means that the names, too, outlast a power cut.
    for folder in {out.parent, out, *((out / name).parent for name in names)}:
        sync_folder(folder)

"""Labels into files: written to a folder beside the target, read back there, then moved file by file.

The export holds what was committed when each image was read; painting can continue. A failure before the move leaves
the target unchanged.
"""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from segstudio.durable import rename, sync_folder
from segstudio.errors import DiskRefused, UsageError, UserError
from segstudio.formats.table import FORMATS, Format, Option, writable
from segstudio.formats.values import ExportPlan, LabelPlane, MaskWriter
from segstudio.labels.model import folded_name
from segstudio.store.file_check import Content as FileContent
from segstudio.store.file_check import look_at
from segstudio.store.project import ImageRow, Project
from segstudio.tasks.images.selection import selected_images
from segstudio.tasks.labels.class_values import Content, PlaneValues, content_named, format_classes, plane_values
from segstudio.tasks.progress import Progress
from segstudio.tasks.reachable import status_of
from segstudio.text import N_, _, count

__all__ = ["ExportReport", "LeftOut", "Why", "export", "move_all", "staging_folder"]

_DRAIN_S = 60.0
_NAME_SHARE = 40
"""Characters of the target's name in that of the folder beside it: a long name leaves no room for more."""


class Why(StrEnum):
    """Why an image was not exported; English in JSON, translated where it is shown."""

    NO_KNOWN_PIXEL = N_("no known pixel")
    NOT_DONE = N_("not done")
    NO_PROPOSAL = N_("no proposal")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An image that was asked for and not exported."""

    path: str
    why: Why


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was exported: the number of images and planes, and every file, in place and compared.

    `changed` are images whose file has changed since they were labelled: their labels were exported as they are.
    `planes_left_out` counts planes of exported images without a known pixel, or not done where those were asked for.
    `cleared` are files of this project's earlier exports that no longer belonged and were removed, `stale` those of
    exports that may be another's and stay.
    """

    format: str
    out: Path
    images: int
    files: tuple[Path, ...]
    changed: tuple[str, ...] = ()
    planes: int = 0
    left_out: tuple[LeftOut, ...] = ()
    planes_left_out: int = 0
    cleared: tuple[Path, ...] = ()
    stale: tuple[Path, ...] = ()


def export(
    project: Project,
    format_: str,
    out: Path,
    *,
    content: str = Content.LABELS,
    images: str | None = None,
    background: bool = False,
    grey: bool = False,
) -> Generator[Progress, None, ExportReport]:
    """Write labels (every plane with a known pixel), those of done planes alone, or proposals into the folder `out`.

    `images` is a glob over relative paths; `background` asks for the background where a format leaves it out, `grey`
    for plain values where it has colours. What this project exported into the folder before and is not exported any
    more goes, of the images of the glob alone. Raises `UsageError` for a format, `UserError` where there is nothing to
    export or a file would be replaced that we did not write, `DiskRefused`, `ExportMismatch`.
    """
    form = FORMATS.get(format_)
    if form is None or not form.exports:
        raise UsageError(
            _(
                "'{format}' is not a format for export; choose one of {writable}.",
                format=format_,
                writable=", ".join(writable()),
            )
        )
    if grey and Option.GREY not in form.options:
        raise UsageError(
            _("The format '{name}' has no colours to leave out: grey is for masks as pictures.", name=form.name)
        )
    what = content_named(content)
    if project.writer is not None and not project.writer.flush(_DRAIN_S):
        raise DiskRefused(
            _(
                "Not everything painted is on disk yet, so nothing was exported. {refused}",
                refused=project.writer.state.refused,
            )
        )
    everything = project.images()
    selected = everything if images is None else selected_images(everything, images)
    chosen, left_out = _chosen(project, selected, what)
    classes = project.classes()
    names = tuple((i.path, len(i.planes)) for i in everything)
    plan = ExportPlan(format_classes(classes), names, background, grey, project.uuid)
    out = Path(os.path.abspath(out))
    with staging_folder(out) as staging:
        writer = form.load().writer(staging, plan)
        run = _Run(left_out=left_out)
        for done, image in enumerate(chosen):
            yield Progress(done, len(chosen), image.path)
            run.add(image, writer, plane_values(project, image, classes, what), what)
        if not run.written:
            raise _nothing(what, images)
        changed = tuple(image.path for image in run.written if look_at(image).content is FileContent.CHANGED)
        files = list(writer.finish())
        yield Progress(len(chosen), len(chosen), _("moving the files into place"))
        _spare_others(form, out, files)
        earlier = _earlier(form, out, files, None if images is None else selected, writer)
        move_all(staging, out, files)
    cleared = _clear_away(out, [name for name, wrote in earlier if wrote == project.uuid])
    gone = set(cleared)
    return ExportReport(
        format=form.name,
        out=out,
        images=len(run.written),
        files=tuple(out / name for name in files),
        changed=changed,
        planes=run.planes,
        left_out=tuple(run.left_out),
        planes_left_out=run.planes_left_out,
        cleared=cleared,
        stale=tuple(out / name for name, _ in earlier if out / name not in gone),
    )


@dataclass(slots=True)
class _Run:
    """The state of an export so far."""

    left_out: list[LeftOut]
    written: list[ImageRow] = field(default_factory=list[ImageRow])
    planes: int = 0
    planes_left_out: int = 0

    def add(self, image: ImageRow, writer: MaskWriter, planes: Iterable[PlaneValues], what: Content) -> None:
        """Write the planes of an image that have a known pixel. Raises `ExportMismatch`, `OSError`."""
        known = 0
        for plane, values in enumerate(planes):
            if values.known:
                count_ = len(image.planes)
                writer.add(LabelPlane(image.path, plane, count_, values.values, values.objects, image.stored))
                known += 1
        if not known:
            why = Why.NO_PROPOSAL if what is Content.PROPOSALS else Why.NO_KNOWN_PIXEL
            self.left_out.append(LeftOut(image.path, why))
            return
        self.written.append(image)
        self.planes += known
        self.planes_left_out += len(image.planes) - known


def _chosen(project: Project, selected: Sequence[ImageRow], what: Content) -> tuple[list[ImageRow], list[LeftOut]]:
    """The images that may have something to export, and those that have not by their rows alone."""
    if what is Content.PROPOSALS:
        proposed = {note.image for note in project.proposals.notes()}
        missing = [image.id not in proposed for image in selected]
    elif what is Content.FINISHED:
        missing = [not image.marks.done(len(image.planes)) for image in selected]
    else:
        missing = [not image.labelled_pixels for image in selected]
    why = _WHY[what]
    chosen = [image for image, lacks in zip(selected, missing, strict=True) if not lacks]
    return chosen, [LeftOut(i.path, why) for i, lacks in zip(selected, missing, strict=True) if lacks]


_WHY = {
    Content.LABELS: Why.NO_KNOWN_PIXEL,
    Content.FINISHED: Why.NOT_DONE,
    Content.PROPOSALS: Why.NO_PROPOSAL,
}


def _nothing(what: Content, glob: str | None) -> UserError:
    of_all = {
        Content.LABELS: N_("There is nothing to export: no image has labels."),
        Content.FINISHED: N_("There is nothing to export: no image is marked done and has labels."),
        Content.PROPOSALS: N_("There is nothing to export: no image has a proposal."),
    }
    of_chosen = {
        Content.LABELS: N_("There is nothing to export: none of the chosen images has labels."),
        Content.FINISHED: N_("There is nothing to export: none of the chosen images is marked done and has labels."),
        Content.PROPOSALS: N_("There is nothing to export: none of the chosen images has a proposal."),
    }
    return UserError(_((of_chosen if glob else of_all)[what]))


def _earlier(
    form: Format, out: Path, files: Sequence[PurePosixPath], chosen: Sequence[ImageRow] | None, writer: MaskWriter
) -> list[tuple[PurePosixPath, str]]:
    """Files of earlier exports that this one does not write, and the project that wrote each; of `chosen` images alone,
    where some were chosen: the others may have been exported by another glob. Raises `OSError`."""
    now = {folded_name(str(name)) for name in files}
    of = None if chosen is None else {folded_name(str(n)) for image in chosen for n in writer.names_of(image.path)}
    return [
        (name, wrote)
        for name, wrote in form.load().earlier(out)
        if folded_name(str(name)) not in now and (of is None or folded_name(str(name)) in of)
    ]


def _clear_away(out: Path, names: Sequence[PurePosixPath]) -> tuple[Path, ...]:
    """Remove files below a folder, and the folders that are empty then; those that are gone. What the system keeps back
    stays: the export is whole without."""
    gone: list[Path] = []
    for name in names:
        with contextlib.suppress(OSError):
            (out / name).unlink()
            gone.append(out / name)
            for folder in list(name.parents)[:-2]:  # neither the folder of all masks nor the target
                (out / folder).rmdir()
    for folder in {path.parent for path in gone}:
        with contextlib.suppress(OSError):
            sync_folder(folder)
    return tuple(gone)


def _spare_others(form: Format, out: Path, names: list[PurePosixPath]) -> None:
    """Raises `UserError` where a file would be replaced that no export of ours has made: a person's own mask."""
    others = [name for name in names if (out / name).exists() and not form.load().is_own(out / name)]
    if others:
        raise UserError(
            count(
                len(others),
                "{first} was not written by SegStudio, and the export would replace it.",
                "{n} files, the first of them {first}, were not written by SegStudio, and the export would replace "
                "them.",
                first=out / others[0],
            ),
            safe=_("Nothing was exported, and no file was changed."),
            todo=_("Choose another folder."),
        )


@contextmanager
def staging_folder(out: Path) -> Iterator[Path]:
    """An empty folder beside the target, gone at the end; what the disk refuses inside becomes `DiskRefused`."""
    there = status_of(out)
    if there is not None and not stat.S_ISDIR(there.st_mode):
        raise UserError(_("{out} is a file; an export needs a folder.", out=out))
    lacking = [folder for folder in (out, *out.parents) if status_of(folder) is None]
    staging: Path | None = None
    complete = False
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name[:_NAME_SHARE]}.", suffix=".part", dir=_beside(out)))
        yield staging
        complete = True
    except OSError as error:
        raise DiskRefused(
            _("The export to {out} failed: {why}.", out=out, why=error.strerror or error),
            safe=_("The labels are safe."),
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        if not complete:
            for folder in lacking:
                with contextlib.suppress(OSError):  # it does not exist, or is not empty
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

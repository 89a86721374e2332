"""The embedded sample as projects: images copied out of the program, with their masks for comparison."""

import shutil
from pathlib import Path

import msgspec

from segstudio.assets import asset
from segstudio.errors import DiskRefused
from segstudio.tasks.images.new import SUFFIX, new_project
from segstudio.text import _

__all__ = ["Sample", "SampleProject", "make_demo_project", "read_sample"]


class SampleField(msgspec.Struct, frozen=True):
    """One field with its mask, as paths inside the sample."""

    image: str
    mask: str


class SampleClass(msgspec.Struct, frozen=True):
    """One class of the fields."""

    name: str
    kind: str
    color: str
    value: int


class SampleProject(msgspec.Struct, frozen=True):
    """One project of the sample: fields of one kind with masks, and single pictures to play with."""

    name: str
    classes: list[SampleClass]
    fields: list[SampleField]
    play: list[str]


class Sample(msgspec.Struct, frozen=True):
    """What the sample holds: the project that the demo opens, then others."""

    projects: list[SampleProject]


def read_sample() -> Sample:
    """The sample's table of contents."""
    return msgspec.json.decode(asset("sample", "sample.json").read_bytes(), type=Sample)


def make_demo_project(folder: Path) -> Path:
    """Copy the sample into `folder` and make its projects there; an older demo there stays as it is.

    Returns the path of the first project; the others lie beside it. Raises `UserError` where the folder cannot be
    written.
    """
    projects = read_sample().projects
    try:
        home = _new_home(folder, projects[0].name)
        for sample in projects:
            _copy(sample, _place(home, sample, projects[0]))
        shutil.copyfile(asset("sample", "LICENCES.md"), home / "LICENCES.md")
    except OSError as error:
        raise DiskRefused(
            _(
                "The sample cannot be copied to '{folder}': {why}.",
                folder=folder,
                why=error.strerror or error,
            ),
            todo=_("Choose another folder."),
        ) from error
    for sample in projects:
        classes = [f"{c.name}:{c.color}:{c.kind}" for c in sample.classes]
        images = _copied_images(sample, _place(home, sample, projects[0]))
        for _unused in new_project(_project(home, sample), [str(image) for image in images], classes):
            pass
    return _project(home, projects[0])


def _project(home: Path, sample: SampleProject) -> Path:
    return home / f"{sample.name}{SUFFIX}"


def _place(home: Path, sample: SampleProject, first: SampleProject) -> Path:
    """The folder with a project's `images` and `masks`: the first one's lie right beside it."""
    return home if sample is first else home / sample.name


def _new_home(folder: Path, name: str) -> Path:
    number = 1
    while (home := folder / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    home.mkdir(parents=True)
    return home


def _copied_images(sample: SampleProject, place: Path) -> list[Path]:
    """Where the copies lie: the fields in order, then the pictures to play with."""
    names = [Path(field.image).name for field in sample.fields]
    names += [f"play_{Path(picture).name}" for picture in sample.play]
    return [place / "images" / name for name in names]


def _copy(sample: SampleProject, place: Path) -> None:
    masks = place / "masks"
    (place / "images").mkdir(parents=True)
    masks.mkdir()
    sources = [field.image for field in sample.fields] + sample.play
    for source, copy in zip(sources, _copied_images(sample, place), strict=True):
        shutil.copyfile(asset("sample", source), copy)
    for field in sample.fields:
        shutil.copyfile(asset("sample", field.mask), masks / Path(field.mask).name)

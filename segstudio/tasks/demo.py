"""The embedded sample as a project: images copied out of the program, their masks beside for comparison."""

import shutil
from pathlib import Path

import msgspec

from segstudio.assets import asset
from segstudio.errors import DiskRefused
from segstudio.tasks.new import new_project

__all__ = ["Sample", "make_demo_project", "read_sample"]


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


class Sample(msgspec.Struct, frozen=True):
    """What the sample holds: fields of one kind with masks, and single pictures to play with."""

    name: str
    classes: list[SampleClass]
    fields: list[SampleField]
    play: list[str]


def read_sample() -> Sample:
    """The sample's table of contents."""
    return msgspec.json.decode(asset("sample", "sample.json").read_bytes(), type=Sample)


def make_demo_project(folder: Path) -> Path:
    """Copy the sample into `folder` and make a project of it; an older demo there stays as it is.

    Returns the project's path. Raises `UserError` where the folder cannot be written.
    """
    sample = read_sample()
    try:
        home = _copied(sample, folder)
    except OSError as error:
        raise DiskRefused(
            f"The sample cannot be copied to '{folder}': {error.strerror or error}.", todo="Choose another folder."
        ) from error
    project = home / f"{sample.name}.segstudio"
    classes = [f"{c.name}:{c.color}:{c.kind}" for c in sample.classes]
    for _ in new_project(project, [str(home / "images")], classes):
        pass
    return project


def _copied(sample: Sample, folder: Path) -> Path:
    number = 1
    while (home := folder / (sample.name if number == 1 else f"{sample.name}-{number}")).exists():
        number += 1
    images = home / "images"
    images.mkdir(parents=True)
    masks = home / "masks"
    masks.mkdir()
    for field in sample.fields:
        shutil.copyfile(asset("sample", field.image), images / Path(field.image).name)
        shutil.copyfile(asset("sample", field.mask), masks / Path(field.mask).name)
    for picture in sample.play:
        shutil.copyfile(asset("sample", picture), images / f"play_{Path(picture).name}")
    shutil.copyfile(asset("sample", "LICENCES.md"), home / "LICENCES.md")
    return home

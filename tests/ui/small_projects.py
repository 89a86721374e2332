"""Small real projects for tests of the window: each kind is made once, then copied."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segstudio.geometry import Rect
from segstudio.labels.model import ImageId, Status
from segstudio.store.file_check import remember_hash
from segstudio.store.learning import hold_out
from segstudio.store.project import Project
from segstudio.store.values import NewImage, NewPlane
from segstudio.tasks.images.new import new_project
from tests.store.store_painting import commit, flushed, paint, painted, status_row

__all__ = ["CLASSES", "SIZE", "SmallProjects", "plates", "soft_blobs", "write_image"]

CLASSES = ("nucleus", "membrane", "debris")
SIZE = (640, 480)


def plates(count: int) -> tuple[str, ...]:
    """Names of images."""
    return tuple(f"plate_{n:04d}.png" for n in range(count))


def soft_blobs(width: int, height: int) -> NDArray[np.uint8]:
    """A picture (h, w, 3) of soft blobs."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    wave = np.sin(x / 31) * np.cos(y / 23) + 0.4 * np.sin((x + y) / 57)
    grey = np.clip(90 + 55 * wave, 0, 255).astype(np.uint8)
    return np.dstack([grey, (grey * 0.82).astype(np.uint8), (grey * 0.9).astype(np.uint8)])


def write_image(file: Path, pixels: NDArray[np.generic]) -> None:
    """An image file of samples (h, w, c): a PNG, or a TIFF by its ending."""
    if file.suffix == ".tif":
        import tifffile

        if pixels.shape[2] == 1:
            tifffile.imwrite(file, pixels[..., 0])
        else:
            pages = np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
            tifffile.imwrite(file, pages, photometric="minisblack", planarconfig="separate")
    else:
        Image.fromarray(pixels).save(file, compress_level=1)


@dataclass(frozen=True, slots=True)
class _Kind:
    names: tuple[str, ...]
    classes: tuple[str, ...]
    labelled: bool


class SmallProjects:
    """A project's images stay where they were made; every copy reads them.

    For every image a person wants no proposal, so that nothing is asked of the engine until a test asks.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._made: dict[object, Path] = {}

    def copy(
        self,
        into: Path,
        names: Sequence[str] = plates(6),
        classes: Sequence[str] = CLASSES,
        *,
        labelled: bool = True,
    ) -> Path:
        """A project 'plates' of blobs in a folder. Of labelled ones two images are done, the third is in progress, and
        the second is held out."""
        kind = _Kind(tuple(names), tuple(classes), labelled)
        if kind not in self._made:
            self._made[kind] = self._make(kind)
        return _copied(self._made[kind], into)

    def grown(self, into: Path, grow: Callable[[Project], None]) -> Path:
        """The labelled project of `copy` with what a function adds to it; a function is called once."""
        if grow not in self._made:
            home = self._home / f"grown{len(self._made)}"
            home.mkdir()
            self._made[grow] = self.copy(home)
            with Project.open(self._made[grow]) as project:
                grow(project)
                flushed(project)
        return _copied(self._made[grow], into)

    def pictures(self, into: Path, pixels: Mapping[str, NDArray[np.generic]], classes: Sequence[str]) -> Path:
        """A project of these pictures, without a label."""
        key = (*((name, samples.dtype.str, samples.shape, samples.tobytes()) for name, samples in pixels.items()),)
        kind = tuple(classes), hash(key)
        if kind not in self._made:
            self._made[kind] = self.of_pixels(self._home / f"pictures{len(self._made)}", pixels, classes)
        return _copied(self._made[kind], into)

    def of_pixels(self, into: Path, pixels: Mapping[str, NDArray[np.generic]], classes: Sequence[str]) -> Path:
        """The same with files of its own, which a test may change."""
        folder = into / "images"
        folder.mkdir(parents=True)
        for name, samples in pixels.items():
            write_image(folder / name, samples)
        return _project(into, folder, classes)

    def many(self, into: Path, count: int) -> Path:
        """A project of so many images whose files are missing: for what depends on the number alone."""
        plane = (NewPlane("0", *SIZE),)
        rows = (
            NewImage(name, into / "images", 1000, 1, f"{n:016x}", plane, 3, "uint8", "png")
            for n, name in enumerate(plates(count))
        )
        path = into / "many.segstudio"
        Project.create(path, rows).close()
        return path

    def _make(self, kind: _Kind) -> Path:
        home = self._home / f"kind{len(self._made)}"
        folder = home / "images"
        folder.mkdir(parents=True)
        blobs = soft_blobs(*SIZE)
        for n, name in enumerate(kind.names):  # files of one content would be one group
            write_image(folder / name, np.roll(blobs, 7 * n, 1))
        path = _project(home, folder, kind.classes)
        if kind.labelled:
            with Project.open(path) as project:
                _label(project)
        return path


def _project(home: Path, folder: Path, classes: Sequence[str]) -> Path:
    path = home / "plates.segstudio"
    for _ in new_project(path, [str(folder)], ["background::background", *classes]):
        pass
    with Project.open(path) as project:
        for row in project.images():
            project.proposals.reject(row.id, 0)
            remember_hash(project, row)
    return path


def _label(project: Project) -> None:
    """A little in the first three images, and two of them done."""
    for row in project.images()[:3]:
        document = project.document(row.id)
        paint(project, document, Rect(3, 3, 10, 10), 2)
        if row.id < 3:
            done = painted(document, Rect(0, 0, 0, 0), 0, extra_rows=[status_row(document, Status.DONE)])
            commit(project, document, done)
    flushed(project)
    hold_out(project, [ImageId(2)], held=True).result()


def _copied(path: Path, into: Path) -> Path:
    target = into / path.name
    shutil.copytree(path, target)
    return target

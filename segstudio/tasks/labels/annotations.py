"""Files of annotations and the images that they are about; a plane of them painted as the classes of a project.

See `Incoming`. Images are matched by path, or by name where only one is called so; categories are classes by name.
"""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segstudio.errors import MaskMismatch, UsageError, UserError
from segstudio.formats.annotated import AnnotatedPlane, painted
from segstudio.formats.naming import StemPattern, entries_matched
from segstudio.formats.table import Format
from segstudio.formats.values import AnnotatedImage, AnnotationReader
from segstudio.labels.model import ClassTable, Kind, folded_name
from segstudio.store.project import ImageRow, Project
from segstudio.tasks.labels.classes import AddClass
from segstudio.tasks.labels.incoming import IncomingPlane, ReadPlane
from segstudio.tasks.labels.mask_map import MapKey, MaskMap
from segstudio.tasks.labels.meanings import Meaning
from segstudio.tasks.progress import Progress
from segstudio.tasks.reachable import status_of
from segstudio.text import _, count

__all__ = ["IncomingAnnotations"]

_NAMED = 3


@dataclass(frozen=True, slots=True)
class _MatchedEntry:
    """An image of the file with its plane of the project."""

    entry: AnnotatedImage
    image: ImageRow
    plane: int

    @property
    def name(self) -> str:
        """The image as the file has it."""
        return self.entry.path


class IncomingAnnotations:
    """See `Incoming`. An image of the file without an annotation is left as it is.

    Raises `UserError` where nothing of the file belongs to the project, `MaskMismatch` where two of its images are for
    one plane or a size is wrong, `UsageError` for a key of the map that the file does not have.
    """

    unread: tuple[str, ...] = ()
    binary: tuple[str, ...] = ()
    binary_value = 255

    def __init__(
        self, project: Project, form: Format, path: Path, mapping: MaskMap, pattern: StemPattern | None
    ) -> None:
        if status_of(path) is None:
            raise UserError(_("{path} does not exist.", path=path))
        if pattern is not None:
            raise UsageError(_("--pattern is for masks; a file of the format {name} names its images.", name=form.name))
        self._reader: AnnotationReader = form.load().annotation_reader(path)
        self._names = _class_names(self._reader, mapping)
        self._matched, self.skipped = _matched(self._reader, project.images())
        self._with_areas = tuple(m for m in self._matched if m.entry.annotations)
        if not self._with_areas:
            raise _nothing(self._reader, self._matched, self.skipped)
        self._by_plane = {(m.image.id, m.plane): m for m in self._with_areas}
        self._ids = np.zeros(1, np.int32)
        self._said: dict[int, tuple[int, int, int]] = {}

    @property
    def planes(self) -> Sequence[IncomingPlane]:
        """Images of the file with an annotation, planes of one image behind each other."""
        return sorted(self._with_areas, key=lambda m: (m.image.id, m.plane))

    @property
    def annotations(self) -> int:
        """See `Incoming`."""
        return sum(m.entry.annotations for m in self._with_areas)

    @property
    def notes(self) -> tuple[str, ...]:
        """See `Incoming`."""
        left_out = Counter[str]()
        for match in self._matched:
            left_out.update(match.entry.left_out)
        overlapping, empty, crowds = (sum(counts) for counts in zip((0, 0, 0), *self._said.values(), strict=True))
        stray = self._reader.stray
        possible = (
            *(
                (n, count(n, "1 annotation left out: {what}.", "{n} annotations left out: {what}.", what=_(what)))
                for what, n in sorted(left_out.items())
            ),
            (
                stray,
                count(
                    stray,
                    "1 annotation left out: its image is not in the file.",
                    "{n} annotations left out: their images are not in the file.",
                ),
            ),
            (
                empty,
                count(
                    empty,
                    "1 annotation left out: it covers no pixel.",
                    "{n} annotations left out: they cover no pixel.",
                ),
            ),
            (
                overlapping,
                count(
                    overlapping,
                    "1 pixel lies in more than one annotation: the later one was kept.",
                    "{n} pixels lie in more than one annotation: the later one was kept.",
                ),
            ),
            (
                crowds,
                count(
                    crowds,
                    "1 annotation was imported as one object, though it is marked as a crowd of several.",
                    "{n} annotations were imported as one object each, though they are marked as crowds of several.",
                ),
            ),
        )
        return tuple(sentence for n, sentence in possible if n)

    def meanings(self, classes: ClassTable) -> Generator[Progress, None, tuple[Meaning, ...]]:
        """See `Incoming`. A name that no class has stands for a class to be made."""
        yield Progress(0, 0, _("reading {name}", name=self._reader.name))
        found: list[Meaning] = []
        for place in self._used:
            known = self._reader.classes[place]
            named = classes.named(known.name)
            # The last of several classes of one name is the one that the name is a key for.
            again = any(folded_name(c.name) == folded_name(known.name) for c in self._reader.classes[place + 1 :])
            key = known.number if again and known.number is not None else known.name
            found.append(Meaning(key, known.name, known.name if named is None else named.name, own=True))
        return tuple(found)

    @property
    def _used(self) -> list[int]:
        """Places of the classes of the annotations that come in."""
        return sorted(frozenset[int]().union(*(m.entry.classes for m in self._with_areas)))

    def missing(self, classes: ClassTable) -> tuple[AddClass, ...]:
        """The classes of the annotations that come in; those with single objects become instance classes."""
        found: dict[str, AddClass] = {}
        for place in self._used:
            name, known = self._names[place], self._reader.classes[place]
            if name and classes.named(name) is None:
                kind = Kind.INSTANCE if known.objects else Kind.SEMANTIC
                found.setdefault(folded_name(name), AddClass(name, kind=kind))
        return tuple(found.values())

    def use(self, classes: ClassTable) -> None:
        """See `Incoming`. Classes that no annotation has may be missing: they stand for unknown."""
        found = (classes.named(name) if name else None for name in self._names)
        self._ids = np.array([*(0 if c is None else c.id for c in found), 0], np.int32)  # the last one for none

    def read(self, plane: IncomingPlane) -> ReadPlane:
        """See `Incoming`."""
        match = self._by_plane[plane.image.id, plane.plane]
        width, height = match.image.planes[match.plane]
        found: AnnotatedPlane = painted(self._reader.annotations(match.entry, width, height), width, height)
        self._said[match.entry.place] = found.overlapping, found.empty, found.crowds
        return ReadPlane(self._ids[found.class_places][found.numbers], found.numbers)


def _class_names(reader: AnnotationReader, mapping: MaskMap) -> list[str]:
    """The class that each class of the file means, '' = unknown. Raises `UsageError` for any other key."""
    wanted: dict[int, str] = {}
    by_name = {folded_name(c.name): place for place, c in enumerate(reader.classes)}
    by_number = {c.number: place for place, c in enumerate(reader.classes) if c.number is not None}
    for key, name in mapping.items():
        place = _place(key, by_name, by_number)
        if place is None:
            named = ", ".join(c.name for c in reader.classes) or "none"
            raise UsageError(
                _("'{key}' is not a class in {name}; its classes are {named}.", key=key, name=reader.name, named=named)
            )
        wanted[place] = name
    return [wanted.get(place, c.name) for place, c in enumerate(reader.classes)]


def _place(key: MapKey, by_name: Mapping[str, int], by_number: Mapping[int, int]) -> int | None:
    """The class that a key names: by its name, or by its number in the file."""
    found = by_name.get(folded_name(str(key)))
    return by_number.get(key) if found is None and isinstance(key, int) else found


def _matched(reader: AnnotationReader, images: Sequence[ImageRow]) -> tuple[tuple[_MatchedEntry, ...], tuple[str, ...]]:
    """Images of the file with the project's, and those that belong to none. Raises `MaskMismatch`."""
    entries = reader.images
    matching = entries_matched([e.path for e in entries], [image.path for image in images])
    found: dict[tuple[int, int], _MatchedEntry] = {}
    for at, place in matching.items():
        entry, image = entries[at], images[place]
        if other := found.get((place, entry.plane)):
            raise MaskMismatch(
                _(
                    "{name} has two images for {path}: {first} and {second}.",
                    name=reader.name,
                    path=image.path,
                    first=other.name,
                    second=entry.path,
                )
            )
        _check_size(reader, entry, image)
        found[place, entry.plane] = _MatchedEntry(entry, image, entry.plane)
    return tuple(found.values()), tuple(entry.path for at, entry in enumerate(entries) if at not in matching)


def _check_size(reader: AnnotationReader, entry: AnnotatedImage, image: ImageRow) -> None:
    """Raises `MaskMismatch` where an image of the file is not the plane that it is called after."""
    if not 0 <= entry.plane < len(image.planes):
        raise MaskMismatch(
            _(
                "{name} has annotations for plane {plane} of {path}, which has {n}.",
                name=reader.name,
                plane=entry.plane,
                path=image.path,
                n=len(image.planes),
            )
        )
    width, height = image.planes[entry.plane]
    if entry.size not in (None, (width, height)):
        w, h = entry.size or (0, 0)
        raise MaskMismatch(
            _(
                "{name} says that {path} has {w} x {h} pixels, but the image {image} has {width} x {height}.",
                name=reader.name,
                path=entry.path,
                w=w,
                h=h,
                image=image.path,
                width=width,
                height=height,
            )
        )


def _nothing(reader: AnnotationReader, matched: Sequence[_MatchedEntry], skipped: Sequence[str]) -> UserError:
    """The error for a file that has nothing for the project."""
    if matched:
        left_out = Counter[str]()
        for match in matched:
            left_out.update(match.entry.left_out)
        if left_out:
            only = ", ".join(_(what) for what in sorted(left_out))
            sentence = _("{name} has no area for the images of the project, only {only}.", name=reader.name, only=only)
            return UserError(sentence)
        return UserError(_("{name} has no area for the images of the project.", name=reader.name))
    if not skipped:
        return UserError(_("{name} has no image.", name=reader.name))
    listed = f"{', '.join(skipped[:_NAMED])}{' ...' if len(skipped) > _NAMED else ''}"
    return UserError(
        _(
            "None of the {n} images in {name} is in the project: {listed}.",
            n=len(skipped),
            name=reader.name,
            listed=listed,
        ),
        todo=_(
            "Images are matched by their path as 'segstudio info' shows it, or by name where only one image has it."
        ),
    )

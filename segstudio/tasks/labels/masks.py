"""Masks in files and the images they belong to; a mask read as the classes that a project knows. See `Incoming`."""

import os
import stat
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import MaskMismatch, UnreadableImage, UserError
from segstudio.formats.naming import Matching, Places, StemPattern, matched
from segstudio.formats.table import Format
from segstudio.formats.values import MaskFile, MaskReader, MaskValues
from segstudio.imaging.metadata import same_grid
from segstudio.labels.model import ClassTable
from segstudio.store.project import ImageRow, Project
from segstudio.tasks.labels.classes import AddClass
from segstudio.tasks.labels.incoming import IncomingPlane, ReadPlane
from segstudio.tasks.labels.mask_map import Color, MaskMap, ValueTable, missing_classes, must_have_no_names
from segstudio.tasks.labels.meanings import FoundValues, Meaning
from segstudio.tasks.progress import Progress
from segstudio.tasks.reachable import status_of
from segstudio.text import _, count

__all__ = ["IncomingMasks"]

_NAMED = 3


@dataclass(frozen=True, slots=True)
class _MatchedMask:
    """A mask and the plane it belongs to; `own` where one of our exports wrote it."""

    mask: MaskFile
    image: ImageRow
    plane: int
    own: bool = False

    @property
    def name(self) -> str:
        """The mask's path."""
        return self.mask.name


@dataclass(frozen=True, slots=True)
class _MatchedMasks:
    """Masks with their images, and the names of those that belong to none (or to several alike).

    `unread` are files named like masks of images, in a format that is not read. `among_images`: images of the project
    lie there too.
    """

    masks: tuple[_MatchedMask, ...]
    skipped: tuple[str, ...]
    unread: tuple[str, ...] = ()
    among_images: bool = False


class IncomingMasks:
    """See `Incoming`. Raises `UserError`, `MaskMismatch` and `UsageError` as `_matched_masks` and maps do."""

    annotations = 0
    notes: tuple[str, ...] = ()

    def __init__(
        self, project: Project, form: Format, path: Path, mapping: MaskMap, pattern: StemPattern | None
    ) -> None:
        must_have_no_names(mapping, form.name)
        self._reader: MaskReader = form.load().mask_reader()
        self._mapping = mapping
        self._table: ValueTable | None = None
        self._binary = _BinaryCheck()
        self._found = _matched_masks(project, form, self._reader, path, pattern)
        by_image = sorted(self._found.masks, key=_place_among(self._found.masks))
        self._by_plane = {(mask.image.id, mask.plane): mask for mask in by_image}

    @property
    def planes(self) -> Sequence[IncomingPlane]:
        """The masks that belong to an image."""
        return tuple(self._by_plane.values())

    @property
    def skipped(self) -> tuple[str, ...]:
        """See `Incoming`."""
        return self._found.skipped

    @property
    def unread(self) -> tuple[str, ...]:
        """See `Incoming`."""
        return self._found.unread

    @property
    def binary(self) -> tuple[str, ...]:
        """See `Incoming`."""
        return self._binary.suspects

    @property
    def binary_value(self) -> int:
        """See `Incoming`."""
        return self._binary.value

    def meanings(self, classes: ClassTable) -> Generator[Progress, None, tuple[Meaning, ...]]:
        """See `Incoming`. Colour pictures are masks here: a person is about to say what the colours mean."""
        found = FoundValues(classes)
        for done, mask in enumerate(self._by_plane.values()):
            yield Progress(done, len(self._by_plane), _("reading {name}", name=mask.name))
            found.add(_values_of(self._reader, mask, pictures=True))
        return found.meanings

    @property
    def among_images(self) -> bool:
        """Whether images of the project lie where the masks were found."""
        return self._found.among_images

    def samples(self) -> Iterator[NDArray[np.int32] | None]:
        """The values (h, w) of one mask after the other, None for one that an export of ours wrote. Raises as `read`
        does where one is no mask."""
        for mask in self._by_plane.values():
            yield None if mask.own else _values_of(self._reader, mask, pictures=True).values

    def missing(self, classes: ClassTable) -> tuple[AddClass, ...]:
        """Those of the map; one that is named by a colour gets that colour."""
        colors = {name: str(key) for key, name in self._mapping.items() if isinstance(key, Color)}
        return tuple(AddClass(name, colors.get(name, "")) for name in missing_classes(self._mapping, classes))

    def use(self, classes: ClassTable) -> None:
        """See `Incoming`."""
        self._table = ValueTable(classes, self._mapping)

    def read(self, plane: IncomingPlane) -> ReadPlane:
        """See `Incoming`."""
        assert self._table is not None
        mask = self._by_plane[plane.image.id, plane.plane]
        read = _read_classes(self._reader, mask, self._table)
        self._binary.add(mask, read)
        return ReadPlane(read.class_ids)


def _place_among(masks: Sequence[_MatchedMask]) -> Callable[[_MatchedMask], int]:
    """Masks of one image behind each other, images in the order of their first masks."""
    first: dict[int, int] = {}
    for place, mask in enumerate(masks):
        first.setdefault(mask.image.id, place)
    return lambda mask: first[mask.image.id]


def _matched_masks(
    project: Project, form: Format, reader: MaskReader, path: Path, pattern: StemPattern | None = None
) -> _MatchedMasks:
    """Find the masks below a path and their images. The project's own images are none.

    Raises `UserError` where there is none, or none that belongs to an image, or a folder may not be read,
    `MaskMismatch` where two are for one.
    """
    found = status_of(path)
    if found is None:
        raise UserError(_("{path} does not exist.", path=path))
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise UserError(_("{path} is neither a folder nor a plain file.", path=path))
    search = _Search(project, form, pattern)
    files = reader.find(path)
    masks = [mask for mask in files if search.place_of(mask) not in search.image_at]
    matching = search.matched(masks)
    if not matching.pairs:
        # A picture beside the photograph of its name is its mask, though both were taken for images.
        masks, matching = search.beside(reader, files) or (masks, matching)
    others = reader.others(path)
    unread = tuple(mask.name for mask in search.unread(others))
    skipped = tuple(masks[i].name for i in sorted((*matching.unmatched, *matching.ambiguous)))
    if not matching.pairs:
        raise _none_found(path, masks, skipped, unread, pattern)
    among_images = any(search.place_of(file) in search.image_at for file in (*files, *others))
    pairs = tuple(search.pair(masks[m], i, plane) for m, i, plane in matching.pairs)
    return _MatchedMasks(pairs, skipped, unread, among_images)


def _none_found(
    path: Path, masks: Sequence[MaskFile], skipped: Sequence[str], unread: Sequence[str], pattern: StemPattern | None
) -> UserError:
    if unread:
        return UserError(
            count(
                len(unread),
                "{path} holds no mask that SegStudio reads: {first} is in another format.",
                "{path} holds no mask that SegStudio reads: {n} files are in another format, the first is {first}.",
                path=path,
                first=unread[0],
            ),
            todo=_("Convert them to PNG of class values."),
        )
    if not masks:
        return UserError(_("{path} holds no mask.", path=path))
    listed = f"{', '.join(skipped[:_NAMED])}{' ...' if len(skipped) > _NAMED else ''}"
    if pattern is not None:
        return UserError(
            _(
                "None of the {n} masks in {path} is named '{pattern}' after an image of the project: {listed}.",
                n=len(masks),
                path=path,
                pattern=pattern.text,
                listed=listed,
            )
        )
    return UserError(
        _(
            "None of the {n} masks in {path} belongs to an image of the project: {listed}.",
            n=len(masks),
            path=path,
            listed=listed,
        ),
        todo=_("If the masks are not named like the images, give the pattern: --pattern '{stem}_mask'."),
    )


class _Search:
    """The images of a project by name and place, for finding their masks."""

    def __init__(self, project: Project, form: Format, pattern: StemPattern | None) -> None:
        everything = project.images(removed=True)
        self._form, self._pattern = form, pattern
        self._real: dict[str, str] = {}
        self.images = [image for image in everything if not image.removed]
        self._names = [(image.path, len(image.planes)) for image in self.images]
        self._image_places = [self._place(image.root / image.inner_path) for image in self.images]
        self.image_at: dict[str, int] = {
            self._place(root / image.inner_path): -1
            for image in everything
            for root in (image.root, image.beside)
            if root is not None
        }
        self.image_at |= {place: at for at, place in enumerate(self._image_places)}
        self._own: dict[Path, bool] = {}

    def _place(self, file: Path) -> str:
        """The absolute path of a file; links are followed once a folder, for there may be 100,000 files."""
        folder, name = os.path.split(file)
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        return os.path.join(self._real[folder], name)

    def place_of(self, mask: MaskFile) -> str:
        """Where a mask lies."""
        return self._place(mask.file)

    def is_own(self, mask: MaskFile) -> bool:
        """Whether an export of ours wrote it."""
        if mask.file not in self._own:
            self._own[mask.file] = self._form.load().is_own(mask.file)
        return self._own[mask.file]

    def matched(self, masks: Sequence[MaskFile]) -> Matching:
        """The images of masks. Raises `MaskMismatch`."""
        places = Places(
            [self.place_of(mask) for mask in masks],
            self._image_places,
            {
                at: self.image_at[place]
                for at, mask in enumerate(masks)
                if (place := self.place_of(mask)) in self.image_at
            },
            frozenset(at for at, mask in enumerate(masks) if self.is_own(mask)),
        )
        return matched([mask.name for mask in masks], self._names, self._form.extensions, places, self._pattern)

    def beside(self, reader: MaskReader, files: Sequence[MaskFile]) -> tuple[list[MaskFile], Matching] | None:
        """Images of the project whose header says that they hold values and that are called like another one in their
        folder; None where there is none."""
        masks = [mask for mask in files if reader.holds_values(mask)]
        try:
            matching = self.matched(masks)
        except MaskMismatch:
            return None
        pairs = tuple(
            pair
            for pair in matching.pairs
            if os.path.dirname(self.place_of(masks[pair[0]])) == os.path.dirname(self._image_places[pair[1]])
        )
        return (masks, Matching(pairs, (), ())) if pairs else None

    def unread(self, others: Sequence[MaskFile]) -> list[MaskFile]:
        """Those of other formats that are named as masks of images are."""
        candidates = [mask for mask in others if self.place_of(mask) not in self.image_at]
        renamed = [MaskFile(mask.file, _without_ending(mask.name)) for mask in candidates]
        try:
            matching = self.matched(renamed)
        except MaskMismatch:
            return candidates
        return [candidates[at] for at, _, _ in matching.pairs]

    def pair(self, mask: MaskFile, image: int, plane: int) -> _MatchedMask:
        """A mask with its image."""
        return _MatchedMask(mask, self.images[image], plane, self.is_own(mask))


def _without_ending(name: str) -> str:
    for ending in (".nii.gz", Path(name).suffix):
        if ending and name.lower().endswith(ending.lower()):
            return name[: -len(ending)]
    return name


@dataclass(frozen=True, slots=True, eq=False)
class _ReadMask:
    """Class ids (h, w) int32, 0 = unknown; `binary` is 255 (65535) where the file holds nothing but 0 and that value,
    and nobody said what it means; 0 where it holds zeros alone; None where it holds more."""

    class_ids: NDArray[np.int32]
    binary: int | None


@dataclass(slots=True)
class _BinaryCheck:
    """Whether all masks that other programs made hold only 0 and 255: then 255 is an object, not unknown.

    Masks with our mark are unambiguous and do not count.
    """

    value: int = 255
    _names: dict[str, None] = field(default_factory=dict[str, None])
    _more: bool = False

    def add(self, found: _MatchedMask, read: _ReadMask) -> None:
        """Add a mask; added twice, it counts once."""
        if found.own:
            return
        if read.binary is None:
            self._more = True
        elif read.binary:
            self._names[found.name] = None
            self.value = read.binary

    @property
    def suspects(self) -> tuple[str, ...]:
        """The masks with a 255 that probably means an object; none where one of the masks holds other values."""
        return () if self._more else tuple(self._names)


def _values_of(reader: MaskReader, found: _MatchedMask, *, pictures: bool) -> MaskValues:
    """The values in a mask. Raises `MaskMismatch` where its size is not the plane's, `UnreadableImage`."""
    # Before decoding: a header may ask for any amount of memory.
    try:
        width, height = reader.size(found.mask)
        if (width, height) != found.image.planes[found.plane]:
            w, h = found.image.planes[found.plane]
            raise MaskMismatch(
                _(
                    "{name} has {width} x {height} pixels, but its image {path} has {w} x {h}.",
                    name=found.mask.name,
                    width=width,
                    height=height,
                    path=found.image.path,
                    w=w,
                    h=h,
                )
            )
        read = reader.read(found.mask, pictures=pictures)
        if not same_grid(found.image.stored.metadata, read.grid):
            raise MaskMismatch(
                _(
                    "{name} has the size of its image {path}, but lies elsewhere.",
                    name=found.mask.name,
                    path=found.image.path,
                ),
                todo=_("Resample the mask to the grid of the image first."),
            )
        return read
    except OSError as error:
        raise UnreadableImage(
            _("{name} cannot be read: {why}.", name=found.mask.name, why=error.strerror or error)
        ) from error


def _read_classes(reader: MaskReader, found: _MatchedMask, table: ValueTable) -> _ReadMask:
    """The classes in a mask. Raises as `_values_of` does, and `UnknownClassValue`."""
    mask = _values_of(reader, found, pictures=table.has_colors)
    return _ReadMask(table.class_ids(mask, found.mask.name), _binary(mask, table))


def _binary(mask: MaskValues, table: ValueTable) -> int | None:
    """See `_ReadMask`."""
    if mask.picture or table.has_colors:
        return None
    present = np.flatnonzero(np.bincount(mask.values.reshape(-1), minlength=1)).tolist()
    others = [value for value in present if value]
    if len(others) > 1 or any(value not in (255, mask.unknown) or table.maps(value) for value in others):
        return None
    return others[0] if others else 0

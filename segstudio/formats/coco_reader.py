"""COCO's files of instances read: polygons, run lengths and packed run lengths, whoever wrote them.

The text of the file is held, and of each annotation its place there; what it covers is decoded image by image. Nothing
is taken on trust: ids may be sparse or text, sizes wrong, numbers none.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from segstudio.errors import MaskMismatch, UnreadableImage, UserError
from segstudio.formats.annotated import packed_counts, packed_polygons
from segstudio.formats.values import AnnotatedImage, Annotation, AnnotationClass
from segstudio.text import _

__all__ = ["CocoReader"]

_Id = int | str


class _Image(msgspec.Struct):
    id: _Id
    file_name: str
    width: float | None = None
    height: float | None = None
    plane: int = 0


class _Category(msgspec.Struct):
    id: _Id
    name: str
    isthing: int | bool = 1


class _File(msgspec.Struct):
    images: list[_Image]
    annotations: list[msgspec.Raw]
    categories: list[_Category]


class _Head(msgspec.Struct):
    """What is read of every annotation at once."""

    image_id: _Id
    category_id: _Id
    id: _Id = ""
    segmentation: msgspec.Raw = msgspec.Raw(b"[]")
    keypoints: msgspec.Raw = msgspec.Raw(b"[]")


class _Rle(msgspec.Struct):
    size: tuple[int, int]
    counts: list[int] | str


class _Area(msgspec.Struct):
    """What is read of an annotation when its image is."""

    category_id: _Id
    segmentation: list[list[float]] | _Rle
    id: _Id = ""
    iscrowd: Literal[0, 1] | bool = 0


_NOTHING = (b"", b"[]", b"null", b"{}", b"[[]]")
_KEYPOINTS = "keypoints without a segmentation"
_BOXES = "boxes without a segmentation"


class CocoReader:
    """See `AnnotationReader`.

    Raises `UserError` for a path without such a file, `UnreadableImage` for one that is none, `MaskMismatch` where
    parts of it do not belong together.
    """

    def __init__(self, path: Path) -> None:
        self._path = _file_at(path)
        content = self._read()
        self._annotations = content.annotations
        self._places = _unique([c.id for c in content.categories], "categories", self.name)
        self._classes = tuple(
            AnnotationClass(c.name.strip(), c.id if isinstance(c.id, int) else None, bool(c.isthing))
            for c in content.categories
        )
        self._of_image: list[list[int]] = []
        self._images, self._stray = self._indexed(content.images)

    @property
    def name(self) -> str:
        """The file's name."""
        return self._path.name

    @property
    def classes(self) -> Sequence[AnnotationClass]:
        """The categories."""
        return self._classes

    @property
    def images(self) -> Sequence[AnnotatedImage]:
        """The images; a plane of one with several is an image of its own here."""
        return self._images

    @property
    def stray(self) -> int:
        """How many annotations belong to no image of the file."""
        return self._stray

    def annotations(self, image: AnnotatedImage, width: int, height: int) -> Iterator[Annotation]:
        """See `AnnotationReader`."""
        for at in self._of_image[image.place]:
            try:
                area = _areas.decode(self._annotations[at])
            except (msgspec.DecodeError, RecursionError) as error:
                raise MaskMismatch(
                    _(
                        "{name}: annotation {at} of {path}: {why}.",
                        name=self.name,
                        at=at + 1,
                        path=image.path,
                        why=_why(error),
                    )
                ) from error
            said = f"{self.name}: annotation {area.id if area.id != '' else at + 1} of {image.path}"
            packed = _packed(area.segmentation, width, height, said)
            yield Annotation(said, self._places[area.category_id], packed, bool(area.iscrowd))

    def _read(self) -> _File:
        try:
            text = self._path.read_bytes().removeprefix(b"\xef\xbb\xbf")
        except OSError as error:
            raise UnreadableImage(
                _("{name} cannot be read: {strerror}.", name=self.name, strerror=error.strerror or error)
            ) from error
        try:
            return _files.decode(text)
        except (msgspec.ValidationError, RecursionError) as error:
            raise UnreadableImage(
                _("{name} is no COCO file of instances: {why}.", name=self.name, why=_why(error))
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnreadableImage(
                _("{name} is no JSON, or is cut short: {why}.", name=self.name, why=_why(error))
            ) from error

    def _indexed(self, images: Sequence[_Image]) -> tuple[tuple[AnnotatedImage, ...], int]:
        """The images with what they have, and how many annotations belong to none."""
        places = _unique([image.id for image in images], "images", self.name)
        self._of_image = [[] for _ in images]
        classes: defaultdict[int, set[int]] = defaultdict(set)
        left_out: defaultdict[int, Counter[str]] = defaultdict(Counter)
        stray = 0
        for at, raw in enumerate(self._annotations):
            head = self._head(at, raw)
            place = places.get(head.image_id)
            if place is None:
                stray += 1
            elif bytes(head.segmentation).strip() in _NOTHING:
                what = _BOXES if bytes(head.keypoints).strip() in _NOTHING else _KEYPOINTS
                left_out[place][what] += 1
            elif head.category_id not in self._places:
                raise MaskMismatch(
                    f"{self.name}: annotation {head.id if head.id != '' else at + 1} has the category "
                    f"{head.category_id}, which the file does not list."
                )
            else:
                self._of_image[place].append(at)
                classes[place].add(self._places[head.category_id])
        known = (
            AnnotatedImage(
                place=place,
                path=image.file_name,
                size=None if image.width is None or image.height is None else (int(image.width), int(image.height)),
                plane=image.plane,
                classes=frozenset(classes[place]),
                annotations=len(self._of_image[place]),
                left_out=left_out[place],
            )
            for place, image in enumerate(images)
        )
        return tuple(known), stray

    def _head(self, at: int, raw: msgspec.Raw) -> _Head:
        try:
            return _heads.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            raise MaskMismatch(
                _(
                    "{name}: annotation {at} is none of COCO's instances: {why}.",
                    name=self.name,
                    at=at + 1,
                    why=_why(error),
                )
            ) from error


_files = msgspec.json.Decoder(_File)
_heads = msgspec.json.Decoder(_Head)
_areas = msgspec.json.Decoder(_Area)


def _file_at(path: Path) -> Path:
    """The file of a path: itself, or what a folder has of the kind."""
    if not path.is_dir():
        return path
    from segstudio.formats.coco import FILE

    if (path / FILE).is_file():
        return path / FILE
    found = sorted(file for file in path.iterdir() if file.suffix.lower() == ".json")
    if len(found) != 1:
        has = "no JSON file" if not found else f"{len(found)} JSON files"
        raise UserError(
            _("{path} holds {has}, and none is called {file}.", path=path, has=has, file=FILE),
            todo=_("Name the file that is meant."),
        )
    return found[0]


def _unique(ids: Sequence[_Id], what: str, name: str) -> dict[_Id, int]:
    places = {id_: place for place, id_ in enumerate(ids)}
    if len(places) < len(ids):
        twice = next(id_ for id_, number in Counter(ids).items() if number > 1)
        raise MaskMismatch(_("{name}: two of its {what} have the id {twice}.", name=name, what=what, twice=twice))
    return places


def _packed(segmentation: list[list[float]] | _Rle, width: int, height: int, said: str) -> bytes:
    """The area as packed code. Raises `MaskMismatch`."""
    if not isinstance(segmentation, _Rle):
        return packed_polygons(segmentation, width, height, said)
    if segmentation.size != (height, width):
        h, w = segmentation.size
        raise MaskMismatch(
            _(
                "{said} is made for {w} x {h} pixels, but its image has {width} x {height}.",
                said=said,
                w=w,
                h=h,
                width=width,
                height=height,
            )
        )
    if isinstance(segmentation.counts, str):
        return segmentation.counts.encode()
    return packed_counts(segmentation.counts, width, height, said)


def _why(error: Exception) -> str:
    """The library's reason as the rest of a sentence: 'expected `int`, got `str` (at `$.images[0].id`)'."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    reason, _, place = str(error).partition(" - at ")
    reason = reason.rstrip(".")
    return f"{reason[:1].lower()}{reason[1:]}" + (f" (at {place})" if place else "")

"""Reads COCO's files of instances, of any program: polygons, run lengths and packed run lengths.

The text of the file is kept, with the place of each annotation; areas are decoded image by image. Nothing is taken on
trust: ids may be sparse or text, sizes wrong, numbers not finite.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from segstudio.errors import MaskMismatch, UnreadableImage, UserError
from segstudio.formats.annotated import packed_counts, packed_polygons
from segstudio.formats.values import AnnotatedImage, Annotation, AnnotationClass
from segstudio.text import N_, _, count

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
    """The part that is read of all annotations at the start."""

    image_id: _Id
    category_id: _Id
    id: _Id = ""
    segmentation: msgspec.Raw = msgspec.Raw(b"[]")
    keypoints: msgspec.Raw = msgspec.Raw(b"[]")


class _Rle(msgspec.Struct):
    size: tuple[int, int]
    counts: list[int] | str


class _Area(msgspec.Struct):
    """The part that is read of an annotation together with its image."""

    category_id: _Id
    segmentation: list[list[float]] | _Rle
    id: _Id = ""
    iscrowd: Literal[0, 1] | bool = 0


_NOTHING = (b"", b"[]", b"null", b"{}", b"[[]]")
_KEYPOINTS = N_("keypoints without a segmentation")
_BOXES = N_("boxes without a segmentation")


class CocoReader:
    """See `AnnotationReader`.

    Raises `UserError` for a path without such a file, `UnreadableImage` for a file of another kind, `MaskMismatch` if
    its parts do not belong together.
    """

    def __init__(self, path: Path) -> None:
        self._path = _file_at(path)
        content = self._read()
        self._annotations = content.annotations
        self._places = _unique(
            [c.id for c in content.categories], N_("{name}: two categories have the id {id}."), self.name
        )
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
        """The images; here each plane of an image with several is an image of its own."""
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
                        "{name}: annotation {number} of {path} is invalid: {why}.",
                        name=self.name,
                        number=at + 1,
                        path=image.path,
                        why=_why(error),
                    )
                ) from error
            number = area.id if area.id != "" else at + 1
            said = _("{name}: annotation {number} of {path}", name=self.name, number=number, path=image.path)
            packed = _packed(area.segmentation, width, height, said)
            yield Annotation(said, self._places[area.category_id], packed, bool(area.iscrowd))

    def _read(self) -> _File:
        try:
            text = self._path.read_bytes().removeprefix(b"\xef\xbb\xbf")
        except OSError as error:
            raise UnreadableImage(
                _("{name} cannot be read: {reason}.", name=self.name, reason=error.strerror or error)
            ) from error
        try:
            return _files.decode(text)
        except (msgspec.ValidationError, RecursionError) as error:
            raise UnreadableImage(
                _("{name} is not a COCO file of instances: {why}.", name=self.name, why=_why(error))
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnreadableImage(
                _("{name} is not JSON, or is cut short: {why}.", name=self.name, why=_why(error))
            ) from error

    def _indexed(self, images: Sequence[_Image]) -> tuple[tuple[AnnotatedImage, ...], int]:
        """The images with their annotations, and the number of annotations that belong to none."""
        places = _unique([image.id for image in images], N_("{name}: two images have the id {id}."), self.name)
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
                    _(
                        "{name}: annotation {number} has the category {category}, which the file does not list.",
                        name=self.name,
                        number=head.id if head.id != "" else at + 1,
                        category=head.category_id,
                    )
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
                    "{name}: annotation {number} is not a COCO instance: {why}.",
                    name=self.name,
                    number=at + 1,
                    why=_why(error),
                )
            ) from error


_files = msgspec.json.Decoder(_File)
_heads = msgspec.json.Decoder(_Head)
_areas = msgspec.json.Decoder(_Area)


def _file_at(path: Path) -> Path:
    """The file at a path: itself, or the one of this kind in a folder."""
    if not path.is_dir():
        return path
    from segstudio.formats.coco import FILE

    if (path / FILE).is_file():
        return path / FILE
    found = sorted(file for file in path.iterdir() if file.suffix.lower() == ".json")
    if len(found) != 1:
        holds = (
            count(
                len(found),
                "{path} holds {n} JSON file, and none named {file}.",
                "{path} holds {n} JSON files, and none named {file}.",
                path=path,
                file=FILE,
            )
            if found
            else _("{path} holds no JSON file.", path=path)
        )
        raise UserError(holds, todo=_("Name the file to use."))
    return found[0]


def _unique(ids: Sequence[_Id], twofold: str, name: str) -> dict[_Id, int]:
    places = {id_: place for place, id_ in enumerate(ids)}
    if len(places) < len(ids):
        twice = next(id_ for id_, number in Counter(ids).items() if number > 1)
        raise MaskMismatch(_(twofold, name=name, id=twice))
    return places


def _packed(segmentation: list[list[float]] | _Rle, width: int, height: int, said: str) -> bytes:
    """The area as packed code. Raises `MaskMismatch`."""
    if not isinstance(segmentation, _Rle):
        return packed_polygons(segmentation, width, height, said)
    if segmentation.size != (height, width):
        h, w = segmentation.size
        raise MaskMismatch(
            _(
                "{name} is made for {w} x {h} pixels, but its image has {width} x {height}.",
                name=said,
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
        return _("it is nested too deeply")
    reason, _separator, place = str(error).partition(" - at ")
    reason = reason.rstrip(".")
    reason = f"{reason[:1].lower()}{reason[1:]}"
    return _("{reason} (at {place})", reason=reason, place=place) if place else reason

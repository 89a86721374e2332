"""An image, and a project of images, looked at for faults: what of all that is on the planes is one."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass

from segstudio.geometry import tiles_of
from segstudio.labels.document import Document
from segstudio.labels.lint.finding import NEARLY_EMPTY_PX, Finding, LintKind
from segstudio.labels.lint.plane import Area, PlaneLook, look_at_plane
from segstudio.labels.model import ClassId, ClassTable, ImageId, ObjectId
from segstudio.labels.paint.fill import OutsideOf

__all__ = ["ImageLook", "class_findings", "findings_of", "look_at", "tiles_to_look_at"]


@dataclass(frozen=True, slots=True)
class ImageLook:
    """What is on all planes of an image."""

    image: ImageId
    planes: tuple[PlaneLook, ...]

    def pixels(self, class_id: int) -> int:
        """How many pixels of the image a class has."""
        return sum(look.pixels.get(class_id, 0) for look in self.planes)


def look_at(
    document: Document, classes: ClassTable, below: int, outside: OutsideOf | None = None
) -> Generator[int, None, ImageLook]:
    """Look at all planes of an image; yields how many tiles were looked at. Parts and holes of fewer than `below`
    pixels are small; what lies `outside` the picture need not be labelled. The document is only read."""
    done = document.done_planes
    planes: list[PlaneLook] = []
    for plane in range(len(document.raster.sizes)):
        steps = look_at_plane(document, plane, classes, below=below, done=plane in done, outside=outside)
        planes.append((yield from steps))
    return ImageLook(document.image, tuple(planes))


def tiles_to_look_at(document: Document) -> int:
    """How many tiles `look_at` tells of."""
    bounds = map(document.raster.bounds, range(len(document.raster.sizes)))
    return sum(1 for each in bounds for _ in tiles_of(each))


def findings_of(look: ImageLook) -> Iterator[Finding]:
    """The findings of an image, by plane, kind and place. A small part is a speck where its class has a larger one in
    the image, on whatever plane."""
    largest: dict[int, int] = {}
    for plane in look.planes:
        for class_id, pixels in plane.largest.items():
            largest[class_id] = max(largest.get(class_id, 0), pixels)
    for number, plane in enumerate(look.planes):
        specks = (area for area in plane.small if area.pixels < largest[area.class_id])
        for kind, areas in (
            (LintKind.SPECK, specks),
            (LintKind.PINHOLE, plane.holes),
            (LintKind.TOUCHING, plane.contacts),
            (LintKind.UNKNOWN_IN_DONE, plane.unknown),
        ):
            for area in sorted(areas, key=_reading_order):
                class_id = ClassId(area.class_id) if area.class_id else None
                object_id = ObjectId(area.object_id) if area.object_id else None
                yield Finding(kind, look.image, number, class_id, object_id, area.rect, area.pixels)


def class_findings(looks: Iterable[ImageLook], classes: ClassTable) -> Iterator[Finding]:
    """The classes in use that have few pixels in these images, or none; background and ignore aside."""
    pixels: dict[int, int] = {}
    places: dict[int, tuple[ImageLook, int]] = {}
    for look in looks:
        for number, plane in enumerate(look.planes):
            for class_id, found in plane.pixels.items():
                pixels[class_id] = pixels.get(class_id, 0) + found
                places.setdefault(class_id, (look, number))
    yield from _nearly_empty(pixels, places, classes)
    for found in classes.foreground:
        if not pixels.get(found.id):
            yield Finding(LintKind.UNUSED_CLASS, None, None, found.id, None, None, 0)


def _nearly_empty(
    pixels: Mapping[int, int], places: Mapping[int, tuple[ImageLook, int]], classes: ClassTable
) -> Iterator[Finding]:
    for found in classes.foreground:
        if 0 < pixels.get(found.id, 0) < NEARLY_EMPTY_PX:
            look, plane = places[found.id]
            rect = look.planes[plane].boxes[found.id]
            kind = LintKind.NEARLY_EMPTY_CLASS
            yield Finding(kind, look.image, plane, found.id, None, rect, pixels[found.id])


def _reading_order(area: Area) -> tuple[int, int, int]:
    return area.rect.y, area.rect.x, area.object_id

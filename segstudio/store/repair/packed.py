"""Classes of objects by image, packed: dictionaries of all the objects of a project would not fit into memory."""

from array import array
from collections.abc import Iterator

__all__ = ["PackedObjects"]


class PackedObjects:
    """Sixteen bytes an object. Of an object that was added twice the first class counts."""

    def __init__(self) -> None:
        self._of: dict[int, array[int]] = {}

    def add(self, image: int, object_id: int, class_id: int) -> None:
        """Take in the class of one object."""
        found = self._of.get(image)
        if found is None:
            found = self._of[image] = array("q")
        found.append(object_id)
        found.append(class_id)

    def images(self) -> set[int]:
        """The images that have an object here."""
        return set(self._of)

    def of(self, image: int) -> dict[int, int]:
        """Class by object of one image."""
        packed = self._of.get(image, ())
        return dict(zip(reversed(packed[::2]), reversed(packed[1::2]), strict=True)) if packed else {}

    def classes(self) -> Iterator[int]:
        """The class of every object."""
        for packed in self._of.values():
            yield from packed[1::2]

    def drop(self, image: int) -> None:
        """Forget an image."""
        self._of.pop(image, None)

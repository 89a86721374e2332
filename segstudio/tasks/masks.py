"""Values in masks become classes: by a project's own values, and by what a person maps (`0=soil,7=crack,255=`)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import MaskMismatch, UnknownClassValue, UnreadableImage, UsageError, UserError
from segstudio.formats.naming import matched
from segstudio.formats.values import MaskFile, MaskReader, MaskValues
from segstudio.labels.model import ClassTable
from segstudio.store.values import ImageRow

__all__ = ["MatchedMask", "MatchedMasks", "ValueTable", "matched_masks", "parsed_map", "read_classes"]

_MOST_VALUES = 1 << 16


def parsed_map(texts: Iterable[str]) -> dict[int, str]:
    """Value -> class name ('' = unknown) of texts like `0=soil,7=crack,255=`. Raises `UsageError`."""
    found: dict[int, str] = {}
    for part in (part for text in texts for part in text.split(",")):
        value, mark, name = part.partition("=")
        if not mark or not value.strip().isascii() or not value.strip().isdigit() or int(value) >= _MOST_VALUES:
            raise UsageError(f"'{part}' is no VALUE=CLASS with a value of 0 to {_MOST_VALUES - 1}.")
        if int(value) in found:
            raise UsageError(f"The value {int(value)} is mapped twice.")
        found[int(value)] = name.strip()
    return found


class ValueTable:
    """Class id by value in a mask."""

    def __init__(self, classes: ClassTable, mapping: Mapping[int, str]) -> None:
        """Raises `UserError` where `mapping` names a class that the project has not."""
        self._lookup = np.full(_MOST_VALUES, -1, np.int32)
        for c in classes.all:
            counts_as = classes.effective(c.id)
            if counts_as is not None and c.value < _MOST_VALUES:
                self._lookup[c.value] = counts_as.id
        self._mapped = set(mapping)
        for value, name in mapping.items():
            named = classes.named(name) if name else None
            if name and named is None:
                raise UserError(f"The project has no class '{name}'; it has {', '.join(c.name for c in classes)}.")
            self._lookup[value] = 0 if named is None else named.id

    def class_ids(self, mask: MaskValues, name: str) -> NDArray[np.int32]:
        """Class ids (h, w), 0 = unknown, of the mask `name`. Raises `UnknownClassValue` for a value without a class."""
        lookup = self._lookup
        unknown = {255, mask.unknown}
        # In 16 bits 255 may be a class; in 8 bits it never is.
        free = [v for v in unknown if v not in self._mapped and (lookup[v] < 0 or v == mask.unknown)]
        if free:
            lookup = lookup.copy()
            lookup[free] = 0
        ids = lookup[mask.values]
        if ids.size and int(ids.min()) < 0:
            wrong = np.unique(mask.values[ids < 0])
            listed = ", ".join(str(v) for v in wrong[:5]) + (" ..." if len(wrong) > 5 else "")
            raise UnknownClassValue(
                f"{name} holds the value{'s' if len(wrong) > 1 else ''} {listed}, which no class of the project has.",
                todo=f"Say what is meant: --map {wrong[0]}=CLASS, or --map {wrong[0]}= for unknown.",
            )
        return ids


@dataclass(frozen=True, slots=True)
class MatchedMask:
    """A mask and the plane it belongs to."""

    mask: MaskFile
    image: ImageRow
    plane: int


@dataclass(frozen=True, slots=True)
class MatchedMasks:
    """Masks with their images, and the names of those that belong to none (or to several alike)."""

    masks: tuple[MatchedMask, ...]
    skipped: tuple[str, ...]


def matched_masks(reader: MaskReader, path: Path, images: Sequence[ImageRow]) -> MatchedMasks:
    """Find the masks below a path and their images.

    Raises `UserError` where there is none, or none that belongs to an image, `MaskMismatch` where two are for one.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist.")
    masks = reader.find(path)
    if not masks:
        raise UserError(f"{path} holds no mask.")
    matching = matched([mask.name for mask in masks], [(image.path, len(image.planes)) for image in images])
    skipped = tuple(masks[i].name for i in sorted((*matching.unmatched, *matching.ambiguous)))
    if not matching.pairs:
        raise UserError(
            f"None of the {len(masks)} masks in {path} belongs to an image of the project: {', '.join(skipped[:3])}"
            f"{' ...' if len(skipped) > 3 else ''}."
        )
    return MatchedMasks(tuple(MatchedMask(masks[m], images[i], plane) for m, i, plane in matching.pairs), skipped)


def read_classes(reader: MaskReader, found: MatchedMask, table: ValueTable) -> NDArray[np.int32]:
    """Class ids (h, w) of a mask, 0 = unknown. Raises `MaskMismatch` where its size is not the plane's,
    `UnknownClassValue`, `UnreadableImage`."""
    # Before decoding: a header may ask for any amount of memory.
    try:
        width, height = reader.size(found.mask)
        if (width, height) != found.image.planes[found.plane]:
            w, h = found.image.planes[found.plane]
            raise MaskMismatch(
                f"{found.mask.name} has {width} x {height} pixels, but its image {found.image.path} has {w} x {h}."
            )
        values = reader.read(found.mask)
    except OSError as error:
        raise UnreadableImage(f"{found.mask.name} cannot be read: {error.strerror or error}.") from error
    return table.class_ids(values, found.mask.name)

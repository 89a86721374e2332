"""Names of mask files: which one an image gets, and which image a file belongs to. Pure functions of paths."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from segstudio.errors import MaskMismatch
from segstudio.labels.model import folded_name

__all__ = ["Matching", "mask_paths", "matched"]

Images = Sequence[tuple[str, int]]
"""(relative path with '/', number of planes)"""


def mask_paths(images: Images) -> list[list[str]]:
    """For every image the path of each plane's mask: its stem, with its extension where two would have one name.

    Names that differ only in case or in Unicode composition count as one: some file systems see them so.
    """
    full: set[int] = set()
    while True:
        paths = [_paths(path, planes, index in full) for index, (path, planes) in enumerate(images)]
        owners: dict[str, int] = {}
        clashing: set[int] = set()
        for index, names in enumerate(paths):
            for name in names:
                owner = owners.setdefault(folded_name(name), index)
                if owner != index:
                    clashing |= {owner, index}
        if clashing <= full:
            return paths
        full |= clashing


def _paths(path: str, planes: int, with_extension: bool) -> list[str]:
    stem = path if with_extension else _without_extension(path)
    if planes == 1:
        return [f"{stem}.png"]
    return [f"{stem}_p{plane:04d}.png" for plane in range(planes)]


def _without_extension(path: str) -> str:
    name = PurePosixPath(path)
    return str(name.with_suffix("")) if name.suffix and name.stem.strip(".") else path


@dataclass(frozen=True, slots=True)
class Matching:
    """(mask, image, plane) as indices, masks that belong to no image, and those that could belong to several."""

    pairs: tuple[tuple[int, int, int], ...]
    unmatched: tuple[int, ...]
    ambiguous: tuple[int, ...]


def matched(masks: Sequence[str], images: Images) -> Matching:
    """Find the image and plane of every mask by path and stem.

    A mask may be named as an export would name it, like the image itself, or like it with `.png` added. Where folders
    differ, one path has to be the end of the other, and the longest such one wins. Raises `MaskMismatch` where two
    masks are for one plane.
    """
    index = _index(images)
    pairs: list[tuple[int, int, int]] = []
    unmatched: list[int] = []
    ambiguous: list[int] = []
    taken: dict[tuple[int, int], int] = {}
    for number, name in enumerate(masks):
        best = _best(_parts(name), index)
        if len(best) != 1:
            (ambiguous if best else unmatched).append(number)
            continue
        target = best.pop()
        if target in taken:
            path = images[target[0]][0]
            raise MaskMismatch(f"Two masks are for one image, {path}: {masks[taken[target]]} and {name}.")
        taken[target] = number
        pairs.append((number, *target))
    return Matching(tuple(pairs), tuple(unmatched), tuple(ambiguous))


Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Spelling:
    """One way to write the mask of an image's plane; `exported` where an export writes it so."""

    parts: Parts
    exported: bool
    target: tuple[int, int]


def _index(images: Images) -> dict[str, list[_Spelling]]:
    """Spellings by the last part of the name."""
    index: defaultdict[str, list[_Spelling]] = defaultdict(list)
    for number, ((path, planes), names) in enumerate(zip(images, mask_paths(images), strict=True)):
        for plane, name in enumerate(names):
            others = {_paths(path, planes, True)[plane]}
            if planes == 1 and path.lower().endswith(".png"):
                others.add(path)
            found = {_parts(other): False for other in others} | {_parts(name): True}
            for parts, exported in found.items():
                index[parts[-1]].append(_Spelling(parts, exported, (number, plane)))
    return index


def _parts(name: str) -> Parts:
    """Folded parts of a mask's path without its `.png`."""
    stem = name[:-4] if name.lower().endswith(".png") else name
    return tuple(folded_name(part) for part in PurePosixPath(stem).parts)


def _best(parts: Parts, index: dict[str, list[_Spelling]]) -> set[tuple[int, int]]:
    """Images and planes that fit a mask's path best."""
    found: set[tuple[int, int]] = set()
    best = (0, False, False)
    for spelling in index.get(parts[-1], []) if parts else []:
        common = min(len(spelling.parts), len(parts))
        # Of equally long ends the path that is the same from its start is meant, then the one an export writes.
        score = (common, len(spelling.parts) == len(parts), spelling.exported)
        if spelling.parts[-common:] != parts[-common:] or score < best:
            continue
        found = {spelling.target} if score > best else found | {spelling.target}
        best = score
    return found

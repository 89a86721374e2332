"""Names of mask files: the names an image gets, and the image a file belongs to. Pure functions of paths."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePath, PurePosixPath

from segstudio.errors import MaskMismatch, UsageError
from segstudio.formats.folder_words import ROLE_WORDS
from segstudio.labels.model import folded_name
from segstudio.text import _

__all__ = ["Matching", "Places", "StemPattern", "entries_matched", "mask_paths", "matched"]

Images = Sequence[tuple[str, int]]
"""(relative path with '/', number of planes)"""


def mask_paths(images: Images, ending: str) -> list[list[str]]:
    """For every image, the path of each plane's mask: its stem, its extension too where two would share a name, and the
    ending of the format (`.png`).

    Names that differ only in case or in Unicode composition count as equal, as on some file systems.
    """
    return [[f"{stem}{ending}" for stem in stems] for stems in _mask_stems(images)]


def _mask_stems(images: Images) -> list[list[str]]:
    """See `mask_paths`: the paths without the ending of the format."""
    full: set[int] = set()
    while True:
        paths = [_stems(path, planes, index in full) for index, (path, planes) in enumerate(images)]
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


def _stems(path: str, planes: int, with_extension: bool) -> list[str]:
    stem = path if with_extension else _without_extension(path)
    if planes == 1:
        return [stem]
    return [f"{stem}_p{plane:04d}" for plane in range(planes)]


def _without_extension(path: str) -> str:
    if path.lower().endswith(_COMPRESSED) and len(PurePosixPath(path).name) > len(_COMPRESSED):
        return path[: -len(_COMPRESSED)]
    name = PurePosixPath(path)
    return str(name.with_suffix("")) if name.suffix and name.stem.strip(".") else path


_COMPRESSED = ".nii.gz"
"""The one extension of images that has two parts."""


@dataclass(frozen=True, slots=True)
class Matching:
    """(mask, image, plane) as indices, masks that match no image, and masks that match several."""

    pairs: tuple[tuple[int, int, int], ...]
    unmatched: tuple[int, ...]
    ambiguous: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StemPattern:
    """How masks are named, with `{stem}` for the image's stem: `{stem}_mask`, or `{stem}/mask` with a folder."""

    text: str

    def __post_init__(self) -> None:
        """Raises `UsageError` unless it holds the stem exactly once."""
        if self.text.count(_STEM) != 1:
            raise UsageError(
                _(
                    "'{text}' is not a pattern: it must hold {stem} exactly once, as in '{stem}_mask'.",
                    text=self.text,
                    stem=_STEM,
                )
            )

    def stem_of(self, parts: "Parts", endings: Sequence[str]) -> "Parts | None":
        """The folded parts of a mask's path, the last ones replaced by the image's stem; None if they do not match.

        The pattern may have one of the endings of the masks' format, or none."""
        wanted = _parts(_without_ending(self.text, endings))
        before, _, after = "/".join(wanted).partition(_STEM)
        tail = "/".join(parts[-len(wanted) :])
        stem = tail[len(before) : len(tail) - len(after)]
        if len(parts) < len(wanted) or not tail.startswith(before) or not tail.endswith(after):
            return None
        return (*parts[: -len(wanted)], stem) if stem and "/" not in stem else None


_STEM = "{stem}"


@dataclass(frozen=True, slots=True)
class Places:
    """What is known about masks and images besides their names.

    Absolute paths of both, in their order; the image that a mask's file itself is; the masks named by an export.
    """

    masks: Sequence[str] = ()
    images: Sequence[str] = ()
    itself: Mapping[int, int] = field(default_factory=dict[int, int])
    exported: frozenset[int] = frozenset()

    def parallel(self, mask: int, image: int) -> bool:
        """Whether both are in one folder, or in two whose names differ only in words for masks and for images."""
        if not self.masks or not self.images:
            return False
        return _plain_folder(_folder(self.masks[mask])) == _plain_folder(_folder(self.images[image]))


def _folder(path: str) -> str:
    return str(PurePath(path).parent)


@lru_cache(4096)
def _plain_folder(folder: str) -> "Parts":
    return _plain(tuple(map(folded_name, PurePath(folder).parts)))


def matched(
    masks: Sequence[str],
    images: Images,
    endings: Sequence[str],
    places: Places | None = None,
    pattern: StemPattern | None = None,
) -> Matching:
    """Find the image and plane of every mask by path and stem.

    `endings` are those of the masks' format, in small letters (`.png`). A mask may be named as an export would name it,
    like the image itself, or like it with such an ending added; with a `pattern`, all are named by that. Where folders
    differ, one path must be the end of the other, and the longest match wins; folders named after masks (`masks`,
    `labels` ...) or images do not count. An image in the folder parallel to the mask's own comes before all others.
    Raises `MaskMismatch` if two masks are for one plane.
    """
    places = places or Places()
    endings = tuple(endings)
    index = _index(images, endings)
    pairs: list[tuple[int, int, int]] = []
    unmatched: list[int] = []
    ambiguous: list[int] = []
    taken: dict[tuple[int, int], int] = {}
    for number, name in enumerate(masks):
        parts = _parts(_without_ending(name, endings))
        parts = parts if pattern is None else pattern.stem_of(parts, endings)
        best = set[tuple[int, int]]() if parts is None else _best(number, parts, index, places)
        if len(best) != 1:
            (ambiguous if best else unmatched).append(number)
            continue
        target = best.pop()
        if target in taken:
            path = images[target[0]][0]
            raise MaskMismatch(
                _(
                    "Two masks match the image {path}: {first} and {second}.",
                    path=path,
                    first=masks[taken[target]],
                    second=name,
                ),
                todo=_("Name the folder or the file to use."),
            )
        taken[target] = number
        pairs.append((number, *target))
    return Matching(tuple(pairs), tuple(unmatched), tuple(ambiguous))


def entries_matched(names: Sequence[str], images: Sequence[str]) -> dict[int, int]:
    """The image of each entry of a file of annotations, as places in both lists: the one with its path, else the only
    one with its file name. A name that occurs more than once, on either side, matches nothing."""
    paths = [folded_name(path) for path in images]
    exact = {path: place for place, path in enumerate(paths)}
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    for place, path in enumerate(paths):
        by_name[path.rpartition("/")[2]].append(place)
    wanted = [folded_name(name.replace("\\", "/")).removeprefix("./") for name in names]
    found = {at: exact[name] for at, name in enumerate(wanted) if name in exact}
    taken = set(found.values())
    distant: defaultdict[str, set[str]] = defaultdict(set)
    for at, name in enumerate(wanted):
        if at not in found:
            distant[name.rpartition("/")[2]].add(name)
    for at, name in enumerate(wanted):
        last = name.rpartition("/")[2]
        if at not in found and len(by_name[last]) == 1 and len(distant[last]) == 1 and by_name[last][0] not in taken:
            found[at] = by_name[last][0]
    return dict(sorted(found.items()))


Parts = tuple[str, ...]


def _plain(folders: Parts) -> Parts:
    """Folded folder names without the words for masks and images; names of nothing else are left out."""
    plain = (_without_role(name) for name in folders)
    return tuple(name for name in plain if name)


@lru_cache(4096)
def _without_role(name: str) -> str:
    words = re.split(r"[\W_]+", name)
    kept = [word for word in words if word not in ROLE_WORDS]
    return name if len(kept) == len(words) else "_".join(filter(None, kept))


@dataclass(frozen=True, slots=True)
class _Spelling:
    """One name for the mask of an image's plane; `rank` says how specific it is: 2 as an export writes it, 1 like the
    image's own name, 0 by the stem alone, which other images may share."""

    parts: Parts
    plain: Parts
    rank: int
    target: tuple[int, int]


_Index = dict[tuple[str, str | None], list[_Spelling]]
"""Spellings by name and folder (see `_folder_of`), and all of one name under None. By folder, because thousands of
folders may each hold an `image.png`."""


def _index(images: Images, endings: tuple[str, ...]) -> _Index:
    """The ways to name the masks of all images."""
    index: defaultdict[tuple[str, str | None], list[_Spelling]] = defaultdict(list)
    for number, ((path, planes), stems) in enumerate(zip(images, _mask_stems(images), strict=True)):
        for plane, stem in enumerate(stems):
            ranks = {_parts(_stems(path, planes, False)[plane]): 0, _parts(_stems(path, planes, True)[plane]): 1}
            if planes == 1 and path.lower().endswith(endings):
                ranks[_parts(_without_ending(path, endings))] = 1
            ranks[_parts(stem)] = 2
            for parts, rank in ranks.items():
                plain = (*_plain(parts[:-1]), parts[-1])
                spelling = _Spelling(parts, plain, rank, (number, plane))
                for folder in (None, _folder_of(plain)):
                    index[parts[-1], folder].append(spelling)
    return index


def _folder_of(plain: Parts) -> str:
    """The last folder that is not named after its role; '' if there is none."""
    return plain[-2] if len(plain) > 1 else ""


def _candidates(plain: Parts, index: _Index) -> Sequence[_Spelling]:
    """The spellings that may match: where the folders differ, neither path is the end of the other."""
    folder = _folder_of(plain)
    if not folder:
        return index.get((plain[-1], None), ())
    return [*index.get((plain[-1], folder), ()), *index.get((plain[-1], ""), ())]


def _parts(stem: str) -> Parts:
    """Folded parts of a mask's path without its ending."""
    return tuple(folded_name(part) for part in PurePosixPath(stem).parts)


def _without_ending(name: str, endings: Sequence[str]) -> str:
    """A path without the longest of the endings that it has."""
    found = max((ending for ending in endings if name.lower().endswith(ending)), key=len, default="")
    return name[: len(name) - len(found)]


def _best(mask: int, parts: Parts, index: _Index, places: Places) -> set[tuple[int, int]]:
    """Images and planes that match a mask's path best."""
    found: set[tuple[int, int]] = set()
    best: tuple[float, ...] = ()
    plain = (*_plain(parts[:-1]), parts[-1]) if parts else ()
    for spelling in _candidates(plain, index) if parts else ():
        if spelling.target[0] == places.itself.get(mask):
            continue
        parallel = places.parallel(mask, spelling.target[0])
        common, common_plain = _common(spelling.parts, parts), _common(spelling.plain, plain)
        if not (common or common_plain or parallel):
            continue
        whole = common == len(parts) == len(spelling.parts)
        score = (
            mask in places.exported and whole and spelling.rank == 2,
            parallel,
            common_plain,
            # Of equally long ends, a path that matches from its start wins, then the one an export writes.
            len(spelling.plain) == len(plain),
            common,
            len(spelling.parts) == len(parts),
            spelling.rank,
        )
        if score < best:
            continue
        found = {spelling.target} if score > best else found | {spelling.target}
        best = score
    return found


def _common(a: Parts, b: Parts) -> int:
    """The number of parts of the shorter path if it is the end of the other, else 0."""
    common = min(len(a), len(b))
    return common if a[-common:] == b[-common:] else 0

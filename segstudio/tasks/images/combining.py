"""Files that are channels or slices of one image: by a pattern that a person gives, or as known instruments name them.

What does not fit is not mended: bands of unequal size stay the images that they are, and that is said.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from segstudio.errors import UsageError
from segstudio.imaging.metadata import Channel, decoded, encoded
from segstudio.labels.model import folded_name
from segstudio.store.values import NewFile, NewImage, NewPlane
from segstudio.tasks.images.scan import natural_key
from segstudio.text import N_, _

__all__ = ["Combining", "by_pattern", "combined", "known_ways"]

_FIELD = re.compile(r"\{(\w*)\}")
_GROUPS = {"name": r"(?P<name>.+?)", "c": r"(?P<c>[^/]+?)", "z": r"(?P<z>[^/]+?)"}
_SHIFTED = N_("Its bands were taken through lenses side by side, and may be shifted against each other.")


@dataclass(frozen=True, slots=True)
class Combining:
    """How files are found that belong together: `pattern` matches a file's name and has a group `c`, `z` or both;
    `name` is what is equal in all of them. At least `least` files make an image; `note` is said of it. `grey`: only
    files of one channel are meant.
    """

    pattern: re.Pattern[str]
    least: int = 2
    note: str = ""
    grey: bool = True


def by_pattern(text: str) -> Combining:
    """The way that a person describes, such as `{name}_{c}.tif`. Raises `UsageError`."""
    fields = _FIELD.findall(text)
    unknown = [field for field in fields if field not in _GROUPS]
    if unknown or len(set(fields)) < len(fields) or not {"c", "z"} & set(fields):
        raise UsageError(
            _(
                "'{text}' does not say how files belong together; write it like '{example}', with {fields}.",
                text=text,
                example="{name}_{c}.tif",
                fields="{name}, {c}, {z}",
            )
        )
    parts = _FIELD.split(text)
    whole = "".join(_GROUPS[part] if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return Combining(re.compile(whole, re.IGNORECASE), grey=False)


def known_ways() -> tuple[Combining, ...]:
    """How known instruments name the files of one image; each is so particular that it fits nothing else by chance."""
    return _KNOWN


_TIF = r"\.tiff?"
_KNOWN = (
    # MetaMorph and MetaXpress: a_w1.tif, a_w2DAPI_s3_t4.tif
    Combining(re.compile(rf"(?P<name>.+)_w(?P<c>[1-9][^_]*)(?P<rest>(_s\d+)?(_t\d+)?){_TIF}", re.IGNORECASE)),
    # Leica: a_z003_ch01.tif
    Combining(re.compile(rf"(?P<name>.+?)(_z(?P<z>\d+))?_ch(?P<c>\d\d){_TIF}", re.IGNORECASE)),
    # Opera and Operetta: r01c02f03p04-ch1sk1fk1fl1.tiff, p being the slice
    Combining(
        re.compile(rf"(?P<name>r\d+c\d+f\d+)p(?P<z>\d+)-ch(?P<c>\d+)(?P<rest>sk\d+fk\d+fl\d+){_TIF}", re.IGNORECASE)
    ),
    # MicaSense: IMG_0001_1.tif ... _5.tif, or to _10.tif
    Combining(re.compile(rf"(?P<name>IMG_\d{{4,}})_(?P<c>10|[1-9]){_TIF}", re.IGNORECASE), 4, _SHIFTED),
    # DJI: DJI_20230101_0001_MS_NIR.TIF
    Combining(re.compile(rf"(?P<name>DJI_.+)_MS_(?P<c>G|R|RE|NIR|B){_TIF}", re.IGNORECASE), 3, _SHIFTED),
)


@dataclass(frozen=True, slots=True)
class _Member:
    image: NewImage
    c: str
    z: str


@dataclass(frozen=True, slots=True)
class Combined:
    """The images, and what was not put together though its name says so: the files, by why."""

    images: list[NewImage]
    apart: Mapping[str, tuple[str, ...]]


UNEQUAL = N_("not of one size and kind with the other files of its image, so it stays an image of its own")
LACKING = N_("a channel or a slice of its image is missing, so it stays an image of its own")


def combined(images: Sequence[NewImage], ways: Iterable[Combining]) -> Combined:
    """The images in their order, those that belong together as one, where the first of them stood; each file goes the
    first way that takes it. An image of several files already is left as it is.
    """
    found: defaultdict[tuple[Path, str, str, int], list[_Member]] = defaultdict(list)
    ways = tuple(ways)
    for image in images:
        if not image.more:
            _look(image, ways, found)
    taken = {folded_name(image.name or image.path) for image in images}
    made: dict[int, NewImage] = {}
    joined: set[int] = set()
    apart: defaultdict[str, list[str]] = defaultdict(list)
    for (_root, folder, name, place), members in found.items():
        if len(members) < ways[place].least:
            continue
        why = _against(members)
        if why:
            apart[why] += [member.image.path for member in members]
            continue
        title = _free(f"{folder}/{name}" if folder else name, taken)
        taken.add(folded_name(title))
        whole = _joined(members, title, ways[place].note)
        joined |= {id(member.image) for member in members}
        made[id(min((m.image for m in members), key=lambda image: natural_key(image.path)))] = whole
    kept = [made.get(id(image), image) for image in images if id(image) in made or id(image) not in joined]
    return Combined(kept, {why: tuple(paths) for why, paths in apart.items()})


def _look(
    image: NewImage, ways: Sequence[Combining], found: defaultdict[tuple[Path, str, str, int], list[_Member]]
) -> None:
    folder, _slash, file = image.path.rpartition("/")
    for place, way in enumerate(ways):
        match = way.pattern.fullmatch(file)
        if match is not None and (image.channels == 1 or not way.grey):
            parts = match.groupdict()
            name = (parts.get("name") or Path(folder).name or image.root.name) + (parts.get("rest") or "")
            found[image.root, folder, name, place].append(_Member(image, parts.get("c") or "", parts.get("z") or ""))
            return


def _order(texts: Iterable[str]) -> list[str]:
    return sorted(set(texts), key=natural_key)


def _against(members: Sequence[_Member]) -> str:
    """Why these files are not one image; '' if they are."""
    kinds = {(m.image.planes[0].width, m.image.planes[0].height, m.image.dtype, m.image.channels) for m in members}
    counts = {len(m.image.planes) for m in members}
    slices = _order(m.z for m in members)
    if len(kinds) > 1 or len(counts) > 1 or (len(slices) > 1 and counts != {1}):
        return UNEQUAL
    places = {(m.z, m.c) for m in members}
    full = len(slices) * len({m.c for m in members})
    return "" if len(places) == len(members) == full else LACKING


def _joined(members: Sequence[_Member], name: str, note: str) -> NewImage:
    slices, channels = _order(m.z for m in members), _order(m.c for m in members)
    ordered = sorted(members, key=lambda m: (slices.index(m.z), channels.index(m.c)))
    first = ordered[0].image
    told = decoded(first.metadata)
    deep, many = len(slices) > 1, len(channels) > 1
    named = tuple(Channel(label) for label in channels) if many and first.channels == 1 else told.channels
    spacing = told.spacing[-2:] if deep and told.spacing is not None else told.spacing
    metadata = msgspec.structs.replace(
        told,
        files=("z" if deep else "") + ("c" if many else ""),
        axes="zyx" if deep else told.axes,
        sizes=(len(slices),) if deep else told.sizes,
        channels=named if many else told.channels,
        spacing=spacing,
        notes=(*told.notes, note) if note else told.notes,
    )
    planes = first.planes
    if deep:
        size, step = first.planes[0], len(channels)
        planes = tuple(NewPlane(f"z{at}", size.width, size.height, at * step) for at in range(len(slices)))
    return replace(
        first,
        name=name,
        planes=planes,
        channels=first.channels * len(channels),
        metadata=encoded(metadata),
        more=tuple(NewFile(m.image.path, m.image.size, m.image.mtime_ns, m.image.quick_hash) for m in ordered[1:]),
    )


def _free(name: str, taken: set[str]) -> str:
    number, tried = 1, name
    while folded_name(tried) in taken:
        number += 1
        tried = f"{name}-{number}"
    return tried

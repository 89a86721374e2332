"""Files that belong together become one image: the slices of a scan, the frames of a recording."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from segstudio.imaging.metadata import decoded, encoded
from segstudio.imaging.readers.table import FAMILIES
from segstudio.imaging.source import ImageInfo
from segstudio.labels.model import folded_name
from segstudio.store.values import NewFile, NewImage, NewPlane

__all__ = ["described", "gathered", "named_in"]

_UNSAFE = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 80


def named_in(images: Sequence[NewImage]) -> int:
    """How many of the images have files that name a person."""
    return sum(decoded(image.metadata).personal for image in images)


def described(image: NewImage, info: ImageInfo) -> NewImage:
    """A new image with what a header, or those of its files, say of its planes and pixels."""
    return replace(
        image,
        planes=tuple(NewPlane(p.key, p.width, p.height, p.file) for p in info.planes),
        channels=info.channels,
        dtype=info.dtype,
        family=info.family,
        group=info.metadata.group,
        metadata=encoded(info.metadata),
    )


def gathered(images: Sequence[NewImage], infos: Mapping[int, ImageInfo]) -> list[NewImage]:
    """The images in their order, the files of a series as one, where the first of them stood.

    `infos` are the headers, by `id` of the image, of those that may be parts of one. A series is called like its folder
    where no other image lies there, else FOLDER/SERIES; a series of one file like that file.
    """
    files: defaultdict[tuple[str, str], list[NewImage]] = defaultdict(list)
    for image in images:
        part = infos[id(image)].part if id(image) in infos else None
        if part is not None:
            files[str(image.root), part.series].append(image)
    if not files:
        return list(images)
    taken = {folded_name(image.name or image.path) for image in images}
    made: dict[int, NewImage] = {}
    joined: set[int] = set()
    for series in files.values():
        stacks = FAMILIES[series[0].family].series_reader().gathered([infos[id(image)] for image in series])
        whole = len(stacks) == 1 and _is_all_of_its_folder(series, images)
        joined |= {id(image) for image in series}
        for stack in stacks:
            members = [series[place] for place in stack.places]
            image = members[0]
            if len(members) > 1:
                name = _name(series, infos[id(image)], taken, whole=whole)
                taken.add(folded_name(name))
                more = tuple(NewFile(m.path, m.size, m.mtime_ns, m.quick_hash) for m in members[1:])
                image = described(replace(image, name=name, more=more), stack.info)
            made[id(series[min(stack.places)])] = image
    return [made.get(id(image), image) for image in images if id(image) in made or id(image) not in joined]


def _is_all_of_its_folder(series: Sequence[NewImage], images: Sequence[NewImage]) -> bool:
    """Whether every image below the folder of a series is one of its files."""
    root, folder = series[0].root, _folder(series)
    prefix = f"{folder}/" if folder else ""
    return len(series) == sum(image.root == root and image.path.startswith(prefix) for image in images)


def _folder(series: Sequence[NewImage]) -> str:
    """The deepest folder of all files, relative to their root; '' for the root itself."""
    return posixpath.commonpath([posixpath.dirname(f"/{image.path}") for image in series]).lstrip("/")


def _name(series: Sequence[NewImage], info: ImageInfo, taken: set[str], *, whole: bool) -> str:
    folder = _folder(series)
    assert info.part is not None
    own = _UNSAFE.sub("_", info.part.name).strip("._")[:_LONGEST_NAME] or "series"
    name = (folder or series[0].root.name or own) if whole else f"{folder}/{own}" if folder else own
    number, tried = 1, name
    while folded_name(tried) in taken:
        number += 1
        tried = f"{name}-{number}"
    return tried

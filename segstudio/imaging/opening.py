"""An image from a path alone, without a project: a file, or the folder of a series."""

import os
from collections import defaultdict
from pathlib import Path

from segstudio.errors import UnreadableImage
from segstudio.imaging.readers.table import Content, content_of, family_of
from segstudio.imaging.source import ImageInfo, ImageSource, Stored, open_image, open_stored, probe
from segstudio.text import _

__all__ = ["open_source"]


def open_source(path: Path | str) -> ImageSource:
    """The pixels of a file, or of the series whose files lie in a folder; `read` gives them as stored.

    Of a folder with several series, that of the most files. Raises `UnreadableImage`.
    """
    path = Path(path)
    if not path.is_dir():
        return open_image(path)
    series: defaultdict[tuple[str, str], list[tuple[Path, ImageInfo]]] = defaultdict(list)
    for name in sorted(os.listdir(path)):
        file = path / name
        if not file.is_file() or content_of(file) is not Content.IMAGE:
            continue
        try:
            info = probe(file)
        except UnreadableImage:
            continue  # a report or a list of files, as every export has them; what is left out shows in the planes
        if info.part is not None:
            series[info.family, info.part.series].append((file, info))
    if not series:
        raise UnreadableImage(_("{name} cannot be read: the folder holds no series of images.", name=path.name))
    files = max(series.values(), key=len)
    stack = family_of(files[0][0]).series_reader().gathered([info for _file, info in files])[0]
    return open_stored(Stored(tuple(files[place][0] for place in stack.places), stack.info.planes, stack.info.metadata))

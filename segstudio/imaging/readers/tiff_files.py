"""An OME-TIFF of several files: each says in its header which files belong to it, and tifffile finds them beside it."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import unescape

from segstudio.imaging.readers.table import Gathered
from segstudio.imaging.source import ImageInfo, Part
from segstudio.text import N_

if TYPE_CHECKING:
    import tifffile

__all__ = ["INCOMPLETE", "joined", "missing_files", "names_of_set", "part_of"]

INCOMPLETE = N_("Files that belong to this image are missing: what they hold cannot be shown.")

_FILE_NAME = re.compile(r"""\bFileName=(?:"([^"]*)"|'([^']*)')""")
_ENDING = re.compile(r"(\.ome)?\.tiff?$", re.IGNORECASE)


def names_of_set(file: "tifffile.TiffFile") -> tuple[str, ...]:
    """The names of the files that a file says are one image with it, in order; none for a file that stands alone."""
    if not file.is_ome:
        return ()
    found = {unescape(one or other) for one, other in _FILE_NAME.findall(file.ome_metadata or "")}
    names = tuple(sorted(os.path.basename(name) for name in found if name))
    return names if len(names) > 1 else ()


def missing_files(path: Path, names: Sequence[str]) -> list[str]:
    """Those that do not lie beside the file."""
    return [name for name in names if not (path.parent / name).is_file()]


def part_of(path: Path, names: Sequence[str]) -> Part:
    """The place of a file among those of its image."""
    mark = hashlib.sha256("\0".join((str(path.parent), *names)).encode(errors="surrogatepass")).hexdigest()[:32]
    first, last = (_ENDING.sub("", name) for name in (names[0], names[-1]))
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    stem = first[:same].rstrip("_-. ")
    place = names.index(path.name) if path.name in names else len(names)
    return Part(mark, stem or first, (float(place),))


def joined(parts: Sequence[ImageInfo]) -> list[Gathered]:
    """See `SeriesReader.gathered`: each header describes the whole image already."""
    order = sorted(range(len(parts)), key=lambda place: parts[place].part.order if parts[place].part else ())  # type: ignore[union-attr]
    return [Gathered(tuple(order), replace(parts[order[0]], part=None))]

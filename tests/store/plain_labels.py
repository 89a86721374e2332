"""Labels of one image as whole arrays that know no tile, delta or index, and their digest computed from those."""

import hashlib
import struct
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from segstudio.geometry import TILE, Rect
from segstudio.labels.document import Document

__all__ = ["Labels", "labels_of", "sha"]


@dataclass
class Labels:
    """One image as plain arrays [plane, y, x]."""

    ids: np.ndarray
    origins: np.ndarray
    objects: dict[int, int] = field(default_factory=dict)
    status: str = "new"
    locked: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)

    @classmethod
    def blank(cls, planes: int, width: int, height: int) -> Self:
        return cls(np.zeros((planes, height, width), np.uint32), np.zeros((planes, height, width), np.uint8))

    def copy(self) -> Self:
        arrays, locked, done = (self.ids.copy(), self.origins.copy()), set(self.locked), set(self.done)
        return type(self)(*arrays, dict(self.objects), self.status, locked, done)


def labels_of(document: Document) -> Labels:
    """A document as plain arrays; its planes are of one size."""
    width, height = document.raster.sizes[0]
    planes = [document.raster.read(p, Rect(0, 0, width, height)) for p in range(len(document.raster.sizes))]
    ids, origins = zip(*planes, strict=True)
    locked = {int(o) for o in document.locked}
    done = set(document.done_planes)
    return Labels(np.stack(ids), np.stack(origins), dict(document.objects), document.status.value, locked, done)


def sha(labels: Labels) -> str:
    """The digest of DOCUMENT section 4, from whole arrays."""
    hasher = hashlib.sha256()
    planes, height, width = labels.ids.shape
    down, across = -(-height // TILE), -(-width // TILE)
    for plane in range(planes):
        ids = np.zeros((down * TILE, across * TILE), np.uint32)
        origins = np.zeros((down * TILE, across * TILE), np.uint8)
        ids[:height, :width], origins[:height, :width] = labels.ids[plane], labels.origins[plane]
        for ty in range(down):
            for tx in range(across):
                part = np.s_[ty * TILE : (ty + 1) * TILE, tx * TILE : (tx + 1) * TILE]
                if ids[part].any():
                    raw = ids[part].astype("<u4").tobytes() + origins[part].tobytes()
                    hasher.update(struct.pack("<III", plane, ty, tx) + hashlib.sha256(raw).digest())
    present = set(np.flatnonzero(np.bincount(labels.ids.ravel())).tolist())
    for id_ in sorted(present & labels.objects.keys()):
        hasher.update(struct.pack("<II", id_, labels.objects[id_]))
    return hasher.hexdigest()

"""A scene drawn at several zooms, as a coarse picture of each, in JSON; the ratio of the screen is the process's own.

Run by test_pixel_snapshots.py, once for each ratio (`QT_SCALE_FACTOR`). The whole pictures go to a folder, where the
variable `PICTURES` names one: look at them before they are pinned again.
"""

import json
import os
import sys

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from segstudio.app.viewing.display import DisplayImage
from segstudio.geometry import TILE
from segstudio.imaging.levels import EIGHT_BIT
from segstudio.labels.document import Document
from segstudio.labels.model import ClassId, ImageId, ObjectId
from segstudio.labels.tiles.raster import Raster
from segstudio.labels.tiles.tile import frozen
from segstudio.ui.canvas.surface import Surface
from tests.ui.canvas_values import CLASSES, proposal_of

ZOOMS = (0.4, 1.0, 2.5, 9.0)
VIEW = (360, 240)
CELL = 30
"""View pixels a cell of the coarse picture is wide and high."""

SIZE = (640, 512)


def image() -> NDArray[np.uint8]:
    """Colours (h, w, 3): waves and a ramp, the same everywhere and always."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float64)
    planes = (128 + 100 * np.sin(x / 19), 128 + 100 * np.cos(y / 27), 255 * x / SIZE[0])
    return np.dstack([np.clip(plane, 0, 255).astype(np.uint8) for plane in planes])


def document() -> Document:
    """Background, a semantic class and two instances that touch; a lone pixel that no zoom may lose."""
    ids = np.zeros((2 * TILE, 3 * TILE), np.uint32)
    ids[40:200, 40:200], ids[220:300, 230:330], ids[220:300, 330:400] = 1, 2, 3
    ids[256, 320 + 100] = 1
    ids[330:420, 100:300] = 4
    made = Document(
        ImageId(1),
        Raster([SIZE]),
        {ObjectId(1): ClassId(2), ObjectId(2): ClassId(3), ObjectId(3): ClassId(3), ObjectId(4): ClassId(1)},
        5,
    )
    for ty in range(2):
        for tx in range(3):
            part = ids[ty * TILE : (ty + 1) * TILE, tx * TILE : (tx + 1) * TILE].copy()
            made.raster.put((0, ty, tx), frozen(part, (part > 0).astype(np.uint8)))
    return made


def coarse(shown: QImage, ratio: float) -> str:
    """The mean colour of each cell as hexadecimal digits, row by row."""
    shown = shown.convertToFormat(QImage.Format.Format_RGB32)
    whole = np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), shown.bytesPerLine() // 4, 4)
    side = round(CELL * ratio)
    rows, columns = VIEW[1] // CELL, VIEW[0] // CELL
    cells = whole[: rows * side, : columns * side, :3].reshape(rows, side, columns, side, 3).mean((1, 3))
    return np.rint(cells).astype(np.uint8).tobytes().hex()


def main() -> None:
    """Draw it at every zoom."""
    QApplication(sys.argv)
    surface = Surface()
    surface.resize(*VIEW)
    surface.show()
    scene = surface._scene
    scene.labels.set_classes(CLASSES)
    scene.show(DisplayImage.of(image(), EIGHT_BIT), document(), 0)
    proposed = np.zeros((SIZE[1], SIZE[0]), int)
    proposed[100:400, 180:480] = 3
    scene.labels.set_proposal(proposal_of(proposed))
    surface._viewport.show(SIZE)
    found: dict[str, str] = {}
    for zoom in ZOOMS:
        surface.set_zoom(zoom)
        surface.move_to(320, 256)
        shown = surface.grab().toImage()
        while not surface._frame.up_to_date:  # a frame has ten milliseconds, and what is late comes with the next
            shown = surface.grab().toImage()
        found[str(zoom)] = coarse(shown, surface.devicePixelRatioF())
        if folder := os.environ.get("PICTURES"):
            shown.save(f"{folder}/{surface.devicePixelRatioF():g}-{zoom:g}.png")
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()

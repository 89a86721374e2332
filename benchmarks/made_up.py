"""A real window over a made-up image of any size: for benchmarks of the canvas.

Files of 32768 x 32768 and more cannot be opened yet as a whole, so the project holds a small TIFF that says it is as
large as that (all its tiles are one and the same), and the window is given samples that are cut from a small texture
when they are looked at. Labels, project, canvas and window are the real ones; the engine is started where a run is
asked for (`Room.learning`), and learns from the shipped coins, which lie in the same project.
"""

import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from math import ceil, log2
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.app.session import Session
from segstudio.app.viewing import displaying
from segstudio.app.viewing.display import DisplayImage
from segstudio.assets import asset
from segstudio.geometry import TILE, Rect, tile_rect
from segstudio.imaging.display import automatic_view
from segstudio.imaging.levels import EIGHT_BIT
from segstudio.imaging.readers import tiff
from segstudio.labels.edit import Edit, RowChange, Table, TileChange, TileKey
from segstudio.labels.model import Cause
from segstudio.labels.tiles.tile import EMPTY, frozen
from segstudio.runs import Stepped
from segstudio.tasks.images.new import new_project
from segstudio.ui import favour_the_hand
from segstudio.ui.window.main_window import MainWindow
from tests.window_bench import without_proposals

__all__ = ["Room", "folders_of_its_own", "opened_room"]

_LARGE = "made-up.tif"
_TEXTURE = 4096
_PERIOD = 512
_FILE_TILE = 4096
_PATIENCE_S = 60.0


class MadeUp:
    """Samples of a square image of `side` pixels, three channels of uint8: a texture that repeats, at every level."""

    channels = 3
    dtype = np.dtype(np.uint8)
    in_memory = True

    def __init__(self, side: int) -> None:
        self.sizes = [(-(-side // 2**level),) * 2 for level in range(max(ceil(log2(side / 256)), 1))]
        patch = np.random.default_rng(1).integers(0, 256, (_PERIOD, _PERIOD, 3), dtype=np.uint8)
        times = _TEXTURE // _PERIOD
        self._texture = np.tile(patch, (times, times, 1))
        self.nbytes = self._texture.nbytes

    @property
    def overview(self) -> NDArray[Any]:
        return self.read(len(self.sizes) - 1, Rect(0, 0, *self.sizes[-1]))

    def read(self, level: int, rect: Rect) -> NDArray[Any]:
        inside = rect.intersected(Rect(0, 0, *self.sizes[level]))
        x, y = inside.x % _PERIOD, inside.y % _PERIOD
        cut = self._texture[y : y + inside.h, x : x + inside.w]
        if cut.shape[:2] == (inside.h, inside.w):
            return cut
        rows, columns = np.arange(y, y + inside.h) % _PERIOD, np.arange(x, x + inside.w) % _PERIOD
        return self._texture[rows][:, columns]


def _shown(side: int) -> DisplayImage:
    """One of this side in pixels, as it is displayed."""
    return DisplayImage(MadeUp(side), EIGHT_BIT, automatic_view(3, EIGHT_BIT))


def write_blank_tiff(path: Path, side: int) -> None:
    """A tiled RGB TIFF of this side whose tiles are all the same bytes of the file."""
    across = -(-side // _FILE_TILE)
    tile = zlib.compress(bytes(_FILE_TILE * _FILE_TILE * 3), 1)
    count = across * across
    head = 8
    offsets_at = head + len(tile) + len(tile) % 2
    sizes_at = offsets_at + 4 * count
    bits_at = sizes_at + 4 * count
    directory_at = bits_at + 6
    entries = [
        (256, 4, 1, side),
        (257, 4, 1, side),
        (258, 3, 3, bits_at),
        (259, 3, 1, 8),
        (262, 3, 1, 2),
        (277, 3, 1, 3),
        (284, 3, 1, 1),
        (322, 4, 1, _FILE_TILE),
        (323, 4, 1, _FILE_TILE),
        (324, 4, count, head if count == 1 else offsets_at),
        (325, 4, count, len(tile) if count == 1 else sizes_at),
    ]
    with path.open("wb") as file:
        file.write(struct.pack("<2sHI", b"II", 42, directory_at))
        file.write(tile + b"\0" * (len(tile) % 2))
        file.write(struct.pack(f"<{count}I", *[head] * count))
        file.write(struct.pack(f"<{count}I", *[len(tile)] * count))
        file.write(struct.pack("<3H", 8, 8, 8))
        file.write(struct.pack("<H", len(entries)))
        for tag, kind, n, value in entries:
            file.write(struct.pack("<HHII", tag, kind, n, value))
        file.write(struct.pack("<I", 0))


class Room:
    """The window and what a benchmark asks of it."""

    def __init__(self, window: MainWindow, side: int) -> None:
        self.window, self.side = window, side
        self.is_learning = False

    @property
    def session(self) -> Session:
        """The window's session."""
        return self.window.session

    @cached_property
    def canvas(self) -> Any:
        """The window's canvas."""
        return self.window.canvas

    def wait(self, holds: Any) -> None:
        """Handle events until it holds."""
        for _ in range(int(_PATIENCE_S * 200)):
            if holds():
                return
            QTest.qWait(5)
        raise TimeoutError("the window did not come to rest")

    def settle(self) -> None:
        """Until every edit is durable and nothing is left to draw."""
        project = self.session.project
        assert project is not None
        self.wait(lambda: project.documents.save_state().saved and self.canvas._frame.up_to_date)
        QApplication.processEvents()

    @contextmanager
    def learning(self) -> Iterator[None]:
        """A run of the real engine goes on meanwhile. The project has to have been opened with something to learn."""
        project = self.session.project
        assert project is not None
        steps: list[Stepped] = []
        project.training.happened.connect(lambda event: steps.append(event) if isinstance(event, Stepped) else None)
        self.session.fine_tune(max_seconds=7200)
        self.wait(lambda: len(steps) > 3)
        before, self.is_learning = self._engine.cpu_times().user, True
        yield
        self.is_learning = False
        assert project.training.running
        assert self._engine.cpu_times().user > before, "nothing was learned meanwhile"
        self.session.stop_training()

    @contextmanager
    def engine_stopped(self) -> Iterator[None]:
        """The engine process is held still meanwhile."""
        self._engine.suspend()
        self.is_learning = False
        yield
        self.is_learning = True
        self._engine.resume()

    @property
    def _engine(self) -> psutil.Process:
        engines = [child for child in psutil.Process().children() if "segstudio.engine.server" in child.cmdline()]
        assert len(engines) == 1
        return engines[0]

    def paint_coins(self) -> None:
        """Paint both classes on the first image of coins, and go back to the large one."""
        project = self.session.project
        assert project is not None
        coins = next(n for n, row in enumerate(project.navigation.rows) if row.path != _LARGE)
        for place in (coins, 1 - coins):
            self.session.open_image(place)
            self.wait(lambda: project.navigation.shown is not None)
            if place == coins:
                self.session.set_brush_radius(8)
                for n, name in enumerate(("nucleus", "cell")):
                    self.session.set_class(name)
                    for x in range(20, 220, 40):
                        at = self.canvas.to_widget(x, 40 + 60 * n).toPoint()
                        QTest.mousePress(self.canvas, Qt.MouseButton.LeftButton, pos=at)
                        QTest.mouseRelease(self.canvas, Qt.MouseButton.LeftButton, pos=at + QPoint(15, 10))
            self.settle()

    def fill(self, objects: int) -> None:
        """Add so many objects of an instance class: small discs in rows around the middle, as one edit."""
        if not objects:
            return
        project = self.session.project
        assert project is not None
        document, plane = project.documents.current.document, 0
        class_id = next(c.id for c in project.documents.classes if c.name == "cell")
        side = ceil(objects**0.5)
        pitch = min(20, max(self.side // side, 4))
        y, x = np.mgrid[:pitch, :pitch] + 0.5
        disc = np.hypot(x - pitch / 2, y - pitch / 2) <= pitch * 0.4
        first = document.next_object
        numbers = np.arange(side * side).reshape(side, side)
        ids = np.kron(np.where(numbers < objects, numbers + first, 0), np.ones((pitch, pitch), np.int64))
        ids = np.where(np.tile(disc, (side, side)), ids, 0).astype(np.uint32)
        corner = max((self.side - ids.shape[0]) // 2, 0)
        tiles: dict[TileKey, TileChange] = {}
        for ty in range(corner // TILE, (corner + ids.shape[0]) // TILE + 1):
            for tx in range(corner // TILE, (corner + ids.shape[1]) // TILE + 1):
                part = tile_rect(ty, tx).intersected(Rect(corner, corner, ids.shape[1], ids.shape[0]))
                part = part.intersected(Rect(0, 0, self.side, self.side))
                if part.empty:
                    continue
                cut = np.zeros((TILE, TILE), np.uint32)
                x, y = part.x - tx * TILE, part.y - ty * TILE
                rows = slice(part.y - corner, part.bottom - corner)
                cut[y : y + part.h, x : x + part.w] = ids[rows, part.x - corner : part.right - corner]
                tile = frozen(cut, (cut > 0).astype(np.uint8))
                if tile != EMPTY:
                    tiles[plane, ty, tx] = TileChange(document.raster.tile((plane, ty, tx)), tile)
        rows = tuple(RowChange(Table.OBJECTS, first + n, None, {"class_id": class_id}) for n in range(objects))
        project.documents.commit(Edit(document.image, Cause.IMPORT, tiles, rows))
        self.settle()


@contextmanager
def folders_of_its_own(home: Path) -> Iterator[pytest.MonkeyPatch]:
    """Settings, data, state and cache of the program stand in this folder, and not in the person's; and the patch."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(variable, os.fspath(home / variable))
        yield patch


@contextmanager
def opened_room(
    side: int, objects: int = 0, size: tuple[int, int] = (1600, 1000), *, learns: bool = False
) -> Iterator[Room]:
    """A window of this size (view pixels) over a project of one image of this side, with so many objects.

    With `learns`, the project also holds an image of coins with something painted on it: see `Room.learning`.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        patch = stack.enter_context(folders_of_its_own(home))
        without_proposals(patch)
        # A file that says so much of itself is refused as a bomb; nothing of it is decoded here.
        patch.setattr(tiff, "checked_size", lambda *_: None)
        load = displaying.load_display_image
        patch.setattr(
            displaying,
            "load_display_image",
            lambda stored, *rest: _shown(side) if stored.first.name == _LARGE else load(stored, *rest),
        )
        write_blank_tiff(home / _LARGE, side)
        files = [os.fspath(home / _LARGE)]
        if learns:
            files.append(shutil.copy(sorted(asset("sample", "coins", "images").glob("*.png"))[0], home))
        path = home / "made-up.segstudio"
        for _ in new_project(path, files, ["nucleus", "cell::instance"]):
            pass
        favour_the_hand()
        window = MainWindow(Session())
        window.resize(*size)
        window.show()
        window.opening.open_path(path)
        room = Room(window, side)
        session = window.session
        room.wait(lambda: session.project is not None and session.project.navigation.shown is not None)
        if learns:
            room.paint_coins()
        room.fill(objects)
        session.set_class("nucleus")
        room.settle()
        yield room
        window.close()
        room.wait(lambda: session.project is None)
        window.deleteLater()
        QApplication.processEvents()

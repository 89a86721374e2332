"""How soon a picture is on screen: from the click in the list to its first pixels on the canvas, and to the last.

    python benchmarks/open_image.py [--cases NAME ...] [--keep FOLDER]

Each case is a process of its own: a real canvas (1298 x 658, offscreen) over a real session shows a small picture, then
the one of the case, which lies in the system's cache of files as its floor does. `first_s` is the first paint that
holds pixels of it, `whole_s` the time until all of it is decoded and drawn, each also in the processor time of all
threads (a busy machine spoils that less), `peak_mb` what the process takes more by then. The floor decodes the same
file with its library alone; its ratio is that of `first_s` where it is a smaller copy, and of `whole_s` for the rest.
Files are made in FOLDER where they are not there yet.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np
import psutil
from common import measured, report
from numpy.typing import NDArray

VIEW = (1298, 658)
TILE = 512


def texture(side: int) -> NDArray[np.uint8]:
    """A picture (side, side, 3) with something in it at every scale."""
    import cv2

    rng = np.random.default_rng(0)
    noise = sum(
        cv2.resize(rng.random((n, n, 3), np.float32), (2000, 2000), interpolation=cv2.INTER_CUBIC)
        for n in (8, 32, 128, 500)
    )
    patch = cv2.normalize(np.asarray(noise), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    times = -(-side // 2000)
    return np.tile(patch, (times, times, 1))[:side, :side]


def jpeg(file: Path, side: int, *, progressive: bool = False) -> None:
    from PIL import Image

    Image.fromarray(texture(side)).save(file, quality=90, progressive=progressive)


def tiff(file: Path, side: int, **options: Any) -> None:
    import tifffile

    tifffile.imwrite(file, texture(side), photometric="rgb", **options)


def pyramid(file: Path, side: int) -> None:
    """Tiles of JPEG with every halved level, as scanners of slides write them."""
    import tifffile

    tile = texture(TILE)

    def tiles(of: int) -> Iterator[NDArray[np.uint8]]:
        return (tile for _ in range((-(-of // TILE)) ** 2))

    with tifffile.TiffWriter(file, bigtiff=True) as written:
        of, sub = side, 0
        while of > TILE / 2:
            form: dict[str, Any] = {"tile": (TILE, TILE), "photometric": "rgb", "compression": "jpeg"}
            written.write(tiles(of), shape=(of, of, 3), dtype=np.uint8, subfiletype=sub, **form)
            of, sub = -(-of // 2), 1


def reduced_jpeg(file: Path) -> object:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(file) as image:
        image.draft(None, (image.width // 8, image.height // 8))
        return image.load()


def whole_jpeg(file: Path) -> object:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(file) as image:
        return image.load()


def whole_tiff(file: Path) -> object:
    import tifffile

    return tifffile.imread(file, maxworkers=1)


def smallest_level(file: Path) -> object:
    import tifffile

    with tifffile.TiffFile(file) as opened:
        return opened.series[0].levels[-1].asarray()


Make = Callable[[Path, int], None]
CASES: dict[str, tuple[str, int, Make, str, Callable[[Path], object]]] = {
    "JPEG": ("j4.jpg", 4096, jpeg, "the whole JPEG by Pillow", whole_jpeg),
    "large JPEG": ("j10.jpg", 10_000, jpeg, "an eighth of the JPEG by Pillow", reduced_jpeg),
    "large progressive JPEG": (
        "p10.jpg",
        10_000,
        lambda file, side: jpeg(file, side, progressive=True),
        "the whole JPEG by Pillow",
        whole_jpeg,
    ),
    "uncompressed TIFF": ("u10.tif", 10_000, tiff, "the whole TIFF by tifffile", whole_tiff),
    "tiled TIFF": (
        "t10.tif",
        10_000,
        lambda file, side: tiff(file, side, tile=(256, 256), compression="zlib"),
        "the whole TIFF by tifffile, one thread",
        whole_tiff,
    ),
    "TIFF in strips": (
        "s10.tif",
        10_000,
        lambda file, side: tiff(file, side, rowsperstrip=64, compression="zlib"),
        "the whole TIFF by tifffile, one thread",
        whole_tiff,
    ),
    "pyramid": ("pyramid30.tif", 30_000, pyramid, "the smallest level by tifffile", smallest_level),
}


def begin_peak() -> float:
    """The memory of this process in MB; from now on `peak_mb` counts, where the system can begin anew."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    except OSError:
        return peak_mb()
    return psutil.Process().memory_info().rss / 2**20


def peak_mb() -> float:
    """The most memory in MB that this process has held since; its present memory where the system does not tell."""
    try:
        with open("/proc/self/status", encoding="utf-8") as status:
            line = next(line for line in status if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    except OSError:
        return psutil.Process().memory_info().rss / 2**20


def measure(name: str, folder: Path) -> None:
    """One case, in this process."""
    from PIL import Image
    from PySide6.QtWidgets import QApplication

    from segstudio.geometry import Rect
    from segstudio.tasks.images.new import new_project
    from segstudio.ui.canvas import Canvas
    from tests.ui.canvas_values import SPECS
    from tests.ui.desk import opened_desk

    file_name, side, make, what, floor = CASES[name]
    file = folder / file_name
    if not file.exists():
        make(file, side)
    application = QApplication.instance() or QApplication([])
    bare = measured([lambda: floor(file)])
    with opened_desk() as desk:
        place = desk.place()
        small = place / "a_small.png"
        Image.fromarray(texture(300)).save(small)
        for _ in new_project(place / "p.segstudio", [str(small), str(file)], SPECS):
            pass
        canvas = Canvas(desk.session)
        canvas.resize(*VIEW)
        canvas.show()
        desk.open(place / "p.segstudio")
        application.processEvents()
        navigation = desk.navigation
        index = next(n for n, row in enumerate(navigation.rows) if row.path.endswith(file_name))
        desk.opened.navigation._ahead_soon.stop()  # else it may be there before anybody asked
        before = begin_peak()
        start, start_cpu = time.perf_counter(), time.process_time()
        navigation.open(index)
        while navigation.loading:
            application.processEvents()
        canvas.repaint()
        first = time.perf_counter() - start, time.process_time() - start_cpu
        display = navigation.display
        assert display is not None
        display.smallest()
        seen, level = canvas._viewport.visible(), max(int(np.log2(1 / min(canvas.scale, 1))), 0)
        step = 1 << level
        part = Rect(seen.x // step, seen.y // step, -(-seen.w // step), -(-seen.h // step))
        while not display.has(level, part):
            application.processEvents()
        application.processEvents()
        canvas.repaint()
        whole = time.perf_counter() - start, time.process_time() - start_cpu
        peak = peak_mb() - before
        kind = type(display.stored).__name__
        canvas.close()
        desk.leave()
        canvas.deleteLater()
    compared = first if floor in (reduced_jpeg, smallest_level) else whole
    floor_s, floor_cpu_s = bare.wall_s[0], bare.cpu_s[0]
    report(
        "open_image",
        {"picture": name, "side_px": side, "samples": kind},
        {
            "first_s": round(first[0], 3),
            "first_cpu_s": round(first[1], 3),
            "whole_s": round(whole[0], 3),
            "whole_cpu_s": round(whole[1], 3),
            "peak_mb": round(peak),
        },
        {
            "what": what,
            "s": round(floor_s, 3),
            "cpu_s": round(floor_cpu_s, 3),
            "ratio": round(compared[0] / floor_s, 2),
            "cpu_ratio": round(compared[1] / floor_cpu_s, 2),
        },
    )


def main() -> None:
    """Run every case, or those that are named, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--keep", type=Path, help="where the files are made, and kept")
    parser.add_argument("--one", choices=CASES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        measure(asked.one, asked.keep)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name in asked.cases:
            subprocess.run([sys.executable, __file__, "--one", name, "--keep", str(folder)], check=True)


if __name__ == "__main__":
    main()

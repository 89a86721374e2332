"""What the project store costs as a project grows: opening, lists, statistics, histories, and the commit of a stroke.

    python benchmarks/store.py build FOLDER [--images 100000] [--objects 0 1000000 10000000]
    python benchmarks/store.py opening FOLDER [--runs 5]
    python benchmarks/store.py window FOLDER [--runs 5]
    python benchmarks/store.py info FOLDER
    python benchmarks/store.py strokes FOLDER [--strokes 400]
    python benchmarks/store.py bytes FOLDER [--side 10000] [--strokes 1000]

`build` makes FOLDER/objects-N.segstudio (about 6 GB for ten million objects; --images and --objects may be smaller);
the next four measure every such project by turns in one run, so that the ratios between them are of one machine in one
state. `bytes` needs none. One JSON object a line; each figure has a floor: what the least possible was in this run.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np
from common import Took, measured, report
from large_project import OBJECTS_AN_IMAGE, SIDE_PX, build

from segstudio.geometry import Rect
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.gesture import Gesture
from segstudio.labels.model import Cause, ClassId, ImageId, Origin
from segstudio.labels.paint.stroke import capsule_spans
from segstudio.store.project import Project
from segstudio.store.values import NewImage, NewPlane
from segstudio.tasks.images.info import info

_VESSEL = ClassId(3)


def projects(folder: Path) -> list[Path]:
    """The projects that `build` made, smallest first."""
    found = folder.glob("objects-*.segstudio")
    return sorted(found, key=lambda path: int(path.stem.removeprefix("objects-")))


def objects_of(path: Path) -> int:
    """How many objects a project was built with."""
    return int(path.stem.removeprefix("objects-"))


# --- a stroke as a hand makes it


def stroke(document: Document, rng: np.random.Generator, radius: float, length: float) -> Edit | None:
    """A wavy stroke of the class 'vessel' across an image; None where it changes nothing."""
    bounds = document.raster.bounds(0)
    gesture = Gesture(document, Cause.PAINT, tool="brush", author="benchmark")
    found = document.single_object(_VESSEL)
    object_id = gesture.new_object(_VESSEL) if found is None else found
    at = (float(rng.uniform(0, bounds.w)), float(rng.uniform(0, bounds.h)))
    heading = rng.uniform(0, 2 * np.pi)
    for _ in range(max(int(length / 12), 1)):
        heading += rng.normal(0, 0.25)
        to = (at[0] + 12 * float(np.cos(heading)), at[1] + 12 * float(np.sin(heading)))
        gesture.paint_spans(0, capsule_spans(at, to, radius, bounds), object_id, Origin.PAINTED)
        at = to
    return gesture.commit()


class Saved:
    """When each edit became durable, on the clock of `time.perf_counter`."""

    def __init__(self, project: Project) -> None:
        assert project.writer is not None
        self.at: dict[int, float] = {}
        self._changed = threading.Condition()
        project.writer.on_saved = self._saved

    def _saved(self, seq: int) -> None:
        with self._changed:
            self.at[seq] = time.perf_counter()
            self._changed.notify()

    def wait(self, seq: int) -> float:
        with self._changed:
            self._changed.wait_for(lambda: seq in self.at, 60)
            return self.at[seq]


def latencies(project: Project, edits: Iterable[Edit]) -> list[float]:
    """Seconds from submitting an edit to being told that it is on disk, one after the other."""
    saved, took = Saved(project), []
    assert project.writer is not None
    for edit in edits:
        start = time.perf_counter()
        took.append(saved.wait(project.writer.submit(edit)) - start)
    return took


def strokes_on(document: Document, count: int, seed: int) -> list[Edit]:
    """So many strokes of a brush of 6 to 15 pixels, 50 to 200 long."""
    rng = np.random.default_rng(seed)
    made = (stroke(document, rng, rng.uniform(6, 15), rng.uniform(50, 200)) for _ in range(count * 2))
    return [edit for edit in made if edit is not None][:count]


def synced(file: Path, sizes: Iterable[int]) -> Took:
    """The floor of a commit: as many bytes appended to a plain file and synced."""
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def append(size: int) -> None:
        os.write(fd, os.urandom(size))
        os.fsync(fd)

    try:
        return measured([lambda size=size: append(size) for size in sizes])
    finally:
        os.close(fd)
        file.unlink()


# --- what is measured


def measure_strokes(folder: Path, count: int) -> None:
    """Commit latency and edits a second in every project by turns, against plain appends of as many bytes."""
    paths, rounds = projects(folder), 4
    waits: dict[Path, list[float]] = {path: [] for path in paths}
    rates: dict[Path, list[float]] = {path: [] for path in paths}
    grown: dict[Path, list[int]] = {path: [] for path in paths}
    floor: list[float] = []
    for turn in range(rounds):
        for path in paths:
            with Project.open(path) as project:
                document = project.document(ImageId(77 + turn))
                log = path / "project.db-wal"
                edits = strokes_on(document, count // rounds, turn)
                single, together = edits[: len(edits) // 2], edits[len(edits) // 2 :]
                before = log.stat().st_size
                waits[path] += latencies(project, single)
                grown[path].append((log.stat().st_size - before) // max(len(single), 1))
                rates[path].append(_rate(project, together))
        floor += synced(folder / "floor", [max(sum(g) // len(g) for g in grown.values())] * (count // rounds)).wall_s
    least = Took(floor, floor)
    base = Took(waits[paths[0]], waits[paths[0]]).median_s
    for path in paths:
        took = Took(waits[path], waits[path])
        figures = {k: v for k, v in took.figures().items() if not k.startswith("cpu")}
        report(
            "stroke",
            {"objects": objects_of(path), "strokes": len(waits[path])},
            {
                **figures,
                "edits_a_second": round(float(np.median(rates[path])), 1),
                "log_bytes_a_stroke": int(np.median(grown[path])),
                "ratio_to_smallest": round(took.median_s / base, 3),
                "p99_ratio_to_smallest": round(
                    float(np.percentile(waits[path], 99) / np.percentile(waits[paths[0]], 99)), 3
                ),
            },
            {
                "what": "as many bytes appended to a plain file and synced",
                "p50_ms": round(least.median_s * 1000, 3),
                "p99_ms": round(float(np.percentile(floor, 99)) * 1000, 3),
                "ratio": round(took.median_s / least.median_s, 2),
            },
        )


def _rate(project: Project, edits: list[Edit]) -> float:
    """Edits a second where many wait."""
    assert project.writer is not None
    start = time.perf_counter()
    for edit in edits:
        project.writer.submit(edit)
    project.writer.flush()
    return len(edits) / (time.perf_counter() - start)


def measure_opening(folder: Path, runs: int) -> None:
    """Opening and reading every project by turns; the floor is reading the rows of the list by SQLite alone."""
    paths = projects(folder)
    kinds = ("open", "images", "document", "history", "statistics", "known_classes", "all", "all_cpu", "close", "rows")
    took: dict[Path, dict[str, list[float]]] = {path: {kind: [] for kind in kinds} for path in paths}
    for _ in range(runs):
        for path in paths:
            for kind, seconds in _opened_once(path).items():
                took[path][kind].append(seconds)
    for path in paths:
        best = {f"{kind}_s": round(min(values), 4) for kind, values in took[path].items() if kind != "rows"}
        smallest = min(took[paths[0]]["all"])
        rows = min(took[path]["rows"])
        report(
            "opening",
            {"objects": objects_of(path), "runs": runs},
            {
                **best,
                "median_all_s": round(float(np.median(took[path]["all"])), 4),
                "ratio_to_smallest": round(best["all_s"] / smallest, 3),
            },
            {
                "what": "SQLite hands out the rows of the list",
                "s": round(rows, 4),
                "ratio": round(best["all_s"] / rows, 2),
            },
        )


def _opened_once(path: Path) -> dict[str, float]:
    took: dict[str, float] = {}

    def timed(kind: str, work: Callable[[], object]) -> None:
        start = time.perf_counter()
        work()
        took[kind] = time.perf_counter() - start

    start, start_cpu = time.perf_counter(), time.process_time()
    project = Project.open(path)
    took["open"] = time.perf_counter() - start
    timed("images", project.images)
    timed("document", lambda: project.document(ImageId(1)).raster.read(0, Rect(0, 0, SIDE_PX, SIDE_PX)))
    timed("history", lambda: project.history(ImageId(1)))
    took["all"] = sum(took.values())
    took["all_cpu"] = time.process_time() - start_cpu
    timed("statistics", project.class_pixels)
    timed("known_classes", project.known_classes)
    with project.reading() as db:
        timed("rows", lambda: db.execute("SELECT * FROM images JOIN files ON files.image = images.id").fetchall())
    timed("close", project.close)
    return took


_WINDOW = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from segstudio.ui import open_window
app = QApplication([])
window = open_window()
def click():
    global began
    began = time.perf_counter(), time.process_time()
    window.session.imageShown.connect(lambda: QTimer.singleShot(0, shown))
    window.opening.open_path(Path(sys.argv[1]))
def shown():
    app.processEvents()
    print(time.perf_counter() - began[0], time.process_time() - began[1], flush=True)
    window.close()
    app.quit()
QTimer.singleShot(3000, click)  # an idle window loads what a project needs
app.exec()
"""


def measure_window(folder: Path, runs: int) -> None:
    """From the click to the first image on the screen of a window that stands (offscreen), in a fresh process each.

    The floor is a project of one image.
    """
    one = folder / "one.segstudio"
    if not one.exists():
        build(one, 1, 0, folder / "files")
    took: dict[Path, list[tuple[float, float]]] = {path: [] for path in (one, *projects(folder))}
    with tempfile.TemporaryDirectory() as home:
        for _ in range(runs):
            for path, seconds in took.items():
                seconds.append(_window_once(path, home))
    floor = min(took[one])
    for path in projects(folder):
        wall, cpu = (round(min(column), 3) for column in zip(*took[path], strict=True))
        report(
            "window",
            {"objects": objects_of(path), "runs": runs},
            {"s": wall, "cpu_s": cpu},
            {
                "what": "a project of one image",
                "s": round(floor[0], 3),
                "cpu_s": round(floor[1], 3),
                "ratio": round(wall / floor[0], 2),
            },
        )


def _window_once(path: Path, home: str) -> tuple[float, float]:
    folders = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), home)
    environment = {**os.environ, **folders, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(HERE.parent)}
    command = [sys.executable, "-c", _WINDOW, str(path)]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]), float(out[1])


def measure_info(folder: Path) -> None:
    """`segstudio info` of every project."""
    for path in projects(folder):
        with Project.open(path, write=False) as project:
            took = measured([lambda project=project: info(project)])
            rows = measured([project.images])
        report(
            "info",
            {"objects": objects_of(path)},
            {"s": round(took.median_s, 2)},
            {
                "what": "the list of images",
                "s": round(rows.median_s, 2),
                "ratio": round(took.median_s / rows.median_s, 2),
            },
        )


def measure_bytes(folder: Path, side: int, strokes: int) -> None:
    """Bytes on disk for a day's strokes on one large image, against its raw labels and against whole masks."""
    import zstandard

    image = NewImage("large.tif", folder, 1, 1, "0", (NewPlane("0", side, side),), 3, "uint8", "tiff")
    path = folder / "bytes.segstudio"
    rng = np.random.default_rng(1)
    classes = ["background", "cell", "vessel"]
    from segstudio.tasks.images.new import parsed_classes

    with Project.create(path, [image], parsed_classes(classes)) as project:
        document = project.document(ImageId(1))
        assert project.writer is not None
        masks, made = 0, 0
        while made < strokes:
            edit = stroke(document, rng, rng.uniform(8, 40), rng.uniform(100, 1500))
            if edit is None:
                continue
            project.writer.submit(edit)
            made += 1
            if made % (strokes // 10) == 0:
                ids = document.raster.read(0, document.raster.bounds(0))[0].astype(np.uint8)
                masks += len(zstandard.ZstdCompressor(level=3).compress(ids.tobytes())) * (strokes // 10)
        project.writer.flush()
    size = (path / "project.db").stat().st_size
    empty = folder / "empty.segstudio"
    Project.create(empty, [replace(image)], parsed_classes(classes)).close()
    grown = size - (empty / "project.db").stat().st_size
    report(
        "bytes",
        {"side_px": side, "strokes": strokes, "radius_px": [8, 40], "length_px": [100, 1500]},
        {
            "bytes": grown,
            "bytes_a_stroke": grown // strokes,
            "raw_labels": 5 * side * side,
            "ratio_to_raw": round(grown / (5 * side * side), 5),
            "ratio_to_saving_the_mask_at_each_stroke": round(grown / masks, 5),
        },
        {"what": "the mask as one byte a pixel, zstd, whole at each stroke", "bytes": masks, "ratio": 1.0},
    )


def main() -> None:
    """One command, some rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["build", "opening", "window", "strokes", "info", "bytes"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--objects", type=int, nargs="+", default=[0, 1_000_000, 10_000_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--strokes", type=int, default=400)
    parser.add_argument("--side", type=int, default=10_000)
    chosen = parser.parse_args()
    folder: Path = chosen.folder
    folder.mkdir(parents=True, exist_ok=True)
    if chosen.command == "build":
        for objects in chosen.objects:
            path = folder / f"objects-{objects}.segstudio"
            if not path.exists():
                start = time.perf_counter()
                build(path, chosen.images, objects // OBJECTS_AN_IMAGE, folder / "files")
                size = (path / "project.db").stat().st_size
                seconds = round(time.perf_counter() - start, 1)
                report("build", {"objects": objects, "images": chosen.images}, {"s": seconds, "bytes": size}, {})
    elif chosen.command == "opening":
        measure_opening(folder, chosen.runs)
    elif chosen.command == "window":
        measure_window(folder, chosen.runs)
    elif chosen.command == "strokes":
        measure_strokes(folder, chosen.strokes)
    elif chosen.command == "info":
        measure_info(folder)
    else:
        measure_bytes(folder, chosen.side, chosen.strokes)


if __name__ == "__main__":
    main()

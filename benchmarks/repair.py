"""What `segstudio repair` takes as a project grows: memory, which must not, and time, which may in proportion.

    python benchmarks/repair.py [--tiles 1000 10000 100000] [--folder FOLDER]

Projects of four dense tiles and a hundred objects an image (`large_project.py`), each damaged the same way: the content
of every hundredth tile is gone, so it is rebuilt from the journal. Each is repaired by a process of its own, whose peak
memory is read at its end. The floor: in time, reading and decoding every tile once; in memory, the smallest project.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from common import report
from large_project import OBJECTS_AN_IMAGE, build

from segstudio.labels.tiles.codec import decode_tile
from segstudio.tasks.keeping.repair import repair
from segstudio.tasks.progress import finished

_TILES_AN_IMAGE = 4


def damage(database: Path) -> int:
    """Take the content of every hundredth tile away; returns of how many."""
    with closing(sqlite3.connect(database)) as db, db:
        return db.execute("UPDATE tiles SET data = x'01' WHERE id % 100 = 7").rowcount


def build_here(project: Path, images: int) -> None:
    """Make a project, in a process of its own: what a process starts inherits its peak of memory."""
    build(project, images, images, project.parent / "files")


def repair_here(project: Path, out: Path) -> None:
    """What the process of its own does; prints one line."""
    begun, begun_cpu = time.perf_counter(), time.process_time()
    found = finished(repair(project, out))
    took, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    shutil.rmtree(out)
    lost = [len(found.lost_tiles), len(found.lost_objects), len(found.lost_images), sum(found.lost_rows.values())]
    figures = {"s": took, "cpu_s": cpu, "peak": peak, "tiles": found.tiles, "rebuilt": found.rebuilt}
    sys.stdout.write(json.dumps({**figures, "lost": sum(lost), "history": found.history}) + "\n")


def decoded(database: Path) -> float:
    """Seconds to read and decode every tile once."""
    begun = time.perf_counter()
    with closing(sqlite3.connect(database)) as db:
        for (data,) in db.execute("SELECT data FROM tiles WHERE id % 100 <> 7"):
            decode_tile(data)
    return time.perf_counter() - begun


def measure(folder: Path, tiles: int, smallest: float | None) -> float:
    """One row; returns the peak in MB."""
    path = folder / f"tiles-{tiles}.segstudio"
    images = tiles // _TILES_AN_IMAGE
    if not path.exists():
        _own_process("--build", str(path), "--tiles", str(tiles), "--folder", str(folder))
    broken = damage(path / "project.db")
    found = json.loads(_own_process("--repair", str(path), "--folder", str(folder)))
    assert found["rebuilt"] == broken, found
    assert found["tiles"] == images * _TILES_AN_IMAGE, found
    assert not found["lost"], found
    peak_mb, floor_s = found["peak"] / 1e6, decoded(path / "project.db")
    report(
        "repair",
        {"tiles": tiles, "objects": images * OBJECTS_AN_IMAGE, "rebuilt": broken, "history": found["history"]},
        {
            "s": round(found["s"], 1),
            "cpu_s": round(found["cpu_s"], 1),
            "peak_mb": round(peak_mb),
            "peak_mb_over_smallest": 0 if smallest is None else round(peak_mb - smallest),
        },
        {
            "what": "reading and decoding every tile once",
            "s": round(floor_s, 2),
            "ratio": round(found["s"] / floor_s, 1),
        },
    )
    return peak_mb


def _own_process(*arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def main() -> None:
    """A row for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--repair", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="segstudio-bench-") as scratch:
        folder: Path = chosen.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if chosen.repair is not None:
            repair_here(chosen.repair, folder / "repaired.segstudio")
            return
        if chosen.build is not None:
            build_here(chosen.build, chosen.tiles[0] // _TILES_AN_IMAGE)
            return
        smallest = None
        for tiles in sorted(chosen.tiles):
            peak = measure(folder, tiles, smallest)
            smallest = peak if smallest is None else smallest


if __name__ == "__main__":
    main()

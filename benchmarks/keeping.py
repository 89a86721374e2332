"""What it costs to come back: restoring, backing up and compacting a project that was painted for long.

    python benchmarks/keeping.py [--quick]

Strokes of the real brush along random walks on four images of 4000 x 4000 (quick: 1000 x 1000), with two snapshots on
the way. Floors: for a restore, decoding, proving and encoding the restored tiles once; for a backup, copying the
database's file and syncing it; for compacting, `VACUUM INTO` of what is left.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np
from common import report

from segstudio.app.editing.tools.base import Context, Paint
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.editing.tools.stroke import StrokeTool
from segstudio.labels.model import ImageId, Kind
from segstudio.labels.paint.policy import Touch
from segstudio.labels.tiles.codec import decode_tile, encode_tile
from segstudio.labels.tiles.tile import digest
from segstudio.store.database.connect import Access, connect
from segstudio.store.project import Project
from segstudio.store.snapshots import keep
from segstudio.store.values import NewClass, NewImage, NewPlane
from segstudio.tasks.keeping.backup import backup
from segstudio.tasks.keeping.compact import compact, planned
from segstudio.tasks.keeping.snapshots import restore

IMAGES = 4


def run(task: Generator[Any, None, Any]) -> tuple[Any, float]:
    """A task's report and its seconds."""
    begun = time.perf_counter()
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value, time.perf_counter() - begun


def made(folder: Path, side: int) -> Project:
    """A project of images that need no files."""
    planes = (NewPlane("0", side, side),)
    images = [NewImage(f"{i}.png", folder, 1, 1, f"{i:016x}", planes, 3, "uint8", "png") for i in range(IMAGES)]
    return Project.create(
        folder / "bench.segstudio", images, [NewClass("cell", kind=Kind.INSTANCE), NewClass("ground")]
    )


def scribble(project: Project, side: int, strokes: int, rng: np.random.Generator) -> None:
    """Strokes of a brush of 20 pixels, ten segments each, over all images in turn."""
    assert project.writer is not None
    classes = project.classes()
    for n in range(strokes):
        image = ImageId(n % IMAGES + 1)
        if n < IMAGES or n % 200 < IMAGES:
            documents = {ImageId(i + 1): project.document(ImageId(i + 1)) for i in range(IMAGES)}
        document = documents[image]
        context = Context(document, Paint(classes, classes.foreground[n % 2], 20.0, Touch.ALL, 0, "bench"))
        tool = StrokeTool("brush")
        at = rng.uniform(0, side, 2)
        tool.press(Pointer(Phase.PRESS, *at, Button.LEFT), context)
        for _ in range(10):
            at = np.clip(at + rng.normal(0, 25, 2), 0, side)
            tool.move(Pointer(Phase.MOVE, *at, Button.LEFT), context)
        edit = tool.commit(context)
        if edit is not None:
            project.writer.submit(edit)
        if n % 100 == 99:
            project.writer.flush()
    project.writer.flush()


def restoring_floor(project: Project, images: tuple[ImageId, ...]) -> tuple[float, int]:
    """Seconds to decode, prove and encode the tiles of images once, and how many there are."""
    begun, tiles = time.perf_counter(), 0
    with project.reading() as db:
        for image in images:
            for (data,) in db.execute("SELECT data FROM tiles WHERE image = ?", (image,)):
                tile = decode_tile(data)
                digest(tile)
                encode_tile(tile)
                tiles += 1
    return time.perf_counter() - begun, tiles


def file_floor(project: Project) -> float:
    """Seconds to copy the database's file and sync it."""
    begun = time.perf_counter()
    copy = project.path.with_name("copy.db")
    shutil.copyfile(project.path / "project.db", copy)
    with open(copy, "rb+") as file:
        os.fsync(file.fileno())
    copy.unlink()
    return time.perf_counter() - begun


def vacuum_floor(project: Project) -> float:
    """Seconds of `VACUUM INTO`."""
    begun = time.perf_counter()
    copy = project.path.with_name("vacuum.db")
    with closing(connect(project.path / "project.db", Access.WRITE)) as db:
        db.execute("VACUUM INTO ?", (str(copy),))
    copy.unlink()
    return time.perf_counter() - begun


def measure(folder: Path, side: int, strokes: int) -> None:
    """Paint, keep, restore, back up, compact, restore again."""
    rng = np.random.default_rng(7)
    case: dict[str, object] = {"images": IMAGES, "side": side, "strokes": strokes}
    with made(folder, side) as project:
        snapshots = []
        for name in ("a", "b"):
            scribble(project, side, strokes // 3, rng)
            snapshots.append(keep(project, name).result())
        scribble(project, side, strokes - 2 * (strokes // 3), rng)
        for moment in ("before compacting", "after compacting"):
            now = project.last_seq()
            restored, seconds = run(restore(project, snapshots[0].seq))
            floor, tiles = restoring_floor(project, restored.images)
            report("restore", {**case, "moment": moment, "edits_back": now - snapshots[0].seq},
                   {"seconds": round(seconds, 3), "images": len(restored.images), "tiles": tiles},
                   {"seconds": round(floor, 3), "ratio": round(seconds / floor, 2)})  # fmt: skip
            assert restored.last is not None
            assert project.writer is not None
            project.take_back(restored.last, "bench").result()
            if moment.startswith("after"):
                break
            copied, seconds = run(backup(project, folder / "backup"))
            floor = file_floor(project)
            report("backup", case, {"seconds": round(seconds, 3), "bytes": copied.size, "tiles": copied.tiles},
                   {"seconds": round(floor, 3), "ratio": round(seconds / floor, 2)})  # fmt: skip
            plan = planned(project, keep_days=0)
            done, seconds = run(compact(project, plan))
            floor = vacuum_floor(project)
            report("compact", case, {"seconds": round(seconds, 3), "bytes_before": done.bytes_before,
                   "bytes_after": done.bytes_after, "deltas": plan.deltas, "labels_bytes": labels_bytes(project)},
                   {"seconds": round(floor, 3), "ratio": round(seconds / floor, 2)})  # fmt: skip


def labels_bytes(project: Project) -> int:
    """Bytes of the tiles themselves: what no compacting can go below."""
    with project.reading() as db:
        return int(db.execute("SELECT coalesce(sum(length(data)), 0) FROM tiles").fetchone()[0])


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1000 x 1000 and 300 strokes in place of 4000 and 3000")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="segstudio-bench-") as folder:
        measure(Path(folder), 1000 if quick else 4000, 300 if quick else 3000)


if __name__ == "__main__":
    main()

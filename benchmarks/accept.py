"""What accepting all of a proposal costs, and taking it back: until the labels on screen are as they should be.

    python benchmarks/accept.py [--sides 1024,4096] [--times 5]

The real window on a real project; the proposal covers the image with discs of one class on background, and nothing is
labelled yet. `longest` is the longest that the window handled no event meanwhile. The floor is the same tiles put into
a dictionary one by one and the whole canvas drawn anew.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np
from brush import took
from common import report
from made_up import Room, opened_room
from PySide6.QtWidgets import QApplication

from segstudio.geometry import TILE
from segstudio.labels.proposal import ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import Dense, frozen
from segstudio.store.proposals import encoded

_PATIENCE_S = 60.0


def propose(room: Room) -> None:
    """Write a proposal of the whole image, and read it."""
    project = room.session.project
    assert project is not None
    assert project.documents.current is not None
    classes = {c.name: c.id for c in project.documents.classes}
    y, x = np.mgrid[:TILE, :TILE] % 64 - 31.5
    ids = np.where(np.hypot(x, y) < 20, np.uint32(2), np.uint32(1))
    sure = np.full((TILE // 4, TILE // 4), 9, np.uint8)
    tile = encoded(ProposalTile(frozen(ids, np.zeros_like(ids, np.uint8)), sure))
    count = -(-room.side // TILE)
    rows = {1: ProposalRow(project.documents.classes.background.id, 0.9), 2: ProposalRow(classes["nucleus"], 0.9)}
    tiles = {(ty, tx): tile for ty in range(count) for tx in range(count)}
    image = project.documents.current.document.image
    project.store.proposals.write(image, 0, "embedded", rows, tiles)
    project.proposals.follow_import([image])
    room.wait(lambda: project.proposals.on_screen is not None)
    room.settle()


def until(begin: Callable[[], object], holds: Callable[[], bool], room: Room) -> tuple[float, float]:
    """Seconds until something holds and is drawn, and the longest that events waited meanwhile."""
    begun = last = time.perf_counter()
    longest = 0.0
    begin()
    while True:
        QApplication.processEvents()
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        if holds() and room.canvas._frame.up_to_date:
            return now - begun, longest
        if now - begun > _PATIENCE_S:
            raise TimeoutError("the labels did not become as they should be")


def case(side: int, times: int) -> None:
    """Accept and undo some times, and print the row."""
    with opened_room(side) as room:
        propose(room)
        document = room.session.project.documents.current.document  # type: ignore[union-attr]
        keys = list(document.raster.keys(0))

        def labelled() -> int:
            return sum(isinstance(document.raster.peek(key), Dense) for key in keys)

        found: dict[str, list[tuple[float, float]]] = {"accept": [], "undo": [], "redo": []}
        for _ in range(times):
            for name, step, wanted in (
                ("accept", room.session.accept_proposal, len(keys)),
                ("undo", room.session.undo, 0),
                ("redo", room.session.redo, len(keys)),
            ):
                found[name].append(until(step, lambda wanted=wanted: labelled() == wanted, room))
                room.settle()
            room.session.undo()
            room.wait(lambda: labelled() == 0)
            room.settle()

        def least() -> None:
            dict.fromkeys(keys, 0)
            room.canvas._frame.spoil_all()
            room.canvas.repaint()

        floor = took([least] * 10)
        figures: dict[str, object] = {}
        for name, both in found.items():
            figures[f"{name}_ms"] = round(1000 * float(np.median([one for one, _ in both])), 1)
            figures[f"{name}_longest_ms"] = round(1000 * float(np.median([one for _, one in both])), 1)
        ratio = float(np.median([one for one, _ in found["undo"]])) / floor.median_s
        report(
            "accept",
            {"side_px": side, "tiles": len(keys)},
            figures,
            {"what": "the canvas drawn anew", **floor.figures(), "ratio": round(ratio, 2)},
        )


def main() -> None:
    """Run every case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", default="1024,4096")
    parser.add_argument("--times", type=int, default=5)
    chosen = parser.parse_args()
    QApplication.instance() or QApplication([])
    for side in map(int, chosen.sides.split(",")):
        case(side, chosen.times)


if __name__ == "__main__":
    main()

"""What `segstudio predict --all` costs beside the network: it must grow with the number of planes and no faster.

    python benchmarks/predict_planes.py [PLANES...]

An engine that answers at once stands in for the real one: every plane of one stack gets a proposal of one tile. One
JSON object a line; the floor is writing as many proposals to the cache, measured in the same run.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from common import report

from segstudio.engine.client import EngineClient
from segstudio.engine.protocol import Predict, PredictedImage, PredictedTile, Reply
from segstudio.geometry import TILE
from segstudio.labels.model import ClassId, ImageId
from segstudio.labels.proposal import ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import Constant
from segstudio.store.project import Project
from segstudio.store.proposals import encoded
from segstudio.store.values import NewClass, NewImage, NewPlane
from segstudio.tasks.learning.predict import predict

BLOBS = encoded(ProposalTile(Constant(2, 0), np.full((TILE // 4, TILE // 4), 15, np.uint8)))


class Answers:
    """A call that answers at once: a tile and an end for each target."""

    def __init__(self, request: Predict) -> None:
        self._replies = self._all(request)
        self.ended = False

    def _all(self, request: Predict) -> Iterator[Reply]:
        for target in request.targets:
            yield PredictedTile(1, target.image, target.plane, 0, 0, *BLOBS)
            yield PredictedImage(id=1, image=target.image, plane=target.plane, version="v1", rows=[(2, 2, 1.0)])

    def wait(self, _timeout_s: float) -> Reply | None:
        """The next reply."""
        found = next(self._replies, None)
        self.ended = found is None
        return found

    def __enter__(self) -> "Answers":
        return self

    def __exit__(self, *_: object) -> None:
        return


class Engine:
    """What `predict` asks of an engine."""

    closed = False

    def call(self, request: Predict) -> Answers:
        """Answer at once."""
        return Answers(request)


def measure(planes: int, folder: Path) -> None:
    """Print the row of one number of planes."""
    stack = tuple(NewPlane(str(n), 64, 64) for n in range(planes))
    new = NewImage("stack.tif", folder, 1, 1, "q", stack, 1, "uint8", "tiff")
    with Project.create(folder / f"{planes}.segstudio", [new], [NewClass("cell")]) as project:
        begun = time.perf_counter()
        for plane in range(planes):
            project.proposals.write(ImageId(1), plane, "v1", {2: ProposalRow(ClassId(2), 1.0)}, {(0, 0): BLOBS})
        floor = time.perf_counter() - begun
        begun = time.perf_counter()
        for _ in predict(project, cast("EngineClient", cast(Any, Engine())), [ImageId(1)]):
            pass
        took = time.perf_counter() - begun
    figures: dict[str, object] = {"seconds": round(took, 3), "ms_a_plane": round(1000 * took / planes, 4)}
    report("predict_planes", {"planes": planes}, figures, {"seconds": round(floor, 3), "ratio": round(took / floor, 2)})


def main() -> None:
    """Measure each number of planes."""
    for planes in [int(text) for text in sys.argv[1:]] or [1000, 10_000]:
        with tempfile.TemporaryDirectory() as folder:
            measure(planes, Path(folder))


if __name__ == "__main__":
    main()

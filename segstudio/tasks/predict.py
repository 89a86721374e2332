"""Predict images and write their proposals: asked of the engine, written here."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import msgspec

from segstudio.engine.client import Call, EngineClient
from segstudio.engine.protocol import Predict, PredictedImage, PredictedTile, Target
from segstudio.errors import DiskRefused, EngineDied
from segstudio.geometry import Rect
from segstudio.labels.model import ClassId, ImageId
from segstudio.labels.proposal import ProposalRow
from segstudio.store.project import ImageRow, Project
from segstudio.store.proposals import EncodedTile

__all__ = ["Broken", "PredictProgress", "PredictReport", "PredictSeconds", "predict"]

_LOOK_S = 0.2
_FEW = 100


@dataclass(frozen=True, slots=True)
class PredictProgress:
    """So many of the planes are done. `image` is set when one was written just now; `part` = what the screen shows."""

    done: int
    total: int
    image: ImageId | None = None
    plane: int = 0
    part: bool = False


class PredictSeconds(msgspec.Struct, frozen=True):
    """Where the time went, in seconds."""

    decode: float
    network: float
    writing: float


class Broken(msgspec.Struct, frozen=True):
    """An image that could not be read, and why."""

    path: str
    sentence: str


class PredictReport(msgspec.Struct, frozen=True):
    """`images` that got a proposal, pixels through the network, the working scale, and the images that are broken."""

    images: int
    network_pixels: int
    scale: float
    seconds: PredictSeconds
    version: str = ""
    failed: tuple[Broken, ...] = ()


def predict(
    project: Project,
    engine: EngineClient,
    images: Sequence[ImageId],
    *,
    version: str = "current",
    visible: tuple[ImageId, int, Rect] | None = None,
    device: str = "auto",
) -> Generator[PredictProgress, None, PredictReport]:
    """Propose for every plane of these images; what `visible` (image, plane, rectangle) shows comes first.

    A file that cannot be read is flagged in the project and listed in the report; the others are done. A dead engine is
    started once more for what is left. Yields at least every 0.2 s; closing cancels. Raises `ReadOnly`, `EngineDied`,
    `NoSuchDevice`, `WeightsDamaged`, `NotEnoughLabels`.
    """
    writer = project.writing()
    if not writer.flush():
        raise DiskRefused(writer.state.refused or "Not every edit could be saved before proposing.")
    rows = _rows(project, images)
    job = _Job(project, rows, _targets(rows, visible))
    try:
        yield from job.ask(engine, version, device)
    except EngineDied:
        if engine.closed:
            raise
        yield from job.ask(engine, version, device)
    return job.report()


def _rows(project: Project, images: Sequence[ImageId]) -> list[ImageRow]:
    """The rows of these images. For what is on screen the list of all, which may be long, is not read."""
    if len(images) <= _FEW:
        return [project.image(image) for image in images]
    wanted = set(images)
    return [row for row in project.images() if row.id in wanted]


def _targets(rows: Sequence[ImageRow], visible: tuple[ImageId, int, Rect] | None) -> list[Target]:
    out: list[Target] = []
    for row in rows:
        for plane in range(len(row.planes)):
            seen = visible is not None and visible[:2] == (row.id, plane)
            rect = visible[2] if visible is not None and seen else None
            out.append(Target(row.id, plane, None if rect is None else (rect.x, rect.y, rect.w, rect.h)))
    return sorted(out, key=lambda target: target.visible is None)


class _Job:
    """What has come so far, and what is still to come."""

    def __init__(self, project: Project, rows: Sequence[ImageRow], targets: list[Target]) -> None:
        self.left = targets
        self._project = project
        self._total = len(targets)
        self._tiles: dict[tuple[int, int], dict[tuple[int, int], EncodedTile]] = {}
        self._images: set[int] = set()
        self._broken: dict[int, str] = {}
        self._flagged = {int(row.id) for row in rows if row.problem}
        self._paths = {int(row.id): row.path for row in rows}
        self._pixels = 0
        self._scale = 1.0
        self._decode = self._network = self._writing = 0.0
        self._version = ""

    def ask(self, engine: EngineClient, version: str, device: str) -> Generator[PredictProgress, None, None]:
        """Ask for what is left and take replies until the last one."""
        self._tiles.clear()
        if self.left:
            with engine.call(Predict(targets=self.left, version=version, device=device)) as call:
                yield from self._follow(call)

    def _follow(self, call: Call) -> Generator[PredictProgress, None, None]:
        while not call.ended:
            reply = call.wait(_LOOK_S)
            if isinstance(reply, PredictedTile):
                tiles = self._tiles.setdefault((reply.image, reply.plane), {})
                tiles[reply.ty, reply.tx] = (reply.labels, reply.confidence)
            elif isinstance(reply, PredictedImage):
                self._finish(reply)
                image = None if reply.problem else ImageId(reply.image)
                yield PredictProgress(self._done, self._total, image, reply.plane, reply.part)
            elif reply is None:
                yield PredictProgress(self._done, self._total)

    def report(self) -> PredictReport:
        """What was done."""
        failed = tuple(Broken(self._paths.get(image, str(image)), why) for image, why in sorted(self._broken.items()))
        seconds = PredictSeconds(self._decode, self._network, self._writing)
        return PredictReport(len(self._images), self._pixels, self._scale, seconds, self._version, failed)

    @property
    def _done(self) -> int:
        return self._total - len(self.left)

    def _finish(self, reply: PredictedImage) -> None:
        key = (reply.image, reply.plane)
        begun = time.perf_counter()
        if reply.problem:
            self._broken[reply.image] = reply.problem
            self._project.set_problem(ImageId(reply.image), reply.problem).result()
        else:
            rows = {id_: ProposalRow(ClassId(class_id), score) for id_, class_id, score in reply.rows}
            tiles = self._tiles.get(key, {})
            self._project.proposals.write(ImageId(reply.image), reply.plane, reply.version, rows, dict(tiles))
            self._images.add(reply.image)
            self._version, self._scale = reply.version, reply.scale
        self._writing += time.perf_counter() - begun
        if reply.part:
            return
        self._tiles.pop(key, None)
        self.left = [target for target in self.left if (target.image, target.plane) != key]
        if reply.image in self._flagged - self._broken.keys():
            self._flagged.discard(reply.image)
            self._project.set_problem(ImageId(reply.image), "").result()
        self._pixels += reply.network_pixels
        self._decode += reply.decode_s
        self._network += reply.network_s

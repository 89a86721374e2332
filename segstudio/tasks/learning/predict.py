"""Predict images and write their proposals: asked of the engine, written here."""

import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from segstudio.engine.client import Call, EngineClient
from segstudio.engine.protocol import Predict, PredictedImage, PredictedTile, Target
from segstudio.errors import DiskRefused, EngineDied
from segstudio.geometry import Rect, tiles_of
from segstudio.labels.model import ClassId, ImageId
from segstudio.labels.proposal import ProposalRow
from segstudio.store.project import ImageRow, Project
from segstudio.store.proposals import EncodedTile, Proposals
from segstudio.text import _

__all__ = ["Broken", "Plane", "PredictProgress", "PredictReport", "PredictSeconds", "Visible", "predict"]

Plane = tuple[ImageId, int]
Visible = tuple[ImageId, int, Rect]
"""A plane and the part of it, in image pixels, that is on the screen."""

_LOOK_S = 0.2
_FEW = 100


@dataclass(frozen=True, slots=True)
class PredictProgress:
    """How many planes are done. `image` is set when one has just been written; `part` = only part of it.

    `fraction` (0..1) counts the tiles of all planes; None until the first is there.
    """

    done: int
    total: int
    image: ImageId | None = None
    plane: int = 0
    part: bool = False
    fraction: float | None = None


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
    """`images` that got a proposal, pixels through the network, the working scale, and the images that are broken.

    `passed_over` counts the planes that keep what a person proposed. `fit_s` are the seconds that the instant learner
    was fitted, 0 where that was done before.
    """

    images: int
    network_pixels: int
    scale: float
    seconds: PredictSeconds
    version: str = ""
    failed: tuple[Broken, ...] = ()
    passed_over: int = 0
    fit_s: float = 0.0


def _nothing() -> Visible | None:
    """The default for a task without a window."""
    return None


def predict(
    project: Project,
    engine: EngineClient,
    images: Sequence[ImageId],
    *,
    planes: Collection[Plane] | None = None,
    version: str = "current",
    visible: Callable[[], Visible | None] = _nothing,
    device: str = "auto",
    replace_people: bool = False,
    into: Proposals | None = None,
) -> Generator[PredictProgress, None, PredictReport]:
    """Propose for every plane of these images, or for `planes` of them alone; what `visible` says is on the screen
    comes first and is written part by part. It is asked again all the time, from the thread that this runs on.

    They are written to `into`, by default the project's proposals. What a person proposed there (imported, merged) is
    passed over without `replace_people`. A file that cannot be read is flagged in the project and listed in the report;
    the others are done. A dead engine is started once more for what is left. Yields at least every 0.2 s; closing
    cancels. Raises `ReadOnly`, `EngineDied`, `NoSuchDevice`, `WeightsDamaged`, `NotEnoughLabels`.
    """
    writer = project.writing()
    if not writer.flush():
        raise DiskRefused(writer.state.refused or _("Not every edit could be saved before proposing."))
    into = project.proposals if into is None else into
    kept = frozenset[Plane]() if replace_people else into.from_people()
    job = _Job(project, into, _rows(project, images), planes, kept, visible, replace_people=replace_people)
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


@dataclass(slots=True)
class _Coming:
    """A plane that is being predicted: its tiles so far, those not written yet, and its number once a part is."""

    tiles: int
    seen: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    fresh: dict[tuple[int, int], EncodedTile] = field(default_factory=dict[tuple[int, int], EncodedTile])
    number: int | None = None


class _Job:
    """What has come so far, and what is still to come."""

    def __init__(
        self,
        project: Project,
        into: Proposals,
        rows: Sequence[ImageRow],
        planes: Collection[Plane] | None,
        kept: Collection[Plane],
        visible: Callable[[], Visible | None],
        *,
        replace_people: bool,
    ) -> None:
        self._project, self._into, self._visible, self._replace_people = project, into, visible, replace_people
        wanted = None if planes is None else set(planes)
        asked = {
            (row.id, plane): sum(1 for _ in tiles_of(Rect(0, 0, *size)))
            for row in rows
            for plane, size in enumerate(row.planes)
            if wanted is None or (row.id, plane) in wanted
        }
        self._left = {key: _Coming(tiles) for key, tiles in asked.items() if key not in kept}
        self._total = len(self._left)
        self._tiles = sum(coming.tiles for coming in self._left.values())
        self._passed_over = len(asked) - len(self._left)
        self._tiles_done = self._tiles_ended = 0
        self._seen: Visible | None = None
        self._images: set[int] = set()
        self._broken: dict[int, str] = {}
        self._flagged = {int(row.id) for row in rows if row.problem}
        self._paths = {int(row.id): row.path for row in rows}
        self._pixels = 0
        self._scale = 1.0
        self._decode = self._network = self._writing = self._fit = 0.0
        self._version = ""

    def ask(self, engine: EngineClient, version: str, device: str) -> Generator[PredictProgress, None, None]:
        """Ask for what is left and take replies until the last one."""
        for key, coming in self._left.items():
            self._left[key] = _Coming(coming.tiles)
        self._tiles_done = self._tiles_ended
        if self._left:
            self._seen = self._visible()
            with engine.call(Predict(targets=self._targets(), version=version, device=device)) as call:
                yield from self._follow(call)

    def _targets(self) -> list[Target]:
        """What is left, what is on the screen before the others."""
        targets = [Target(image, plane, self._seen_of((image, plane))) for image, plane in self._left]
        return sorted(targets, key=lambda target: target.visible is None)

    def _seen_of(self, plane: Plane) -> tuple[int, int, int, int] | None:
        if self._seen is None or self._seen[:2] != plane:
            return None
        rect = self._seen[2]
        return rect.x, rect.y, rect.w, rect.h

    def _follow(self, call: Call) -> Generator[PredictProgress, None, None]:
        while not call.ended:
            self._look(call)
            reply = call.wait(_LOOK_S)
            if isinstance(reply, PredictedTile):
                self._add(reply)
            elif isinstance(reply, PredictedImage):
                written = self._finish(reply)
                yield self._progress(ImageId(reply.image) if written else None, reply.plane, part=reply.part)
            elif reply is None:
                yield self._progress()

    def _look(self, call: Call) -> None:
        """Tell the engine where something else is on the screen."""
        seen = self._visible()
        if seen is not None and seen != self._seen:
            self._seen = seen
            rect = self._seen_of(seen[:2])
            if seen[:2] in self._left and rect is not None:
                call.look(int(seen[0]), seen[1], rect)

    def _add(self, reply: PredictedTile) -> None:
        coming = self._left.get((ImageId(reply.image), reply.plane))
        if coming is not None:
            key = (reply.ty, reply.tx)
            self._tiles_done += key not in coming.seen
            coming.seen.add(key)
            coming.fresh[key] = (reply.labels, reply.confidence)

    def _progress(self, image: ImageId | None = None, plane: int = 0, *, part: bool = False) -> PredictProgress:
        fraction = self._tiles_done / self._tiles if self._tiles_done else None
        return PredictProgress(self._total - len(self._left), self._total, image, plane, part, fraction)

    def report(self) -> PredictReport:
        """What was done."""
        failed = tuple(Broken(self._paths.get(image, str(image)), why) for image, why in sorted(self._broken.items()))
        seconds = PredictSeconds(self._decode, self._network, self._writing)
        return PredictReport(
            len(self._images), self._pixels, self._scale, seconds, self._version, failed, self._passed_over, self._fit
        )

    def _finish(self, reply: PredictedImage) -> bool:
        """Write a plane, or what there is of it; whether something was written."""
        key = (ImageId(reply.image), reply.plane)
        coming = self._left.get(key)
        if coming is None:
            return False
        begun = time.perf_counter()
        written = False
        if reply.problem:
            self._broken[reply.image] = reply.problem
            self._project.set_problem(ImageId(reply.image), reply.problem).result()
        else:
            rows = {id_: ProposalRow(ClassId(class_id), score) for id_, class_id, score in reply.rows}
            written = self._write(key, reply.version, rows, coming)
        self._writing += time.perf_counter() - begun
        if not reply.part:
            self._end(reply, key, coming, written=written)
        return written

    def _write(self, key: Plane, version: str, rows: Mapping[int, ProposalRow], coming: _Coming) -> bool:
        """A part goes to those before it; what a person proposed, or rejected, meanwhile stays as it is."""
        proposals, tiles = self._into, coming.fresh
        coming.fresh = {}
        if coming.number is not None:
            return proposals.extend(coming.number, rows, tiles)
        coming.number = proposals.write(*key, version, rows, tiles, replace_people=self._replace_people)
        return coming.number is not None

    def _end(self, reply: PredictedImage, key: Plane, coming: _Coming, *, written: bool) -> None:
        del self._left[key]
        self._tiles_done += coming.tiles - len(coming.seen)
        self._tiles_ended += coming.tiles
        if written:
            self._images.add(reply.image)
            self._version, self._scale = reply.version, reply.scale
        elif not reply.problem:
            self._passed_over += 1
        if reply.image in self._flagged and reply.image not in self._broken:
            self._flagged.discard(reply.image)
            self._project.set_problem(ImageId(reply.image), "").result()
        self._pixels += reply.network_pixels
        self._decode += reply.decode_s
        self._network += reply.network_s
        self._fit += reply.fit_s

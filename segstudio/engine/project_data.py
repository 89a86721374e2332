"""A project on this machine, opened read-only, as the data that learning needs.

A view shows each image at one moment: its labels are read once, in one short transaction, and do not change.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from segstudio.engine.known_tiles import KNOWN_BYTES, KnownTiles
from segstudio.engine.sources import LevelsLookUp, Sources
from segstudio.errors import UnreadableImage, WeightsDamaged
from segstudio.geometry import TILE, Rect, tile_rect, tiles_of
from segstudio.imaging.levels import Levels
from segstudio.labels.class_lookup import class_lookup, object_lookup
from segstudio.labels.done_planes import Marks
from segstudio.labels.edit import TileKey
from segstudio.labels.model import ClassTable, ImageId, Kind
from segstudio.labels.tiles.raster import read_tiles
from segstudio.learn.data import ByChannel, ClassEntry, LearnedPlane, Part, PlaneEntry, learned_planes, made_before
from segstudio.learn.tries import tries_before
from segstudio.runs import Block, LabelStamp, PlaneFacts, PlanPlane
from segstudio.store.file_check import Content, look_at, must_be_as_labelled
from segstudio.store.kept_facts import FACTS, KeptFacts, read_facts
from segstudio.store.kept_levels import FileStamp, PlaneLevels, read_levels
from segstudio.store.learning import CURRENT, HELD_OUT_BLOCKS, weights_not_kept
from segstudio.store.project import Project
from segstudio.store.values import FrozenLabels, ImageRow, Split
from segstudio.text import N_, _

__all__ = ["ProjectData"]

Answer = TypeVar("Answer")


class ProjectData:
    """Fulfils `learn.data.Dataset`. `sources` is shared between views; the project's owner closes it.

    `known_bytes` bounds the labels that are kept unpacked.
    """

    def __init__(self, project: Project, sources: Sources, *, known_bytes: int = KNOWN_BYTES) -> None:
        self._project = project
        self._sources = sources
        self._table = project.classes()
        every = project.images(removed=True)
        self._rows = {int(row.id): row for row in every if not row.removed}
        self._removed = [row for row in every if row.removed]
        self._last_edit = int(project.last_seq())
        self._groups = _group_names(list(self._rows.values()))
        self.known = KnownTiles(known_bytes)
        self._keys: dict[int, tuple[TileKey, ...]] = {}
        self._frozen: dict[int, tuple[Marks, int]] = {}
        self._learnable: dict[int, bool] = {}
        self._as_labelled: set[ImageId] = set()
        self._problems: dict[tuple[int, int | None], str] = {}
        self._counts_as: dict[int, int] | None = None
        self._kept: dict[tuple[int, int], KeptFacts] | None = None
        self._kept_levels: Mapping[tuple[int, int], PlaneLevels] | None = None
        self._class_list = tuple(self._counting())

    def classes(self) -> Sequence[ClassEntry]:
        """Classes in use, without those that are ignored."""
        return [
            ClassEntry(c.id, c.name, c.kind is Kind.BACKGROUND, c.kind is Kind.INSTANCE)
            for c in self._table
            if c.kind is not Kind.IGNORE
        ]

    def counts_as(self) -> Mapping[int, int]:
        """What an output for a class counts as today, by the id of every class ever made; 0 for nothing."""
        if self._counts_as is None:
            today = {id_: counts_as for id_, counts_as, _ in self._class_list}
            known = {today[id_] for id_ in self._known_classes()} - {0}
            self._counts_as = {id_: c if c in known or not known else 0 for id_, c in today.items()}
        return self._counts_as

    def _known_classes(self) -> set[int]:
        """The classes with a known pixel, including those in removed images: what was learned from them stays
        learned.
        """
        known = set(map(int, self._project.class_pixels()))
        for row in self._removed:
            if row.labelled_pixels:
                known.update(int(class_id) for class_id, _ in self._project.counts(row.id))
        return known

    def planes(self) -> Sequence[PlaneEntry]:
        """Every plane of every image in use."""
        return [entry for row in self._rows.values() for entry in self._entries(row)]

    def entry(self, image: int, plane: int) -> PlaneEntry | None:
        """One plane; None if the project does not have it."""
        row = self._rows.get(image)
        return None if row is None or plane >= len(row.planes) else self._entry(row, plane)

    def last_edit(self) -> int:
        """Number of the newest edit when the view was made."""
        return self._last_edit

    def newest_edit(self) -> int:
        """Number of the newest edit at this moment."""
        return int(self._project.last_seq())

    def learnable(self, image: int) -> bool:
        """Whether an image has labels and its file has not changed since. Checked once per view."""
        if image not in self._learnable:
            row = self._rows[image]
            self._learnable[image] = bool(row.labelled_pixels) and self._is_there(row)
        return self._learnable[image]

    def known_classes(self, part: Part) -> Set[int]:
        """Classes with a known pixel on one side of the split; stops once two are found."""
        counts_as = {id_: counted for id_, counted, _ in self._class_list}
        found: set[int] = set()
        for row in sorted(self._rows.values(), key=lambda row: -row.last_edit):
            if row.labelled_pixels and _part(row) is part:
                found |= {counts_as[int(id_)] for id_, _ in self._project.counts(row.id)} - {0}
            if len(found) > 1:
                break
        return found

    def kept(self, image: int, plane: int) -> PlaneFacts | None:
        """The facts kept by the client from an earlier run, if the labels are still the same."""
        if self._kept is None:
            self._kept = read_facts(self._project.path / FACTS)
        stamp, facts = self._kept.get((image, plane), (None, None))
        row = self._rows[image]
        if stamp is None or (stamp.seq, stamp.pixels) != (int(row.last_edit), row.labelled_pixels):
            return None
        return facts if stamp.classes == self._class_list[: len(stamp.classes)] else None

    def stamp(self, image: int, plane: int) -> LabelStamp:
        """Which labels this view gives for a plane; they must have been read."""
        _, seq = self._frozen[image]
        return LabelStamp(image, plane, seq, self._rows[image].labelled_pixels, self._class_list)

    def pixels(self, image: int, plane: int, rect: Rect, levels: ByChannel = ()) -> NDArray[np.float32]:
        """Pixels (h, w, channels) in 0..1, between the plane's own levels or these. Raises `UnreadableImage`, also if
        the file changed after it was labelled.
        """
        shared = tuple(Levels(*each) for each in levels)
        return self._asked(
            image,
            plane,
            lambda row, kept: self._sources.pixels(row.stored, plane, rect, row.planes[plane], kept, shared),
        )

    def own_levels(self, image: int, plane: int) -> ByChannel | None:
        """The levels of a plane by channel; None if it is of 8 bits. Raises `UnreadableImage`."""
        if self._rows[image].dtype == "uint8":
            return None
        found = self._asked(
            image, plane, lambda row, kept: self._sources.own_levels(row.stored, plane, row.planes[plane], kept)
        )
        return None if found is None else tuple((each.low, each.high) for each in found)

    def _asked(self, image: int, plane: int, ask: Callable[[ImageRow, LevelsLookUp], Answer]) -> Answer:
        """What the sources say of a plane, if its file is the one that was labelled. Raises `UnreadableImage`."""
        for place in ((image, None), (image, plane)):
            if place in self._problems:
                raise UnreadableImage(self._problems[place])
        row = self._rows[image]
        if row.id not in self._as_labelled:
            self._sources.refresh(row.files)
        try:
            found = ask(row, partial(self._levels, image, plane))
            self._check_content(row)
        except UnreadableImage as error:
            self._problems[image, plane] = error.sentence
            raise
        return found

    def _levels(self, image: int, plane: int, stamp: FileStamp) -> Levels | None:
        """The levels kept by the client for a plane, if its file has this size and time."""
        if self._kept_levels is None:
            self._kept_levels = read_levels(self._project.path)
        found = self._kept_levels.get((image, plane))
        return None if found is None else found.of(stamp)

    def outside(self, image: int, plane: int, rect: Rect) -> NDArray[np.bool_] | None:
        """Which pixels (h, w) lie outside the picture; None where none does. Raises `UnreadableImage`."""
        if not self._rows[image].bounded:
            return None
        return self._asked(
            image, plane, lambda row, _kept: self._sources.outside(row.stored, plane, rect, row.planes[plane])
        )

    def labels(self, image: int, plane: int, rect: Rect) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Class ids (h, w), 0 where nothing is known or outside the picture, and origins (h, w)."""
        classes = np.zeros((rect.h, rect.w), np.int32)
        origins = np.zeros((rect.h, rect.w), np.uint8)
        self._labelled_keys(image)
        for ty, tx in tiles_of(rect):
            tile = self.known.get((image, plane, ty, tx))
            if tile is None:
                continue
            part = rect.intersected(tile_rect(ty, tx))
            to = np.s_[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x]
            own = np.s_[part.y - ty * TILE : part.bottom - ty * TILE, part.x - tx * TILE : part.right - tx * TILE]
            constant = tile.classes.size == 1
            classes[to] = tile.classes if constant else tile.classes[own]
            origins[to] = tile.origins if constant else tile.origins[own]
        if self._rows[image].bounded and classes.any():
            beyond = self._beyond(image, plane, rect)
            classes[beyond] = 0
            origins[beyond] = 0
        return classes, origins

    def _beyond(self, image: int, plane: int, rect: Rect) -> NDArray[np.bool_]:
        """What lies outside the picture; all of it where its file cannot be read, which `unreadable` then says."""
        try:
            found = self.outside(image, plane, rect)
        except UnreadableImage:
            return np.ones((rect.h, rect.w), np.bool_)
        return np.zeros((rect.h, rect.w), np.bool_) if found is None else found

    def objects(self, image: int, plane: int, rect: Rect) -> NDArray[np.uint32]:
        """Object ids (h, w), read again; all 0 where the image was edited since its labels were read."""
        known = {key[1:] for key in self._labelled_keys(image) if key[0] == plane}
        wanted = [key for key in tiles_of(rect) if key in known]
        tiles = {key: self._project.tile(ImageId(image), (plane, *key)) for key in wanted}
        now = [int(row.last_edit) for row in self._project.some_images((ImageId(image),))]
        # Asked after the tiles were read: an edit between them would have raised it.
        return read_tiles(tiles if now == [self._frozen[image][1]] else {}, rect)[0]

    def labelled(self, image: int, plane: int) -> Sequence[Rect]:
        """The label tiles of a plane with a known pixel, cut at its edges; none if it is not learnable."""
        row = self._rows[image]
        if not self.learnable(image):
            return []
        bounds = Rect(0, 0, *row.planes[plane])
        return [tile_rect(ty, tx).intersected(bounds) for p, ty, tx in self._labelled_keys(image) if p == plane]

    def unreadable(self) -> Sequence[str]:
        """A sentence for each requested image that cannot be read, in the order they were found."""
        return list(dict.fromkeys(self._problems.values()))

    def readable(self, image: int, plane: int) -> bool:
        """Whether nothing found so far keeps a plane from being read."""
        return (image, None) not in self._problems and (image, plane) not in self._problems

    def blocks(self) -> Sequence[Block]:
        """Blocks held out by earlier runs."""
        return msgspec.convert(self._project.setting(HELD_OUT_BLOCKS, []), list[Block])

    def trained_groups(self) -> frozenset[str]:
        """Names of the groups that some version has trained on."""
        trained = self._project.trained_groups()
        return frozenset(name for group, name in self._groups.items() if group in trained)

    def current_version(self) -> str | None:
        """The version in force; it may have changed since the view was made."""
        return self._project.setting(CURRENT)

    def promoted_version(self) -> str | None:
        """The version in force if it was trained, else the last that was promoted."""
        versions = self._project.versions()
        names = [v.name for v in versions if v.current] or [v.name for v in versions if v.promoted][-1:]
        return names[0] if names else None

    def weights(self, version: str) -> bytes:
        """The weights of a version, compared with the digest in its card."""
        unreadable = N_("The weights of version {version} cannot be read: {reason}.")
        if any(v.name == version and not v.has_weights for v in self._project.versions()):
            raise weights_not_kept(version)
        data = _read(self._project.path / "models" / f"{version}.safetensors", unreadable, version)
        if hashlib.sha256(data).hexdigest() != self.card(version).get("sha256"):
            raise WeightsDamaged(
                _("The weights of version {version} are not those that were written.", version=version),
                todo=_("Choose another version."),
            )
        return data

    def card(self, version: str) -> dict[str, object]:
        """The card of a version."""
        unreadable = N_("The card of version {version} cannot be read: {reason}.")
        data = _read(self._project.path / "models" / f"{version}.json", unreadable, version)
        try:
            return msgspec.json.decode(data, type=dict)
        except msgspec.DecodeError as error:
            raise WeightsDamaged(
                _("The card of version {version} cannot be read.", version=version), todo=_("Choose another version.")
            ) from error

    def tries(self, planes: Sequence[PlanPlane], steps: int) -> int:
        """How many versions have learned from nearly the same labels of these training planes in half as many steps or
        more, those that they resumed included, by their cards; one whose card cannot be read does not count.
        """
        now = [LearnedPlane(p.path, p.plane, p.part, p.seq, p.labelled) for p in planes if p.part == Part.TRAIN]
        deep = [(v.steps, self._known(v.name)) for v in self._project.versions() if v.learner == "deep"]
        alike = [card for made, card in deep if 2 * (made + made_before(card)) >= steps]
        return tries_before([learned_planes(card) for card in alike], now)

    def _known(self, version: str) -> Mapping[str, object]:
        """The card of a version; empty where it cannot be read."""
        try:
            return self.card(version)
        except WeightsDamaged:
            return {}

    def checkpoint(self, run: str) -> bytes | None:
        """The last checkpoint of a run."""
        path = self._project.path / "runs" / run / "checkpoint.safetensors"
        return path.read_bytes() if path.is_file() else None

    def _is_there(self, row: ImageRow) -> bool:
        """Whether the file is there and unchanged, judged by its directory entry; otherwise it is opened to find the
        reason.
        """
        if look_at(row).content not in (Content.CHANGED, Content.MISSING):
            return True
        try:
            self.pixels(int(row.id), 0, Rect(0, 0, 1, 1))
        except UnreadableImage as error:
            self._problems[int(row.id), None] = error.sentence
            return False
        return True

    def _check_content(self, row: ImageRow) -> None:
        """Check once per view: a file may change between two requests, and learning from it would go unnoticed."""
        if row.id not in self._as_labelled:
            must_be_as_labelled(row)
            self._as_labelled.add(row.id)

    def _counting(self) -> Iterator[tuple[int, int, str]]:
        """Every class ever made, in order: its id, what it counts as today (0: nothing), and the kind of that class."""
        for class_ in sorted(self._table.all, key=lambda c: int(c.id)):
            found = self._table.effective(class_.id)
            if found is None or found.kind is Kind.IGNORE:
                yield int(class_.id), 0, ""
            else:
                yield int(class_.id), int(found.id), found.kind.value

    def _entries(self, row: ImageRow) -> list[PlaneEntry]:
        return [self._entry(row, plane) for plane in range(len(row.planes))]

    def _entry(self, row: ImageRow, plane: int) -> PlaneEntry:
        marks, seq = self._frozen.get(int(row.id), (row.marks, int(row.last_edit)))
        width, height = row.planes[plane]
        return PlaneEntry(
            image=int(row.id),
            plane=plane,
            path=row.path,
            width=width,
            height=height,
            channels=row.channels,
            group=self._groups[row.group_id],
            part=_part(row),
            finished=marks.is_done(plane),
            seq=seq,
            bounded=row.bounded,
        )

    def _labelled_keys(self, image: int) -> tuple[TileKey, ...]:
        """The tiles of an image that hold a known pixel, in order; reads its labels when first asked."""
        if image not in self._keys:
            frozen = self._project.frozen(ImageId(image))
            self._frozen[image] = (frozen.marks, int(frozen.last_edit))
            lookup = _class_by_object(frozen, self._table)
            keys = sorted(frozen.tiles)
            self._keys[image] = tuple(k for k in keys if self.known.put((image, *k), frozen.tiles[k], lookup))
        return self._keys[image]


def _class_by_object(frozen: FrozenLabels, table: ClassTable) -> NDArray[np.int32]:
    """Class that counts today by object id; 0 for ignored and removed ones."""
    return object_lookup(frozen.objects, class_lookup(table, lambda c: 0 if c.kind is Kind.IGNORE else c.id))


def _part(row: ImageRow) -> Part:
    return Part.HELD_OUT if row.split is Split.HELD_OUT else Part.TRAIN


def _group_names(rows: Sequence[ImageRow]) -> dict[int, str]:
    """A group is named after its first image."""
    names: dict[int, str] = {}
    for row in rows:
        names.setdefault(row.group_id, row.path)
    return names


def _read(path: Path, unreadable: str, version: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsDamaged(
            _(unreadable, version=version, reason=error.strerror or error),
            todo=_("Choose another version."),
        ) from error

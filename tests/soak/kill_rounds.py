"""A round: a child paints, is killed at a random instant, and what it leaves is compared with what it told.

`Rounds` follows one project over many kills. It replays the journal edit by edit on documents of its own, which is a
replay from nothing spread over the rounds, and holds them against what the child told and what the tiles say.
"""

import json
import os
import random
import shutil
import signal
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from segstudio.labels.document import Document
from segstudio.labels.model import ImageId, Seq
from segstudio.labels.tiles.raster import Raster
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from tests.soak.nursery import Nursery
from tests.store.plain_labels import labels_of, sha

__all__ = ["Lost", "Round", "Rounds"]

_START_S = 120.0
_ENGINE_END_S = 300.0


class Lost(AssertionError):
    """Something that was reported saved is not there."""


@dataclass(frozen=True, slots=True)
class Round:
    """What happened between the start of a child and its end. `edits` are those in the journal, `saved` those told of
    as saved, `checked` the digests compared on the way, `failed` what the window said of jobs that could not be."""

    edits: int
    saved: int
    checked: int
    exports: int
    versions: int
    during_opening: bool
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    digests: dict[int, tuple[int, str]]
    saved: int
    exports: int
    failed: tuple[str, ...]


class Rounds:
    """One project, killed again and again."""

    def __init__(self, folder: Path, nursery: Nursery, rng: random.Random) -> None:
        self._folder, self._nursery, self._rng = folder, nursery, rng
        self.path = folder / "coins.segstudio"
        _draw_coins(folder / "images", rng)
        for _ in new_project(self.path, [str(folder / "images")], ["background", "coin"]):
            pass
        with Project.open(self.path) as project:
            self._replayed = {row.id: Document(row.id, Raster(row.planes)) for row in project.images()}
        self.last = 0

    def round(
        self, *, engine: bool = False, sabotage: bool = False, longest_s: float = 0.6, most_lines: int = 1
    ) -> Round:
        """Paint, kill, compare. Raises `AssertionError`, `Lost` where something saved is not there.

        The kill comes up to `longest_s` after the child has told up to `most_lines` things, both at random.
        """
        told, out = self._folder / "told.txt", self._folder / "out"
        told.unlink(missing_ok=True)
        shutil.rmtree(out, ignore_errors=True)
        pid = self._nursery.start(
            project=self.path, told=told, out=out, seed=self._rng.randrange(1 << 32), engine=engine, sabotage=sabotage
        )
        early = self._rng.random() < 0.1
        if not early:
            _wait_for(told, self._rng.randint(1, most_lines))
        time.sleep(self._rng.uniform(0, longest_s))
        children = _children(pid)
        os.kill(pid, signal.SIGKILL)
        assert self._nursery.buried(pid) == signal.SIGKILL, f"the child ended by itself; see {told}"
        return self._compare(_read(told), out, children, early)

    def _compare(self, told: _Told, out: Path, children: list[int], early: bool) -> Round:
        with Project.open(self.path) as project:
            assert project.notice == ""
            assert project.why_read_only == ""
            last = int(project.last_seq())
            if last < told.saved:
                raise Lost(f"edit {told.saved} was called saved; {last} is the last one there")
            checked = self._replay(project, told, last)
            for image, document in self._replayed.items():
                assert project.labels_sha256(image) == sha(labels_of(document))
                stored = project.document(image)
                assert sha(labels_of(stored)) == sha(labels_of(document))
                assert stored.status == document.status
            versions = self._check_versions(project)
        _check_file(self.path / "project.db")
        _check_exports(out)
        edits, self.last = last - self.last, last
        _wait_for_end(children)
        saved = max(told.saved - last + edits, 0)
        return Round(edits, saved, checked, told.exports, versions, early and not told.digests, told.failed)

    def _replay(self, project: Project, told: _Told, last: int) -> int:
        checked = 0
        for seq in range(self.last + 1, last + 1):
            image, digest = told.digests.get(seq, (None, ""))
            owner = ImageId(self._image_of(seq))
            document = self._replayed.get(owner, next(iter(self._replayed.values())))
            edit = project.load_edit(Seq(seq), document.raster.tile)
            if edit.image is not None:
                document.apply(edit)
                if image is not None:
                    assert (edit.image, sha(labels_of(document))) == (image, digest), f"edit {seq}"
                    checked += 1
        return checked

    def _image_of(self, seq: int) -> int:
        db = sqlite3.connect(f"{self.path.joinpath('project.db').as_uri()}?mode=ro", uri=True)
        try:
            return int(db.execute("SELECT coalesce(image, 0) FROM edits WHERE seq = ?", (seq,)).fetchone()[0])
        finally:
            db.close()

    def _check_versions(self, project: Project) -> int:
        """Every version that is listed has its weights, whole."""
        from safetensors.numpy import load_file

        versions = project.versions()
        for version in versions:
            assert load_file(self.path / "models" / f"{version.name}.safetensors")
            assert json.loads((self.path / "models" / f"{version.name}.json").read_text(encoding="utf-8"))
        return len(versions)


def _draw_coins(folder: Path, rng: random.Random) -> None:
    """Six small images of bright discs."""
    folder.mkdir(parents=True)
    ys, xs = np.mgrid[:130, :150]
    for n in range(6):
        grey = np.full((130, 150), 60.0)
        for _ in range(5):
            y, x, radius = rng.randrange(130), rng.randrange(150), rng.randrange(8, 20)
            grey[(ys - y) ** 2 + (xs - x) ** 2 <= radius**2] = rng.randrange(120, 220)
        Image.fromarray((grey + rng.uniform(-9, 9)).astype(np.uint8)).save(folder / f"coins_{n}.png")


def _wait_for(told: Path, lines: int) -> None:
    end = time.monotonic() + _START_S
    while not told.exists() or told.read_bytes().count(b"\n") < lines:
        assert time.monotonic() < end, "the child does not paint"
        time.sleep(0.005)


def _read(told: Path) -> _Told:
    digests: dict[int, tuple[int, str]] = {}
    saved, exports = 0, 0
    failed: list[str] = []
    text = told.read_text(encoding="utf-8") if told.exists() else ""
    for line in text[: text.rfind("\n") + 1].splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "edit":
            seq, image, digest = rest.split()
            digests[int(seq)] = (int(image), digest)
        elif kind == "saved":
            saved = int(rest)
        elif kind == "exported":
            exports += 1
        elif kind == "failed":
            failed.append(rest)
    return _Told(digests, saved, exports, tuple(failed))


def _check_file(path: Path) -> None:
    db = sqlite3.connect(path)
    try:
        assert db.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    finally:
        db.close()


def _check_exports(out: Path) -> None:
    """What has a final name is whole: half-written files are in folders that end in .part."""
    for file in out.rglob("*"):
        if file.is_dir() or any(part.endswith(".part") for part in file.relative_to(out).parts):
            continue
        if file.suffix == ".json":
            json.loads(file.read_text(encoding="utf-8"))
        elif file.suffix == ".png":
            with Image.open(file) as image:
                image.load()


def _children(pid: int) -> list[int]:
    """Processes that a process has started (Linux)."""
    found: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in listed.read_text().split()]
        except OSError:
            continue
    return found


def _wait_for_end(children: list[int]) -> None:
    """An engine whose program is gone ends by itself."""
    end = time.monotonic() + _ENGINE_END_S
    while any(_lives(child) for child in children):
        assert time.monotonic() < end, f"the engine {children} lives on"
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

"""Checking one project: its database, its tiles, its images. Changes nothing; works beside a window that writes."""

import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segstudio.errors import NotAProject, UserError
from segstudio.store import filesystems
from segstudio.store.check import (
    bad_tiles,
    damage_sentence,
    is_held,
    quick_check,
    set_aside_files_of,
    waiting_files_of,
)
from segstudio.store.file_check import Content, look_at
from segstudio.store.project import DATABASE, Project
from segstudio.tasks.reachable import status_of
from segstudio.text import _, count

__all__ = ["Health", "examine_project", "is_project"]

_BUDGET_S = 60.0
_NAMED = 3


@dataclass(slots=True)
class Health:
    """What was looked at; `problems` are sentences, and those in `damage` mean that labels are at stake."""

    path: Path
    images: int = 0
    missing: int = 0
    changed: int = 0
    tiles: int = 0
    damaged_tiles: list[tuple[str, int, int, int]] = field(default_factory=list[tuple[str, int, int, int]])
    waiting: list[Path] = field(default_factory=list[Path])
    set_aside: list[Path] = field(default_factory=list[Path])
    damage: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])

    def as_json(self) -> dict[str, Any]:
        """The value of `project` in `segstudio doctor PROJECT --json`."""
        return {
            "path": str(self.path),
            "ok": not self.damage,
            "images": self.images,
            "missing_images": self.missing,
            "changed_images": self.changed,
            "checked_tiles": self.tiles,
            "damaged_tiles": [
                {"path": path, "plane": plane, "tile": [ty, tx]} for path, plane, ty, tx in self.damaged_tiles
            ],
            "waiting_files": [str(path) for path in self.waiting],
            "set_aside_files": [str(path) for path in self.set_aside],
        }


def is_project(path: Path) -> bool:
    """Whether a path is a project, or should be one by its name. Raises `UserError` where the system refuses."""
    return path.suffix == ".segstudio" or status_of(path / DATABASE) is not None


def examine_project(path: Path) -> Health:
    """Check the database, the digests of its tiles (for a minute at most) and that its images are there."""
    found = Health(path, waiting=waiting_files_of(path), set_aside=set_aside_files_of(path))
    found.problems += [
        _("Edits that the disk refused are waiting for this project in {file}.", file=file) for file in found.waiting
    ]
    found.problems += [
        _("Edits that no longer fitted this project are kept in {file}.", file=file) for file in found.set_aside
    ]
    try:
        with Project.open(path, write=False) as project:
            if project.notice and not found.waiting:  # for the place where it was before
                found.problems.append(project.notice)
            _look_at_images(found, project)
            _look_at_database(found, project)
    except NotAProject as error:
        todo = _("If it was one, 'segstudio repair' looks for what is left of it.")
        _damaged(found, f"{error.line} {todo}")
    except UserError as error:
        _damaged(found, error.line)
    return found


def _damaged(found: Health, sentence: str) -> None:
    found.damage.append(sentence)
    found.problems.append(sentence)


def _look_at_images(found: Health, project: Project) -> None:
    rows = project.images()
    found.images = len(rows)
    looks = [(row, look_at(row).content) for row in rows]
    missing = [row.path for row, content in looks if content is Content.MISSING]
    changed = [row.path for row, content in looks if row.changed or content is Content.CHANGED]
    found.missing, found.changed = len(missing), len(changed)
    if missing:
        found.problems.append(
            count(
                len(missing),
                "1 image is not where the project expects it ({paths}); 'segstudio relink' looks in another folder.",
                "{n} images are not where the project expects them ({paths}); 'segstudio relink' looks in another "
                "folder.",
                paths=_listed(missing),
            )
        )
    if changed:
        found.problems.append(
            count(
                len(changed),
                "The content of 1 image has changed since it was labelled ({paths}).",
                "The content of {n} images has changed since they were labelled ({paths}).",
                paths=_listed(changed),
            )
        )


def _listed(paths: list[str]) -> str:
    named = ", ".join(f"'{path}'" for path in paths[:_NAMED])
    more = len(paths) - _NAMED
    return _("{paths} and {n} more", paths=named, n=f"{more:,}") if more > 0 else named


def _quick_check(found: Health, project: Project) -> str | None:
    """What SQLite finds wrong; on a network drive, where reading a table holds up commits, nothing beside a writer."""
    if filesystems.is_network(filesystems.file_system(project.path)) and is_held(project.path):
        found.problems.append(
            _(
                "The database of '{name}' was not fully checked: it is on a network drive, and somebody has it open "
                "for writing. Run 'segstudio doctor' again when it is closed.",
                name=project.path.name,
            )
        )
        return ""
    with project.looking() as db:
        return quick_check(db)


def _look_at_database(found: Health, project: Project) -> None:
    wrong = _quick_check(found, project)
    if wrong:
        _damaged(found, f"{damage_sentence(project.path.name)} ({wrong.strip().splitlines()[-1]})")
        return
    paths = {row.id: row.path for row in project.images(removed=True)}
    end = time.monotonic() + _BUDGET_S
    try:
        with project.looking() as db:
            for bad in bad_tiles(db):
                found.tiles += 1
                if bad is not None:
                    found.damaged_tiles.append((paths.get(bad.image, "?"), bad.plane, bad.ty, bad.tx))
                if time.monotonic() > end:
                    break
    except sqlite3.DatabaseError as error:
        _damaged(found, f"{damage_sentence(project.path.name)} ({error})")
    if found.damaged_tiles:
        path, plane, ty, tx = found.damaged_tiles[0]
        sentence = _(
            "{damaged} of {tiles} tiles of labels are damaged, the first in '{path}' (plane {plane}, tile {ty}, {tx}); "
            "'segstudio repair' rebuilds what it can from the journal.",
            damaged=len(found.damaged_tiles),
            tiles=found.tiles,
            path=path,
            plane=plane,
            ty=ty,
            tx=tx,
        )
        _damaged(found, sentence)

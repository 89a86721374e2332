"""Learning's data in a project: runs, versions, and the held-out images. Every change is a job of the writer.

A function that changes something raises `ReadOnly` where the project is not open for writing, and gives a future that
is done once it is on disk, or raises `DiskRefused`.
"""

import sqlite3
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from typing import Any

from segstudio.errors import UserError, WeightsDamaged
from segstudio.labels.model import ImageId
from segstudio.runs import EMBEDDED, INSTANT
from segstudio.store.catalog import roles, versions
from segstudio.store.catalog.roles import LEARNING, Moved
from segstudio.store.catalog.versions import CURRENT, HELD_OUT_BLOCKS
from segstudio.store.database.disk_space import must_have_room
from segstudio.store.project import Project
from segstudio.store.values import Split, VersionRow
from segstudio.text import N_, _

__all__ = [
    "CURRENT",
    "HELD_OUT_BLOCKS",
    "LEARNING",
    "Moved",
    "add_trained",
    "begin_learning",
    "begin_run",
    "drop_weights",
    "end_run",
    "hold_out",
    "keep_learning",
    "make_current",
    "room_for_a_round",
    "take_up_run",
    "weights_not_kept",
]

_ROUND_BYTES = 500_000_000
"""A round writes some 100 MB; the rest stays for labels."""


def hold_out(project: Project, images: Collection[ImageId], *, held: bool) -> "Future[Moved]":
    """Change the roles of the groups of images; the future says which images have another role now, and what a
    version, or a run under way, forbade.
    """
    return project.writing().call(lambda db: roles.hold_out_all(db, images, held=held))


def make_current(project: Project, name: str) -> "Future[None]":
    """Let a version, or a learner that needs none, propose from now on; '' lets none.

    The future raises `UserError` where the project has no version of this name, or not its weights.
    """

    def write(db: sqlite3.Connection) -> None:
        found = {row.name: row for row in versions.read_versions(db)}
        if name not in {"", INSTANT, EMBEDDED, *found}:
            raise UserError(_("The project has no version '{name}'.", name=name))
        if name in found and not found[name].has_weights:
            raise weights_not_kept(name)
        versions.make_current(db, name, by_hand=name in found)

    return project.writing().call(write)


def weights_not_kept(name: str) -> WeightsDamaged:
    """What to tell a person who wants to use a version that has figures and no weights."""
    return WeightsDamaged(
        _(
            "The weights of version {version} were not kept: it is a round of Keep learning that was not promoted.",
            version=name,
        ),
        todo=_("Choose another version."),
    )


def drop_weights(project: Project, rounds: Collection[str], needed: Collection[str]) -> "Future[frozenset[str]]":
    """Write that the weights of versions that nobody needs are not kept, before their files are deleted.

    Of the `rounds` (versions that were made without being asked for) those keep them that were promoted, that a person
    let propose, that are `needed`, and the newest candidate. The future gives all versions of which it was written.
    """
    return project.writing().call(lambda db: versions.drop_weights(db, rounds, needed))


def room_for_a_round(project: Project) -> None:
    """Raise `DiskRefused` where a round could leave too little room on the disk for labels."""
    must_have_room(
        project.path,
        _ROUND_BYTES,
        N_("Keep learning needs {needed} MB free on the disk of the project, so that labels find room: it has {free}."),
        safe=_("Everything painted is safe, and the version before it stays in use."),
        todo=_("Make room, then turn it on again."),
    )


def begin_learning(project: Project, kept: Mapping[str, Any]) -> "Future[None]":
    """A run begins: until its end no group that trains is moved. `kept` (plain JSON values) is how it is resumed."""
    return project.writing().call(lambda db: roles.begin_learning(db, kept))


def keep_learning(project: Project, kept: Mapping[str, Any]) -> "Future[None]":
    """Keep how the run that learns can be resumed, in plain JSON values."""
    return project.writing().call(lambda db: roles.keep_learning(db, kept))


def begin_run(project: Project, name: str, *, parent: str, device: str, seed: int) -> "Future[int]":
    """Write the row of a run that has its plan; the future gives its id."""
    return project.writing().call(lambda db: versions.begin_run(db, name, parent=parent, device=device, seed=seed))


def take_up_run(project: Project, name: str) -> "Future[int | None]":
    """Resume an interrupted run; the future gives its id, None where it has no row yet."""
    return project.writing().call(lambda db: versions.take_up_run(db, name))


def add_trained(
    project: Project,
    version: VersionRow,
    *,
    run: int | None,
    groups: Mapping[int, Split],
    current: str,
    state: str,
    summary: Mapping[str, Any],
) -> "Future[None]":
    """Write the version that a run made, with the groups it saw and was measured on, and end the run, all or nothing.

    `current` is the version that proposes from now on, `state` how the run ended.
    """

    def write(db: sqlite3.Connection) -> None:
        versions.add_version(db, version, run=run, groups=groups)
        versions.make_current(db, current)
        if run is not None:
            versions.end_run(
                db,
                run,
                state=state,
                version=version.name,
                steps=version.steps,
                seconds=version.seconds,
                summary=summary,
            )
        roles.end_learning(db)

    return project.writing().call(write)


def end_run(
    project: Project,
    run: int | None,
    *,
    state: str,
    steps: int,
    seconds: float,
    summary: Mapping[str, Any],
    kept: Mapping[str, Any] | None = None,
) -> "Future[None]":
    """End a run that made no version. With `kept`, how it is resumed, images keep their roles; else they may move."""

    def write(db: sqlite3.Connection) -> None:
        if run is not None:
            versions.end_run(db, run, state=state, steps=steps, seconds=seconds, summary=summary)
        if kept is None:
            roles.end_learning(db)
        else:
            roles.keep_learning(db, kept)

    return project.writing().call(write)

"""B's side of the conflicts of a merge, which is among the proposals: it is copied with the project.

A cache may be deleted, and no model knows these proposals.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from segstudio.errors import DiskRefused
from segstudio.labels.proposal import Proposal
from segstudio.store.proposals import Proposals, encoded

__all__ = ["MERGED", "PROPOSALS", "copy_merged_proposals"]

MERGED = "merged"
"""The version of a proposal that holds the other project's side of a conflict."""

PROPOSALS = Path("cache", "proposals.db")


def copy_merged_proposals(project: Path, copy: Path) -> int:
    """Copy the proposals of a merge from a project's cache into a copy's; returns how many planes have one.

    What cannot be read is left out: it is a cache. Raises `DiskRefused` where the copy cannot be written.
    """
    if not (project / PROPOSALS).is_file():
        return 0
    with (
        closing(Proposals(project / PROPOSALS, write=False)) as source,
        closing(Proposals(copy / PROPOSALS, write=True)) as target,
    ):
        copied = 0
        for found in _merged(source):
            tiles = {key: encoded(tile) for key, tile in found.tiles.items()}
            target.write(found.image, found.plane, MERGED, found.rows, tiles)
            copied += 1
        return copied


def _merged(source: Proposals) -> Iterator[Proposal]:
    try:
        for note in source.notes():
            found = source.read(note.image, note.plane) if note.version == MERGED else None
            if found is not None:
                yield found
    except (DiskRefused, sqlite3.Error):
        return

"""A new project, built in a sibling folder and renamed: it is made completely or not at all."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import msgspec

import segstudio
from segstudio.durable import built_folder, copy_durably
from segstudio.errors import DiskRefused, UserError
from segstudio.labels.edit import now_utc
from segstudio.labels.model import ClassTable
from segstudio.store.catalog.classes import insert_classes, new_table
from segstudio.store.catalog.images import insert_images
from segstudio.store.database.connect import Access, connect
from segstudio.store.database.disk_errors import refusal
from segstudio.store.database.schema import create_tables
from segstudio.store.values import NewClass, NewImage
from segstudio.text import _

__all__ = ["DATABASE", "build_project"]

DATABASE = "project.db"
_FOLDERS = ("models", "runs", "cache")
_COPIES = "images"


def build_project(path: Path, images: Iterable[NewImage], classes: Sequence[NewClass], *, copy_files: bool) -> None:
    """Make a project folder at a free path; nothing is left where this fails.

    With `copy_files` the image files are taken into the project. Raises `UserError`, `UsageError`, `DiskRefused`.
    """
    if path.exists() or path.is_symlink():
        raise UserError(_("There is already something at '{path}'; a new project needs a new name.", path=path))
    table = new_table(classes)
    try:
        with built_folder(path) as part:
            _build(part, path, images, table, copy_files=copy_files)
    except (sqlite3.Error, OSError) as error:
        sentence = refusal(error)
        if sentence is None:
            raise
        raise DiskRefused(
            _("The project '{name}' could not be made. {sentence}", name=path.name, sentence=sentence)
        ) from error


def _build(part: Path, path: Path, images: Iterable[NewImage], table: ClassTable, *, copy_files: bool) -> None:
    for name in _FOLDERS:
        (part / name).mkdir()
    if copy_files:
        images = (_copied(image, part, path) for image in images)
    db = connect(part / DATABASE, Access.CREATE)
    try:
        db.execute("BEGIN IMMEDIATE")
        create_tables(db)
        for key, value in (("uuid", uuid4().hex), ("made", now_utc()), ("made_by", segstudio.__version__)):
            db.execute("INSERT INTO settings VALUES (?, ?)", (key, msgspec.json.encode(value).decode()))
        insert_classes(db, table)
        insert_images(db, images, path)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        db.close()


def _copied(image: NewImage, part: Path, path: Path) -> NewImage:
    for place in (image.path, *(file.path for file in image.more)):
        copy_durably(image.root / place, part / _COPIES / place)
    return replace(image, root=path / _COPIES)

"""The pairing of two projects' images, and the rows of those that only the second one has.

Two images are one where all their files agree in size and quick hash (and in the content hash, where both have one)
and their planes in size. The same content twice in one project is paired by path, then in the projects' order.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from segstudio.labels.model import ImageId, folded_name
from segstudio.store.catalog.images import free_name

__all__ = ["KnownImage", "PairedImage", "add_images", "known_images", "paired_images"]

_Identity = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class PairedImage:
    """An image of C, the image of B it is, and for each plane of B its place in C; `same_id` where copies agree."""

    c: ImageId
    b: ImageId
    planes: tuple[int, ...]

    @property
    def same_id(self) -> bool:
        """Whether it has the same number in both, as in copies of one project."""
        return self.c == self.b and self.planes == tuple(range(len(self.planes)))


@dataclass(frozen=True, slots=True)
class KnownImage:
    """What an image is known by: `identity` is the same for the same content, `content` full hashes or '', `keys` those
    of its planes."""

    id: ImageId
    name_key: str
    identity: _Identity
    content: tuple[str, ...]
    keys: tuple[str, ...]


def paired_images(mine: Iterable[KnownImage], others: Sequence[KnownImage]) -> tuple[list[PairedImage], list[ImageId]]:
    """The images that both sides have, in the order of the others, and those that only the others have."""
    by_identity: defaultdict[_Identity, list[KnownImage]] = defaultdict(list)
    for image in mine:
        by_identity[image.identity].append(image)
    found: dict[ImageId, PairedImage] = {}
    rules: tuple[Callable[[KnownImage, KnownImage], bool], ...] = (
        lambda mine, other: mine.id == other.id and mine.name_key == other.name_key,
        lambda mine, other: mine.name_key == other.name_key,
        lambda _mine, _other: True,
    )
    for fits in rules:
        for image in others:
            candidates = by_identity.get(image.identity, [])
            match = next((m for m in candidates if fits(m, image) and _same_content(m, image)), None)
            if image.id not in found and match is not None:
                found[image.id] = PairedImage(match.id, image.id, _plane_places(match, image))
                candidates.remove(match)
    pairs = [found[image.id] for image in others if image.id in found]
    return pairs, [image.id for image in others if image.id not in found]


def _same_content(a: KnownImage, b: KnownImage) -> bool:
    return all(not x or not y or x == y for x, y in zip(a.content, b.content, strict=True))


def _plane_places(c: KnownImage, b: KnownImage) -> tuple[int, ...]:
    """Planes go by the reader's keys where both have the same ones, else by place."""
    if len(set(b.keys)) == len(b.keys) and set(b.keys) == set(c.keys):
        return tuple(c.keys.index(key) for key in b.keys)
    return tuple(range(len(b.keys)))


def known_images(db: sqlite3.Connection) -> list[KnownImage]:
    """Every image of a project, in its order, taken out or not."""
    files = _by_image(db, "SELECT image, size, quick_hash, content_hash FROM files ORDER BY image, position")
    planes = _by_image(db, "SELECT image, key, width, height FROM planes ORDER BY image, position")
    return [
        KnownImage(
            ImageId(id_),
            name_key,
            # Sizes without their order: planes are matched by key.
            (*((f[0], f[1]) for f in files[id_]), None, *sorted((p[1], p[2]) for p in planes[id_])),
            tuple(str(f[2]) for f in files[id_]),
            tuple(str(p[0]) for p in planes[id_]),
        )
        for id_, name_key in db.execute("SELECT id, name_key FROM images ORDER BY position")
    ]


def _by_image(db: sqlite3.Connection, query: str) -> Mapping[int, list[tuple[object, ...]]]:
    found: defaultdict[int, list[tuple[object, ...]]] = defaultdict(list)
    for image, *rest in db.execute(query):
        found[image].append(tuple(rest))
    return found


def add_images(
    c: sqlite3.Connection, b: sqlite3.Connection, images: Iterable[ImageId], roots: Mapping[int, int], name: str
) -> list[PairedImage]:
    """Add images of B without their labels, after those of C; `roots` is the root in C of each root of B.

    A path that C has already gets the name of B's project in front. An image stands in the group of the same content
    or, where there is none, of the same key; a new group has no side of the split yet.
    """
    added: list[PairedImage] = []
    taken = {str(row[0]) for row in c.execute("SELECT name_key FROM images")}
    next_id, position = c.execute("SELECT max(id) + 1, max(position) + 1 FROM images").fetchone()
    for offset, image in enumerate(images):
        new = ImageId((next_id or 1) + offset)
        path = free_name(str(b.execute("SELECT path FROM images WHERE id = ?", (image,)).fetchone()[0]), name, taken)
        taken.add(folded_name(path))
        row = b.execute(
            "SELECT channels, dtype, family, metadata, removed, problem, corrected_pixels, proposed_pixels FROM images "
            "WHERE id = ?",
            (image,),
        ).fetchone()
        c.execute(
            "INSERT INTO images (id, position, path, name_key, group_id, channels, dtype, family, metadata, removed, "
            "problem, corrected_pixels, proposed_pixels) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (new, (position or 0) + offset, path, folded_name(path), _group(c, b, image), *row),
        )
        for place, root, *rest in b.execute(
            "SELECT position, root, path, name_key, size, mtime_ns, quick_hash, content_hash, changed FROM files "
            "WHERE image = ?",
            (image,),
        ):
            c.execute(
                "INSERT INTO files (image, position, root, path, name_key, size, mtime_ns, quick_hash, content_hash, "
                "changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (new, place, roots[root], *rest),
            )
        planes = b.execute("SELECT position, key, width, height, file FROM planes WHERE image = ?", (image,)).fetchall()
        c.executemany(
            "INSERT INTO planes (image, position, key, width, height, file) VALUES (?, ?, ?, ?, ?, ?)",
            [(new, *plane) for plane in planes],
        )
        added.append(PairedImage(new, image, tuple(range(len(planes)))))
    return added


def _group(c: sqlite3.Connection, b: sqlite3.Connection, image: ImageId) -> int:
    """The group in C of an image of B; made where it is missing."""
    size, quick = b.execute("SELECT size, quick_hash FROM files WHERE image = ? AND position = 0", (image,)).fetchone()
    same = c.execute(
        "SELECT i.group_id FROM files f JOIN images i ON i.id = f.image WHERE f.quick_hash = ? AND f.size = ? "
        "ORDER BY i.position LIMIT 1",
        (quick, size),
    ).fetchone()
    if same is not None:
        return int(same[0])
    key = b.execute(
        "SELECT g.key FROM groups g JOIN images i ON i.group_id = g.id WHERE i.id = ?", (image,)
    ).fetchone()[0]
    found = c.execute("SELECT id FROM groups WHERE key = ?", (key,)).fetchone()
    if found is not None:
        return int(found[0])
    return int(c.execute("INSERT INTO groups (key) VALUES (?) RETURNING id", (key,)).fetchone()[0])

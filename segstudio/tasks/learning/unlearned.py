"""Whether a project has labels to learn that the newest version does not know: an edit alone is no reason for a run.

A rename, a lock, Done, or any work on a held-out image changes no label that a run learns from.
"""

from dataclasses import dataclass, field

import msgspec

from segstudio.labels.model import Kind
from segstudio.store.project import Project
from segstudio.store.values import Split

__all__ = ["TrainingLabels", "unlearned_labels"]


@dataclass(frozen=True, slots=True)
class TrainingLabels:
    """The digest of the labels of each labelled training image by path, and of each class with known pixels its id, the
    id of what it counts as (0: nothing) and the kind of that.
    """

    images: dict[str, str]
    classes: frozenset[tuple[int, int, str]]
    edits: dict[str, int] = field(compare=False)


class _Class(msgspec.Struct):
    id: int


class _Image(msgspec.Struct):
    path: str
    part: str
    edit: int
    labels_sha256: str | None = None


class _Data(msgspec.Struct):
    images: list[_Image]


class _Card(msgspec.Struct):
    data: _Data
    classes: list[_Class]


def unlearned_labels(project: Project, begun: TrainingLabels | None) -> TrainingLabels | None:
    """The labels that a run would learn now; None where they are those that the last one had `begun` with, or that the
    newest version has learned.
    """
    now = _labels(project)
    return None if now == begun or _is_learned(project, now) else now


def _labels(project: Project) -> TrainingLabels:
    digests, table = project.labels_digests(), project.classes()
    rows = [row for row in project.images() if row.labelled_pixels and row.split is not Split.HELD_OUT]
    classes: set[tuple[int, int, str]] = set()
    for id_ in project.class_pixels():
        found = table.effective(id_)
        counts = found is not None and found.kind is not Kind.IGNORE
        classes.add((int(id_), int(found.id), found.kind.value) if found is not None and counts else (int(id_), 0, ""))
    return TrainingLabels(
        {row.path: digests.get(row.id, "") for row in rows},
        frozenset(classes),
        {row.path: int(row.last_edit) for row in rows},
    )


def _is_learned(project: Project, now: TrainingLabels) -> bool:
    """Whether the newest version has learned just these labels, by its card."""
    version = next(reversed(project.versions()), None)
    if version is None:
        return False
    try:
        card = msgspec.json.decode((project.path / "models" / f"{version.name}.json").read_bytes(), type=_Card)
    except (OSError, msgspec.MsgspecError):
        return False
    learned = {image.path: image for image in card.data.images if image.part == Split.TRAIN}
    today = {id_: counts_as for id_, counts_as, _kind in now.classes}
    return (
        learned.keys() == now.images.keys()
        and all(_is_same(image, now) for image in learned.values())
        and all(today.get(class_.id, class_.id) == class_.id for class_ in card.classes)
    )


def _is_same(image: _Image, now: TrainingLabels) -> bool:
    """Whether an image has the labels that were learned; where the card has no digest, by its last edit."""
    if image.labels_sha256 is None:
        return image.edit == now.edits[image.path]
    return image.labels_sha256 == now.images[image.path]

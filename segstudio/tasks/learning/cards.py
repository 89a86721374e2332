"""The card of a version: all that a person, and the engine, want to know of its weights, as JSON beside them.

The data a version learned from have a digest that rests on their content alone: the same pictures with the same labels
on the same sides of the split give the same one in any project.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from segstudio import __version__
from segstudio.engine.protocol import Trained
from segstudio.labels.edit import now_utc
from segstudio.runs import Plan, PlanPlane
from segstudio.store.project import Project

__all__ = ["LearnedFrom", "card_of", "learned_from"]


@dataclass(frozen=True, slots=True)
class LearnedFrom:
    """The digests (hex) of the labels of a plane's image and of its file; '' for labels that were edited while the run
    began.
    """

    labels: str
    file: str


def learned_from(project: Project, planes: Sequence[PlanPlane]) -> dict[tuple[int, int], LearnedFrom]:
    """What the planes of a plan hold by image and plane, asked for as the run begins."""
    rows = {int(row.id): row for row in project.images(removed=True)}
    digests = {int(image): found for image, found in project.labels_digests().items()}
    found = {}
    for plane in planes:
        row = rows[plane.image]
        same = int(row.last_edit) == plane.seq
        labels = digests.get(plane.image, "") if same else ""
        found[plane.image, plane.plane] = LearnedFrom(labels, row.quick_hash)
    return found


def card_of(
    version: str,
    run: str,
    plan: Plan,
    trained: Trained,
    *,
    last_edit: int,
    data: Mapping[tuple[int, int], LearnedFrom],
    weights: bytes,
    picks_up: bool,
) -> dict[str, object]:
    """The card of a version that a run left behind; `data` as `learned_from` found them. `picks_up`: it was a round of
    learning that goes on.
    """
    return {
        "version": version,
        "parent": trained.parent,
        "base": plan.base,
        "steps_before": plan.steps_before,
        "program": __version__,
        "made": now_utc(),
        "data": {
            "sha256": data_sha256(plan.planes, data),
            "last_edit": last_edit,
            "images": [_image(p, data.get((p.image, p.plane))) for p in plan.planes],
            "train_groups": plan.groups("train"),
            "held_out_groups": plan.groups("held-out"),
            "blocks": msgspec.to_builtins(plan.blocks),
        },
        "classes": msgspec.to_builtins(plan.classes),
        "seed": plan.seed,
        **trained.card,
        "figures": msgspec.to_builtins(trained.figures),
        "older": msgspec.to_builtins(trained.older),
        "promoted": trained.promoted,
        "reason": trained.reason,
        "advice": trained.advice,
        "steps": trained.steps,
        "kept_at": plan.kept_at,
        "seconds": trained.seconds,
        "sha256": hashlib.sha256(weights).hexdigest(),
        "run": run,
        "picks_up": picks_up,
    }


def data_sha256(planes: Sequence[PlanPlane], known: Mapping[tuple[int, int], LearnedFrom]) -> str:
    """sha256 over a line for each plane, sorted: digest of the file, plane, side of the split, digest of the labels;
    in place of the last, the number of the edit at which they were read if they changed while the run began.
    """
    lines = []
    for p in planes:
        found = known.get((p.image, p.plane), LearnedFrom("", p.path))
        lines.append(f"{found.file} {p.plane} {p.part} {found.labels or f'edit {p.seq}'}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _image(plane: PlanPlane, found: LearnedFrom | None) -> dict[str, object]:
    labels = None if found is None else found.labels or None
    return {
        "path": plane.path,
        "plane": plane.plane,
        "part": plane.part,
        "edit": plane.seq,
        "labels_sha256": labels,
        "labelled": plane.labelled,
    }

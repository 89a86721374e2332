"""What a project holds, in figures. Decodes nothing and changes nothing."""

from typing import Any

from segstudio.imaging.metadata import known
from segstudio.store.file_check import changed_sentence
from segstudio.store.merging import MERGES
from segstudio.store.project import ImageRow, Project, VersionRow
from segstudio.text import _

__all__ = ["info"]


def info(project: Project) -> dict[str, Any]:
    """The object that `segstudio info --json` prints: images, classes, versions, the number of the last edit, and what
    was merged into it where anything was."""
    images: list[dict[str, Any]] = []
    seconds, efforts, digests = project.seconds(), project.efforts(), project.labels_digests()
    for image in project.images():
        entry = _image(image, digests.get(image.id) or project.labels_sha256(image.id))
        entry["seconds"] = round(seconds.get(image.id, 0.0), 1)
        entry["effort"] = _effort(efforts.get(image.id))
        images.append(entry)
    found: dict[str, Any] = {
        "images": images,
        "classes": [
            {"name": c.name, "color": c.color, "kind": c.kind.value, "value": c.value} for c in project.classes()
        ],
        "versions": [_version(version) for version in project.versions()],
        "last_edit": int(project.last_seq()),
        "waiting_edits": project.unsaved.edits,
    }
    merges = project.setting(MERGES)
    if merges:
        found["merges"] = merges
    return found


def _image(image: ImageRow, digest: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "path": image.path,
        "size": list(image.planes[0]),
        "planes": len(image.planes),
        "planes_done": len(image.marks.done(len(image.planes))),
        "status": image.status.value,
        "split": None if image.split is None else image.split.value,
        "objects": image.objects,
        "labelled_pixels": image.labelled_pixels,
        "labels_sha256": digest,
        **_pixels(image),
    }
    if image.problem or image.changed:
        entry["problem"] = image.problem or changed_sentence(image)
    return entry


def _pixels(image: ImageRow) -> dict[str, Any]:
    """What is known of an image's pixels and place, by the names of the contract."""
    metadata = known(image.metadata)
    names = [channel.name for channel in metadata.channels]
    axes = metadata.axes if metadata.sizes or len(image.planes) == 1 else "zyx"
    return {
        "channels": image.channels,
        "channel_names": names if any(names) else _channel_names(image.channels),
        "dtype": image.dtype,
        "axes": axes,
        "spacing": None if metadata.spacing is None else list(metadata.spacing),
        "unit": metadata.unit or None,
        "crs": metadata.crs or None,
        "transform": None if metadata.transform is None else list(metadata.transform),
        "group": metadata.group or None,
        "notes": [_(note) for note in metadata.notes],
        "personal": metadata.personal,
    }


def _channel_names(channels: int) -> list[str]:
    """What channels are called where the file does not say."""
    if channels == 1:
        return ["grey"]
    return ["red", "green", "blue"] if channels == 3 else [str(n) for n in range(1, channels + 1)]


def _effort(found: tuple[int, int] | None) -> dict[str, int] | None:
    return None if found is None else {"corrected": found[0], "proposed": found[1]}


def _version(version: VersionRow) -> dict[str, Any]:
    return {
        "version": version.name,
        "parent": version.parent,
        "learner": version.learner,
        "promoted": version.promoted,
        "current": version.current,
        "weights": version.has_weights,
        "reason": version.reason,
        "made": version.made,
        "steps": version.steps,
        "seconds": version.seconds,
        "held_out": dict(version.figures),
    }

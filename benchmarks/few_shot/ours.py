"""Our own learners on an evaluation set: through a scratch project and the real engine process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from few_shot.free_machine import Rates, clocked
from few_shot.measuring import held_out_px, plan_for
from few_shot.sets import UNKNOWN, EvaluationSet, mean_iou
from segstudio.engine.client import EngineClient
from segstudio.geometry import Rect
from segstudio.imaging.hashing import quick_hash
from segstudio.imaging.source import probe
from segstudio.labels.model import ImageId, Kind
from segstudio.runs import Choices
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.learning.predict import predict
from segstudio.tasks.learning.train import train
from segstudio.tasks.progress import finished

__all__ = ["Labelled", "deep", "labelled", "new_image", "proposed"]


@dataclass(frozen=True)
class Labelled:
    """A project whose first images are labelled, and the images to test."""

    of: EvaluationSet
    project: Project
    test: list[ImageId]

    def score(self) -> float:
        """Mean IoU of the proposals for the images to test."""
        rows = [self.project.image(image) for image in self.test]
        pairs = ((self.of.mask(Path(row.path)), self._found(row.id, row.planes[0])) for row in rows)
        return mean_iou(self.of.classes, pairs)

    def _found(self, image: ImageId, size: tuple[int, int]) -> NDArray[np.int64]:
        """The proposed class of each pixel (h, w), `UNKNOWN` where nothing is proposed."""
        found = np.full(size[::-1], UNKNOWN, np.int64)
        proposal = self.project.proposals.read(image, 0)
        if proposal is not None:
            ids = proposal.class_ids(Rect(0, 0, *size))
            for place, class_ in enumerate(self.project.classes()):
                found[ids == class_.id] = place
        return found


@contextmanager
def labelled(of: EvaluationSet, scratch: Path, images: int, seed: int) -> Iterator[Labelled]:
    """A project in a scratch folder, in which some images are labelled from their masks."""
    shown, tested = of.split(seed, images)
    folder = scratch / "masks"
    folder.mkdir()
    for image in shown:
        of.write_mask(image, folder)
    kinds = [Kind.BACKGROUND] + [Kind.SEMANTIC] * (len(of.classes) - 1)
    classes = [NewClass(name, kind=kind) for name, kind in zip(of.classes, kinds, strict=True)]
    files = [new_image(image) for image in (*shown, *tested)]
    with Project.create(scratch / f"{of.name}.segstudio", files, classes) as project:
        finished(import_masks(project, "png", folder))
        yield Labelled(of, project, [row.id for row in project.images()[images:]])


def new_image(path: Path) -> NewImage:
    """A file of a set as an image of a new project."""
    info, stat = probe(path), path.stat()
    planes = tuple(NewPlane(p.key, p.width, p.height) for p in info.planes)
    found = (stat.st_size, stat.st_mtime_ns, quick_hash(path))
    return NewImage(path.name, path.parent, *found, planes, info.channels, info.dtype, info.family)


def proposed(on: Labelled, version: str) -> dict[str, object]:
    """The figures of a version that needs no run."""
    with EngineClient(on.project.path) as engine:
        finished(predict(on.project, engine, on.test, version=version))
    return {"iou": on.score()}


def deep(on: Labelled, rates: Rates, seconds: float, seed: int) -> dict[str, object]:
    """The figures of a run of so many seconds of a free machine."""
    choices = Choices(max_seconds=seconds, seed=seed)
    plan = plan_for(on.project, choices)
    plan = clocked(plan, rates, held_out_px(on.project, plan))
    with EngineClient(on.project.path) as engine:
        result = finished(train(on.project, engine, choices, plan=plan))
        assert result.steps == plan.steps
        finished(predict(on.project, engine, on.test, version=result.version))
    phases = {"steps": result.steps, "opened_at": plan.opened_at, "decay_at": plan.decay_at}
    return {"iou": on.score(), **phases, "promoted": result.promoted}

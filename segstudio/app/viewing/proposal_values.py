"""A proposal as scripts get it: class values and confidence."""

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect
from segstudio.labels.class_lookup import class_lookup
from segstudio.labels.model import ClassTable, ImageId
from segstudio.store.project import Project

__all__ = ["proposal_values"]


def proposal_values(
    project: Project, classes: ClassTable, image: ImageId, plane: int, rect: Rect
) -> tuple[NDArray[np.uint16], NDArray[np.float32]] | None:
    """Class values (255 or 65535 where nothing is proposed) and confidence 0..1, each (h, w), read-only.

    None where nothing is proposed for the plane.
    """
    proposal = project.proposals.read(image, plane)
    if proposal is None:
        return None
    highest = max(c.value for c in classes.all)
    proposed = max((row.class_id for row in proposal.rows.values()), default=0)
    nothing = 255 if highest <= 254 else 65535
    lookup = class_lookup(classes, lambda c: c.value, nothing=nothing, dtype=np.uint16, size=proposed + 1)
    found = lookup[proposal.class_ids(rect)]
    confidence = proposal.confidence(rect).astype(np.float32) / np.float32(255)
    found.setflags(write=False)
    confidence.setflags(write=False)
    return found, confidence

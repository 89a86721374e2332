"""Class values as masks store them: of 8 bits, with 255 for unknown, or of 16 with 65535 if a value is over 254."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.formats.values import NOTHING, ExportPlan
from segstudio.labels.model import Kind

__all__ = ["UNKNOWN_8", "UNKNOWN_16", "Storage", "storage_of"]

UNKNOWN_8, UNKNOWN_16 = 255, 65535
_HIGHEST_8 = 254
# The colour of unlabelled pixels in the masks of Pascal VOC.
_UNKNOWN_COLOR = (224, 224, 192)


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """How an export stores values: their type, the value for unknown, and colours uint8 (256, 3) for values of 8 bits,
    where they are wanted.
    """

    dtype: "np.dtype[Any]"
    unknown: int
    palette: NDArray[np.uint8] | None

    def stored(self, values: NDArray[np.int32]) -> NDArray[Any]:
        """Class values (h, w), `NOTHING` where unknown or ignored, as they are stored."""
        return np.where(values == NOTHING, np.int32(self.unknown), values).astype(self.dtype)


def storage_of(plan: ExportPlan) -> Storage:
    """One storage for the whole export, so that a value means the same in all its files."""
    counted = [c for c in plan.classes if c.kind is not Kind.IGNORE]
    if max((c.value for c in counted), default=0) > _HIGHEST_8:
        return Storage(np.dtype(np.uint16), UNKNOWN_16, None)
    if plan.grey:
        return Storage(np.dtype(np.uint8), UNKNOWN_8, None)
    palette = np.zeros((256, 3), np.uint8)
    palette[UNKNOWN_8] = _UNKNOWN_COLOR
    for c in counted:
        palette[c.value] = [int(c.color[i : i + 2], 16) for i in (1, 3, 5)]
    return Storage(np.dtype(np.uint8), UNKNOWN_8, palette)

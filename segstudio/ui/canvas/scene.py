"""What is drawn: an image, above it its labels, and a proposal or another view of one. Knows no widgets or buffers."""

from functools import partial
from math import inf

import numpy as np
from numpy.typing import NDArray

from segstudio.geometry import Rect, ViewTransform, tile_rect
from segstudio.labels.document import Document
from segstudio.ui.canvas.compose import Pixels
from segstudio.ui.canvas.layers.image import ImageLayer
from segstudio.ui.canvas.layers.labels import Drawn, LabelLayer
from segstudio.ui.canvas.layers.model import ModelLayer

__all__ = ["Scene"]


class Scene:
    """The image is drawn into a buffer of its own, since a stroke changes only what is above it: labels and proposal,
    and over these the model's own view."""

    def __init__(self) -> None:
        self.image = ImageLayer()
        self.labels = LabelLayer()
        self.model = ModelLayer()

    @property
    def empty(self) -> bool:
        """Whether there is no image."""
        return self.image.pixels is None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image in pixels; (1, 1) if there is none."""
        return self.image.size

    def show(self, pixels: Pixels | None, document: Document | None, plane: int) -> None:
        """Show another image and its labels, without the old proposal."""
        self.image.pixels = pixels
        self.labels.show(document, plane, self.image.size)
        self.model.size = self.image.size
        self.model.show_nothing()

    def set_line(self, px: int) -> None:
        """Set the width of outlines in device pixels."""
        self.labels.line_px = self.model.line_px = px

    def touched(self, rect: Rect) -> list[Rect]:
        """Labels within a rectangle of image pixels may have changed; returns the parts to be drawn again."""
        self.model.touched(rect)
        return self.labels.touched(rect)

    def draw_labels(
        self, transform: ViewTransform, rect: Rect, out: NDArray[np.uint32], deadline: float = inf
    ) -> Drawn:
        """Draw all that is above the image into a rectangle of a whole buffer; returns what was not drawn."""
        drawn = self.labels.draw(transform, rect, out, deadline)
        if self.model.empty:
            return drawn
        labelled = partial(self.labels.labelled, deadline=deadline)
        late = [tile_rect(*key[1:]) for key in self.model.draw(transform, rect, out, labelled, deadline)]
        return Drawn([*drawn.late, *late], drawn.unread, drawn.faults)

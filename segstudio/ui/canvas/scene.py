"""What is drawn: an image, and above it its labels and its proposal. Knows no widgets or buffers."""

from segstudio.labels.document import Document
from segstudio.ui.canvas.compose import Pixels
from segstudio.ui.canvas.layers.image import ImageLayer
from segstudio.ui.canvas.layers.labels import LabelLayer

__all__ = ["Scene"]


class Scene:
    """Two layers on one image, drawn into buffers of their own since a stroke changes the upper one alone."""

    def __init__(self) -> None:
        self.image = ImageLayer()
        self.labels = LabelLayer()

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

"""Which part of an image a view shows, and at what scale. Only the state of the view: no pixels, no Qt.

There are two sizes of pixel: *view* pixels are those of widgets and mouse events, *device* pixels those of the screen
(`ratio` device pixels per view pixel). The transform is stored in device pixels, so that the buffer can be moved by
whole ones while the image is dragged.
"""

from dataclasses import dataclass, field
from math import ceil, floor

from segstudio.geometry import Rect, ViewTransform

__all__ = ["LARGEST_SCALE", "Viewport"]

LARGEST_SCALE = 64.0
"""Largest scale in view pixels per image pixel (unless a tiny image needs more to fit)."""

_SMALLEST_OF_FIT = 1 / 8
_KEPT_IN_VIEW = 48.0
_MARGIN = 8.0


@dataclass(slots=True)
class Viewport:
    """Size of the view, size of the image, and the transform between them.

    `follows` means that nobody has zoomed or panned since the image was fitted, so that a resize fits it again.
    """

    width: float = 1.0
    height: float = 1.0
    ratio: float = 1.0
    image: tuple[int, int] = (1, 1)
    transform: ViewTransform = field(default_factory=lambda: ViewTransform(1.0, 0.0, 0.0))
    follows: bool = True

    @property
    def scale(self) -> float:
        """View pixels per image pixel."""
        return self.transform.scale / self.ratio

    @property
    def device_size(self) -> tuple[int, int]:
        """Width and height of the buffer in device pixels."""
        return max(ceil(self.width * self.ratio), 1), max(ceil(self.height * self.ratio), 1)

    @property
    def device_rect(self) -> Rect:
        """The buffer."""
        return Rect(0, 0, *self.device_size)

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """View position of an image position."""
        u, v = self.transform.to_view(x, y)
        return u / self.ratio, v / self.ratio

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Image position of a view position."""
        return self.transform.to_image(x * self.ratio, y * self.ratio)

    def covering(self, rect: Rect, margin: int = 0) -> Rect:
        """The device pixels that a rectangle of image pixels touches, with a margin, within the buffer."""
        left, top = self.transform.to_view(rect.x, rect.y)
        right, bottom = self.transform.to_view(rect.right, rect.bottom)
        return Rect.of_edges(left, top, right, bottom).grown(margin).intersected(self.device_rect)

    def visible(self) -> Rect:
        """The image pixels in view, including those only partly visible."""
        return self.transform.image_rect(0, 0, *self.device_size).intersected(Rect(0, 0, *self.image))

    def limits(self) -> tuple[float, float]:
        """Smallest and largest scale in view pixels per image pixel."""
        fit = self._fitting().scale / self.ratio
        return min(fit, 1.0) * _SMALLEST_OF_FIT, max(LARGEST_SCALE, fit)

    def resize(self, width: float, height: float, ratio: float) -> None:
        """Set the size; the image is fitted again, or its centre stays in the middle."""
        middle, scale = self.middle, self.scale
        self.width, self.height, self.ratio = max(width, 1.0), max(height, 1.0), ratio
        if self.follows:
            self.fit()
        else:
            self._centre(middle, scale * ratio)

    def show(self, image: tuple[int, int]) -> None:
        """Show another image, fitted."""
        self.image = image
        self.fit()

    @property
    def middle(self) -> tuple[float, float]:
        """The image position in the middle of the view."""
        return self.to_image(self.width / 2, self.height / 2)

    def look_at(self, x: float, y: float, scale: float) -> None:
        """Show an image position in the middle at a scale, within the limits."""
        low, high = self.limits()
        within = min(max(x, 0.0), self.image[0]), min(max(y, 0.0), self.image[1])
        self._centre(within, min(max(scale, low), high) * self.ratio)
        self.follows = False

    def fit(self) -> None:
        """Show the whole image, centred."""
        self.transform = self._fitting()
        self.follows = True

    def set_scale(self, scale: float) -> None:
        """Set the scale, clipped to its limits; the middle stays."""
        low, high = self.limits()
        self._centre(self.middle, min(max(scale, low), high) * self.ratio)
        self.follows = False

    def zoom(self, factor: float, x: float, y: float) -> bool:
        """Scale by a factor around the view position (x, y); returns whether anything changed."""
        low, high = self.limits()
        scale = min(max(self.scale * factor, low), high)
        if scale == self.scale:
            return False
        self.transform = self.transform.zoomed(scale / self.scale, x * self.ratio, y * self.ratio)
        self.follows = False
        return True

    def drag(self, image_x: float, image_y: float, x: float, y: float) -> tuple[int, int]:
        """Move an image position under a view position, as closely as whole device pixels and the limits allow.

        Returns by how many device pixels the picture moved.
        """
        u, v = self.transform.to_view(image_x, image_y)
        dx = self._clamped(round(x * self.ratio - u), self.transform.dx, 0)
        dy = self._clamped(round(y * self.ratio - v), self.transform.dy, 1)
        if dx or dy:
            self.transform = self.transform.panned(dx, dy)
            self.follows = False
        return dx, dy

    def _clamped(self, step: int, offset: float, axis: int) -> int:
        """A step limited so that a strip of the image stays in view."""
        extent = self.image[axis] * self.transform.scale
        view = self.device_size[axis]
        kept = min(_KEPT_IN_VIEW * self.ratio, extent, view)
        low, high = kept - extent - offset, view - kept - offset
        return min(max(step, min(ceil(low), 0)), max(floor(high), 0))

    def _fitting(self) -> ViewTransform:
        size = self.width * self.ratio, self.height * self.ratio
        margin = _MARGIN * self.ratio if min(size) > 8 * _MARGIN * self.ratio else 0.0
        return ViewTransform.fitting(self.image, size, margin)

    def _centre(self, middle: tuple[float, float], device_scale: float) -> None:
        x, y = self.width * self.ratio / 2, self.height * self.ratio / 2
        self.transform = ViewTransform(device_scale, x - middle[0] * device_scale, y - middle[1] * device_scale)

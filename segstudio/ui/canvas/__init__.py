"""The canvas: the image on screen with its labels and proposal, and the pointer that paints on it."""

from segstudio.ui.canvas.canvas import Canvas

__all__ = ["Canvas"]

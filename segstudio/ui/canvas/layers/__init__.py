"""The layers of the canvas, one per module: the image, its labels, and above them the active tool's."""

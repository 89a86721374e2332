"""The layers above the image and its labels, one per module."""

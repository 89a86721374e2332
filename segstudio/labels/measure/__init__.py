"""Measuring objects: pixels, boxes, origins and the image's values, tile by tile."""

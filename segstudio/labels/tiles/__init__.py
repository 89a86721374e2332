"""Tiles of labels, their codec, and the live raster that caches them."""

"""The image on screen, its pixels, its proposal."""

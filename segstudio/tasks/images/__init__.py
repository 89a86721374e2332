"""Whole jobs over images: make a project, add, remove, relink, list."""

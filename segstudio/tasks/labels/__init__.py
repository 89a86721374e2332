"""Whole jobs over labels: import, export, accept, done, evaluate, compare."""

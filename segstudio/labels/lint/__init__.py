"""Faults of labels that a program can see: where they are, and what mends them."""

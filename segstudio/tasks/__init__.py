"""Whole jobs in plain Python, as generators of progress: the same for window and command line."""

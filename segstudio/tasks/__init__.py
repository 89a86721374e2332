"""Whole jobs in plain Python, as generators of progress: the same for the window and the command line."""

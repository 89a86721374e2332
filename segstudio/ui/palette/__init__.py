"""The command palette: everything a person can ask the window for, found by a few letters of its name."""

"""Whole jobs that look after a project: snapshots, backup, compact, merge, repair."""

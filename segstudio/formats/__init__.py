"""Formats: labels into files, files into plain values, and one table of them all. Never touches the store."""

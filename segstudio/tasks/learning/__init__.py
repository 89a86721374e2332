"""Whole jobs of learning: train, predict."""

"""The label document in memory: tiles, edits, gestures, strokes and proposals. No disk, no Qt."""

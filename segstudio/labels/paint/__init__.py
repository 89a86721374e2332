"""What paints: strokes, what they may touch, fills of whole planes."""

"""An outline that grows under the hand: its points, and the shapes that show them. Plain values, no pixels.

A long line is shown in pieces. Those that have not changed are the same shapes as before, so that one more point costs
the last piece and nothing else, however long the line is.
"""

from segstudio.app.editing.tools.overlay import Point, Polyline

__all__ = ["Trail"]

_PIECE = 256
"""Segments of a piece."""


class Trail:
    """Points in their order, each differing from the one before it."""

    def __init__(self, first: Point) -> None:
        self.points: list[Point] = [first]
        self._pieces: list[Polyline | None] = []

    def __len__(self) -> int:
        return len(self.points)

    def append(self, point: Point) -> None:
        """Continue to a point; a pointer that stays where it is adds none."""
        if point != self.points[-1]:
            self.points.append(point)

    def move(self, index: int, to: Point) -> None:
        """Put one point elsewhere."""
        self.points[index] = to
        for piece in {index // _PIECE, (index - 1) // _PIECE}:
            if 0 <= piece < len(self._pieces):
                self._pieces[piece] = None

    def cut(self, count: int) -> None:
        """Keep the first `count` points."""
        del self.points[count:]
        del self._pieces[max(count - 1, 0) // _PIECE :]

    def shapes(self) -> tuple[Polyline, ...]:
        """The line, not closed; unchanged pieces are the same objects as at the last call."""
        whole = max(len(self.points) - 1, 0) // _PIECE
        self._pieces += [None] * (whole - len(self._pieces))
        for n, piece in enumerate(self._pieces):
            if piece is None:
                self._pieces[n] = Polyline(tuple(self.points[n * _PIECE : (n + 1) * _PIECE + 1]))
        pieces = tuple(piece for piece in self._pieces if piece is not None)
        rest = self.points[whole * _PIECE :]
        return (*pieces, Polyline(tuple(rest))) if len(rest) > 1 else pieces

"""Letters for the edges of a picture that lies in a patient."""

import pytest

from segstudio.imaging.metadata import Affine
from segstudio.imaging.orientation import Edges, edge_letters


def _affine(across: tuple[float, float, float], down: tuple[float, float, float]) -> Affine:
    rows = [(across[i], down[i], 0.0, 7.0) for i in range(3)]
    return rows[0], rows[1], rows[2]


@pytest.mark.parametrize(
    ("across", "down", "letters"),
    [
        ((-0.5, 0.0, 0.0), (0.0, -0.5, 0.0), ("R", "A", "L", "P")),  # an axial slice as radiologists look at it
        ((2.0, 0.0, 0.0), (0.0, 2.0, 0.0), ("L", "P", "R", "A")),  # as NIfTI often has it
        ((0.0, -1.0, 0.0), (0.0, 0.0, -3.0), ("A", "S", "P", "I")),
        ((-0.9, -0.4, 0.0), (0.0, -0.9, -0.1), ("RA", "A", "LP", "P")),
        ((0.0, 0.0, 0.0), (0.0, 0.0, -1.0), ("", "S", "", "I")),
    ],
)
def test_every_edge_has_the_letter_of_what_lies_there(
    across: tuple[float, float, float], down: tuple[float, float, float], letters: Edges
) -> None:
    assert edge_letters(_affine(across, down)) == letters

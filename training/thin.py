"""Thin structures made by formula: branching vessels, cracks, fibres and nets of roads, and the borders of cells.

A picture is twice as wide as high, so that its halves are two views of one kind of thing. The open sets show two kinds
of thin lines only, and their labels are few; lines from 1 to 9 pixels wide, in any contrast to any ground, are what
they lack.
"""

from collections.abc import Callable

import numpy as np
import synthetic
from numpy.typing import NDArray

HEIGHT, WIDTH = synthetic.SIDE, 2 * synthetic.SIDE

Line = tuple[NDArray[np.float64], float, float]  # points (n, 2) as x, y; width at the first point and at the last


def picture(
    rng: np.random.Generator, ground: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture (256, 512, 3) of bytes and its mask (256, 512), 1 on the lines; `ground` (256, 512, 3) is drawn on if
    given, else a texture is made.
    """
    import cv2

    draw = DRAWN[int(rng.choice(len(DRAWN), p=SHARES))]
    mask = _mask_of(draw(rng))
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), float(rng.uniform(0.3, 1.0)))
    low = int(rng.integers(1, 6))
    texture = np.hstack([synthetic._noise(rng, low, int(rng.integers(low, 8))) for _ in range(2)])
    middle = float(rng.uniform(0.25, 0.75))
    back = middle + rng.uniform(0.01, 0.1) * texture[..., None]
    colours = synthetic._colours(rng)
    back = back * colours[0] if ground is None else ground.astype(np.float32) / 255.0
    depth = float(rng.uniform(0.08, 0.5)) * float(rng.choice([-1.0, 1.0]))
    uneven = 1.0 + float(rng.uniform(0, 0.5)) * np.hstack([synthetic._noise(rng, 2, 5) for _ in range(2)])
    image = back + (depth * np.clip(uneven, 0.4, 1.6) * soft)[..., None] * colours[1]
    light = 1.0 + float(rng.uniform(0, 0.3)) * cv2.resize(synthetic._noise(rng, 1, 2), (WIDTH, HEIGHT))
    image = image * np.clip(light, 0.4, 1.8)[..., None] + rng.normal(0, rng.uniform(0, 0.03), (HEIGHT, WIDTH, 1))
    return (np.clip(image, 0, 1) * 255).astype(np.uint8), mask


def cells(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A tiling by cells around scattered points (Voronoi) with bent borders: (256, 512, 3) and its mask, 1 on the
    borders.
    """
    import cv2

    size = float(np.exp(rng.uniform(np.log(12), np.log(60))))
    names = _tiling(rng, int(HEIGHT * WIDTH / size**2) + 2, bend=0.3 * size)
    edges = np.zeros((HEIGHT, WIDTH), np.uint8)
    edges[:, 1:] |= names[:, 1:] != names[:, :-1]
    edges[1:] |= names[1:] != names[:-1]
    width = int(rng.integers(1, max(2, min(6, int(size / 5)))))
    mask = np.asarray(cv2.dilate(edges, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))), np.uint8)
    own = rng.uniform(0, 0.12) * rng.standard_normal(int(names.max()) + 1)
    low = int(rng.integers(2, 6))
    texture = np.hstack([synthetic._noise(rng, low, int(rng.integers(low, 8))) for _ in range(2)])
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), float(rng.uniform(0.4, 1.2)))
    depth = float(rng.uniform(0.1, 0.45)) * float(rng.choice([-1.0, 1.0]))
    field = rng.uniform(0.3, 0.7) + own[names] + rng.uniform(0, 0.1) * texture + depth * soft
    image = field[..., None] * synthetic._colours(rng)[0] + rng.normal(0, rng.uniform(0, 0.03), (HEIGHT, WIDTH, 1))
    return (np.clip(image, 0, 1) * 255).astype(np.uint8), mask


def _tiling(rng: np.random.Generator, count: int, bend: float) -> NDArray[np.int64]:
    """Number of the nearest of `count` scattered points for each pixel (256, 512), the picture bent by up to `bend`
    pixels.
    """
    import cv2

    seeds = np.ones((HEIGHT, WIDTH), np.uint8)
    seeds[rng.integers(0, HEIGHT, count), rng.integers(0, WIDTH, count)] = 0
    _, names = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    shifts = [np.hstack([synthetic._noise(rng, 2, 5)] * 2) * bend / 2 for _ in range(2)]
    moved = cv2.remap(
        names.astype(np.float32), x + shifts[0], y + shifts[1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101
    )
    return moved.astype(np.int64)


def _mask_of(lines: list[Line]) -> NDArray[np.uint8]:
    """1 where a line runs; its width changes evenly from end to end."""
    import cv2

    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for points, first, last in lines:
        fixed = (points * 16).round().astype(np.int32)
        for i in range(len(points) - 1):
            width = first + (last - first) * i / max(1, len(points) - 1)
            a, b = (fixed[i + k].tolist() for k in (0, 1))
            cv2.line(mask, a, b, 1, max(1, round(width)), cv2.LINE_8, 4)
    return mask


def _walk(rng: np.random.Generator, start: NDArray[np.float64], angle: float, steps: int, turn: float, step: float):
    """Points (steps + 1, 2) of a walk whose direction changes by `turn` radians a step (spread), and its directions."""
    angles = angle + rng.normal(0, turn, steps).cumsum()
    moves = step * np.stack([np.cos(angles), np.sin(angles)], 1)
    return np.concatenate([[start], start + moves.cumsum(0)]), angles


def _anywhere(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.uniform([0, 0], [WIDTH, HEIGHT])


def _vessels(rng: np.random.Generator) -> list[Line]:
    """Trees: each branch thinner than what it leaves, down to a pixel."""
    lines: list[Line] = []
    todo = [(_anywhere(rng), rng.uniform(0, 2 * np.pi), rng.uniform(3, 9), 0) for _ in range(int(rng.integers(2, 7)))]
    turn = rng.uniform(0.05, 0.3)
    while todo and len(lines) < 120:
        start, angle, width, depth = todo.pop()
        points, angles = _walk(rng, start, angle, int(rng.integers(10, 40)), turn, 7.0)
        end = width * rng.uniform(0.5, 0.9)
        lines.append((points, width, end))
        if depth == 4:
            continue
        for _ in range(int(rng.integers(1, 4))):
            at = int(rng.integers(len(angles)))
            side = rng.choice([-1, 1]) * rng.uniform(0.3, 1.1)
            thinner = (width + (end - width) * at / len(angles)) * rng.uniform(0.4, 0.8)
            if thinner >= 0.8:
                todo.append((points[at], angles[at] + side, thinner, depth + 1))
    return lines


def _cracks(rng: np.random.Generator) -> list[Line]:
    """Jagged lines 1 to 4 pixels wide, with short side cracks."""
    lines: list[Line] = []
    for _ in range(int(rng.integers(1, 6))):
        width = rng.uniform(0.8, 4)
        points, angles = _walk(
            rng, _anywhere(rng), rng.uniform(0, 2 * np.pi), int(rng.integers(20, 90)), rng.uniform(0.2, 0.5), 5.0
        )
        points = points + rng.normal(0, 1.2, points.shape)
        lines.append((points, width, rng.uniform(0.5, 1) * width))
        for _ in range(int(rng.integers(0, 5))):
            at = int(rng.integers(len(angles)))
            side, _ = _walk(rng, points[at], angles[at] + rng.choice([-1, 1]), int(rng.integers(3, 15)), 0.4, 5.0)
            lines.append((side, 0.7 * width, 0.5))
    return lines


def _fibres(rng: np.random.Generator) -> list[Line]:
    """Many smooth lines of like width, crossing, often along one direction."""
    width, main, spread = rng.uniform(1, 5), rng.uniform(0, np.pi), rng.choice([0.15, 0.6, 3.0])
    found = []
    for _ in range(int(rng.integers(8, 60))):
        points, _ = _walk(rng, _anywhere(rng), main + rng.normal(0, spread), int(rng.integers(15, 60)), 0.06, 8.0)
        own = width * rng.uniform(0.7, 1.3)
        found.append((points, own, own))
    return found


def _roads(rng: np.random.Generator) -> list[Line]:
    """A net of streets of two widths, turned and a little bent, with gaps."""
    angle, bend = rng.uniform(0, np.pi), rng.uniform(0, 0.03)
    step, wide = rng.uniform(40, 120), rng.uniform(3, 9)
    across = np.array([-np.sin(angle), np.cos(angle)])
    found = []
    for turn in (0, 1):
        along = np.array([np.cos(angle), np.sin(angle)]) if turn == 0 else across
        aside = across if turn == 0 else np.array([np.cos(angle), np.sin(angle)])
        for offset in np.arange(-600, 600, step) + rng.normal(0, 0.15 * step, len(np.arange(-600, 600, step))):
            if rng.random() < 0.25:
                continue
            start = np.array([WIDTH / 2, HEIGHT / 2]) + offset * aside - 400 * along
            first = float(np.arctan2(along[1], along[0]))
            points, _ = _walk(rng, start, first, int(rng.integers(30, 90)), bend, 9.0)
            width = wide * (1.0 if rng.random() < 0.3 else 0.6)
            found.append((points, width, width))
    return found


DRAWN: tuple[Callable[[np.random.Generator], list[Line]], ...] = (_vessels, _cracks, _fibres, _roads)
SHARES = (0.3, 0.3, 0.15, 0.25)

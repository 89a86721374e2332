"""Pictures made by formula: closed shapes on textured grounds under uneven light, for the general foreground head.

Discs, ellipses, polygons and soft blobs, brighter or darker than their ground or different only by texture, with
relief, rims, shadows and a gradient of light. They teach that an object is a closed region that differs from what
surrounds it, which the open sets with their few kinds of objects cannot.
"""

import numpy as np

SIDE = 256


def picture(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A made picture (256, 256, 3) of bytes and its mask (256, 256): 0 ground, 1 object."""
    import cv2

    mask, level = _shapes(rng)
    inside = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), rng.uniform(0.4, 1.4))
    ground = _ground(rng)
    body = _body(rng, mask, level)
    distance = rng.uniform(0.1, 0.5) * rng.choice([-1.0, 1.0], p=[0.35, 0.65])
    middle = rng.uniform(0.3, 0.7)
    shadow = _shadow(rng, mask)
    colours = _colours(rng)
    back = (middle - distance / 2 + ground) * shadow
    front = middle + distance / 2 + body
    image = back[..., None] * colours[0] * (1 - inside[..., None]) + front[..., None] * colours[1] * inside[..., None]
    light = 1.0 + rng.uniform(0.0, 0.35) * _noise(rng, 1, 2) + rng.uniform(-0.4, 0.4) * _ramp(rng)
    image = image * np.clip(light, 0.3, 2.0)[..., None] + rng.normal(0, rng.uniform(0.0, 0.03), image.shape)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8), mask


def _noise(rng: np.random.Generator, finest: int, coarsest: int) -> np.ndarray:
    """A field of mean 0 and spread 1 made of octaves from 2**finest to 2**coarsest cells a side (in either order)."""
    import cv2

    field = np.zeros((SIDE, SIDE), np.float32)
    for octave in range(min(finest, coarsest), max(finest, coarsest) + 1):
        cells = rng.standard_normal((2**octave + 1, 2**octave + 1)).astype(np.float32)
        field += rng.uniform(0.2, 1.0) * cv2.resize(cells, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return (field - field.mean()) / (field.std() + 1e-6)


def _ramp(rng: np.random.Generator) -> np.ndarray:
    """A plane from -1 to 1 in a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    return (np.cos(angle) * x + np.sin(angle) * y).astype(np.float32) / 1.42


def _ground(rng: np.random.Generator) -> np.ndarray:
    """Texture of the ground around 0, with a few scratches or specks that are no objects."""
    import cv2

    low = int(rng.integers(1, 6))
    field = rng.uniform(0.0, 0.1) * _noise(rng, low, int(rng.integers(low, 8)))
    if rng.random() < 0.3:
        marks = np.zeros((SIDE, SIDE), np.float32)
        for _ in range(int(rng.integers(1, 12))):
            a, b = rng.integers(0, SIDE, 2), rng.integers(0, SIDE, 2)
            if rng.random() < 0.5:
                cv2.line(marks, a.tolist(), b.tolist(), 1.0, int(rng.integers(1, 3)), cv2.LINE_AA)
            else:
                cv2.circle(marks, a.tolist(), int(rng.integers(1, 3)), 1.0, -1, cv2.LINE_AA)
        field += rng.uniform(-0.25, 0.25) * marks
    return field


def _body(rng: np.random.Generator, mask: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Brightness of the objects around 0: their own levels, texture, relief lit from one side, a dome, a rim."""
    import cv2

    low = int(rng.integers(2, 6))
    field = level + rng.uniform(0.0, 0.1) * _noise(rng, low, int(rng.integers(low, 8)))
    if rng.random() < 0.5:
        relief = _noise(rng, 3, 6)
        angle = rng.uniform(0, 2 * np.pi)
        lit = np.cos(angle) * cv2.Sobel(relief, cv2.CV_32F, 1, 0) + np.sin(angle) * cv2.Sobel(relief, cv2.CV_32F, 0, 1)
        field += rng.uniform(0.02, 0.15) * lit / (lit.std() + 1e-6)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    if rng.random() < 0.4:
        field += rng.uniform(-0.25, 0.25) * np.minimum(depth / max(float(depth.max()), 1.0), 1.0)
    if rng.random() < 0.4:
        field += rng.uniform(-0.25, 0.25) * (depth < rng.uniform(1.5, 5.0))
    return field.astype(np.float32)


def _shadow(rng: np.random.Generator, mask: np.ndarray) -> np.ndarray:
    """What the objects leave of the light on the ground, 1 where nothing is taken."""
    import cv2

    if rng.random() < 0.5:
        return np.ones((SIDE, SIDE), np.float32)
    move = np.float32([[1, 0, rng.uniform(-6, 6)], [0, 1, rng.uniform(-6, 6)]])
    moved = cv2.warpAffine(mask.astype(np.float32), move, (SIDE, SIDE))
    return 1.0 - rng.uniform(0.1, 0.6) * cv2.GaussianBlur(moved, (0, 0), rng.uniform(1.0, 5.0))


def _colours(rng: np.random.Generator) -> np.ndarray:
    """Factors (ground and object, 3) by channel; grey in half of the pictures."""
    if rng.random() < 0.5:
        return np.ones((2, 3), np.float32)
    return rng.uniform(0.6, 1.3, (2, 3)).astype(np.float32)


def _shapes(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Mask of the objects and a field with each object's own brightness; one picture in twenty is empty."""
    import cv2

    mask, level = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.float32)
    if rng.random() < 0.05:
        return mask, level
    radius = float(np.exp(rng.uniform(np.log(6), np.log(70))))
    most = int(np.clip(0.7 * SIDE**2 / (np.pi * radius**2), 1, 60))
    kind, spread, touching = rng.integers(0, 4), rng.uniform(0.0, 0.5), rng.random() < 0.3
    variety, own = rng.random() < 0.3, rng.uniform(0.0, 0.12)
    for x, y in _places(rng, radius, int(rng.integers(1, most + 1))):
        outline = _outline(
            rng, int(rng.integers(0, 4) if variety else kind), radius * float(np.exp(rng.normal(0, spread / 2)))
        )
        points = (outline + np.array([x, y])).round().astype(np.int32)
        stamp = np.zeros_like(mask)
        cv2.fillPoly(stamp, [points], 1)
        around = stamp if touching else cv2.dilate(stamp, np.ones((5, 5), np.uint8))
        if (mask & around).any() and not (touching and rng.random() < 0.3):
            continue
        mask |= stamp
        level[stamp > 0] = rng.normal(0, own)
    return mask, level


def _places(rng: np.random.Generator, radius: float, count: int) -> np.ndarray:
    """Centres (n, 2): scattered, or in rows as things laid out by hand."""
    if rng.random() < 0.6:
        return rng.uniform(-0.2 * radius, SIDE + 0.2 * radius, (count, 2))
    step = radius * rng.uniform(2.1, 3.2)
    start = rng.uniform(0, step, 2)
    x, y = np.meshgrid(np.arange(start[0], SIDE + radius, step), np.arange(start[1], SIDE + radius, step))
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    return places + rng.normal(0, 0.08 * step, places.shape)


def _outline(rng: np.random.Generator, kind: int, radius: float) -> np.ndarray:
    """Closed outline (n, 2) around 0: disc, ellipse, polygon or soft blob."""
    turn = rng.uniform(0, 2 * np.pi)
    if kind == 2:
        corners = int(rng.integers(3, 8))
        angles = np.sort(turn + (np.arange(corners) + rng.uniform(-0.25, 0.25, corners)) * 2 * np.pi / corners)
        return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    reach = np.ones(64)
    if kind == 3:
        for wave in range(2, 7):
            reach = reach + rng.normal(0, 0.25 / wave) * np.cos(wave * angles + rng.uniform(0, 2 * np.pi))
    squeeze = rng.uniform(0.35, 0.9) if kind == 1 else 1.0
    x, y = radius * reach * np.cos(angles), radius * reach * np.sin(angles) * squeeze
    return np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=1)

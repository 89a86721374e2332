"""The same thing seen by other cameras, lamps and file formats: grey, inverted, 16-bit-like, tinted, blurred, noisy."""

import numpy as np
from numpy.typing import NDArray


def relit(
    style: np.random.Generator, rng: np.random.Generator, image: NDArray[np.uint8], invert: float
) -> NDArray[np.uint8]:
    """`image` (S, S, 1 or 3) as (S, S, 3) bytes under another light.

    `style` draws what two pictures of one project share (colours, stretch, gamma, negative, sharpness), `rng` what
    differs from one to the next (brightness, contrast, noise). `invert`: probability of a negative.
    """
    x = image.astype(np.float32) / 255.0
    x = _coloured(style, x) if x.shape[2] == 3 else _tinted(style, x)
    x = _stretched(style, x)
    x = np.clip(x, 0, 1) ** float(np.exp(style.uniform(-0.5, 0.5)))
    middle = float(x.mean())
    moved = float(np.clip(middle + rng.uniform(-0.15, 0.15), min(middle, 0.1), max(middle, 0.9)))  # never all white
    x = (x - middle) * float(np.exp(rng.uniform(-0.5, 0.4))) + moved
    if style.random() < invert:
        x = 1.0 - x
    x = _sharpness(style, x)
    if rng.random() < 0.4:
        x = x + float(rng.uniform(0.0, 0.05)) * _grain(rng, x)
    out = (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)
    return _compressed(style, out) if style.random() < 0.1 else out


def _coloured(style: np.random.Generator, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Another hue and white balance, less colour, and in a fifth of the cases none."""
    x = x @ _hue_turn(style.uniform(-0.4, 0.4)) * style.uniform(0.85, 1.15, 3).astype(np.float32)
    share = 1.0 if style.random() < 0.2 else float(style.uniform(0.0, 0.5))
    return x + share * (x.mean(axis=2, keepdims=True) - x)


def _tinted(style: np.random.Generator, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Three channels of a grey picture; in one of ten the false colour in which microscopes show it."""
    x = np.repeat(x, 3, axis=2)
    if style.random() < 0.1:
        x = x * style.permutation(np.array([1.0, style.uniform(0, 1), style.uniform(0, 0.6)])).astype(np.float32)
    return x


def _stretched(style: np.random.Generator, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """As readers show 16-bit files: stretched between percentiles, or dark with few levels, or dark but for some
    bright pixels.
    """
    kind = style.random()
    if kind < 0.25:
        low, high = np.percentile(x[::4, ::4], [style.uniform(0, 2), style.uniform(98, 100)])
        return (x - low) / max(float(high - low), 0.05)
    if kind < 0.35:
        levels = float(2 ** style.uniform(3.5, 7))
        return np.round(x * levels) / levels
    if kind < 0.42:
        return np.clip(x, 0, 1) ** float(style.uniform(1.5, 2.5)) * float(style.uniform(0.5, 1.0))
    return x


def _sharpness(style: np.random.Generator, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Out of focus in some 15 %, sharpened by the camera in 10 %."""
    import cv2

    kind, spread = style.random(), float(style.uniform(0.3, 1.4))
    if kind < 0.25:
        blurred = cv2.GaussianBlur(np.ascontiguousarray(x, np.float32), (0, 0), spread)
        return np.asarray(blurred if kind < 0.15 else x + 0.8 * (x - blurred), np.float32)
    return x


def _grain(rng: np.random.Generator, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Noise of spread 1: by pixel and channel, the same in all channels, or stronger where it is bright (shot noise,
    speckle).
    """
    kind = rng.random()
    noise = rng.standard_normal((*x.shape[:2], 3 if kind < 0.4 else 1), dtype=np.float32)
    return noise * (2 * np.sqrt(np.clip(x, 0, 1))) if kind > 0.75 else noise


def _compressed(style: np.random.Generator, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Through a JPEG of middling quality."""
    import cv2

    quality = [cv2.IMWRITE_JPEG_QUALITY, int(style.integers(30, 80))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR), np.uint8)


def _hue_turn(angle: float) -> NDArray[np.float32]:
    """Matrix (3, 3) that turns colours about the grey axis by `angle` radians (Rodrigues' formula)."""
    axis = np.full(3, 3**-0.5)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return (np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * np.outer(axis, axis)).astype(
        np.float32
    )

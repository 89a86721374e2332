"""A random forest on filters at several scales: what ilastik's pixel classification does (Berg et al. 2019).

Every channel is smoothed, and of it the strength of the gradient, the Laplacian, both eigenvalues of the Hessian and of
the structure tensor are taken, each at every sigma. A forest of 100 trees learns from up to 40,000 labelled pixels.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from few_shot.sets import UNKNOWN, Pair, Predictor

__all__ = ["PIXELS", "SIGMAS", "filters", "fitted"]

SIGMAS = (0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
PIXELS = 40_000
"""Labelled pixels that the forest learns from at most."""
_TREES = 100
_REACH = 3.5
_CHUNK = 1 << 17


def fitted(labelled: Sequence[Pair], seed: int) -> Predictor:
    """A forest that has learned from pixels drawn from all that are labelled."""
    from sklearn.ensemble import RandomForestClassifier

    grey = all(_is_grey(pixels) for pixels, _ in labelled)
    features, classes = _examples(labelled, grey, np.random.default_rng(seed))
    forest = RandomForestClassifier(_TREES, random_state=seed)
    forest.fit(features, classes)

    def predict(pixels: NDArray[np.float32]) -> NDArray[np.int64]:
        values = filters(_channels(pixels, grey))
        flat = values.reshape(-1, values.shape[2])
        parts = [forest.predict(flat[start : start + _CHUNK]) for start in range(0, len(flat), _CHUNK)]
        return np.concatenate(parts).reshape(pixels.shape[:2]).astype(np.int64)

    return predict


def filters(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features float32 (h, w, 42 * c) of pixels (h, w, c)."""
    planes = []
    for channel in range(pixels.shape[2]):
        plane = np.ascontiguousarray(pixels[:, :, channel])
        for sigma in SIGMAS:
            planes += _at_one_scale(plane, sigma)
    return np.stack(planes, axis=2)


def _at_one_scale(plane: NDArray[np.float32], sigma: float) -> list[NDArray[np.float32]]:
    smooth, slope, bend = _kernels(sigma)
    dx, dy = _along(plane, slope, smooth), _along(plane, smooth, slope)
    dxx, dyy, dxy = _along(plane, bend, smooth), _along(plane, smooth, bend), _along(plane, slope, slope)
    wide, _, _ = _kernels(sigma / 2)
    texture = (_along(product, wide, wide) for product in (dx * dx, dy * dy, dx * dy))
    return [
        _along(plane, smooth, smooth),
        np.sqrt(dx * dx + dy * dy),
        dxx + dyy,
        *_eigenvalues(dxx, dyy, dxy),
        *_eigenvalues(*texture),
    ]


def _along(plane: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """One kernel along x, the other along y; beyond the rim the image is mirrored."""
    return np.asarray(cv2.sepFilter2D(plane, cv2.CV_32F, x, y, borderType=cv2.BORDER_REFLECT_101), np.float32)


def _kernels(sigma: float) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The Gaussian, its first and its second derivative, for correlation: exact for a constant, a ramp, a parabola."""
    reach = max(round(_REACH * sigma), 2)
    at = np.arange(-reach, reach + 1, dtype=np.float64)
    smooth = np.exp(-0.5 * (at / sigma) ** 2)
    smooth /= smooth.sum()
    slope = at * smooth
    slope /= (at * slope).sum()
    bend = (at**2 / sigma**2 - 1) * smooth
    bend -= bend.mean()
    bend *= 2 / (at**2 * bend).sum()
    return smooth.astype(np.float32), slope.astype(np.float32), bend.astype(np.float32)


def _eigenvalues(
    a: NDArray[np.float32], d: NDArray[np.float32], b: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of the symmetric matrices ((a, b), (b, d)): the greater and the lesser."""
    half = np.float32(0.5)
    middle, spread = (a + d) * half, np.hypot((a - d) * half, b)
    return middle + spread, middle - spread


def _examples(
    labelled: Sequence[Pair], grey: bool, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features (n, d) and classes (n,) of pixels drawn from all images together."""
    known = [np.flatnonzero(classes != UNKNOWN) for _, classes in labelled]
    ends = np.cumsum([len(places) for places in known])
    drawn = np.sort(rng.choice(ends[-1], min(PIXELS, int(ends[-1])), replace=False))
    features, values = [], []
    for (pixels, classes), places, end in zip(labelled, known, ends, strict=True):
        begin = end - len(places)
        own = places[drawn[(drawn >= begin) & (drawn < end)] - begin]
        found = filters(_channels(pixels, grey))
        features.append(found.reshape(-1, found.shape[2])[own])
        values.append(classes.ravel()[own])
    return np.concatenate(features), np.concatenate(values)


def _is_grey(pixels: NDArray[np.float32]) -> bool:
    return bool((pixels == pixels[:, :, :1]).all())


def _channels(pixels: NDArray[np.float32], grey: bool) -> NDArray[np.float32]:
    return pixels[:, :, :1] if grey else pixels

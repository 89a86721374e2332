"""How often a run on nearly the same labels was tried before: the best of many runs is lucky, not better.

One more dab makes no labels new. A version is a first try where at least a tenth of the labelled training pixels differ
from those of the last first try; each one after it is a repetition of that, whatever became of either.
"""

from collections import Counter
from collections.abc import Sequence

from segstudio.learn.data import LearnedPlane

__all__ = ["tries_before"]

_NEW_SHARE = 0.1

_Place = tuple[str, int, int]


def tries_before(earlier: Sequence[Sequence[LearnedPlane]], now: Sequence[LearnedPlane]) -> int:
    """How many of the `earlier` versions, oldest first, are tries on the labels of `now`: the last first try and all
    since, or none where these labels make a first try themselves.

    A version of a release that did not count pixels is known by its edits alone: it counts where they are the same.
    """
    today, edits = _pixels(now), _edits(now)
    first: Counter[_Place] | None = None
    since = 0
    for planes in earlier:
        pixels = today if _edits(planes) == edits else _pixels(planes)
        if not pixels:
            continue
        if first is None or _share_new(first, pixels) >= _NEW_SHARE:
            first, since = pixels, 0
        since += 1
    return 0 if first is None or _share_new(first, today) >= _NEW_SHARE else since


def _pixels(planes: Sequence[LearnedPlane]) -> Counter[_Place]:
    """Labelled pixels by file, plane and class."""
    return Counter({(p.path, p.plane, class_): n for p in planes for class_, n in p.labelled})


def _edits(planes: Sequence[LearnedPlane]) -> list[tuple[str, int, int]]:
    return sorted((p.path, p.plane, p.edit) for p in planes)


def _share_new(then: Counter[_Place], now: Counter[_Place]) -> float:
    """The share of the pixels that were labelled, or lost their label, since `then`, whichever are more."""
    return max((now - then).total(), (then - now).total()) / max(now.total(), then.total(), 1)

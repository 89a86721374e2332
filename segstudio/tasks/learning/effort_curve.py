"""The effort curve: what each finished image cost a person, and how many more it takes to reach a mean IoU.

Of stacks, planes are what counts: one is finished after the other.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from segstudio.labels.model import ImageId
from segstudio.store.project import Project
from segstudio.text import _, count

__all__ = ["TARGETS", "Cost", "Forecast", "Point", "costs", "forecast", "forecast_words", "next_target", "points"]

TARGETS = (0.80, 0.90, 0.95)

_LEAST_POINTS = 4
_LEAST_SPAN = 2.0
_FARTHEST = 4.0
"""A forecast reaches at most so many times as many images as there are: beyond that a fitted line says nothing."""
_RESAMPLED, _INTERVAL, _SEED = 1000, (10.0, 90.0), 0
_RECENT = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """An image with finished planes: the share of their first proposals' pixels that a person changed, None where
    nothing had been proposed, the seconds of work on all of it, and how many planes are finished.
    """

    image: ImageId
    name: str
    changed: float | None
    seconds: float
    planes: int = 1

    @property
    def seconds_each(self) -> float:
        """The seconds of work a finished plane."""
        return self.seconds / self.planes


@dataclass(frozen=True, slots=True)
class Point:
    """A version: how many labelled images there were, learned from or held out, and its mean IoU on held-out pixels.

    `of_planes`: some were of several planes, and planes are counted.
    """

    version: str
    images: int
    mean_iou: float
    of_planes: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """How many more images reach a mean IoU, with the bounds of 80 of 100 resamplings (`most` is None where more than a
    tenth of them do not reach it in sight), and the seconds of work an image takes; `of_planes` as of a point.
    """

    target: float
    images: int
    least: int
    most: int | None
    seconds: float
    of_planes: bool = False


class _Measured(msgspec.Struct, frozen=True):
    mean_iou: float


class _Figures(msgspec.Struct, frozen=True):
    """What is needed of a version's figures."""

    child: _Measured | None = None


class _Labelled(msgspec.Struct, frozen=True):
    path: str
    plane: int = 0


class _Learned(msgspec.Struct, frozen=True):
    """What is needed of a version's card."""

    images: tuple[_Labelled, ...] = ()
    held_out_groups: tuple[str, ...] = ()
    blocks: tuple[dict[str, Any], ...] = ()


class _Card(msgspec.Struct, frozen=True):
    data: _Learned = _Learned()


def costs(project: Project) -> list[Cost]:
    """The images with finished planes in the order in which one was last finished, whatever was corrected in them
    since; by their last edit where the journal no longer says.
    """
    efforts, seconds, done_at = project.efforts(), project.seconds(), project.done_at()
    done = [(row, planes) for row in project.images() if (planes := len(row.marks.done(len(row.planes))))]
    return [
        Cost(row.id, row.path, _share(efforts.get(row.id)), seconds.get(row.id, 0.0), planes)
        for row, planes in sorted(done, key=lambda each: done_at.get(each[0].id, each[0].last_edit))
    ]


def points(project: Project) -> list[Point]:
    """The versions that were measured on the same groups, or blocks, as the newest one, the oldest first. A version
    whose figures or card cannot be read is left out.
    """
    found: list[tuple[object, Point]] = []
    for version in project.versions():
        if version.learner != "deep":
            continue
        try:
            child = msgspec.convert(dict(version.figures), _Figures).child
            card = (project.path / "models" / f"{version.name}.json").read_bytes()
            data = msgspec.json.decode(card, type=_Card).data
        except (OSError, msgspec.MsgspecError):
            continue
        if child is not None:
            labelled = {(image.path, image.plane) for image in data.images}
            of_planes = len(labelled) > len({path for path, _plane in labelled})
            measured_on = (data.held_out_groups, msgspec.json.encode(data.blocks))
            found.append((measured_on, Point(version.name, len(labelled), child.mean_iou, of_planes)))
    return [point for measured_on, point in found if measured_on == found[-1][0]]


def next_target(found: Sequence[Point]) -> float | None:
    """The next mean IoU that is worth a forecast; None where all are reached."""
    best = max((point.mean_iou for point in found), default=0.0)
    return next((target for target in TARGETS if target > best), None)


def forecast(found: Sequence[Point], spent: Sequence[Cost], target: float) -> Forecast | None:
    """How many more images it takes, by a power law of the error 1 - IoU over the number of images (Cortes et al. 1993;
    Hestness et al. 2017), fitted to the best version of each number.

    None where the versions do not carry it: fewer than four numbers of images, the largest less than twice the least,
    an error that does not surely fall, or a target out of sight.
    """
    best: dict[int, float] = {}
    for point in found:
        if point.images > 0:
            best[point.images] = max(best.get(point.images, 0.0), point.mean_iou)
    if len(best) < _LEAST_POINTS or max(best) < _LEAST_SPAN * min(best) or not 0 < target < 1:
        return None
    n = np.log(np.array(sorted(best), np.float64))
    error = np.log(np.clip([1 - best[images] for images in sorted(best)], 1e-3, 1.0))
    needed = _needed(n, error, target)
    if needed is None or needed > _FARTHEST * max(best):
        return None
    among = [_needed(n[at], error[at], target) for at in _resamplings(len(n))]
    reached = np.array([math.inf if each is None else each for each in among])
    if np.mean(np.isinf(reached)) > (100 - _INTERVAL[1]) / 100:
        return None
    low, high = (float(np.percentile(reached, share, method="nearest")) for share in _INTERVAL)
    there = max(best)
    more = max(math.ceil(needed) - there, 1)
    most = None if high > _FARTHEST * there else max(math.ceil(high) - there, more)
    seconds = [cost.seconds_each for cost in spent[-_RECENT:] if cost.seconds > 0]
    least, each = min(max(math.ceil(low) - there, 1), more), median(seconds) if seconds else 0.0
    return Forecast(target, more, least, most, each, any(point.of_planes for point in found))


def forecast_words(found: Forecast) -> str:
    """One sentence: 'About 11 more images (8 to 15), 34 minutes, to a mean IoU of 0.90'."""
    told = {"target": f"{found.target:.2f}", "least": found.least, "most": found.most}
    images = _more_planes(found, told) if found.of_planes else _more_images(found, told)
    if not found.seconds:
        return _("{images} to a mean IoU of {target}", images=images, **told)
    minutes = max(round(found.images * found.seconds / 60), 1)
    time = count(minutes, "{n} minute", "{n} minutes")
    return _("{images}, {time}, to a mean IoU of {target}", images=images, time=time, **told)


def _more_images(found: Forecast, told: Mapping[str, object]) -> str:
    n = found.images
    if found.most is None:
        return count(n, "About {n} more image ({least} or more)", "About {n} more images ({least} or more)", **told)
    return count(n, "About {n} more image ({least} to {most})", "About {n} more images ({least} to {most})", **told)


def _more_planes(found: Forecast, told: Mapping[str, object]) -> str:
    n = found.images
    if found.most is None:
        return count(n, "About {n} more plane ({least} or more)", "About {n} more planes ({least} or more)", **told)
    return count(n, "About {n} more plane ({least} to {most})", "About {n} more planes ({least} to {most})", **told)


def _share(effort: tuple[int, int] | None) -> float | None:
    return None if effort is None or not effort[1] else effort[0] / effort[1]


def _resamplings(n: int) -> Iterator[NDArray[np.int64]]:
    """Drawings with repetition that hold three different points at least: two always lie on a line."""
    rng = np.random.default_rng(_SEED)
    made = 0
    while made < _RESAMPLED:
        drawn = rng.integers(0, n, n)
        if len(np.unique(drawn)) >= 3:
            made += 1
            yield drawn


def _needed(n: NDArray[np.float64], error: NDArray[np.float64], target: float) -> float | None:
    """At how many images the fitted error is 1 - target; None where it does not fall."""
    slope, start = np.polyfit(n, error, 1)
    if slope > -1e-3:
        return None
    power = (math.log(1 - target) - start) / slope
    return math.exp(power) if power < 50 else None

"""Restoring a snapshot as a job: its progress and cancelling. All else about snapshots is done at once, by
`store.snapshots`."""

from collections.abc import Generator, Sequence
from concurrent.futures import wait

from segstudio.labels.model import ImageId, Seq
from segstudio.store.progress_token import Ticker
from segstudio.store.project import Project
from segstudio.store.snapshots import RestoreReport, Restoring
from segstudio.tasks.progress import Progress

__all__ = ["restore"]

_LOOK_S = 0.05


def restore(
    project: Project, seq: Seq, images: Sequence[ImageId] | None = None
) -> Generator[Progress, None, RestoreReport]:
    """Return the labels to their state after edit `seq`: of the whole project with its classes, or of some images.

    While it runs nothing else may be written. Raises `UserError` where that state is no longer kept, `ProjectDamaged`,
    `DiskRefused`, `ReadOnly`, `Cancelled`; then, and when it is closed before its commit begins, nothing has changed.
    """
    restoring = Restoring(project, seq, images)
    ticker = Ticker()
    future = restoring.start(ticker)
    try:
        while not future.done():
            yield Progress(ticker.done, ticker.total, "restoring")
            wait([future], _LOOK_S)
    finally:
        ticker.cancel()
    future.result()
    return restoring.report()

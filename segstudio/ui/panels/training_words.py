"""The sentences of the line above the training panel. Pure functions; no Qt."""

from typing import TYPE_CHECKING

from segstudio.text import N_, _, amount, clock

if TYPE_CHECKING:
    from segstudio.app.learning.keep_learning import KeepLearning
    from segstudio.app.values import LastRun
    from segstudio.runs import TrainResult

__all__ = ["FIRST", "KEEPING", "keeping_words", "short_verdict", "step_words", "unmade_words", "verdict_words"]

FIRST = N_("Label a few images, then Fine-tune; keep painting meanwhile")
KEEPING = N_("Keep learning is on; it begins once two classes have new labels")


def step_words(step: int, steps: int, seconds_left: float | None, *, inside: bool = False) -> str:
    """How far a run is; `inside` a sentence that begins with something else."""
    at = {"step": f"{step:,}", "steps": f"{steps:,}"}
    if seconds_left is None:
        return _("step {step} of {steps}", **at) if inside else _("Step {step} of {steps}", **at)
    at["time"] = clock(seconds_left)
    if inside:
        return _("step {step} of {steps} · {time} left", **at)
    return _("Step {step} of {steps} · {time} left", **at)


def verdict_words(result: "TrainResult") -> str:
    """What became of a run that made a version."""
    child, parent = result.held_out.get("child"), result.held_out.get("parent")
    if child is None or parent is None:
        figures = result.reason
    else:
        was = {"before": amount(parent.mean_iou), "now": amount(child.mean_iou)}
        points = 100 * (child.mean_iou - parent.mean_iou)
        if result.promoted or points <= 0:
            figures = _("mean IoU {before} → {now} on held-out pixels", **was)
        else:
            figures = _("mean IoU {before} → {now}: a rise of {points:.1f} points may be luck", points=points, **was)
    if result.promoted:
        return _("{version} promoted · {figures}", version=result.version, figures=figures)
    return _("{version} not promoted · {figures}", version=result.version, figures=figures)


def short_verdict(result: "TrainResult") -> str:
    """The same in two or three words, for a line that says something else."""
    if result.promoted:
        return _("{version} promoted", version=result.version)
    return _("{version} not promoted", version=result.version)


def unmade_words(run: "LastRun") -> str:
    """What became of the newest run, which left no version."""
    if run.discarded:
        return _("The last run was discarded")
    return _("The last run did not finish: {why}", why=run.why) if run.why else _("The last run did not finish")


def keeping_words(keeping: "KeepLearning", said: str, verdict: str, *, ran: bool) -> str:
    """The line where learning goes on by itself: `said` is what it would say otherwise, `verdict` that of the round
    before, '' for none. `ran`: there was a run.
    """
    if keeping.number:
        if verdict and keeping.number > 1:
            return _("Keep learning, round {n}: {said} · {verdict}", n=keeping.number, said=said, verdict=verdict)
        return _("Keep learning, round {n}: {said}", n=keeping.number, said=said)
    if not ran:
        return _(KEEPING)
    if keeping.waits:
        return _("Keep learning: waiting for new labels · {said}", said=said)
    return _("Keep learning: the next round begins soon · {said}", said=said)

"""What differs between runs: figures, settings and data, in words, a value for each run. Pure functions; no Qt."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from segstudio.text import N_, _, amount, clock, count

if TYPE_CHECKING:
    from segstudio.app.learning.run_history import RunItem
    from segstudio.runs import Plan

__all__ = ["Difference", "differences", "state_words"]

_STATES = {
    "running": N_("running"),
    "done": N_("finished"),
    "time": N_("finished, time was up"),
    "stopped": N_("stopped"),
    "failed": N_("failed"),
    "discarded": N_("discarded"),
    "interrupted": N_("interrupted"),
}


class Difference(NamedTuple):
    """A row of the comparison: what it is, and its value for each run, '–' where nobody knows."""

    what: str
    values: tuple[str, ...]


def state_words(state: str) -> str:
    """How a run ended, in a word or two."""
    return _(_STATES[state]) if state in _STATES else state


def differences(items: "Sequence[RunItem]") -> tuple[Difference, ...]:
    """The figures of all runs, then every setting and all data in which they differ."""
    rows = [Difference(_(words), tuple(value(item) for item in items)) for words, value in _FIGURES]
    for words, setting in _SETTINGS:
        values = tuple("–" if item.plan is None else setting(item.plan) for item in items)
        if len(set(values)) > 1:
            rows.append(Difference(_(words), values))
    return (*rows, *_labels(items))


def _labels(items: "Sequence[RunItem]") -> Iterator[Difference]:
    """How many images have other labels than in the first of the runs, where some have."""
    plans = [item.plan for item in items]
    first = plans[0] if plans else None
    if first is None or len(items) < 2:
        return
    before = {(p.path, p.plane): p.seq for p in first.planes}
    values = [_("the reference")]
    for plan in plans[1:]:
        if plan is None:
            values.append("–")
            continue
        changed = sum(1 for p in plan.planes if before.get((p.path, p.plane), p.seq) != p.seq)
        new = sum(1 for p in plan.planes if (p.path, p.plane) not in before)
        words = [count(new, "{n} new image", "{n} new images")] if new else []
        words += [count(changed, "{n} with changed labels", "{n} with changed labels")] if changed else []
        values.append(", ".join(words) or _("the same"))
    if any(value != _("the same") for value in values[1:]):
        yield Difference(_("Labels"), tuple(values))


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _verdict(item: "RunItem") -> str:
    if item.result is None:
        return state_words(item.state)
    return _("promoted") if item.result.promoted else _("not promoted")


def _budget(plan: "Plan") -> str:
    if plan.max_steps is not None:
        return count(plan.max_steps, "{n} step", "{n} steps")
    return clock(plan.max_seconds) if plan.max_seconds is not None else _("none")


def _images(plan: "Plan", part: str) -> str:
    return f"{len({p.path for p in plan.planes if p.part == part}):,}"


def _augment(plan: "Plan") -> str:
    strengths = plan.recipe.augment
    if strengths is None:
        return _("as usual")
    return ", ".join(f"{name} {strength:g}" for name, strength in sorted(strengths.items())) or _("none")


_FIGURES: "tuple[tuple[str, Callable[[RunItem], str]], ...]" = (
    (N_("Verdict"), _verdict),
    (N_("IoU before"), lambda item: _figure(item.before)),
    (N_("IoU after"), lambda item: _figure(item.now)),
    (N_("Steps"), lambda item: f"{item.steps:,}"),
    (N_("Time"), lambda item: clock(item.seconds)),
)

_SETTINGS: "tuple[tuple[str, Callable[[Plan], str]], ...]" = (
    (N_("Starts from"), lambda plan: plan.base),
    (N_("Budget"), _budget),
    (N_("Training images"), lambda plan: _images(plan, "train")),
    (N_("Held-out images"), lambda plan: _images(plan, "held-out")),
    (N_("Held out"), lambda plan: _("parts of images") if plan.optimistic else _("whole images")),
    (N_("Classes"), lambda plan: ", ".join(found.name for found in plan.classes)),
    (N_("Kept step"), lambda plan: _("the last") if plan.kept_at is None else f"{plan.kept_at:,}"),
    (N_("Seed"), lambda plan: str(plan.seed)),
    (N_("Device"), lambda plan: plan.device),
    (N_("Threads"), lambda plan: str(plan.threads)),
    (N_("Network"), lambda plan: plan.network),
    (N_("Scale"), lambda plan: amount(plan.scale)),
    (N_("Patch"), lambda plan: _("{n} px", n=plan.recipe.patch_px)),
    (N_("Patches per step"), lambda plan: str(plan.recipe.batch)),
    (N_("Learning rate"), lambda plan: f"{plan.recipe.rate:g}"),
    (N_("Encoder trained from"), lambda plan: f"{100 * plan.recipe.encoder_opens:.0f} %"),
    (N_("Loss"), lambda plan: plan.recipe.loss),
    (N_("Optimiser"), lambda plan: plan.recipe.optimiser),
    (N_("Schedule"), lambda plan: plan.recipe.schedule),
    (N_("Precision"), lambda plan: plan.recipe.precision),
    (N_("Augmentation"), _augment),
)

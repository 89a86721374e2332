"""The held-out groups by which a run chooses its best step; the gate judges by the others."""

import hashlib

from segstudio.learn.data import Part
from segstudio.learn.facts import Facts

__all__ = ["watched_groups"]

_GROUPS_TO_HALVE = 10


def watched_groups(facts: Facts) -> tuple[str, ...]:
    """The half of the held-out groups that a new run watches while the gate judges by the other; none below ten groups.

    In the order of a hash, so that from run to run a new group moves one other at most to the other half. Within a run
    the plan keeps them: what was chosen on some pixels looks better on those than it is.
    """
    fit = {e.group for e, n in zip(facts.planes, facts.truth.sum(1), strict=True) if n and e.part is Part.HELD_OUT}
    order = sorted(fit, key=lambda group: hashlib.sha256(f"watched:{group}".encode()).digest())
    return tuple(order[: len(order) // 2] if len(order) >= _GROUPS_TO_HALVE else ())

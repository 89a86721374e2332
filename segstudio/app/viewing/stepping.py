"""Steps through a sequence of places in a list, also from a place that is not in it."""

from collections.abc import Sequence

__all__ = ["beside", "rest_of"]


def _place_in(order: Sequence[int], index: int) -> int:
    """Where a place is in the order; of one that is not in it, that of the one before the next."""
    if index in order:
        return order.index(index)
    return next((n for n, place in enumerate(order) if place > index), len(order)) - 1


def beside(order: Sequence[int], index: int, by: int) -> int | None:
    """The next (+1) or previous (-1) place of the order; None at its end."""
    here = _place_in(order, index)
    missing = by < 0 and here >= 0 and order[here] != index  # the one before the gap is the previous one
    there = here + by + int(missing)
    return order[there] if 0 <= there < len(order) else None


def rest_of(order: Sequence[int], index: int) -> list[int]:
    """The places after `index` and round the end, without it."""
    here = _place_in(order, index)
    return [place for place in (*order[here + 1 :], *order[: here + 1]) if place != index]

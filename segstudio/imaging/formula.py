"""Indices: a formula over the channels of an image, such as (nir - red) / (nir + red), computed where it is looked at.

A formula is parsed into numbers, channels and the four operations (and powers); nothing of it is ever run as Python.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from segstudio.errors import UserError
from segstudio.imaging.source import Pixels
from segstudio.text import _

__all__ = ["Formula", "parsed"]

_LONGEST = 500
_DEEPEST = 40
_OPERATIONS: dict[type[ast.operator], Any] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}

_Tree = tuple[Any, ...] | float | int
"""A number (float), a channel (int, counted from 0), or an operation and what it is applied to."""


@dataclass(frozen=True, slots=True)
class Formula:
    """What is computed, in the words in which it was given, and the channels (counted from 0) that it needs."""

    text: str
    tree: _Tree = field(repr=False)
    channels: tuple[int, ...]

    def computed(self, samples: Pixels) -> Pixels:
        """Its value as float32 (h, w, 1) for samples (h, w, c); what cannot be divided is NaN or infinite."""
        bands = {channel: samples[..., channel].astype(np.float32) for channel in self.channels}
        with np.errstate(all="ignore"):
            value = np.asarray(_value(self.tree, bands), np.float32)
        return np.broadcast_to(value, samples.shape[:2])[..., None]


def parsed(text: str, names: Mapping[str, int]) -> Formula:
    """The formula of a text over channels by name (any case), such as 'nir' or 'c4'.

    Raises `UserError`, which says what is not understood.
    """
    unfit = UserError(
        _("The formula {text} is not understood.", text=repr(text[:_LONGEST])),
        todo=_("Write numbers, names of channels, + - * / ** and brackets: (nir - red) / (nir + red)."),
    )
    if len(text) > _LONGEST:
        raise unfit
    try:
        found = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise unfit from error
    used: set[int] = set()
    tree = _tree(found.body, {name.casefold(): channel for name, channel in names.items()}, used, unfit, 0)
    if not used:
        raise UserError(_("The formula {text} names no channel.", text=repr(text)))
    return Formula(text.strip(), tree, tuple(sorted(used)))


def _tree(node: ast.AST, names: Mapping[str, int], used: set[int], unfit: UserError, depth: int) -> _Tree:
    if depth > _DEEPEST:
        raise unfit
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _number(number, unfit)
        case ast.Name(id=name):
            if (channel := names.get(name.casefold())) is None:
                known = ", ".join(names)
                raise UserError(
                    _("There is no channel {name} in this image.", name=repr(name)),
                    todo=_("Its channels are {names}.", names=known),
                )
            used.add(channel)
            return channel
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
            inner = _tree(operand, names, used, unfit, depth + 1)
            return (ast.Sub, 0.0, inner) if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            return (type(op), *(_tree(side, names, used, unfit, depth + 1) for side in (left, right)))
        case _:
            raise unfit


def _number(number: float, unfit: UserError) -> float:
    try:
        return float(number)
    except OverflowError as error:
        raise unfit from error


def _value(tree: _Tree, bands: Mapping[int, Pixels]) -> Any:
    if isinstance(tree, float):
        return np.float32(tree)
    if isinstance(tree, int):
        return bands[tree]
    operation, left, right = tree
    return _OPERATIONS[operation](_value(cast(_Tree, left), bands), _value(cast(_Tree, right), bands))

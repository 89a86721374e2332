"""The rows of the table of actions that say which image Done goes on to: a submenu of Image."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from segstudio.text import N_
from segstudio.ui.window import commands

if TYPE_CHECKING:
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["ORDER_ROWS", "OrderRow"]


class OrderRow(NamedTuple):
    """What an `Action` for an order has of its own, under the names that it has there; `name` is 'order-' and the
    order.
    """

    name: str
    text: str
    tip: str
    run: "Callable[[MainWindow], object]"
    group: str = "order"
    checkable: bool = True


ORDER_ROWS = (
    OrderRow("order-list", N_("The next one in the list"), N_("Done goes on to the next image of the list"),
             partial(commands.choose_order, order="list")),
    OrderRow("order-unsure", N_("The one the model is least sure of"),
             N_("Done goes on to the image that the current version is least sure of"),
             partial(commands.choose_order, order="unsure")),
    OrderRow("order-different", N_("The one that looks most different"),
             N_("Done goes on to the image that looks least like those that are done"),
             partial(commands.choose_order, order="different")),
    OrderRow("order-disputed", N_("The one that versions disagree on most"),
             N_("Done goes on to the image that the current version and the one before it disagree on most"),
             partial(commands.choose_order, order="disputed")),
)  # fmt: skip

"""The submenu that says which image Done goes on to."""

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from segstudio.app.viewing import next_images
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

NAMES = ("order-list", "order-unsure", "order-different", "order-disputed")


def _checked(window: MainWindow) -> list[str]:
    return [name for name in NAMES if window.bars.action(name).isChecked()]


def test_an_order_is_chosen_in_the_menu_and_one_is_always_checked(
    window: MainWindow, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(next_images, "describe", lambda _engine, images, **_: asked.append(len(images)) or iter(()))
    menu = window.findChild(QMenu, "menuOrder")
    assert menu is not None
    entries: list[QAction] = menu.actions()
    assert [entry.text() for entry in entries] == [window.bars.action(name).text() for name in NAMES]
    assert _checked(window) == ["order-list"]
    entries[1].trigger()
    assert _checked(window) == ["order-unsure"]
    desk.wait(lambda: bool(asked))
    entries[1].trigger()  # a click on the checked one leaves it so
    assert _checked(window) == ["order-unsure"]
    entries[0].trigger()
    assert _checked(window) == ["order-list"]
    desk.wait(lambda: not desk.session.jobs.states)


def test_without_another_version_the_check_goes_back_to_the_list_order_and_a_sentence_says_why(
    window: MainWindow, desk: Desk
) -> None:
    window.bars.action("order-disputed").trigger()
    desk.wait(lambda: _checked(window) == ["order-list"])
    desk.wait(lambda: desk.said[-1] == "There is no other version to compare with.")
    assert not desk.session.jobs.states

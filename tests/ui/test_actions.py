"""The table of actions: whole, without clashes, and the only source of menus, keys and tooltips."""

from collections import Counter
from pathlib import Path

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from segstudio.geometry import Rect
from segstudio.labels.model import Seq
from segstudio.store.project import Project
from segstudio.tasks.keeping.compact import compact, planned
from segstudio.ui.window.actions import ACTIONS, Bar, action_named, keys_table, object_name
from segstudio.ui.window.bars import tooltip
from segstudio.ui.window.iconless import ICONLESS
from segstudio.ui.window.icons import icon_names
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def test_no_key_means_two_things() -> None:
    keys = Counter(QKeySequence(key).toString() for action in ACTIONS for key in action.keys)
    assert [key for key, times in keys.items() if times > 1] == []
    assert "" not in keys


def test_names_and_object_names_are_unique() -> None:
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)
    assert len({object_name(action) for action in ACTIONS}) == len(ACTIONS)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.name)
def test_every_action_is_whole(action) -> None:
    assert action.text
    assert action.tip
    assert not action.tip.endswith(".")
    assert callable(action.run)
    assert action.icon in icon_names() if action.icon else action.name in ICONLESS
    assert bool(action.button) or action.bar is Bar.NONE
    for key in action.keys:
        assert tooltip(action).count(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)) >= 1


def test_nothing_is_excused_that_has_an_icon() -> None:
    assert {action.name for action in ACTIONS if not action.icon} == set(ICONLESS)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("brush", ("B",)),
        ("eraser", ("E",)),
        ("done", ("Return", "Enter")),
        ("undo", ("Ctrl+Z",)),
        ("redo", ("Ctrl+Shift+Z", "Ctrl+Y")),
        ("propose", ("P",)),
        ("accept", ("A",)),
        ("export", ("Ctrl+E",)),
        ("open", ("Ctrl+O",)),
        ("smaller", ("[", ",")),
        ("bigger", ("]", ".")),
        ("class-3", ("3",)),
    ],
)
def test_the_daily_keys_are_those_people_know(name: str, keys: tuple[str, ...]) -> None:
    assert action_named(name).keys == keys


def test_the_keys_page_is_the_table() -> None:
    assert keys_table() in (DOCS / "keys.md").read_text(encoding="utf-8")


def test_every_action_stands_in_exactly_one_menu(window: MainWindow) -> None:
    menus = [menu for menu in window.findChildren(QMenu) if menu.objectName().startswith("menu")]
    placed = Counter(action.objectName() for menu in menus for action in menu.actions() if action.objectName())
    assert placed == Counter(object_name(action) for action in ACTIONS)


def test_buttons_carry_the_words_and_keys_of_their_action(window: MainWindow) -> None:
    for row in ACTIONS:
        if row.bar is not Bar.NONE:
            button = window.bars.button(row.name)
            assert button is not None
            assert button.objectName() == row.button
            assert button.toolTip() == tooltip(row)
            assert button.accessibleName()
            assert not button.icon().isNull()


def test_icons_of_a_menu_are_drawn_when_it_opens(window: MainWindow) -> None:
    action = window.bars.action("new")
    assert action.icon().isNull()
    menu = window.findChild(QMenu, "menuFile")
    assert menu is not None
    menu.aboutToShow.emit()
    assert not action.icon().isNull()


def test_without_a_project_only_what_makes_sense_is_enabled(empty_window: MainWindow) -> None:
    enabled = {row.name for row in ACTIONS if empty_window.bars.action(row.name).isEnabled()}
    assert {"open", "new", "quit"} <= enabled
    assert not {"propose", "accept", "done", "fine-tune", "export", "undo", "brush"} & enabled


def test_undo_and_redo_follow_the_history(window: MainWindow, desk: Desk) -> None:
    desk.shows(3)
    assert not window.bars.action("undo").isEnabled()
    desk.paint(Rect(100, 100, 5, 5), 2)
    assert window.bars.action("undo").isEnabled()
    assert not window.bars.action("redo").isEnabled()
    desk.session.undo()
    assert not window.bars.action("undo").isEnabled()
    assert window.bars.action("redo").isEnabled()


def test_undo_says_where_it_ends_in_a_compacted_project(window: MainWindow, desk: Desk) -> None:
    path = desk.projects.copy(desk.place())
    with Project.open(path) as project:
        for _ in compact(project, planned(project, before=Seq(project.last_seq() + 1))):
            pass
    desk.open(path)
    assert desk.documents.undo_ends.startswith("Undo ends here")
    assert not desk.documents.can_undo
    assert window.bars.action("undo").isEnabled()
    window.bars.action("undo").trigger()
    assert desk.said[-1].startswith("Undo ends here")


def test_stop_is_there_only_while_a_run_is_under_way(window: MainWindow, desk: Desk) -> None:
    stop = window.bars.action("stop-training")
    assert not stop.isEnabled()
    desk.trains()
    assert stop.isEnabled()
    assert not window.bars.action("fine-tune").isEnabled()
    desk.engine.refuse("Too little is labelled.", "NotEnoughLabels")
    desk.wait(lambda: not desk.opened.training.running)
    assert not stop.isEnabled()
    assert window.bars.action("fine-tune").isEnabled()


def test_class_actions_are_named_after_the_classes(window: MainWindow) -> None:
    assert window.bars.action("class-2").text() == "nucleus"
    assert not window.bars.action("class-5").isVisible()

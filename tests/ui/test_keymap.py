"""Which keys the actions have: those of the table, or what a person has chosen; applied in the window at once."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from segstudio.app.preferences import load_preferences, preferences_file
from segstudio.ui.window.actions import ACTIONS
from segstudio.ui.window.keymap import FIXED, Keymap, bound, normal_key, refusal_of_key
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

KEYS = sorted({key for row in ACTIONS for key in row.keys} | {"Ctrl+Alt+J", "F7", "Shift+Q"})
NAMES = [row.name for row in ACTIONS]


@pytest.fixture
def keymap(window: MainWindow) -> Keymap:
    return window.bars.keymap


def press(window: MainWindow, key: Qt.Key) -> None:
    QTest.keyClick(window.focusWidget() or window, key)


def test_without_a_choice_every_action_has_the_keys_of_its_row() -> None:
    assert bound(ACTIONS, {}) == {row.name: row.keys for row in ACTIONS}


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(KEYS) | st.text(max_size=3), max_size=4)))
@settings(max_examples=200)
def test_whatever_was_chosen_no_key_means_two_things_and_escape_cancels(chosen: dict[str, list[str]]) -> None:
    keys = bound(ACTIONS, chosen)
    all_keys = [normal_key(key) for keys_of_one in keys.values() for key in keys_of_one]
    assert len(all_keys) == len(set(all_keys))
    assert keys["cancel"] == ("Esc",)
    assert "" not in all_keys
    assert set(keys) == set(NAMES)


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(KEYS), st.booleans()), max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_resetting_everything_leaves_nothing_behind(
    window: MainWindow, keymap: Keymap, changes: list[tuple[str, str, bool]]
) -> None:
    for name, key, gives in changes:
        if name in FIXED or refusal_of_key(key) or normal_key(key) == "Esc":
            continue
        if gives:
            keymap.give(name, key)
            assert keymap.holder(key).name == name  # pyright: ignore[reportOptionalMemberAccess]
        else:
            keymap.take(name, key)
            assert normal_key(key) not in map(normal_key, keymap.keys(name))
    keymap.reset_all()
    assert not keymap.any_chosen
    assert {name: keymap.keys(name) for name in NAMES} == {row.name: row.keys for row in ACTIONS}


def test_a_chosen_key_works_at_once_and_the_tooltip_and_the_menu_say_so(
    window: MainWindow, desk: Desk, keymap: Keymap
) -> None:
    keymap.give("eraser", "Q")
    press(window, Qt.Key.Key_Q)
    assert desk.session.tools.tool.name == "eraser"
    button = window.findChild(QToolButton, "toolEraser")
    assert button is not None
    assert button.toolTip().startswith("Eraser (E / Q)")
    assert [key.toString() for key in window.bars.action("eraser").shortcuts()] == ["E", "Q"]
    keymap.take("eraser", "E")
    press(window, Qt.Key.Key_B)
    press(window, Qt.Key.Key_E)
    assert desk.session.tools.tool.name == "brush"
    assert button.toolTip().startswith("Eraser (Q)")


def test_a_key_that_was_taken_from_another_action_comes_back_with_the_reset(
    window: MainWindow, desk: Desk, keymap: Keymap
) -> None:
    keymap.give("eraser", "B")
    assert keymap.keys("brush") == ()
    desk.session.tools.choose("pan")
    press(window, Qt.Key.Key_B)
    assert desk.session.tools.tool.name == "eraser"
    assert keymap.reset("eraser") == ()
    assert keymap.keys("brush") == ("B",)


def test_a_key_that_stays_with_another_action_is_named_by_the_reset(keymap: Keymap) -> None:
    keymap.give("brush", "Q")
    keymap.give("eraser", "B")
    assert keymap.keys("brush") == ("Q",)
    assert keymap.reset("brush") == ("B",)
    assert keymap.keys("brush") == ()
    keymap.reset("eraser")
    assert keymap.keys("brush") == ("B",)


def test_only_what_differs_is_kept(desk: Desk, window: MainWindow, keymap: Keymap) -> None:
    keymap.give("eraser", "Q")
    assert desk.session.preferences.keys == {"eraser": ["E", "Q"]}
    keymap.take("eraser", "Q")
    assert desk.session.preferences.keys == {}


@pytest.mark.parametrize("key", ["Esc", "Tab", "Shift+Tab", "Space", "Left", "Shift+Up", "", "nonsense", "Ctrl+K, S"])
def test_what_no_action_can_have_is_refused(keymap: Keymap, key: str) -> None:
    with pytest.raises(ValueError, match="cannot have"):
        keymap.give("brush", key)
    assert keymap.keys("brush") == ("B",)


def test_a_file_with_broken_keys_gives_what_can_be_and_keeps_what_is_unknown() -> None:
    preferences_file().parent.mkdir(parents=True, exist_ok=True)
    keys = {"brush": ["Q"], "of-tomorrow": ["F7"], "fit": "Z", "eraser": [3], "pan": ["nonsense"], "done": []}
    preferences_file().write_text(json.dumps({"keys": keys}), encoding="utf-8")
    kept = load_preferences().keys
    assert kept == {"brush": ["Q"], "of-tomorrow": ["F7"], "pan": ["nonsense"], "done": []}
    now = bound(ACTIONS, kept)
    assert (now["brush"], now["pan"], now["done"], now["fit"]) == (("Q",), ("V", "H"), (), ("F", "0", "Ctrl+0"))


def test_what_is_kept_for_an_action_of_another_version_stays(desk: Desk, window: MainWindow, keymap: Keymap) -> None:
    desk.session.kept_preferences.prefer(keys={"of-tomorrow": ["F7"]})
    keymap.give("brush", "Q")
    keymap.reset_all()
    assert desk.session.preferences.keys == {"of-tomorrow": ["F7"]}

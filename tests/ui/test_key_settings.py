"""The keys in the settings, by mouse and keys: a key is recorded, what stands in its way is said, and given back."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QTextBrowser, QTreeWidget, QTreeWidgetItem

from segstudio.ui.window.actions import ACTIONS
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class Hands:
    """Works the section of keys of a window's settings."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        window.pages.show_settings()
        self.find("")

    def button(self, name: str) -> QPushButton:
        found = self.window.findChild(QPushButton, name)
        assert found is not None, name
        return found

    def items(self) -> list[QTreeWidgetItem]:
        tree = self.window.findChild(QTreeWidget, "keyList")
        assert tree is not None
        groups = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
        items = [group.child(n) for group in groups if group is not None for n in range(group.childCount())]
        return [item for item in items if item is not None]

    def shown(self) -> dict[str, str]:
        return {item.text(0): item.text(1) for item in self.items() if not item.isHidden()}

    def find(self, text: str) -> None:
        field = self.window.findChild(QLineEdit, "keySearch")
        assert field is not None
        field.setFocus()
        field.clear()
        QTest.keyClicks(field, text)

    def select(self, title: str) -> None:
        tree = self.window.findChild(QTreeWidget, "keyList")
        assert tree is not None
        tree.setCurrentItem(next(item for item in self.items() if item.text(0) == title))

    def record(self, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        button = self.button("keyRecord")
        QTest.mouseClick(button, LEFT)
        assert button.isChecked()
        button.setFocus()
        QTest.keyClick(button, key, held)

    @property
    def note(self) -> str:
        label = self.window.findChild(QLabel, "keyNote")
        assert label is not None
        return label.text() if not label.isHidden() else ""


@pytest.fixture
def hands(window: MainWindow) -> Hands:
    return Hands(window)


def test_every_action_is_listed_with_its_keys(hands: Hands) -> None:
    shown = hands.shown()
    assert len(hands.items()) == len(ACTIONS)
    assert shown["Redo"].split() == ["Ctrl+Shift+Z", "Ctrl+Y"]
    assert shown["Snapshots"] == ""


@pytest.mark.parametrize(
    ("text", "names"),
    [("smaller brush", {"Smaller brush"}), ("ctrl+z", {"Undo"}), ("paint class; right", {"Brush"}), ("xyzzy", set())],
)
def test_searching_shows_the_actions_with_these_words_or_keys(hands: Hands, text: str, names: set[str]) -> None:
    hands.find(text)
    assert set(hands.shown()) == names


def test_a_free_key_is_given_at_once_and_removed_by_its_button(hands: Hands, desk: Desk) -> None:
    hands.select("Eraser")
    hands.record(Key.Key_F3)
    assert hands.note == ""
    assert hands.shown()["Eraser"].split() == ["E", "F3"]
    assert desk.session.preferences.keys == {"eraser": ["E", "F3"]}
    QTest.mouseClick(hands.button("keyRemove1"), LEFT)
    assert hands.shown()["Eraser"] == "F3"
    QTest.mouseClick(hands.button("keyReset"), LEFT)
    assert hands.shown()["Eraser"] == "E"
    assert desk.session.preferences.keys == {}
    assert not hands.button("keyReset").isEnabled()
    assert not hands.button("keyResetAll").isEnabled()


def test_a_key_in_use_is_replaced_only_when_told_to(hands: Hands, desk: Desk) -> None:
    hands.select("Eraser")
    hands.record(Key.Key_B)
    assert hands.note == "'B' is a key of 'Brush'; it can mean one thing only."
    assert desk.session.preferences.keys == {}
    assert hands.button("keyReplace").hasFocus()
    QTest.keyClick(hands.button("keyReplace"), Key.Key_Return)
    assert hands.note == ""
    assert (hands.shown()["Eraser"].split(), hands.shown()["Brush"]) == (["E", "B"], "")
    QTest.mouseClick(hands.button("keyResetAll"), LEFT)
    assert (hands.shown()["Eraser"], hands.shown()["Brush"]) == ("E", "B")


@pytest.mark.parametrize(
    ("key", "note", "button"),
    [
        (Key.Key_3, "'3' is a key of 'Class 3'; it can mean one thing only.", "Replace"),
        (Key.Key_Return, "'Return' is a key of 'Done', and a tool under way takes it first.", "Replace"),
        (Key.Key_Backspace, "A tool under way takes 'Backspace' first.", "Use it anyway"),
        (Key.Key_Tab, "Tab moves the focus from one part of the window to the next.", ""),
        (Key.Key_Space, "Space moves the image, and presses the button that has the focus.", ""),
        (Key.Key_E, "'E' is a key of this action already.", ""),
    ],
)
def test_keys_of_tools_classes_and_focus_are_not_taken_silently(
    hands: Hands, desk: Desk, key: Qt.Key, note: str, button: str
) -> None:
    hands.select("Eraser")
    hands.record(key)
    assert hands.note == note
    assert desk.session.preferences.keys == {}
    assert hands.button("keyReplace").isHidden() == (not button)
    assert hands.button("keyReplace").text() == button or not button
    if button:
        QTest.mouseClick(hands.button("keyReplace"), LEFT)
        assert len(desk.session.preferences.keys["eraser"]) == 2


def test_what_a_key_means_elsewhere_does_not_happen_while_it_is_recorded(hands: Hands, desk: Desk) -> None:
    hands.select("Eraser")
    hands.record(Key.Key_Q, CTRL)
    assert hands.window.isVisible()
    assert hands.note.startswith("'Ctrl+Q' is a key of 'Quit'")
    hands.record(Key.Key_F1)
    assert hands.window.pages.currentWidget().objectName() == "settingsPage"  # pyright: ignore[reportOptionalMemberAccess]


def test_escape_and_a_lost_focus_record_nothing_and_a_modifier_alone_waits(hands: Hands, desk: Desk) -> None:
    hands.select("Eraser")
    hands.record(Key.Key_Escape)
    assert not hands.button("keyRecord").isChecked()
    assert hands.window.pages.covered
    hands.record(Key.Key_Shift, SHIFT)
    assert hands.button("keyRecord").isChecked()
    hands.button("settingsBack").setFocus()
    assert not hands.button("keyRecord").isChecked()
    assert desk.session.preferences.keys == {}


def test_shift_is_part_of_a_sign_but_not_of_a_letter(hands: Hands, desk: Desk) -> None:
    hands.select("Eraser")
    hands.record(Key.Key_Exclam, SHIFT)
    hands.record(Key.Key_J, SHIFT)
    assert desk.session.preferences.keys == {"eraser": ["E", "!", "Shift+J"]}


def test_escape_as_a_way_out_cannot_be_changed(hands: Hands) -> None:
    hands.select("Cancel")
    assert not hands.button("keyRecord").isEnabled()
    assert not hands.button("keyRemove1").isEnabled()


@pytest.mark.parametrize("key", [Key.Key_F1, Key.Key_Question])
def test_the_page_of_keys_shows_them_as_they_are_and_finds_words(window: MainWindow, desk: Desk, key: Qt.Key) -> None:
    window.bars.keymap.give("eraser", "F3")
    QTest.keyClick(window.canvas, key)
    page, text = window.findChild(QLineEdit, "helpSearch"), window.findChild(QTextBrowser, "helpText")
    assert page is not None
    assert text is not None
    assert page.hasFocus()
    assert "F3" in text.toPlainText()
    QTest.keyClicks(page, "unknown again")
    assert " ".join(text.toPlainText().split()) == (
        "E F3 Eraser Make pixels unknown again; the right button paints background"
    )
    QTest.keyClicks(page, " xyzzy")
    assert text.toPlainText() == "No action and no key has these words."
    QTest.keyClick(page, Key.Key_Escape)
    assert window.pages.currentWidget() is window.canvas


def test_all_keys_fit_a_laptops_window_without_scrolling(window: MainWindow) -> None:
    window.resize(1280, 720)
    window.pages.show_help("keys")
    text = window.findChild(QTextBrowser, "helpText")
    assert text is not None
    QTest.qWait(20)
    assert text.verticalScrollBar().maximum() == 0
    assert text.horizontalScrollBar().maximum() == 0

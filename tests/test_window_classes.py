"""The class that is highlighted is the class that paints, and a stroke that cannot do what it looks like says so.

In the real window with the real Session, by real keys and clicks.
"""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from tests.window_bench import RIGHT, Bench, open_bench

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

Key = Qt.Key


@pytest.fixture(scope="module")
def shared(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_bench(tmp_path_factory.mktemp("classes")) as bench:
        kept = QApplication.allWidgets()
        yield bench
        kept.clear()


@pytest.fixture
def me(shared: Bench) -> Iterator[Bench]:
    for found in shared.opened.documents.classes:
        if found.locked or not found.visible:
            shared.opened.classes.change(found.name, locked=False, visible=True)
    shared.fresh()
    yield shared
    shared.rest()


def _highlighted(me: Bench) -> str:
    panel = me.window.arrangement.classes
    found = panel.model.label_class(panel.view.currentIndex().row())
    assert found is not None
    return found.name


def _painted(me: Bench, x: float, y: float) -> str:
    """The class of a pixel after a stroke there."""
    me.drag((x, y), (x + 9, y + 3))
    me.settle()
    return me.opened.value_at(int(x), int(y))[1]


def _add(me: Bench) -> QLineEdit:
    action = me.window.findChild(QAction, "classAddSemantic")
    assert action is not None
    action.trigger()
    editor = me.window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    return editor


@pytest.mark.parametrize("way", ["escape", "kept", "renamed", "script"])
def test_a_new_class_is_highlighted_and_paints_however_it_was_named(me: Bench, way: str) -> None:
    if way == "script":
        me.opened.classes.add("by script")
    else:
        editor = _add(me)
        if way == "renamed":
            QTest.keyClicks(editor, "vessel")
        QTest.keyClick(editor, Key.Key_Escape if way == "escape" else Key.Key_Return)
        me.wait(me.canvas.hasFocus)
    me.wait(lambda: _highlighted(me) == me.opened.documents.current_class.name)
    chosen = _highlighted(me)
    assert chosen not in ("coin", "rim", "background")
    assert _painted(me, 40, 40) == chosen


def test_after_undo_of_a_new_class_another_is_highlighted_and_paints(me: Bench) -> None:
    me.opened.classes.add("short-lived")
    me.key(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    me.wait(lambda: me.opened.documents.classes.named("short-lived") is None)
    assert me.opened.documents.current_class is not None
    assert _highlighted(me) == me.opened.documents.current_class.name
    assert _painted(me, 40, 40) == _highlighted(me)


def test_a_digit_chooses_what_is_highlighted_and_painted(me: Bench) -> None:
    me.key(Key.Key_3)
    assert _highlighted(me) == list(me.opened.documents.classes)[2].name
    assert _painted(me, 60, 30) == _highlighted(me)


def test_a_stroke_with_a_locked_class_is_not_begun_and_says_why(me: Bench) -> None:
    me.opened.classes.change("coin", locked=True)
    me.settle()
    me.seqs.clear()
    assert me.canvas.cursor().shape() is Qt.CursorShape.ForbiddenCursor
    me.drag((30, 30), (50, 40))
    assert "the class 'coin' is locked" in me.labels_say("locked")
    assert not me.opened.documents.can_redo
    me.settle()
    assert me.seqs == []
    me.drag((30, 30), (50, 40), button=RIGHT)
    me.settle()
    assert len(me.seqs) == 1
    me.opened.classes.change("coin", locked=False)
    assert me.canvas.cursor().shape() is Qt.CursorShape.CrossCursor


def test_pixels_of_a_locked_class_say_that_they_stay(me: Bench) -> None:
    assert _painted(me, 40, 40) == "coin"
    me.opened.classes.change("coin", locked=True)
    me.session.set_class("rim")
    assert _painted(me, 40, 40) == "coin"
    assert "belong to 'coin'" in me.labels_say("locked")


def test_painting_while_the_labels_are_hidden_brings_them_back(me: Bench) -> None:
    me.key(Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
    assert not me.window.bars.action("show-labels").isChecked()
    me.drag((30, 30), (50, 40))
    me.settle()
    assert me.window.bars.action("show-labels").isChecked()
    assert "shown again" in me.labels_say("shown again")
    assert len(me.seqs) == 1


def test_painting_a_hidden_class_warns(me: Bench) -> None:
    me.opened.classes.change("coin", visible=False)
    me.drag((30, 30), (50, 40))
    me.settle()
    assert "the class 'coin' is hidden" in me.labels_say("hidden").replace("The", "the")
    assert me.opened.value_at(40, 35)[1] == "coin"


def test_removing_a_class_says_what_was_labelled_with_it_and_undo_brings_it_back(me: Bench) -> None:
    me.opened.classes.add("debris")
    assert _painted(me, 40, 40) == "debris"
    panel = me.window.arrangement.classes
    debris = me.opened.documents.classes.named("debris")
    assert debris is not None
    menu = panel.menu_for(debris)
    next(action for action in menu.actions() if action.text().startswith("Remove")).trigger()
    me.wait(lambda: me.labels_say("now count as unlabelled"))
    assert " pixels in 1 image now count as unlabelled. Undo brings them back." in me.labels_say("unlabelled")
    QTest.keyClick(me.canvas, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    me.wait(lambda: me.opened.documents.classes.named("debris") is not None)
    menu.deleteLater()

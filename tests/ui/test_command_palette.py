"""The command palette: what is found by which letters, in which order, and what becomes of it by keys alone."""

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QToolButton, QWidget

from segstudio.app.values import ImageItem, VersionItem
from segstudio.ui.palette.command_palette import CommandPalette
from segstudio.ui.palette.matching import pattern_of
from segstudio.ui.palette.searching import Search
from segstudio.ui.palette.sources import Entry, _Images, _Rows
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

Key = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier
MANY = 100_000


# -- matching ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "better", "worse"),
    [
        ("open", "Open", "Open project"),
        ("open", "Open project", "Reopen"),
        ("im", "Image", "Next image"),
        ("im", "Next image", "Dimmed"),
        ("ks", "Keep a snapshot", "Tasks"),
        ("ni", "Next image", "Union"),
        ("ft", "Fine-tune", "Left"),
        ("next", "Next image", "Not extra texts"),
        ("image next", "Next image", "An image that is next to nothing"),
        ("EXP", "Export", "explain everything"),
    ],
)
def test_the_better_answer_has_more_points(typed: str, better: str, worse: str) -> None:
    pattern = pattern_of(typed)
    assert pattern.score(better) > pattern.score(worse)


@pytest.mark.parametrize(
    ("typed", "name"), [("xyz", "Export"), ("exx", "Export"), ("tropxe", "Export"), ("e q", "Export")]
)
def test_letters_that_are_not_there_in_their_order_do_not_answer(typed: str, name: str) -> None:
    assert pattern_of(typed).score(name) == 0


def test_what_an_action_does_is_found_after_its_name_and_not_by_two_letters() -> None:
    assert 0 < pattern_of("coco").score("Export", "Write masks or COCO") < pattern_of("coco").score("c-o-c-o")
    assert pattern_of("co").score("Export", "Write masks or COCO") == 0


def test_the_letters_that_answer_are_known() -> None:
    assert pattern_of("ks").places("Keep a snapshot") == {0, 7}
    assert pattern_of("image next").places("Next image") == {0, 1, 2, 3, 5, 6, 7, 8, 9}
    assert pattern_of("ss").places("Straße") == frozenset()


@pytest.mark.parametrize("typed", ["(", "[", "\\", "^", "-]", ".*", "a-z"])
def test_signs_mean_themselves(typed: str) -> None:
    assert pattern_of(typed).score(f"x{typed}y") > 0
    assert pattern_of(typed).score("plain") == 0


def test_a_long_name_of_one_letter_takes_no_time_to_speak_of() -> None:
    began = time.perf_counter()
    assert pattern_of("a" * 40 + "b").score("a " * 5000) == 0
    assert time.perf_counter() - began < 0.5


# -- searching ---------------------------------------------------------------------------------------------------------


def rows(*titles: str) -> _Rows:
    return _Rows([Entry(f"id {title}", title, "Kind", lambda: None) for title in titles], lists_unasked=True)


def found(sources: Sequence[_Rows], typed: str, recent: Sequence[str] = (), limit: int = 9) -> list[str]:
    search = Search(sources, pattern_of(typed), recent, limit)
    search.step()
    return [sources[hit.source].name(hit.i) for hit in search.best()]


def test_what_was_used_last_comes_first_and_the_rest_as_listed() -> None:
    source = rows("Open", "Save", "Export", "Undo")
    assert found([source], "") == ["Open", "Save", "Export", "Undo"]
    assert found([source], "", ["id Undo", "id Save"]) == ["Undo", "Save", "Open", "Export"]


def test_a_much_better_answer_comes_before_what_was_used_last() -> None:
    source = rows("Export", "Next plot")
    assert found([source], "export", ["id Next plot"]) == ["Export"]
    assert found([rows("Image", "Dimmed age")], "image", ["id Dimmed age"]) == ["Image", "Dimmed age"]


def image(i: int) -> ImageItem:
    return SimpleNamespace(name=f"walk_{i % 97:02d}/field_{i:06d}.png", problem="")  # pyright: ignore[reportReturnType]


def test_of_a_hundred_thousand_images_one_slice_looks_at_some_and_the_whole_search_finds_any(
    window: MainWindow,
) -> None:
    images = _Images(window, [image(i) for i in range(MANY)])
    search = Search([rows("Field of view"), images], pattern_of("field_087654"), (), 60)
    search.step(0.0)
    assert not search.ended
    search.step()
    assert search.ended
    assert [images.name(hit.i) for hit in search.best()][:1] == [image(87_654).name]
    every = Search([images], pattern_of("field"), (), 60)
    every.step()
    assert [hit.i for hit in every.best()] == list(range(60)), "equal answers stay in their order"


# -- in the window -----------------------------------------------------------------------------------------------------


def field(window: MainWindow) -> QLineEdit:
    line = window.findChild(QLineEdit, "paletteField")
    assert line is not None
    return line


def opened(window: MainWindow, typed: str = "") -> CommandPalette:
    QTest.keyClick(window.focusWidget() or window, Key.Key_K, CTRL)
    palette = window.later.palette
    assert palette.isVisible()
    assert field(window).hasFocus()
    QTest.keyClicks(field(window), typed)
    return palette


def titles(palette: CommandPalette) -> list[str]:
    return [row.title for row in palette.list.found.rows]


@pytest.mark.parametrize(
    ("typed", "first", "done"),
    [
        ("eras", "Eraser", lambda desk: desk.session.tools.tool.name == "eraser"),
        ("memb", "membrane", lambda desk: desk.documents.current_class.name == "membrane"),
        ("plate_3", "", lambda desk: desk.navigation.index == 3),
        ("next image", "Next image", lambda desk: desk.navigation.index == 1),
    ],
)
def test_actions_classes_and_images_are_found_and_used_by_enter(
    window: MainWindow, desk: Desk, typed: str, first: str, done: Callable[[Desk], bool]
) -> None:
    if not first:
        typed = first = desk.navigation.items[3].name
    palette = opened(window, typed)
    assert titles(palette)[0] == first
    QTest.keyClick(field(window), Key.Key_Return)
    assert not palette.isVisible()
    assert window.canvas.hasFocus()
    desk.wait(lambda: done(desk))
    desk.shown()
    desk.opened.finishing.settle()
    assert not any(said.startswith("Done") for said in desk.said), "Enter belonged to the palette alone"


def test_a_version_is_used_and_the_one_that_proposes_says_that_it_does(
    window: MainWindow, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = VersionItem(name="v0003", made="2026-11-20T10:00:00Z", has_weights=False)
    listed = (dropped, VersionItem(name="v0002", current=True), VersionItem(name="v0001"))
    used: list[str] = []
    monkeypatch.setattr(desk.opened.versions, "items", lambda: listed)
    monkeypatch.setattr(desk.opened.versions, "use", used.append)
    palette = opened(window, "v000")
    whys = {row.title: row.why for row in palette.list.found.rows if row.kind == "Version"}
    assert whys == {"v0003": "Its weights were not kept", "v0002": "It proposes already", "v0001": ""}
    QTest.keyClicks(field(window), "1")
    QTest.keyClick(field(window), Key.Key_Return)
    assert used == ["v0001"]


def test_arrows_move_round_and_the_row_is_said_to_screen_readers(window: MainWindow) -> None:
    palette = opened(window, "zoom")
    assert titles(palette)[:2] == ["Zoom in", "Zoom out"]
    assert field(window).accessibleDescription() == "Zoom in, View, +, Show the image larger"
    QTest.keyClick(field(window), Key.Key_Down)
    assert field(window).accessibleDescription().startswith("Zoom out, ")
    QTest.keyClick(field(window), Key.Key_Up)
    QTest.keyClick(field(window), Key.Key_Up)
    assert palette.list.currentIndex().row() == len(titles(palette)) - 1
    before = window.canvas.scale
    QTest.keyClick(field(window), Key.Key_Down)
    QTest.keyClick(field(window), Key.Key_Enter)
    assert window.canvas.scale > before


def test_what_cannot_be_used_says_why_and_stays_open(window: MainWindow, desk: Desk) -> None:
    palette = opened(window, "stop and keep")
    assert palette.list.found.rows[0].why == "The model is not learning"
    QTest.keyClick(field(window), Key.Key_Return)
    assert palette.isVisible()
    assert desk.said[-1] == "'Stop and keep the best' is not available: The model is not learning."
    assert desk.session.preferences.recent_entries == []


def test_without_a_project_it_finds_what_can_be_done_without_one(empty_window: MainWindow) -> None:
    palette = opened(empty_window, "propose")
    assert palette.list.found.rows[0].why == "There is no project open"
    field(empty_window).setText("settings")
    QTest.keyClick(field(empty_window), Key.Key_Return)
    assert empty_window.pages.currentWidget().objectName() == "settingsPage"  # pyright: ignore[reportOptionalMemberAccess]


def test_what_was_used_is_first_the_next_time(window: MainWindow, desk: Desk) -> None:
    opened(window, "outlines")
    QTest.keyClick(field(window), Key.Key_Return)
    assert desk.session.preferences.recent_entries == ["action show-outlines"]
    assert titles(opened(window))[0] == "Fill or outline labels"


@pytest.mark.parametrize("way", ["escape", "same key", "click", "button"])
def test_it_closes_without_doing_anything(window: MainWindow, desk: Desk, way: str) -> None:
    window.findChild(QWidget, "imageList").setFocus()  # pyright: ignore[reportOptionalMemberAccess]
    palette = opened(window, "quit")
    if way == "escape":
        QTest.keyClick(field(window), Key.Key_Escape)
    elif way == "same key":
        QTest.keyClick(field(window), Key.Key_K, CTRL)
    elif way == "button":
        button = window.findChild(QToolButton, "paletteButton")
        assert button is not None
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    else:
        window.canvas.setFocus()
    desk.wait(lambda: not palette.isVisible())
    back = "canvas" if way == "click" else "imageList"
    assert window.focusWidget().objectName() == back  # pyright: ignore[reportOptionalMemberAccess]
    assert window.isVisible()


def test_it_opens_from_a_field_where_ctrl_k_would_delete(window: MainWindow) -> None:
    window.findChild(QWidget, "brushSize").setFocus()  # pyright: ignore[reportOptionalMemberAccess]
    opened(window)


def test_letters_typed_there_are_no_single_keys(window: MainWindow, desk: Desk) -> None:
    tool, chosen = desk.session.tools.tool, desk.documents.class_id
    opened(window, "beap 12?")
    assert field(window).text() == "beap 12?"
    assert (desk.session.tools.tool, desk.documents.class_id, desk.engine.asked) == (tool, chosen, [])


def test_nothing_found_is_said(window: MainWindow) -> None:
    palette = opened(window, "zzzzqq")
    assert not palette.list.isVisible()
    texts = [label.text() for label in palette.findChildren(QLabel) if label.isVisible()]
    assert texts == ["Nothing here has these letters"]
    QTest.keyClick(field(window), Key.Key_Return)
    assert palette.isVisible()


@pytest.mark.parametrize(("width", "height"), [(800, 600), (1280, 720)])
def test_it_stays_inside_the_window(window: MainWindow, width: int, height: int) -> None:
    window.resize(width, height)
    palette = opened(window)
    assert window.rect().contains(palette.geometry())
    window.resize(1000, 600)
    assert abs(palette.geometry().center().x() - 500) <= 1


def test_a_changed_key_is_the_one_that_is_shown(window: MainWindow) -> None:
    window.bars.keymap.give("eraser", "F7")
    window.bars.keymap.take("eraser", "E")
    assert opened(window, "eraser").list.found.rows[0].keys == "F7"

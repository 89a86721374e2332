"""The panels: images, classes, brush. Real clicks on real rows."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAction, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from segstudio.app.values import ImageItem
from segstudio.app.viewing.thumbnails import Wish
from segstudio.labels.model import ImageId, Kind
from segstudio.labels.paint.policy import Touch
from segstudio.ui.panels.class_list import Spot, spot_rect, spot_words
from segstudio.ui.panels.class_panel import free_name, palette
from segstudio.ui.panels.image_list import ITEM_ROLE, described
from segstudio.ui.window.main_window import MainWindow
from tests.ui.fake_session import FakeSession, class_table, image_items

Called = Callable[[str], list[tuple]]
LEFT = Qt.MouseButton.LeftButton


def _click_class(window: MainWindow, row: int, spot: Spot) -> None:
    view = window.arrangement.classes.view
    rect = view.visualRect(window.arrangement.classes.model.index(row))
    QTest.mouseClick(view.viewport(), LEFT, pos=spot_rect(rect, spot).center())


def _action(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text().startswith(text))


# --- images ----------------------------------------------------------------------------------------------------------


def test_a_click_on_an_image_opens_it(window: MainWindow, called: Called) -> None:
    view = window.arrangement.images.view
    rect = view.visualRect(window.arrangement.images.model.index(2))
    QTest.mouseClick(view.viewport(), LEFT, pos=rect.center())
    assert called("open_image") == [("open_image", 2)]


def test_the_list_follows_the_image_on_screen_without_opening_it_again(
    window: MainWindow, session: FakeSession, called: Called
) -> None:
    session.open_image(3)
    assert window.arrangement.images.view.currentIndex().row() == 3
    assert called("open_image") == [("open_image", 3)]


def test_the_image_on_screen_stays_marked_when_the_whole_list_is_read_anew(
    window: MainWindow, session: FakeSession, called: Called
) -> None:
    session.open_image(3)
    session.imagesChanged.emit(())
    assert window.arrangement.images.view.currentIndex().row() == 3
    assert called("open_image") == [("open_image", 3)]


def test_arrow_keys_walk_through_the_images(window: MainWindow, called: Called) -> None:
    window.arrangement.images.view.setFocus()
    QTest.keyClick(window.arrangement.images.view, Qt.Key.Key_Right)
    assert called("open_image") == [("open_image", 1)]


def test_the_counts_follow_what_is_done(window: MainWindow, session: FakeSession) -> None:
    counts = window.arrangement.images.findChild(QWidget, "imageCounts")
    assert counts is not None
    assert counts.text() == "2 of 6 done"  # type: ignore[attr-defined]
    session.images[4] = ImageItem(4, ImageId(5), "e.png", "done", "train", 9, 1, "", 640, 480, 1)
    session.imagesChanged.emit((4,))
    assert counts.text() == "3 of 6 done"  # type: ignore[attr-defined]
    session.images[4] = ImageItem(4, ImageId(5), "e.png", "in-progress", "train", 9, 1, "", 640, 480, 1)
    session.imagesChanged.emit((4,))
    assert counts.text() == "2 of 6 done"  # type: ignore[attr-defined]


def test_a_row_says_everything_in_words_too() -> None:
    item = ImageItem(0, ImageId(1), "a/b.png", "in-progress", "held-out", 12, 1, "The file is cut short.", 640, 480, 1)
    words = described(item)
    for part in ("a/b.png", "640 × 480", "in progress", "1 object", "held out", "The file is cut short."):
        assert part in words


def test_a_changed_row_changes_in_the_model(window: MainWindow, session: FakeSession, qtbot: QtBot) -> None:
    model = window.arrangement.images.model
    with qtbot.waitSignal(model.dataChanged):
        session.imagesChanged.emit((1,))
    assert model.data(model.index(1), ITEM_ROLE) is session.images[1]
    assert model.index(1).data(ITEM_ROLE) == session.images[1]
    assert type(model.index(1).data(ITEM_ROLE)) is type(session.images[1])  # a tuple must not come back as a list


def test_a_hundred_thousand_images_are_listed_in_the_time_of_a_few(
    window: MainWindow, session: FakeSession, qtbot: QtBot
) -> None:
    items = image_items(100_000)
    began = perf_counter()
    session.load(items, class_table(["a"]))
    qtbot.wait(1)
    assert window.arrangement.images.model.rowCount() == 100_000
    session.open_image(99_999)
    assert perf_counter() - began < 10, "some seconds at most: nothing may be done for each row but counting"
    rect = window.arrangement.images.view.visualRect(window.arrangement.images.model.index(99_999))
    assert window.arrangement.images.view.viewport().rect().intersects(rect)


def _wish(window: MainWindow, row: int) -> Wish:
    found = window.arrangement.images._wish_of(row)
    assert found is not None
    return found


def _grey(file: Path, value: int) -> Path:
    Image.fromarray(np.full((40, 60, 3), value, np.uint8)).save(file)
    return file


def _red(window: MainWindow, row: int) -> int | None:
    picture = window.arrangement.images.thumbnails.get(_wish(window, row), 1.0)
    return None if picture is None else picture.toImage().pixelColor(5, 5).red()


def test_thumbnails_come_for_what_is_looked_at_and_a_broken_file_is_tried_once(
    qtbot: QtBot, window: MainWindow, session: FakeSession, tmp_path: Path
) -> None:
    files: list[Path | None] = [_grey(tmp_path / f"{n}.png", 80 * n) for n in range(3)]
    broken = tmp_path / "3.png"
    broken.write_bytes(b"no image at all")
    thumbnails = window.arrangement.images.thumbnails
    came: list[None] = []
    thumbnails.ready.connect(lambda: came.append(None))
    session.load(image_items(4), class_table(["a"]), files=[*files, broken])
    window.arrangement.images.view.viewport().repaint()
    qtbot.waitUntil(lambda: not any(thumbnails.pending(_wish(window, row)) for row in range(4)))
    assert _red(window, 1) == 80
    assert _red(window, 3) is None
    before = len(came)
    window.arrangement.images.view.viewport().repaint()
    qtbot.wait(50)
    assert len(came) == before


def test_thumbnails_of_another_project_are_forgotten(
    qtbot: QtBot, window: MainWindow, session: FakeSession, tmp_path: Path
) -> None:
    for name, value in (("a", 10), ("b", 200)):
        _grey(tmp_path / f"{name}.png", value)
    for name, value in (("a", 10), ("b", 200)):
        session.load(image_items(2), class_table(["x"]), files=[None, tmp_path / f"{name}.png"])
        window.arrangement.images.view.viewport().repaint()
        qtbot.waitUntil(lambda value=value: _red(window, 1) == value)


def test_thumbnails_follow_their_images_when_rows_move(
    qtbot: QtBot, window: MainWindow, session: FakeSession, tmp_path: Path
) -> None:
    files = [None, *(_grey(tmp_path / f"{n}.png", 50 + 50 * n) for n in range(3))]
    items = image_items(4)
    session.load(items, class_table(["a"]), files=files)
    window.arrangement.images.view.viewport().repaint()
    qtbot.waitUntil(lambda: [_red(window, row) for row in (1, 2, 3)] == [50, 100, 150])
    rest = [items[0], *items[2:]]
    session.images = [item._replace(index=row) for row, item in enumerate(rest)]
    session.files = [None, *files[2:]]
    session.imagesChanged.emit(())
    assert [_red(window, row) for row in (1, 2)] == [100, 150]


def test_a_thumbnail_is_made_again_when_the_content_of_its_image_is_another(
    qtbot: QtBot, window: MainWindow, session: FakeSession, tmp_path: Path
) -> None:
    file = _grey(tmp_path / "a.png", 10)
    session.load(image_items(2), class_table(["a"]), files=[None, file])
    qtbot.waitUntil(lambda: _red(window, 1) == 10)
    _grey(file, 200)
    session.contents[session.images[1].id] = "another"
    session.imagesChanged.emit((1,))
    qtbot.waitUntil(lambda: _red(window, 1) == 200)


def test_the_image_on_screen_lends_its_picture_where_its_file_is_too_large_for_one(
    qtbot: QtBot, window: MainWindow, session: FakeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segstudio.app.viewing.thumbnails.LARGEST_BYTES", 1000)
    files: list[Path | None] = [_grey(tmp_path / f"{n}.png", 50) for n in range(2)]
    session.load(image_items(2), class_table(["a"]), files=files)
    thumbnails = window.arrangement.images.thumbnails
    assert _red(window, 0) is not None  # it is on screen
    window.arrangement.images.view.viewport().repaint()
    qtbot.waitUntil(lambda: not thumbnails.pending(_wish(window, 1)))
    assert _red(window, 1) is None
    session.open_image(1)
    assert _red(window, 1) is not None


# --- classes ---------------------------------------------------------------------------------------------------------


def test_a_click_on_a_class_picks_it(window: MainWindow, called: Called) -> None:
    _click_class(window, 2, Spot.NAME)
    assert called("set_class") == [("set_class", "membrane")]


def test_the_list_follows_the_class_picked_elsewhere(window: MainWindow, session: FakeSession) -> None:
    session.set_class("debris")
    assert window.arrangement.classes.view.currentIndex().row() == 3


def test_lock_and_eye_act_at_once_and_toggle(window: MainWindow, session: FakeSession, called: Called) -> None:
    _click_class(window, 1, Spot.LOCK)
    _click_class(window, 1, Spot.EYE)
    _click_class(window, 1, Spot.LOCK)
    changes = [call[1:] for call in called("change_class")]
    assert changes == [("nucleus", {"locked": True}), ("nucleus", {"visible": False}), ("nucleus", {"locked": False})]


def test_the_tip_over_lock_and_eye_says_what_a_click_does(
    window: MainWindow, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda at, text, *rest: said.append(text))
    view = window.arrangement.classes.view
    row = view.visualRect(window.arrangement.classes.model.index(1))
    session.change_class("nucleus", locked=True)
    for spot, words in ((Spot.LOCK, "Locked"), (Spot.EYE, "Hide"), (Spot.SWATCH, "colour")):
        at = spot_rect(row, spot).center()
        QApplication.sendEvent(view.viewport(), QHelpEvent(QEvent.Type.ToolTip, at, view.viewport().mapToGlobal(at)))
        assert words in said.pop()


def test_what_lock_and_eye_do_depends_on_how_they_stand() -> None:
    plain = class_table(["a"]).named("a")
    assert plain is not None
    turned = replace(plain, locked=True, visible=False)
    words = [spot_words(found, spot) for spot in (Spot.LOCK, Spot.EYE) for found in (plain, turned)]
    assert len(set(words)) == 4


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_the_colour_offers_a_palette_and_takes_it(
    qtbot: QtBot, window: MainWindow, session: FakeSession, called: Called
) -> None:
    _click_class(window, 1, Spot.SWATCH)
    menu = next(m for m in window.findChildren(QMenu, "classColorMenu") if m.isVisible())
    colors = [a.text() for a in menu.actions() if a.text().startswith("#")]
    assert colors == [c.upper() for c in palette()]
    _action(menu, palette()[3].upper()).trigger()
    assert called("change_class") == [("change_class", "nucleus", {"color": palette()[3]})]
    menu.close()


def test_a_new_class_gets_a_free_name_and_is_named_at_once(
    qtbot: QtBot, window: MainWindow, session: FakeSession, called: Called
) -> None:
    window.arrangement.classes.add(Kind.INSTANCE)
    assert called("add_class") == [("add_class", "class", None, "instance")]
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    assert editor.hasFocus()
    QTest.keyClicks(editor, "cell")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: called("rename_class") == [("rename_class", "class", "cell")])


def test_free_names_count_up() -> None:
    assert free_name("class", []) == "class"
    assert free_name("class", ["Class", "class 2"]) == "class 3"


def test_f2_and_double_click_rename(window: MainWindow, session: FakeSession) -> None:
    view = window.arrangement.classes.view
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_F2)
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    assert editor.text() == "nucleus"


def test_the_menu_of_a_class_says_what_would_change(window: MainWindow, session: FakeSession, called: Called) -> None:
    found = session.classes.named("nucleus")
    assert found is not None
    menu = window.arrangement.classes.menu_for(found)
    _action(menu, "Lock").trigger()
    _action(menu, "Remove").trigger()
    assert called("change_class") == [("change_class", "nucleus", {"locked": True})]
    assert called("remove_class") == [("remove_class", "nucleus")]
    background = window.arrangement.classes.menu_for(session.classes.background)
    assert not any(a.text().startswith("Remove") for a in background.actions())
    for made in (menu, background):
        made.deleteLater()


def test_a_name_that_is_refused_is_said_and_nothing_breaks(
    qtbot: QtBot, window: MainWindow, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segstudio.errors import UserError

    def refuse(name: str, new_name: str) -> None:
        raise UserError(f"There is already a class {new_name!r}.")

    monkeypatch.setattr(session, "rename_class", refuse)
    window.arrangement.classes.rename("nucleus")
    editor = window.findChild(QLineEdit, "classNameEdit")
    assert editor is not None
    editor.selectAll()
    QTest.keyClicks(editor, "debris")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "already" in window.status_bar.said_label.text())


def test_sixty_classes_scroll_and_only_nine_have_a_key(window: MainWindow, session: FakeSession) -> None:
    session.load(image_items(2), class_table([f"species {n}" for n in range(59)]))
    view, model = window.arrangement.classes.view, window.arrangement.classes.model
    assert model.rowCount() == 60
    assert view.verticalScrollBar().maximum() > 0
    session.set_class("species 58")
    rect = view.visualRect(model.index(59))
    assert view.viewport().rect().contains(rect.center())
    assert "key 9" in model.data(model.index(8), Qt.ItemDataRole.AccessibleTextRole)
    assert "key" not in model.data(model.index(9), Qt.ItemDataRole.AccessibleTextRole)


def test_a_press_on_the_edge_of_a_row_still_means_that_row(window: MainWindow, called: Called) -> None:
    view = window.arrangement.classes.view
    rect = view.visualRect(window.arrangement.classes.model.index(3))
    QTest.mouseClick(view.viewport(), LEFT, pos=QPoint(rect.left() + 1, rect.top() + 1))
    assert called("set_class") == [("set_class", "debris")]


# --- brush -----------------------------------------------------------------------------------------------------------


def test_slider_and_number_show_one_radius_and_change_it_together(
    window: MainWindow, session: FakeSession, called: Called
) -> None:
    panel = window.arrangement.panels["brush"]
    panel.size_spin.setValue(40)
    assert session.brush_radius == 40
    place = panel.size_slider.value()
    panel.size_slider.setValue(place + 30)
    assert session.brush_radius > 100
    assert panel.size_spin.value() == session.brush_radius
    panel.size_slider.setValue(panel.size_slider.maximum())
    assert session.brush_radius == 1000
    panel.size_slider.setValue(0)
    assert session.brush_radius == 0.5


def test_a_radius_set_elsewhere_is_shown_and_not_sent_back(
    window: MainWindow, session: FakeSession, called: Called
) -> None:
    session.set_brush_radius(7.5)
    assert window.arrangement.panels["brush"].size_spin.text() == "7.5 px"
    session.set_brush_radius(12.0)
    assert window.arrangement.panels["brush"].size_spin.text() == "12 px"
    assert called("set_brush_radius") == [("set_brush_radius", 7.5), ("set_brush_radius", 12.0)]


def test_may_touch_offers_every_policy(window: MainWindow, session: FakeSession) -> None:
    touch = window.arrangement.panels["brush"].touch
    assert [touch.itemData(i) for i in range(touch.count())] == [t.value for t in Touch]
    window.arrangement.panels["brush"].touch.setFocus()
    QTest.keyClick(touch, Qt.Key.Key_Down)
    assert session.touch is Touch.UNLABELLED
    session.set_touch(Touch.LABELLED)
    assert touch.currentData() == "labelled"

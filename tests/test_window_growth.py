"""A project grows and shrinks in the real window: the list's menu, drops, new images in the folder, the place left."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QContextMenuEvent, QDesktopServices, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QToolButton, QWidget

from segstudio.app.values import ImagesFound, JobKind, Rest
from segstudio.app.viewing.places import place_file
from segstudio.labels.model import ImageId
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.tasks.progress import finished
from tests.window_bench import LEFT, RIGHT, Bench

pytestmark = [
    pytest.mark.engine,
    pytest.mark.timeout(180),
    # Said by the offscreen platform at every menu that is opened.
    pytest.mark.qt_log_ignore("This plugin does not support", extend=True),
]

NONE = Qt.KeyboardModifier.NoModifier
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NAMES = ("a.png", "b.png", "c.png", "d.png", "e.png")


def picture(file: Path, seed: int) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (60, 80), np.uint8)).save(file)
    return file


@pytest.fixture
def pics(tmp_path: Path) -> Path:
    for n, name in enumerate(NAMES):
        picture(tmp_path / "pics" / name, n)
    return tmp_path / "pics"


@pytest.fixture
def project(pics: Path) -> Path:
    return finished(new_project(pics.parent / "p.segstudio", [str(pics)], ["background::background", "cell"])).path


class Hand(Bench):
    """A bench with a hand for the image list."""

    def __init__(self, project: Path | None) -> None:
        super().__init__(project)
        self.view = self.window.arrangement.images.view
        self.strip = self.window.growth_strip
        self._apart = 12
        if project is not None:
            self.wait(lambda: self.shown)

    def spot(self, row: int) -> QPoint:
        rect = self.view.visualRect(self.view.model().index(row, 0))
        return self.view.viewport().mapTo(self.window, rect.center())

    def press(self, row: int, button: Qt.MouseButton = LEFT, held: Qt.KeyboardModifier = NONE) -> None:
        """A click as the system sends it: a right one asks for a menu. Each is a little beside the one before, so that
        two in a hurry are no double click.
        """
        self._apart = -self._apart
        QTest.mouseClick(self.window.windowHandle(), button, held, self.spot(row) + QPoint(self._apart, 0))

    def menu(self, row: int | None = None) -> QMenu:
        """The menu over a row, or by the Menu key."""
        if row is None:
            self.view.setFocus()
            # As the system sends the Menu key: to the widget with the focus, from nowhere in particular.
            event = QContextMenuEvent(
                QContextMenuEvent.Reason.Keyboard, QPoint(1, 1), self.view.mapToGlobal(QPoint(1, 1))
            )
            focused = QApplication.focusWidget()
            assert focused is not None
            QApplication.sendEvent(focused, event)
        else:
            self.press(row, RIGHT)
        found = self.window.findChild(QMenu, "imageMenu")
        assert found is not None
        assert found.isVisible()
        return found

    def choose(self, menu: QMenu, name: str) -> None:
        action = entry(menu, name)
        assert action.isEnabled(), name
        QTest.mouseClick(menu, LEFT, NONE, menu.actionGeometry(action).center())

    def pick(self, row: int | None, name: str) -> None:
        self.choose(self.menu(row), name)
        self.wait(lambda: self.window.findChild(QMenu, "imageMenu") is None)

    @property
    def selected(self) -> list[int]:
        return self.view.selected

    @property
    def names(self) -> list[str]:
        return [item.name for item in self.opened.navigation.items]

    @property
    def statuses(self) -> list[str]:
        return [item.status for item in self.opened.navigation.items]

    @property
    def splits(self) -> list[str | None]:
        return [item.split for item in self.opened.navigation.items]

    def says(self, sentence: str) -> None:
        self.wait(lambda: self.strip.isVisible() and self.strip.text.text() == sentence)

    def drop(self, *paths: Path, onto: QWidget | None = None) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        copy = Qt.DropAction.CopyAction
        QApplication.sendEvent(onto or self.canvas, QDragEnterEvent(QPoint(50, 50), copy, data, LEFT, NONE))
        QApplication.sendEvent(onto or self.canvas, QDropEvent(QPointF(50, 50), copy, data, LEFT, NONE))

    def leave_and_come_back(self) -> None:
        """Another window gets the focus, and this one again."""
        other = QWidget()
        other.show()
        other.activateWindow()
        self.wait(other.isActiveWindow)
        self.window.activateWindow()
        self.wait(self.window.isActiveWindow)
        other.close()
        other.deleteLater()

    def end(self) -> None:
        self.rest()
        self.close()


def entry(menu: QMenu, name: str) -> QAction:
    found = menu.findChild(QAction, name)
    assert found is not None, name
    return found


@pytest.fixture
def me(qtbot: object, project: Path) -> Iterator[Hand]:
    hand = Hand(project)
    hand.window.activateWindow()
    hand.wait(hand.window.isActiveWindow)
    hand.opened.finishing.set_rest(Rest.BACKGROUND)
    yield hand
    hand.end()


def opened(project: Path | None) -> Hand:
    hand = Hand(project)
    hand.wait(lambda: not hand.opened.navigation.loading)
    return hand


# -- selecting --------------------------------------------------------------------------------------------------------


def test_ctrl_and_shift_select_and_the_image_on_screen_stays(me: Hand) -> None:
    me.press(2, held=CTRL)
    me.press(4, held=CTRL)
    assert me.selected == [0, 2, 4]
    me.press(4, held=CTRL)
    assert me.selected == [0, 2]
    me.press(3, held=SHIFT)
    assert len(me.selected) > 1
    assert me.session.current_image == "a.png"
    me.press(3)
    me.wait(lambda: me.session.current_image == "d.png")
    assert me.selected == [3]


def test_a_click_shows_an_image_that_was_only_selected_before(me: Hand) -> None:
    me.press(1, held=CTRL)
    assert me.session.current_image == "a.png"
    me.press(1)
    me.wait(lambda: me.session.current_image == "b.png")


def test_shift_and_arrows_select_and_arrows_alone_walk(me: Hand) -> None:
    me.view.setFocus()
    window = me.window.windowHandle()
    QTest.keyClick(window, Qt.Key.Key_Right, SHIFT)
    assert (me.selected, me.session.current_image) == ([0, 1], "a.png")
    QTest.keyClick(window, Qt.Key.Key_Right)
    me.wait(lambda: me.session.current_image == "c.png")


# -- the menu ---------------------------------------------------------------------------------------------------------


def test_the_menu_is_for_the_image_under_the_pointer_unless_that_is_selected(me: Hand) -> None:
    menu = me.menu(3)
    assert entry(menu, "imageRemove").text() == "Remove from the project"
    assert me.session.current_image == "a.png", "a right click shows no other image"
    menu.close()
    me.press(0)
    me.press(1, held=CTRL)
    me.press(2, held=CTRL)
    menu = me.menu(1)
    assert entry(menu, "imageRemove").text() == "Remove these 3 images from the project"
    assert me.selected == [0, 1, 2]
    menu.close()


def test_the_menu_key_asks_for_the_selection(me: Hand) -> None:
    me.press(1, held=CTRL)
    menu = me.menu()
    assert entry(menu, "imageLearn").text() == "Learn from these 2 images"
    menu.close()


def test_what_makes_no_sense_is_disabled(me: Hand) -> None:
    menu = me.menu(0)
    names = ("imageMarkDone", "imageMarkNotDone", "imageLearn", "imageHoldOut", "imageRemove", "imageShowFolder")
    assert [entry(menu, name).isEnabled() for name in names] == [True, False, True, True, True, True]
    me.choose(menu, "imageMarkDone")
    me.wait(lambda: me.statuses[0] == "done")
    menu = me.menu(0)
    assert [entry(menu, name).isEnabled() for name in names[:2]] == [False, True]
    menu.close()


def test_in_a_window_that_may_not_write_only_the_folder_can_be_shown(qtbot: object, project: Path) -> None:
    with Project.open(project):
        me = opened(project)
        try:
            menu = me.menu(0)
            enabled = [action.objectName() for action in menu.actions() if action.isEnabled() and action.text()]
            assert enabled == ["imageShowFolder"]
            menu.close()
        finally:
            me.end()


def test_the_folders_are_shown_each_once(me: Hand, pics: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    urls: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: bool(urls.append(url.toLocalFile())) or True)
    me.press(1, held=CTRL)
    me.pick(0, "imageShowFolder")
    assert urls == [str(pics)]
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: False)
    me.pick(0, "imageShowFolder")
    assert me.said[-1] == f"The folder could not be opened: {pics}"


def test_removed_images_are_counted_in_a_strip_and_undone_by_the_key(me: Hand, pics: Path) -> None:
    me.press(1, held=CTRL)
    me.press(2, held=CTRL)
    me.pick(1, "imageRemove")
    me.says("3 images removed. Their files are untouched.")
    me.wait(lambda: me.names == ["d.png", "e.png"] and me.session.current_image == "d.png")
    assert all((pics / name).exists() for name in NAMES)
    me.wait(lambda: not me.opened.navigation.loading)
    me.key(Qt.Key.Key_Z, CTRL)
    me.wait(lambda: me.names == list(NAMES))
    assert me.strip.isHidden()


def test_the_strip_undoes_the_removal_of_one_image_and_escape_closes_it(me: Hand) -> None:
    me.pick(3, "imageRemove")
    me.says("1 image removed. Its file is untouched.")
    me.wait(lambda: len(me.names) == 4)
    me.click("undoRemovalButton")
    me.wait(lambda: me.names == list(NAMES))
    assert me.strip.isHidden()
    me.pick(3, "imageRemove")
    me.says("1 image removed. Its file is untouched.")
    me.key(Qt.Key.Key_Escape)
    assert me.strip.isHidden()
    assert me.session.current_image == "a.png"


def test_a_name_with_brackets_removes_no_other_image(qtbot: object, tmp_path: Path) -> None:
    for n, name in enumerate(("x1.png", "x[1].png", "y.png")):
        picture(tmp_path / "odd" / name, n)
    path = finished(new_project(tmp_path / "odd.segstudio", [str(tmp_path / "odd")], ["cell"])).path
    me = opened(path)
    try:
        me.pick(me.names.index("x[1].png"), "imageRemove")
        me.wait(lambda: me.names == ["x1.png", "y.png"])
    finally:
        me.end()


def test_the_last_images_cannot_be_removed_and_that_is_said(me: Hand) -> None:
    me.view.setFocus()
    QTest.keyClick(me.window.windowHandle(), Qt.Key.Key_A, CTRL)
    assert me.selected == [0, 1, 2, 3, 4]
    me.pick(0, "imageRemove")
    me.wait(lambda: me.failures)
    assert "The last image cannot be taken out" in me.failures[-1]["sentence"]
    assert me.names == list(NAMES)


def test_a_selection_is_marked_done_together_not_done_and_back_by_undo(me: Hand) -> None:
    me.press(2, held=CTRL)
    me.pick(0, "imageMarkDone")
    me.wait(lambda: me.statuses == ["done", "new", "done", "new", "new"])
    me.wait(lambda: "2 images marked done." in me.said)
    assert me.session.current_image == "a.png", "nobody is sent to another image"
    counts = me.labels_say("of 5 done")
    assert counts == "2 of 5 done"
    me.pick(0, "imageMarkNotDone")
    me.wait(lambda: me.statuses == ["in-progress", "new", "in-progress", "new", "new"])
    me.wait(lambda: "2 images marked not done." in me.said)
    me.wait(lambda: not me.opened.documents.busy)
    me.key(Qt.Key.Key_Z, CTRL)
    me.wait(lambda: me.statuses == ["done", "new", "done", "new", "new"])
    me.wait(lambda: not me.opened.documents.busy)
    me.key(Qt.Key.Key_Z, CTRL)
    me.wait(lambda: me.statuses == ["new"] * 5)


def test_images_without_a_proposal_are_left_as_they_are_where_done_needs_one(me: Hand) -> None:
    me.opened.finishing.set_rest(Rest.PROPOSAL)
    me.wait(lambda: me.opened.store.setting("done_rest") == "proposal")
    menu = me.menu(4)
    assert "press Enter, or label it first" in entry(menu, "imageMarkDone").toolTip()
    me.choose(menu, "imageMarkDone")
    me.wait(lambda: "no proposal yet" in me.labels_say("no proposal yet"))
    assert me.statuses[4] == "new"


def test_images_are_held_out_and_learned_from_and_a_refusal_is_one_sentence(me: Hand) -> None:
    me.press(1, held=CTRL)
    me.pick(0, "imageHoldOut")
    me.wait(lambda: me.splits[:2] == ["held-out", "held-out"])
    assert "Held out from now on: a.png, b.png." in me.said
    menu = me.menu(0)
    assert not entry(menu, "imageHoldOut").isEnabled()
    menu.close()
    me.press(0)
    me.press(1, held=CTRL)
    me.pick(1, "imageLearn")
    me.wait(lambda: me.splits[0] == "train")
    me.wait(lambda: me.failures)
    assert me.failures[-1]["job"] == "hold-out"
    assert me.failures[-1]["sentence"].startswith("'b.png' stays held out: there is no other labelled image")
    assert me.splits[1] == "held-out"


# -- drops ------------------------------------------------------------------------------------------------------------


def test_images_and_folders_dropped_on_a_project_are_added_to_it(me: Hand, tmp_path: Path) -> None:
    one = picture(tmp_path / "other" / "x.png", 11)
    more = picture(tmp_path / "more" / "y.png", 12).parent
    me.drop(one, more)
    me.wait(lambda: len(me.names) == 7)
    assert me.names[5:] == ["x.png", "y.png"]
    assert me.session.current_image == "a.png"
    assert "2 images were added to the project" in me.said


def test_what_a_drop_skips_is_named_with_the_reason_and_the_rest_is_added(me: Hand, tmp_path: Path) -> None:
    other = picture(tmp_path / "other" / "x.png", 11).parent
    for n in range(3):
        (other / f"{n}.psd").write_bytes(b"8BPS" + bytes(128) + bytes([n]) * 64)
    me.drop(*sorted(other.iterdir()))
    me.says("'x.png' was added to the project (skipped: 3 Photoshop files: not supported yet)")
    assert me.names[5:] == ["x.png"]
    me.drop(other / "0.psd")
    me.wait(lambda: me.failures)
    assert "No image was found: 1 Photoshop file: not supported yet." in me.failures[-1]["sentence"]


def test_a_project_dropped_on_an_open_one_is_opened(me: Hand, tmp_path: Path) -> None:
    picture(tmp_path / "zoo" / "z.png", 20)
    other = finished(new_project(tmp_path / "zoo.segstudio", [str(tmp_path / "zoo")], ["cell"])).path
    me.drop(other)
    me.wait(lambda: me.session.current_image == "z.png")
    assert me.opened.path == other


def test_a_project_among_what_is_dropped_comes_before_all_else(me: Hand, tmp_path: Path) -> None:
    image = picture(tmp_path / "zoo" / "z.png", 20)
    other = finished(new_project(tmp_path / "zoo.segstudio", [str(tmp_path / "zoo")], ["cell"])).path
    mine = me.opened.store.path
    me.drop(picture(tmp_path / "x.png", 21), other / "project.db")
    me.wait(lambda: me.session.current_image == "z.png")
    assert me.names == [image.name]
    with Project.open(mine, write=False) as store:
        assert [row.path for row in store.images()] == list(NAMES)


def test_images_dropped_on_the_page_that_makes_projects_are_not_added_to_the_open_one(me: Hand, tmp_path: Path) -> None:
    me.window.pages.show_new_project()
    one = picture(tmp_path / "other" / "x.png", 11)
    asked: list[list[str]] = []
    me.window.opening.newProjectAsked.connect(asked.append)
    me.drop(one, onto=me.window)
    assert asked == [[str(one)]]
    assert me.window.pages.shows_new_project
    assert me.names == list(NAMES)


def test_what_a_drop_added_is_taken_back_in_one_click_and_brought_again_in_another(me: Hand, tmp_path: Path) -> None:
    more = tmp_path / "more"
    for n in range(3):
        picture(more / f"y[{n}].png", 12 + n)
    me.drop(more)
    me.says("3 images were added to the project")
    before = len(me.seqs)
    me.click("undoAddingButton")
    me.says("3 images removed. Their files are untouched.")
    me.wait(lambda: me.names == list(NAMES))
    assert len(me.seqs) - before <= 1, "one edit"
    assert me.session.current_image == "a.png"
    assert len(list(more.iterdir())) == 3
    me.click("undoRemovalButton")
    me.wait(lambda: len(me.names) == 8)


def test_what_was_added_is_said_until_work_goes_on(me: Hand, tmp_path: Path) -> None:
    me.drop(picture(tmp_path / "other" / "x.png", 11))
    me.says("'x.png' was added to the project")
    me.session.set_class("cell")
    me.drag((20, 20), (40, 30))
    me.wait(lambda: me.strip.isHidden())
    me.drop(tmp_path / "other" / "x.png")
    me.wait(lambda: "All of these images are already in the project" in me.said)
    assert me.strip.isHidden(), "there is nothing to undo"


# -- new images in the folder -----------------------------------------------------------------------------------------


def test_new_images_in_the_folder_are_said_once_and_added_by_a_click(qtbot: object, project: Path, pics: Path) -> None:
    picture(pics / "f.png", 30)
    picture(pics / "g.png", 31)
    (pics / "scan.psd").write_bytes(b"8BPS" + bytes(128) + bytes(64))
    (pics / "notes.txt").write_text("not an image", encoding="utf-8")
    me = opened(project)
    try:
        me.says("2 new images in the folder. Skipped: 1 Photoshop file: not supported yet.")
        assert me.names == list(NAMES)
        me.click("addFoundButton")
        me.wait(lambda: me.names == [*NAMES, "f.png", "g.png"])
        assert me.strip.isHidden()
        assert "2 images were added to the project" in me.said
    finally:
        me.end()


def test_new_images_that_were_passed_over_are_not_said_again_but_later_ones_are(
    qtbot: object, project: Path, pics: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(pics / "f.png", 30)
    me = opened(project)
    try:
        me.says("1 new image in the folder.")
        add = me.window.findChild(QPushButton, "addFoundButton")
        assert add is not None
        assert add.text() == "Add it"
        close = me.window.findChild(QToolButton, "growthClose")
        assert close is not None
        QTest.mouseClick(close, LEFT)
        assert me.strip.isHidden()
        picture(pics / "g.png", 31)
        me.leave_and_come_back()
        QTest.qWait(300)
        assert me.strip.isHidden(), "the folders are looked through every 30 seconds at most"
        monkeypatch.setattr("segstudio.app.viewing.growing._PAUSE_S", 0.0)
        me.leave_and_come_back()
        me.says("1 new image in the folder.")
        me.click("addFoundButton")
        me.wait(lambda: me.names == [*NAMES, "g.png"])
    finally:
        me.end()


def test_always_adds_new_images_without_asking_and_is_kept(qtbot: object, project: Path, pics: Path) -> None:
    picture(pics / "f.png", 30)
    me = opened(project)
    try:
        me.says("1 new image in the folder.")
        me.click("alwaysAddButton")
        me.wait(lambda: me.names == [*NAMES, "f.png"])
        action = me.window.bars.action("add-new-images")
        assert action.isChecked()
    finally:
        me.end()
    picture(pics / "g.png", 31)
    me = opened(project)
    try:
        me.wait(lambda: me.names == [*NAMES, "f.png", "g.png"])
        assert me.strip.isHidden()
        assert "'g.png' was added to the project" in me.said
        action = me.window.bars.action("add-new-images")
        assert action.isChecked()
        action.trigger()
        assert not me.session.preferences.add_new_images
    finally:
        me.end()


def test_an_image_that_was_removed_is_not_new(qtbot: object, project: Path) -> None:
    with Project.open(project) as store:
        from segstudio.tasks.images.remove import remove_images

        remove_images(store, ["b.png"])
    me = opened(project)
    try:
        me.wait(lambda: me.opened.growing._looking is None)
        QTest.qWait(200)
        assert me.strip.isHidden()
        assert me.names == ["a.png", "c.png", "d.png", "e.png"]
    finally:
        me.end()


# -- where it was left ------------------------------------------------------------------------------------------------


def test_a_project_reopens_at_the_image_and_the_view_in_which_it_was_left(qtbot: object, project: Path) -> None:
    me = opened(project)
    me.shows("d.png")
    me.canvas.set_zoom(9.0)
    me.drag((40, 30), (30, 25), button=Qt.MouseButton.MiddleButton)
    middle = me.canvas.to_image(QPointF(me.canvas.width() / 2, me.canvas.height() / 2))
    me.end()
    again = opened(project)
    try:
        assert again.session.current_image == "d.png"
        assert again.canvas.scale == pytest.approx(9.0)
        there = again.canvas.to_image(QPointF(again.canvas.width() / 2, again.canvas.height() / 2))
        assert there == pytest.approx(middle, abs=0.5)
        again.shows("e.png")
        assert again.canvas.scale != pytest.approx(9.0), "another image is fitted, as ever"
    finally:
        again.end()


def test_a_window_that_may_not_write_has_its_place_too(qtbot: object, project: Path) -> None:
    with Project.open(project):
        me = opened(project)
        me.shows("c.png")
        me.end()
        again = opened(project)
        try:
            assert again.session.current_image == "c.png"
        finally:
            again.end()


def test_the_place_is_kept_while_the_window_is_open_and_no_edit_is_made_of_it(qtbot: object, project: Path) -> None:
    me = opened(project)
    try:
        me.shows("b.png")
        me.wait(
            lambda: place_file(project).exists() and json.loads(place_file(project).read_text())["image"] == "b.png"
        )
        assert me.opened.store.last_seq() == 0
    finally:
        me.end()


@pytest.mark.parametrize("kept", ["{", "[]", '{"image": 3}', '{"image": "nowhere.png"}', ""])
def test_a_place_that_cannot_be_read_or_is_gone_costs_nothing(qtbot: object, project: Path, kept: str) -> None:
    file = place_file(project)
    file.parent.mkdir(parents=True)
    file.write_text(kept, encoding="utf-8")
    me = opened(project)
    try:
        assert me.session.current_image == "a.png"
    finally:
        me.end()


def test_the_place_of_an_image_whose_file_is_gone_says_so_as_any_other(
    qtbot: object, project: Path, pics: Path
) -> None:
    me = opened(project)
    me.shows("e.png")
    me.end()
    shutil.move(pics / "e.png", pics / "away")
    again = Hand.__new__(Hand)
    Bench.__init__(again, project)
    try:
        again.wait(lambda: again.failures)
        assert again.session.current_image == "e.png"
        assert "e.png" in again.failures[-1]["sentence"]
    finally:
        again.rest()
        again.close()


# -- the names of scripts ---------------------------------------------------------------------------------------------


def test_scripts_add_remove_hold_out_and_reject(me: Hand, tmp_path: Path) -> None:
    me.session.add_images([picture(tmp_path / "other" / "x.png", 11)])
    me.wait(lambda: me.names == [*NAMES, "x.png"])
    me.session.remove_images(["x.png"])
    me.wait(lambda: me.names == list(NAMES))
    me.session.hold_out("b.png", True)
    me.wait(lambda: me.splits[1] == "held-out")
    me.wait(lambda: me.opened.proposals.seen is not None, 60)
    me.session.reject_proposal()
    assert me.opened.proposals.seen is None
    assert me.opened.proposals.rejected
    assert me.opened.navigation.shown == ImageId(1)


# -- what is said above the image -------------------------------------------------------------------------------------


def test_the_newest_strip_comes_first_and_the_older_one_comes_back(me: Hand) -> None:
    message = me.window.message_strip
    me.session.notices.fail(JobKind.IMPORT, "No image was found there.")
    assert message.isVisible()
    me.pick(3, "imageRemove")
    me.says("1 image removed. Its file is untouched.")
    assert not message.isVisible(), "one strip at a time"
    me.key(Qt.Key.Key_Escape)
    assert not me.strip.isVisible()
    assert message.isVisible()
    me.pick(2, "imageRemove")
    me.says("1 image removed. Its file is untouched.")
    me.session.notices.fail(JobKind.IMPORT, "No mask was found there.")
    assert message.isVisible()
    assert not me.strip.isVisible()
    me.key(Qt.Key.Key_Escape)
    me.says("1 image removed. Its file is untouched.")
    me.click("undoRemovalButton")
    me.wait(lambda: len(me.names) == 4)


def test_images_that_are_found_do_not_hide_a_message(me: Hand) -> None:
    me.session.notices.fail(JobKind.IMPORT, "No image was found there.")
    me.strip._has_found(ImagesFound(2, "2 new images in the folder."))
    assert me.window.message_strip.isVisible()
    me.key(Qt.Key.Key_Escape)
    me.says("2 new images in the folder.")


# -- the start page ---------------------------------------------------------------------------------------------------


def test_the_start_page_shows_that_a_folder_can_be_dropped_on_it(qtbot: object, pics: Path) -> None:
    me = Hand(None)
    try:
        me.window.show()
        card = me.window.findChild(QWidget, "startCard")
        assert card is not None
        at_rest = card.grab().toImage().pixelColor(4, 20)
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(pics))])
        enter = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, LEFT, NONE)
        QApplication.sendEvent(me.window, enter)
        assert enter.isAccepted()
        assert me.labels_say("Drop it here") == "Drop it here to open it."
        assert card.grab().toImage().pixelColor(4, 20) != at_rest
        QApplication.sendEvent(me.window, QDragLeaveEvent())
        assert card.grab().toImage().pixelColor(4, 20) == at_rest
        assert me.labels_say("Drop it here") == ""
        words = QMimeData()
        words.setText("only words")
        QApplication.sendEvent(me.window, QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, words, LEFT, NONE))
        assert me.labels_say("Drop it here") == "", "what cannot be dropped is not asked for"
    finally:
        me.end()

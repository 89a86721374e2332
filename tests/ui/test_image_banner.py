"""A missing or changed image in the real window: what is said, and what the buttons do."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton

from segstudio.store.project import Project
from tests.window_bench import Bench, make_project

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """Not looked for here: the engine's threads end with the process."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Path:
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    return tmp_path


@pytest.fixture
def me(home: Path) -> Iterator[Bench]:
    bench = Bench(make_project(home, fields=2))
    bench.window.activateWindow()
    yield bench
    bench.close()


def _button(me: Bench, name: str) -> QPushButton:
    button = me.window.findChild(QPushButton, name)
    assert button is not None
    return button


def _click(me: Bench, name: str) -> None:
    me.wait(_button(me, name).isVisible)
    QTest.mouseClick(_button(me, name), Qt.MouseButton.LeftButton)


def test_a_missing_image_is_located_by_pointing_at_a_folder(me: Bench, home: Path) -> None:
    me.wait(lambda: me.shown)
    shutil.move(home / "images", home / "moved")
    me.session.open_image(1)
    me.wait(lambda: me.opened.navigation.trouble.kind == "missing")
    banner = me.window.image_banner
    assert banner.isVisible()
    assert "is not at" in banner.text.text()
    assert "Its labels are safe." in banner.text.text()
    assert not me.window.message_strip.isVisible()
    before = len(me.shown)
    _click(me, "locateButton")
    me.wait(lambda: me.window.findChild(QFileDialog, "locateDialog"))
    dialog = me.window.findChild(QFileDialog, "locateDialog")
    assert dialog is not None
    dialog.setDirectory(str(home))
    dialog.fileSelected.emit(str(home / "moved"))
    dialog.close()
    me.wait(lambda: len(me.shown) > before)
    assert not banner.isVisible()
    assert any("images found, 0 still missing" in said for said in me.said)


def _label_first(me: Bench) -> Path:
    me.wait(lambda: me.shown)
    me.canvas.setFocus()
    me.drag((20, 20), (60, 30))
    me.settle()
    return me.opened.navigation.rows[0].file


def _changed(file: Path, size: tuple[int, int] | None = None) -> None:
    with Image.open(file) as old:
        shape = (size or old.size)[::-1]
    Image.fromarray(np.random.default_rng(5).integers(0, 255, shape, np.uint8)).save(file)
    os.utime(file, ns=(10**18, 10**18))


def test_a_changed_image_is_flagged_until_a_person_decides(me: Bench) -> None:
    file = _label_first(me)
    _changed(file)
    me.shows(0)
    banner = me.window.image_banner
    me.wait(banner.isVisible)
    assert "has changed since it was labelled" in banner.text.text()
    me.wait(lambda: "has changed since" in me.opened.navigation.items[0].problem)
    _click(me, "keepContentButton")
    me.wait(lambda: not banner.isVisible())
    me.shows(1)
    me.shows(0)
    assert not banner.isVisible()
    assert "has changed since" in me.opened.navigation.items[0].problem
    me.session.propose()
    me.wait(lambda: any("has changed since" in failure["sentence"] for failure in me.failures), 60)


def test_the_new_content_is_used_once_a_person_says_so(me: Bench, home: Path) -> None:
    file = _label_first(me)
    _changed(file)
    me.shows(0)
    _click(me, "useContentButton")
    me.wait(lambda: not me.window.image_banner.isVisible())
    assert me.opened.navigation.items[0].problem == ""
    me.shows(0)
    assert not me.window.image_banner.isVisible()
    me.settle()
    with Project.open(home / "contract.segstudio", write=False) as reader:
        row = reader.images()[0]
        assert (row.changed, row.mtime_ns) == ("", 10**18)
        assert row.labelled_pixels > 0


def test_nothing_proposed_is_written_into_a_changed_image(me: Bench) -> None:
    me.wait(lambda: me.ready, 60)
    file = _label_first(me)
    me.shows(1)
    _changed(file)
    me.shows(0)
    assert me.opened.proposals.seen is None
    before = int((me.session.labels() > 0).sum())
    for key in (Qt.Key.Key_A, Qt.Key.Key_Return):
        me.said.clear()
        me.key(key)
        assert any("has changed since" in said for said in me.said)
    assert me.opened.navigation.index == 0
    assert int((me.session.labels() > 0).sum()) == before
    me.ready.clear()
    _click(me, "useContentButton")
    me.wait(lambda: me.ready, 60)
    assert me.opened.proposals.seen is not None


def test_an_image_of_another_size_is_flagged_and_not_shown_under_its_labels(me: Bench) -> None:
    file = _label_first(me)
    _changed(file, (50, 40))
    me.session.open_image(0)
    me.wait(lambda: any("pixels, and its labels are for" in failure["sentence"] for failure in me.failures))
    assert me.opened.navigation.display is None
    banner = me.window.image_banner
    assert banner.isVisible()
    assert not _button(me, "useContentButton").isVisible()
    assert not me.window.message_strip.isVisible()
    assert "it now has" in me.opened.navigation.items[0].problem
    _nothing_can_be_done(me)


def _nothing_can_be_done(me: Bench) -> None:
    for name in ("propose", "accept", "done", "undo"):
        assert not me.window.bars.action(name).isEnabled(), name
    assert me.window.bars.action("next").isEnabled()


def test_a_missing_image_is_marked_in_the_list_and_nothing_acts_on_it(me: Bench) -> None:
    me.wait(lambda: me.shown)
    file = me.opened.navigation.rows[1].file
    file.rename(file.with_suffix(".gone"))
    me.session.open_image(1)
    me.wait(_button(me, "locateButton").isVisible)
    assert "is not at" in me.opened.navigation.items[1].problem
    _nothing_can_be_done(me)
    me.shows(0)
    assert me.window.bars.action("done").isEnabled()


def test_the_banner_hides_while_a_page_covers_the_image(me: Bench) -> None:
    file = _label_first(me)
    _changed(file)
    me.shows(0)
    banner = me.window.image_banner
    me.wait(banner.isVisible)
    me.key(Qt.Key.Key_F1)
    me.wait(lambda: me.window.pages.covered)
    assert not banner.isVisible()
    me.window.close_topmost()
    assert banner.isVisible()

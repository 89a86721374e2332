"""'Keep learning while I label', with real keys in a real window and the real engine."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.window_bench import RIGHT, Bench, make_project

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """Not looked for here: the engine's threads end with the process."""


def test_learning_goes_on_with_what_is_painted_until_it_is_turned_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication
) -> None:
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.setattr("segstudio.app.learning.keep_learning._ROUND_S", 4.0)
    me = Bench(make_project(tmp_path, fields=2))
    me.wait(lambda: me.ready, 60)
    action = me.window.bars.action("keep-learning")
    assert me.session.project is not None
    keeping = me.session.project.keep_learning
    me.canvas.setFocus()
    me.session.set_class("coin")
    QTest.keyClick(me.window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert action.isChecked() is keeping.on is True
    me.drag((40, 40), (60, 60))
    me.drag((100, 100), (110, 110), button=RIGHT)
    me.wait(lambda: len(me.session.project.store.versions()) == 1, 120)
    me.drag((70, 40), (75, 60))
    me.wait(lambda: len(me.session.project.store.versions()) == 2, 120)
    seqs = [int(version.seq) for version in me.session.project.store.versions()]
    assert seqs == sorted(set(seqs))
    me.window.bars.action("stop-training").trigger() if me.session.project.training.running else action.trigger()
    me.wait(lambda: not me.session.project.training.running, 60)
    assert action.isChecked() is keeping.on is False
    me.close()

"""The real window names what proposes, also when the learner takes the place of the guess."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QPushButton

from tests.window_bench import RIGHT, Bench, make_project

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """Not looked for here: the engine's threads end with the process."""


def test_the_button_of_versions_names_the_learner_once_it_proposes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication
) -> None:
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    me = Bench(make_project(tmp_path, fields=2))
    me.wait(lambda: me.ready, 60)
    button = me.window.findChild(QPushButton, "versionsButton")
    assert button is not None
    assert button.text() == "Proposals: first guess"
    me.canvas.setFocus()
    me.session.set_class("coin")
    me.drag((40, 40), (60, 60))
    me.drag((100, 100), (110, 110), button=RIGHT)
    me.settle()
    me.wait(lambda: button.text() == "Proposals: instant learner", 60)
    me.close()

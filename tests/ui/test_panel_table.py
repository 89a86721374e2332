"""Panels are rows of a table: another package's row stands in the window, and follows the open project."""

import pytest
from PySide6.QtWidgets import QLabel

from segstudio.ui.panels.table import PANELS, Panel, Place, Surroundings
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.small_projects import plates


class _Count(QLabel):
    """Says how many images there are."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__()
        around.session.projectChanged.connect(lambda: self.follow(around.session.project))
        self.follow(around.session.project)

    def follow(self, project: object) -> None:
        self.setText("none" if project is None else f"{len(project.navigation.items)} images")  # type: ignore[attr-defined]


@pytest.mark.parametrize("place", Place)
def test_a_panel_of_another_package_stands_behind_ours_and_follows_the_project(
    own_window: MainWindow, own_desk: Desk, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    window, desk = own_window, own_desk
    ours = {row.name: row for row in PANELS.own}
    monkeypatch.setattr(PANELS, "_all", {**ours, "count": Panel("count", place, _Count)})
    window.add_rows()
    window.add_rows()  # once is enough
    panel = window.arrangement.panels["count"]
    splitter = window.arrangement.side if place is Place.SIDE else window.arrangement.bottom
    assert [splitter.indexOf(panel)] == [splitter.count() - 1]
    assert isinstance(panel, QLabel)
    assert panel.text() == "6 images"
    assert panel.isVisible()
    desk.load(plates(3), ["cell"])
    assert panel.text() == "3 images"
    window.close()  # how the panels stood is kept with another one among them
    assert desk.session.preferences.panel_state

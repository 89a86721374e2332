"""Images of every kind in a project without a window: what is on screen, and what a person does to how it is shown."""

from pathlib import Path
from typing import Any

from segstudio.app.editing.documents import Documents
from segstudio.app.viewing.adjusting import Adjusted, Adjusting
from segstudio.app.viewing.channel_views import ChannelViews
from segstudio.app.viewing.display import DisplayImage
from segstudio.app.viewing.histograms import Histograms
from segstudio.app.viewing.navigation import Navigation
from segstudio.imaging.display import View
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from tests.app.grounds import ground_of


class SeeingDesk:
    """The project of all images in a folder; the histogram is counted when it is asked for."""

    def __init__(self, qtbot: Any, folder: Path) -> None:
        for _ in new_project(folder / "seen.segstudio", [str(folder)], ["cell"]):
            pass
        self.project = Project.open(folder / "seen.segstudio")
        ground = ground_of(self.project)
        self.qtbot, self.main = qtbot, ground.main
        self.navigation = Navigation(ground, Documents(ground))
        self.histograms = Histograms(ground, self.navigation)
        self.displaying = self.navigation.displaying
        self.adjusting = Adjusting(self.displaying, self.histograms)
        self.channels = ChannelViews(ground, self.displaying, self.adjusting)

    @property
    def paths(self) -> list[str]:
        return [row.path for row in self.navigation.rows]

    def shows(self, image: int | str, plane: int = 0) -> DisplayImage:
        self.navigation.open(self.paths.index(image) if isinstance(image, str) else image, plane)
        self.qtbot.waitUntil(lambda: not self.navigation.loading)
        return self.display

    @property
    def display(self) -> DisplayImage:
        assert self.displaying.display is not None
        return self.displaying.display

    @property
    def view(self) -> View:
        return self.display.view

    @property
    def now(self) -> Adjusted:
        assert self.adjusting.now is not None
        return self.adjusting.now

    def close(self) -> None:
        self.histograms.close()
        self.navigation.close()
        self.main.close()
        self.project.close()

"""Documents, navigation and proposals over a real project, with a network that answers when it is told to.

`exact` answers bear the network's own version ("instant"), else each a name of its own; `kept` says of each whether the
store let nothing of it in.
"""

import threading
from collections.abc import Collection, Generator
from typing import Any

import numpy as np

from segstudio.app.editing.accept_done import Finishing
from segstudio.app.editing.documents import Documents
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.values import JobKind, Notice
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.proposals import Proposals
from segstudio.geometry import TILE
from segstudio.labels.model import ClassId, ImageId
from segstudio.labels.proposal import ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import Constant
from segstudio.store.project import Project
from segstudio.store.proposals import encoded
from segstudio.tasks.learning.predict import Plane, PredictProgress, PredictReport, PredictSeconds
from tests.app.grounds import Heard, ground_of

__all__ = ["CELL", "Desk", "Network"]

CELL = ClassId(2)


class Network:
    """Answers each request once its gate is open; every answer proposes one class for whole planes."""

    def __init__(self) -> None:
        self.gates: list[threading.Event] = []
        self.version = "embedded"
        self.error: Exception | None = None
        self.open = False
        self.exact = False
        self.took_s = 0.0
        self.kept: list[bool] = []

    def predict(
        self,
        project: Project,
        engine: object,
        images: list[ImageId],
        *,
        planes: Collection[Plane] | None = None,
        replace_people: bool = False,
        **_: object,
    ) -> Generator[PredictProgress, None, PredictReport]:
        gate = threading.Event()
        self.gates.append(gate)
        version = self.version if self.exact else f"{self.version}-{len(self.gates)}"
        while not self.open and not gate.wait(0.01):
            yield PredictProgress(0, 1)
        if self.error is not None:
            raise self.error
        tile = encoded(ProposalTile(Constant(1, 0), np.full((TILE // 4, TILE // 4), 9, np.uint8)))
        rows = {1: ProposalRow(CELL, 0.9)}
        every = range(len(project.image(images[0]).planes))
        for image, plane in planes or [(images[0], plane) for plane in every]:
            number = project.proposals.write(image, plane, version, rows, {(0, 0): tile}, replace_people=replace_people)
            self.kept.append(number is None)
        return PredictReport(1, 1, 1.0, PredictSeconds(0, self.took_s, 0), version)


class Desk:
    """Documents, navigation and proposals of one project."""

    def __init__(self, qtbot: Any, project: Project, network: Network) -> None:
        self.qtbot, self.project, self.network = qtbot, project, network
        self.ground = ground_of(project)
        self.heard, self.main = Heard(self.ground), self.ground.main
        self.documents = Documents(self.ground)
        self.navigation = Navigation(self.ground, self.documents)
        self.proposals = Proposals(self.ground, None, self.documents, self.navigation)  # type: ignore[arg-type]
        self.finishing = Finishing(self.ground, self.documents, self.navigation, self.proposals)
        self.ready: list[str] = []
        self.said = self.heard.words
        self.seqs: list[int] = []
        self.proposals.proposalReady.connect(lambda: self.ready.append(self.version()))
        self.documents.editCommitted.connect(self.seqs.append)

    @property
    def failures(self) -> list[Notice]:
        """What was told of proposals that failed."""
        return [notice for notice in self.heard.failures if notice.job in (JobKind.PROPOSE, JobKind.SAVE)]

    def version(self) -> str:
        return self.proposals.on_screen.version if self.proposals.on_screen else ""

    def shows(self, index: int, plane: int = 0) -> None:
        self.navigation.open(index, plane)
        self.qtbot.waitUntil(lambda: not self.navigation.loading)

    def asked(self, times: int) -> None:
        self.qtbot.waitUntil(lambda: len(self.network.gates) == times)

    def proposed(self, index: int = 0) -> None:
        self.shows(index)
        self.network.open = True
        self.qtbot.waitUntil(lambda: bool(self.ready))
        self.ready.clear()

    def pointer(self, phase: Phase, x: float, y: float, button: Button = Button.LEFT) -> None:
        self.documents.pointer(Pointer(phase, x, y, button))

    def stroke(self, x: float, y: float, button: Button = Button.LEFT) -> None:
        self.pointer(Phase.PRESS, x, y, button)
        self.pointer(Phase.RELEASE, x, y, button)

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        assert self.documents.current is not None
        document = self.documents.current.document
        return document.raster.read(0, document.raster.bounds(0))

    def close(self) -> None:
        self.network.open = True
        self.documents.commit_gesture()
        self.finishing.close()
        self.proposals.close()
        self.navigation.close()
        self.ground.jobs.wait_all(self.main, lambda: 10)
        self.main.close()
        self.documents.close()

"""The program as a person uses it, without the person: the real window offscreen, driven at random until it is killed.

Runs in a process of its own, forked by `nursery`. Every edit is told in a file before and after it is durable:

    edit SEQ IMAGE SHA256       the labels of the image in memory once this edit is made
    saved SEQ                   the window was told that it is on disk (`editCommitted`)
    exported FOLDER             `exportFinished`
    trained VERSION             `trainingFinished`
"""

import os
import random
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.values import JobKind
from segstudio.errors import UserError
from segstudio.labels.model import ImageId
from segstudio.labels.proposal import ProposalRow, ProposalTile
from segstudio.labels.tiles.tile import frozen
from segstudio.store.project import Project
from segstudio.store.proposals import encoded
from segstudio.tasks.learning.predict import PredictProgress, PredictReport, PredictSeconds
from tests.store.plain_labels import labels_of, sha

__all__ = ["paint"]

_TICK_MS = 3


class _Painter:
    def __init__(self, window: Any, told: int, out: Path, rng: random.Random, *, engine: bool) -> None:
        self.session = window.session
        self._told, self._out, self._rng = told, out, rng
        self._exports = 0
        self.session.projects.wait()
        self.session.project.documents.changed.connect(self._edited)
        self.session.editCommitted.connect(lambda seq: self._tell(f"saved {seq}"))
        self.session.exportFinished.connect(lambda report: self._tell(f"exported {report['out']}"))
        self.session.trainingFinished.connect(lambda result: self._tell(f"trained {result['version']}"))
        self.session.failed.connect(lambda report: self._tell(f"failed {report['job']} {report['sentence']}"))
        self._actions: list[Callable[[], None]] = [
            *[self._stroke] * 8,
            *[self.session.undo] * 3,
            *[self.session.redo] * 2,
            *[self._other_image] * 2,
            self.session.accept_proposal,
            self._done,
            self._export,
            self._rename_class,
        ]
        if engine:
            self._actions += [self._train] * 3

    def tick(self) -> None:
        """One action of a person."""
        if self.session.project.navigation.loading or self.session.project.navigation.index < 0:
            return
        try:
            self._rng.choice(self._actions)()
        except UserError as error:
            self._tell(f"refused {error.line}")

    def _tell(self, line: str) -> None:
        os.write(self._told, f"{line}\n".encode())

    def _edited(self, change: Any) -> None:
        if change.seq is None:
            return
        held = None if change.image is None else self.session.project.documents.held(change.image)
        digest = "-" if held is None else sha(labels_of(held.document))
        self._tell(f"edit {change.seq} {change.image or 0} {digest}")

    def _stroke(self) -> None:
        session, rng = self.session, self._rng
        w, h = session.project.navigation.display.size
        session.set_brush_radius(rng.choice([1.5, 4, 9, 30]))
        session.set_tool(rng.choice(["brush", "brush", "eraser"]))
        session.set_class(rng.choice([c.name for c in session.project.documents.classes if not c.locked]))
        button = rng.choice([Button.LEFT, Button.LEFT, Button.RIGHT])
        x, y = rng.uniform(0, w), rng.uniform(0, h)
        session.project.documents.pointer(Pointer(Phase.PRESS, x, y, button))
        for _ in range(rng.randrange(6)):
            x, y = x + rng.uniform(-20, 20), y + rng.uniform(-20, 20)
            session.project.documents.pointer(Pointer(Phase.MOVE, x, y, button))
        if rng.random() < 0.05:
            session.project.cancel()
        session.project.documents.pointer(Pointer(Phase.RELEASE, x, y, button))

    def _done(self) -> None:
        if self._rng.random() < 0.3:
            self.session.mark_done()

    def _other_image(self) -> None:
        self.session.open_image(self._rng.randrange(len(self.session.project.navigation.items)))

    def _export(self) -> None:
        if not self.session.jobs.of(JobKind.EXPORT):
            self._exports += 1
            self.session.export(self._rng.choice(["png", "coco"]), self._out / str(self._exports % 3))

    def _train(self) -> None:
        if not self.session.project.training.running and self._rng.random() < 0.2:
            self.session.fine_tune(max_steps=self._rng.choice([2, 5]))

    def _rename_class(self) -> None:
        if self._rng.random() < 0.2:
            project = self.session.project
            project.classes.rename(project.documents.classes.foreground[0].name, f"coin {self._rng.randrange(99)}")


def paint(project: Path, told: Path, out: Path, seed: int, *, engine: bool, sabotage: bool) -> None:
    """Open the window and paint until killed; never returns. Without `engine` proposals are drawn at random.

    With `sabotage` an edit is called saved before it is: what looks for lost edits must then find some.
    """
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from segstudio.app.viewing import proposals
    from segstudio.ui import open_window

    rng = random.Random(seed)
    if not engine:
        proposals.predict = _quick_predict  # type: ignore[assignment]
    app = QApplication(["segstudio"])
    window = open_window(project)
    fd = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    painter = _Painter(window, fd, out, rng, engine=engine)
    if sabotage:
        _call_saved_too_early(painter)
    timer = QTimer()
    timer.timeout.connect(painter.tick)
    timer.start(_TICK_MS)
    app.exec()


def _quick_predict(
    project: Project, _engine: object, images: Sequence[ImageId], **_: object
) -> Generator[PredictProgress, None, PredictReport]:
    """What `tasks.predict` does, without the engine: random stripes, written where proposals are written."""
    for image in images:
        (w, h), classes = project.image(image).planes[0], [c.id for c in project.classes().foreground]
        rows = {n + 1: ProposalRow(class_id, 0.9) for n, class_id in enumerate(classes)}
        tiles = {}
        for ty, tx in ((y, x) for y in range(-(-h // 256)) for x in range(-(-w // 256))):
            ids = np.repeat(np.random.default_rng().integers(0, len(classes) + 1, 32, np.uint32), 8)
            labels = np.ascontiguousarray(np.broadcast_to(ids[:, None], (256, 256)))
            labels[max(h - ty * 256, 0) :], labels[:, max(w - tx * 256, 0) :] = 0, 0
            tile = ProposalTile(frozen(labels, np.zeros((256, 256), np.uint8)), np.full((64, 64), 200, np.uint8))
            tiles[ty, tx] = encoded(tile)
        project.proposals.write(image, 0, "embedded", rows, tiles)
    yield PredictProgress(1, 1)
    return PredictReport(len(images), 0, 1.0, PredictSeconds(0, 0, 0), "embedded")


def _call_saved_too_early(painter: _Painter) -> None:
    from segstudio.store.writing.write_connection import WriteConnection

    transact = WriteConnection.transact

    def slow(connection: WriteConnection, job: Any) -> Any:
        import time

        time.sleep(0.1)
        return transact(connection, job)

    WriteConnection.transact = slow  # type: ignore[method-assign]
    painter.session.project.documents.changed.connect(lambda c: c.seq is not None and painter._tell(f"saved {c.seq}"))

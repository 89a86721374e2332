"""The whole main job in the real window, by mouse and keys, with the real engine process and a small budget."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from segstudio.tasks.sample import make_demo_project
from segstudio.ui import open_window
from tests.window_bench import disc_path

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton

pytestmark = [pytest.mark.engine, pytest.mark.timeout(420)]


class Person:
    """Hands and eyes in front of one window."""

    def __init__(self, qtbot: Any, project: Path, pictures: Path) -> None:
        self.qtbot = qtbot
        self.pictures = pictures
        self.window = open_window(project)
        self.session = self.window.session
        self.canvas = self.window.canvas
        self.failures: list[Any] = []
        self.session.failed.connect(self.failures.append)
        self.seqs: list[int] = []
        self.session.editCommitted.connect(self.seqs.append)
        qtbot.addWidget(self.window)
        self.window.resize(1280, 720)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.wait(lambda: self.session.project is not None, 30_000)
        navigation = self.session.project.navigation
        self.wait(lambda: navigation.index >= 0 and not navigation.loading, 30_000)

    def wait(self, holds: Callable[[], bool], ms: int = 20_000) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()) or bool(self.failures), timeout=ms)
        assert not self.failures, self.failures

    def button(self, name: str) -> QAbstractButton:
        found = self.window.findChild(QWidget, name)
        assert isinstance(found, QAbstractButton), name
        return found

    def click(self, name: str) -> None:
        QTest.mouseClick(self.button(name), LEFT)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.canvas, key, modifiers)

    def drag(self, points: list[tuple[float, float]], button: Qt.MouseButton = LEFT) -> list[tuple[float, float]]:
        """Press, move, release over image positions; where the pointer really was, in image coordinates."""
        at = [self.canvas.to_widget(x, y).toPoint() for x, y in points]
        QTest.mousePress(self.canvas, button, pos=at[0])
        for point in at[1:]:
            QTest.mouseMove(self.canvas, point)
        QTest.mouseRelease(self.canvas, button, pos=at[-1])
        out = [self.canvas.to_image(QPointF(p)) for p in at]
        return [(p[0], p[1]) if isinstance(p, tuple) else (p.x(), p.y()) for p in out]

    def settled(self, edits: int) -> None:
        """Wait until this many edits were reported durable."""
        self.wait(lambda: len(self.seqs) >= edits)

    def look(self, name: str) -> None:
        QApplication.sendPostedEvents()
        assert self.window.grab().save(str(self.pictures / f"{name}.png"))

    def close(self) -> None:
        self.window.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


def test_the_whole_job_from_the_first_proposal_to_the_export_and_over_a_restart(
    qtbot: Any, own_start: None, tmp_path: Path, pictures: Path
) -> None:
    project = make_demo_project(tmp_path)
    me = Person(qtbot, project, pictures)
    session = me.session
    try:
        # A proposal appears on the first image by itself, from the embedded model, with the device named.
        me.wait(lambda: session.project.proposals.seen is not None, 120_000)
        assert session.project.proposals.is_guess
        assert session.project.engine_state.device
        me.look("1-proposal")

        # Brush, eraser, right button, undo, zoom and pan, number keys: exactly the pixels of the contract.
        shape = session.labels().shape
        session.set_brush_radius(6)
        me.key(Qt.Key.Key_2)
        assert session.project.documents.current_class is not None
        assert session.project.documents.current_class.name == "vessel"
        path = me.drag([(20, 20), (40, 24), (52, 40)])
        expected = disc_path(path, 6, shape)
        assert np.array_equal(session.labels() > 0, expected)
        ground = me.drag([(80, 80), (90, 84)], RIGHT)
        assert np.array_equal(session.labels() > 0, expected | disc_path(ground, 6, shape))
        assert len(np.unique(session.labels())) == 3
        me.settled(2)
        before_eraser = session.labels().copy()
        me.click("toolEraser")
        me.drag([(20, 20)])
        assert session.labels()[20, 20] == 0
        me.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert np.array_equal(session.labels(), before_eraser)
        me.settled(4)
        me.click("toolBrush")
        scale = me.canvas.to_widget(1, 0).x() - me.canvas.to_widget(0, 0).x()
        centre = me.canvas.to_widget(30, 30)
        wheel = QWheelEvent(
            centre, me.canvas.mapToGlobal(centre), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(me.canvas, wheel)
        assert me.canvas.to_widget(1, 0).x() - me.canvas.to_widget(0, 0).x() > scale
        assert me.canvas.to_widget(30, 30).x() == pytest.approx(centre.x(), abs=1.0)
        corner = me.canvas.to_widget(0, 0)
        me.drag([(30, 30), (40, 30)], MIDDLE)
        assert me.canvas.to_widget(0, 0).x() > corner.x()
        me.canvas.zoom_to_fit()

        # Two classes are known: the instant learner takes over by itself.
        me.wait(lambda: not session.project.proposals.is_guess and not session.project.proposals.running, 120_000)
        me.look("2-instant")

        # Accept, done by Enter, the next image comes.
        hand = session.origins() == 1
        hand_labels = session.labels().copy()
        before = len(me.seqs)
        me.click("acceptButton")
        me.settled(before + 1)
        assert (session.labels() > 0).all()
        assert np.array_equal(session.labels()[hand], hand_labels[hand])
        assert set(np.unique(session.origins())) == {1, 2}
        first = session.current_image
        me.key(Qt.Key.Key_Return)
        me.wait(lambda: session.current_image != first and not session.project.navigation.loading, 30_000)
        assert session.project.navigation.items[0].status == "done"

        # A few more images by the same hand, then Fine-tune while painting goes on.
        proposals = session.project.proposals
        for _ in range(2):
            me.wait(lambda: proposals.seen is not None and not proposals.running, 120_000)
            me.drag([(10, 10), (14, 10)], RIGHT)
            now = session.current_image
            me.key(Qt.Key.Key_Return)
            me.wait(lambda now=now: session.current_image != now and not session.project.navigation.loading, 30_000)
        events: list[dict[str, Any]] = []
        results: list[dict[str, Any]] = []
        session.trainingEvent.connect(events.append)
        session.trainingFinished.connect(results.append)
        session.fine_tune(max_steps=2)
        me.wait(lambda: any(e["kind"] == "stepped" for e in events), 120_000)
        painted = len(me.seqs)
        me.drag([(30, 30), (44, 31)])
        me.settled(painted + 1)
        me.look("3-training")
        me.wait(lambda: bool(results), 180_000)
        kinds = {e["kind"] for e in events}
        assert {"started", "stepped", "evaluated", "finished"} <= kinds
        losses = [e["loss"] for e in events if e["kind"] == "stepped"]
        assert all(np.isfinite(losses))
        assert results[0]["steps"] == 2
        assert (project / "models" / f"{results[0]['version']}.safetensors").is_file()
        me.look("4-compared")

        # Export both, decoded by independent readers.
        done: list[dict[str, Any]] = []
        session.exportFinished.connect(done.append)
        session.export("png", tmp_path / "png")
        session.export("coco", tmp_path / "coco")
        me.wait(lambda: len(done) == 2, 60_000)
        check_exports(session, tmp_path)
        me.look("5-exported")

        # Close in mid-way; open again: everything is there, undo included.
        here = str(session.current_image)
        last_stroke = session.labels().copy()
    finally:
        me.close()
    again = Person(qtbot, project, pictures)
    try:
        again.session.open_image(here)
        again.wait(lambda: again.session.current_image == here and not again.session.project.navigation.loading)
        again.wait(lambda: np.array_equal(again.session.labels(), last_stroke))
        again.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert int((again.session.labels() > 0).sum()) < int((last_stroke > 0).sum())
        again.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
        assert np.array_equal(again.session.labels(), last_stroke)
        again.look("6-again")
    finally:
        again.close()


def check_exports(session: Any, out: Path) -> None:
    """PNG by Pillow and COCO by pycocotools give the labels on screen, pixel for pixel."""
    import json

    from PIL import Image
    from pycocotools import mask as rle

    ids = session.labels()
    values = {c.id: c.value for c in session.project.documents.classes}
    owners = session.project.documents.current.document.class_lookup()
    expected = np.vectorize(lambda i: values[owners[i]] if i else 255, otypes=[np.uint8])(ids)
    stem = Path(str(session.current_image)).stem
    with Image.open(out / "png" / "masks" / f"{stem}.png") as mask:
        assert np.array_equal(np.asarray(mask), expected)
    coco = json.loads((out / "coco" / "coco.json").read_text())
    image = next(i for i in coco["images"] if i["file_name"] == session.current_image)
    vessel = next(c.value for c in session.project.documents.classes if c.name == "vessel")
    found = np.zeros(ids.shape, bool)
    for annotation in coco["annotations"]:
        if annotation["image_id"] == image["id"]:
            assert annotation["category_id"] == vessel
            found |= rle.decode(annotation["segmentation"]).astype(bool)
    assert np.array_equal(found, expected == vessel)

"""New images that are to be added without being asked, where the disk refuses: one failure, and a person decides."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QToolButton

from segstudio.app.viewing import growing
from segstudio.errors import DiskRefused
from segstudio.tasks.images.new import new_project
from segstudio.tasks.progress import finished
from tests.window_bench import LEFT, Bench

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]


def picture(file: Path, seed: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (60, 80), np.uint8)).save(file)


@pytest.fixture
def bench(qtbot: object, tmp_path: Path) -> Iterator[Bench]:
    picture(tmp_path / "pics" / "a.png", 1)
    project = finished(new_project(tmp_path / "p.segstudio", [str(tmp_path / "pics")], ["cell"])).path
    bench = Bench(project)
    bench.wait(lambda: bench.shown)
    yield bench
    bench.rest()
    bench.close()


def test_where_always_added_images_are_refused_the_strip_asks_and_its_button_adds_them(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DiskRefused("The disk is full.")

    assert bench.session.project is not None
    owner, strip = bench.session.project.growing, bench.window.growth_strip
    bench.wait(lambda: owner._looking is None and owner._looked_at is not None)
    monkeypatch.setattr(growing, "_PAUSE_S", 0.0)
    bench.session.kept_preferences.prefer(add_new_images=True)
    picture(tmp_path / "pics" / "b.png", 2)
    with monkeypatch.context() as patch:
        patch.setattr(growing, "write_additions", refuse)
        owner.look_around()
        bench.wait(lambda: not strip.isHidden())
        QTest.qWait(200)
    assert bench.window.message_strip.isVisible(), "the failure comes before it"
    close = bench.window.message_strip.findChild(QToolButton, "messageClose")
    assert close is not None
    QTest.mouseClick(close, LEFT)
    assert strip.isVisible()
    assert strip.text.text() == "1 new image in the folder."
    assert [failure["sentence"] for failure in bench.failures] == ["The disk is full."], "it is tried once"
    add, always = strip.findChild(QPushButton, "addFoundButton"), strip.findChild(QPushButton, "alwaysAddButton")
    assert add is not None
    assert always is not None
    assert always.isHidden(), "they are always added already"
    QTest.mouseClick(add, LEFT)
    navigation = bench.session.project.navigation
    bench.wait(lambda: [item.name for item in navigation.items] == ["a.png", "b.png"])
    assert strip.isHidden()

"""Two real windows on one project: what 'Try again' does where the project cannot be opened any more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from segstudio.app.viewing.proposals import Proposals
from tests.window_bench import Bench, make_project

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def pair(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Bench, Bench]]:
    """A window that writes, and a second one that reads."""
    monkeypatch.setattr(Proposals, "_propose_if_stale", lambda _: None)
    path = make_project(tmp_path)
    benches = Bench(path), Bench(path)
    for bench in benches:
        bench.wait(lambda bench=bench: bench.shown)
    yield benches
    for bench in benches:
        bench.close()


def test_a_project_that_is_gone_leaves_what_the_window_shows(pair: tuple[Bench, Bench], tmp_path: Path) -> None:
    first, second = pair
    assert not second.opened.may_write
    before, shown = second.opened, second.canvas.grab().toImage()
    first.window.close()
    second.project.rename(tmp_path / "elsewhere")  # type: ignore[union-attr]
    second.click("tryAgainButton")
    second.wait(lambda: second.failures)
    assert second.session.project is before
    assert second.labels_say("is not a SegStudio project")
    assert second.opened.navigation.path == "coins_1.png"
    second.click("messageClose")
    second.wait(second.window.read_only_banner.isVisible)
    assert second.canvas.grab().toImage() == shown
    (tmp_path / "elsewhere").rename(second.project)  # type: ignore[arg-type]
    second.click("tryAgainButton")
    second.wait(lambda: second.said and second.said[-1] == "This window can write now.")
    assert second.opened.may_write

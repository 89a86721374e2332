"""A large image in the real window with the real engine: what is on screen is proposed before the rest."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.assets import asset
from segstudio.geometry import Rect, tiles_of
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from tests.window_bench import Bench

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

SIZE = (3328, 1536)


@pytest.fixture
def large_project(tmp_path: Path) -> Path:
    """One image of 7 x 6 tiles: a field of coins, repeated."""
    images = tmp_path / "images"
    images.mkdir()
    with Image.open(next(iter(sorted(asset("sample", "coins", "images").glob("*.png"))))) as coins:
        field = np.asarray(coins.convert("L"))
    times = (SIZE[1] // field.shape[0] + 1, SIZE[0] // field.shape[1] + 1)
    Image.fromarray(np.tile(field, times)[: SIZE[1], : SIZE[0]]).save(images / "large.png")
    path = tmp_path / "large.segstudio"
    for _ in new_project(path, [str(images)], ["background::background", "coin"]):
        pass
    return path


def test_what_is_on_screen_is_proposed_and_shown_before_the_rest_is_finished(qapp: object, large_project: Path) -> None:
    bench = Bench(large_project)
    session, canvas = bench.session, bench.canvas
    seen: list[tuple[set[tuple[int, int]], int, bool]] = []

    def note() -> None:
        proposal = session.project.proposals.seen
        if proposal is not None:
            seen.append((set(proposal.tiles), len(bench.ready), session.project.proposals.running))

    try:
        # The view is zoomed in from the moment the image is there, before anything is asked for.
        session.imageShown.connect(lambda: canvas.set_zoom(1.0))
        session.project.proposals.proposalChanged.connect(note)
        bench.wait(lambda: bool(bench.ready), 240)
        corner, opposite = canvas.to_image(canvas.rect().topLeft()), canvas.to_image(canvas.rect().bottomRight())
        bounds = Rect(0, 0, *SIZE)
        visible = set(tiles_of(Rect.of_edges(*corner, *opposite).intersected(bounds)))
        every = set(tiles_of(bounds))
        assert visible < every
        begun = [tiles for tiles, ready, proposing in seen if ready == 0 and proposing]
        assert any(visible <= tiles < every for tiles in begun)
        assert seen[-1][0] == every
        assert len(bench.ready) == 1
        assert not session.project.proposals.running
        whole = session.project.proposals.seen
        assert whole is not None
        bench.rest()
    finally:
        bench.close()
    with Project.open(large_project, write=False) as project:
        # Effort is counted against the whole, not against the part that was there first.
        image = project.images()[0].id
        first_shown = project.proposals.first(image, 0)
        assert first_shown is not None
        assert set(first_shown.tiles) == every

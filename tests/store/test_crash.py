"""kill -9 in mid-write: what was acknowledged is there, what is there is whole."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from segstudio.labels.document import Document
from segstudio.labels.model import Seq
from segstudio.labels.tiles.raster import Raster
from segstudio.store.project import Project
from tests.store.store_painting import FIRST, SIZE, whole

_ROOT = Path(__file__).parents[2]
_ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(_ROOT)])}

_PAINT = """
import sys
from pathlib import Path
from segstudio.geometry import Rect
from segstudio.labels.model import Seq
from segstudio.store.project import Project
from tests.store.store_painting import FIRST, paint, undo
project = Project.open(Path(sys.argv[1]))
project.writer.on_saved = lambda seq: print(seq, flush=True)
document = project.document(FIRST)
i = 0
while True:
    i += 1
    x, y = (i * 97) % 500, (i * 61) % 300
    last = paint(project, document, Rect(x, y, 90, 70), 2)
    if i % 4 == 0:
        undo(project, document, last)
    if i % 8 == 0:
        project.writer.flush()
"""


_LEAVE = """
import sys
from pathlib import Path
from segstudio.geometry import Rect
from segstudio.store.project import Project
from tests.store.store_painting import FIRST, paint
project = Project.open(Path(sys.argv[1]))
document = project.document(FIRST)
for i in range(20):
    paint(project, document, Rect(20 * i, 0, 15, 15), 2)
"""


def test_a_program_that_ends_without_closing_loses_no_edit(make_project: Callable[..., Project]) -> None:
    project = make_project()
    project.close()
    subprocess.run([sys.executable, "-c", _LEAVE, str(project.path)], check=True, env=_ENVIRONMENT, cwd=_ROOT)
    with Project.open(project.path) as again:
        assert again.last_seq() == 20
        assert again.image(FIRST).labelled_pixels == 20 * 225


@pytest.mark.parametrize("kill_after", [1, 7, 18, 30, 43])
def test_every_acknowledged_edit_survives_a_kill_and_the_journal_replays(
    make_project: Callable[..., Project], kill_after: int
) -> None:
    project = make_project()
    project.close()
    with subprocess.Popen(
        [sys.executable, "-c", _PAINT, str(project.path)],
        stdout=subprocess.PIPE,
        text=True,
        env=_ENVIRONMENT,
        cwd=_ROOT,
    ) as painter:
        assert painter.stdout is not None
        acknowledged = [int(painter.stdout.readline()) for _ in range(kill_after)]
        painter.kill()
        acknowledged += [int(line) for line in painter.stdout.read().splitlines() if line]
    with Project.open(project.path) as again:
        last = again.last_seq()
        assert acknowledged == list(range(1, len(acknowledged) + 1))
        assert last >= acknowledged[-1]
        replayed = Document(FIRST, Raster([SIZE]))
        for seq in range(1, last + 1):
            replayed.apply(again.load_edit(Seq(seq), replayed.raster.tile))
        document = again.document(FIRST)
        assert all(np.array_equal(a, b) for a, b in zip(whole(replayed), whole(document), strict=True))
        assert dict(replayed.objects) == dict(document.objects)
        assert again.image(FIRST).labelled_pixels == int((whole(document)[0] > 0).sum())
        assert again.notice == ""

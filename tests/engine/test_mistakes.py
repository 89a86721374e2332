"""The real engine finds a label that is a mistake."""

from pathlib import Path

import numpy as np
import pytest

from segstudio.engine.client import EngineClient
from segstudio.errors import NotEnoughLabels
from segstudio.geometry import Rect
from segstudio.tasks.learning.mistakes import find_mistakes
from segstudio.tasks.progress import finished
from tests.engine.conftest import label, new_project

pytestmark = pytest.mark.engine


def test_a_wrong_region_is_found_where_it_is_and_one_image_is_too_little(tmp_path: Path):
    project, truths = new_project(tmp_path, 3)
    rows = project.images()
    wrong = Rect(10, 12, 30, 28)
    truths[1] = truths[1].copy()
    part = truths[1][wrong.y : wrong.bottom, wrong.x : wrong.right]
    part[:] = np.where(part == 1, 2, 1)
    with project, EngineClient(project.path, log=tmp_path / "log") as client:
        label(project, rows[0].id, truths[0])
        with pytest.raises(NotEnoughLabels, match="at least two of different series"):
            finished(find_mistakes(client))
        for row, truth in zip(rows[1:], truths[1:], strict=True):
            label(project, row.id, truth)
        assert project.writer is not None
        assert project.writer.flush()
        steps = list(find_mistakes(client))
        found = finished(find_mistakes(client))
    assert (steps[-1].done, steps[-1].total) == (3, 3)
    assert found
    worst = found[0]
    assert worst.image == rows[1].id
    assert worst.rect.intersected(wrong).area > 0.8 * worst.rect.area
    assert worst.mask.shape == (worst.rect.h, worst.rect.w)
    assert worst.mask.any()
    assert worst.labelled != worst.said
    assert [doubted.score for doubted in found] == sorted((doubted.score for doubted in found), reverse=True)

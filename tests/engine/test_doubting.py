"""How unsure a version is of a plane, from the real engine: the same as the confidence stored with a proposal, or by
another measure, and nothing of it is stored.
"""

from pathlib import Path

import numpy as np
import pytest

from segstudio.engine.client import EngineClient
from segstudio.errors import UserError
from segstudio.geometry import Rect
from segstudio.store.project import Project
from segstudio.tasks.learning.doubt import Doubts, doubt
from segstudio.tasks.learning.predict import predict
from segstudio.tasks.progress import finished
from tests.engine.conftest import SIDE, label, new_project

pytestmark = pytest.mark.engine
WHOLE = Rect(0, 0, SIDE, SIDE)


def test_confidence_is_what_a_proposal_has_and_flips_are_something_else(tmp_path: Path) -> None:
    project, truths = new_project(tmp_path, 2)
    first, second = (row.id for row in project.images())
    with project, EngineClient(project.path, log=tmp_path / "log") as client:
        label(project, first, truths[0])

        def asked(measure: str) -> Doubts:
            return finished(doubt(client, second, 0, WHOLE, version="instant", measure=measure))  # type: ignore[arg-type]

        by = {measure: asked(measure) for measure in ("confidence", "margin", "entropy", "flips")}
        assert not _is_proposed(project)
        assert all(set(found.tiles) == {(0, 0)} for found in by.values())
        assert {found.classes for found in by.values()} == {2}
        finished(predict(project, client, [second], version="instant"))
        stored = project.proposals.read(second, 0).tiles[0, 0].confidence
        inside = np.s_[: SIDE // 4, : SIDE // 4]
        assert np.array_equal(15 - by["confidence"].tiles[0, 0][inside], stored[inside])
        assert (by["entropy"].tiles[0, 0] >= by["confidence"].tiles[0, 0]).all()
        assert by["flips"].tiles[0, 0].any()
        assert not np.array_equal(by["flips"].tiles[0, 0], by["confidence"].tiles[0, 0])


def _is_proposed(project: Project) -> bool:
    return any(project.proposals.notes())


def test_a_version_that_is_gone_is_one_sentence(engine: EngineClient, discs_project: Project) -> None:
    image = discs_project.images()[0].id
    with pytest.raises(UserError, match="v99"):
        finished(doubt(engine, image, 0, WHOLE, version="v99", measure="margin"))

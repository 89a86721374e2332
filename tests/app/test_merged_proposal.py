"""What another person says of a conflict, in the window's session: offered, kept until asked for, accepted."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.session import Session
from segstudio.imaging.hashing import quick_hash
from segstudio.labels.model import Cause, ImageId, Origin
from segstudio.store.project import Project
from segstudio.store.values import NewClass, NewImage, NewPlane
from segstudio.tasks.keeping.merge import merge
from segstudio.tasks.learning.predict import PredictReport, PredictSeconds
from segstudio.tasks.progress import finished
from tests.labels.filled_planes import filled

SIZE = (40, 30)
FIRST = ImageId(1)
CELL, CRACK = 2, 3


def _made(folder: Path, name: str, class_id: int) -> Path:
    """A project of one picture, on which a square is of one class and the rest of the background."""
    file = folder / "images" / "0.png"
    file.parent.mkdir(exist_ok=True)
    Image.fromarray(np.zeros(SIZE[::-1], np.uint8)).save(file)
    stat = file.stat()
    new = NewImage(
        file.name,
        file.parent,
        stat.st_size,
        stat.st_mtime_ns,
        quick_hash(file),
        (NewPlane("0", *SIZE),),
        1,
        "uint8",
        "png",
    )
    with Project.create(folder / name, [new], [NewClass("cell"), NewClass("crack")]) as project:
        ids = np.full(SIZE[::-1], 1, np.int32)
        ids[10:20, 10:20] = class_id
        edit = filled(project.document(FIRST), 0, ids, project.classes(), Origin.PAINTED, cause=Cause.PAINT)
        assert edit is not None
        assert project.writer is not None
        project.writer.submit(edit)
    return folder / name


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the network was asked for; it has nothing to propose."""
    requests: list[object] = []

    def predict(*request: object, **_: object) -> Generator[object, None, PredictReport]:
        requests.append(request)
        yield from ()
        return PredictReport(0, 0, 1.0, PredictSeconds(0, 0, 0))

    monkeypatch.setattr("segstudio.app.viewing.proposals.predict", predict)
    return requests


@pytest.fixture
def session(qtbot: Any, tmp_path: Path, asked: list[object]) -> Iterator[Session]:
    """The merge of two projects that call the same square a cell and a crack."""
    out = tmp_path / "c.segstudio"
    finished(merge(_made(tmp_path, "a.segstudio", CELL), _made(tmp_path, "b.segstudio", CRACK), out))
    session = Session()
    session.projects.open(out)
    qtbot.waitUntil(lambda: session.project.proposals.seen is not None)
    yield session
    session.close()


def test_a_conflict_is_offered_as_a_proposal_and_no_model_takes_its_place(
    qtbot: Any, session: Session, asked: list[object]
) -> None:
    qtbot.wait(80)
    assert session.project.proposals.seen is not None
    assert session.project.proposals.seen.version == "merged"
    assert asked == []
    values, confidence = session.proposal()
    where = np.zeros(SIZE[::-1], bool)
    where[10:20, 10:20] = True
    assert np.array_equal(values == 2, where)
    assert np.array_equal(confidence > 0.9, np.kron(_cells(where), np.ones((4, 4), bool))[: SIZE[1], : SIZE[0]])
    assert not session.project.proposals.is_guess


def _cells(where: np.ndarray) -> np.ndarray:
    padded = np.pad(where, ((0, -where.shape[0] % 4), (0, -where.shape[1] % 4)))
    return padded.reshape(padded.shape[0] // 4, 4, padded.shape[1] // 4, 4).any((1, 3))


def test_the_other_side_is_taken_by_erasing_and_accepting(qtbot: Any, session: Session) -> None:
    assert session.project.documents.current is not None
    document = session.project.documents.current.document
    before = document.class_ids(0, document.raster.bounds(0))
    session.accept_proposal()  # where A has labels they stay
    qtbot.wait(50)
    assert np.array_equal(document.class_ids(0, document.raster.bounds(0)), before)
    session.set_tool("eraser")
    session.set_brush_radius(2.0)
    session.project.documents.pointer(Pointer(Phase.PRESS, 15.0, 15.0, Button.LEFT))
    session.project.documents.pointer(Pointer(Phase.RELEASE, 15.0, 15.0, Button.LEFT))
    session.accept_proposal()
    document = session.project.documents.current.document
    qtbot.waitUntil(lambda: document.class_ids(0, document.raster.bounds(0))[15, 15] == CRACK)
    after = document.class_ids(0, document.raster.bounds(0))
    assert set(after[before != after].tolist()) == {CRACK}
    assert (after > 0).all()


def test_a_person_who_asks_gets_the_model_s_proposal(qtbot: Any, session: Session, asked: list[object]) -> None:
    session.propose()
    qtbot.waitUntil(lambda: len(asked) == 1)

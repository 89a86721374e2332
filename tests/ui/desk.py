"""A real session in front of a test: opens small real projects, waits for what comes, hears what is said."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtTest import QTest

from segstudio.app.editing.documents import Documents
from segstudio.app.open_project import OpenedProject
from segstudio.app.session import Session
from segstudio.app.values import JobId, JobKind, Notice, NoticeKind
from segstudio.app.viewing import displaying
from segstudio.app.viewing.display import DisplayImage
from segstudio.app.viewing.navigation import Navigation
from segstudio.engine.protocol import Blob, Done, PredictedImage, PredictedTile, RunEvent, RunPlanned, Trained
from segstudio.geometry import TILE, Rect, tiles_of
from segstudio.labels.document import Document
from segstudio.labels.proposal import Proposal, ProposalTile
from segstudio.labels.tiles.tile import Constant
from segstudio.runs import INSTANT, Event, Plan, PlanClass, Recipe
from segstudio.store.project import Project
from segstudio.store.proposals import encoded
from tests.store.store_painting import painted
from tests.ui.scripted_engine import ScriptedEngine
from tests.ui.small_projects import CLASSES, SmallProjects, plates

__all__ = ["Desk", "opened_desk", "own_home"]

_PATIENCE_S = 60.0
PLAN = Plan(
    classes=(PlanClass(1, "background"), PlanClass(2, "nucleus")),
    planes=(),
    mean=(),
    std=(),
    network="tiny",
    base=INSTANT,
    recipe=Recipe(),
    device="cpu",
    threads=1,
    seed=0,
    max_seconds=None,
    max_steps=None,
)


class Desk:
    """`said` are the words said in passing, `bugs` the faults that the window caught: no test expects one."""

    def __init__(self, session: Session, projects: SmallProjects, home: Path) -> None:
        self.session, self.projects, self._home = session, projects, home
        self._numbers = count()
        self._others: list[Project] = []
        self.said: list[str] = []
        self.bugs: list[str] = []
        session.notices.told.connect(self._heard)

    def _heard(self, notice: Notice) -> None:
        if notice.kind is NoticeKind.WORD:
            self.said.append(notice.sentence)
        elif notice.kind in (NoticeKind.BUG, NoticeKind.FAULT):
            self.bugs.append(notice.details or notice.sentence)

    def wait(self, holds: Callable[[], object]) -> None:
        """Handle events until it holds."""
        end = time.monotonic() + _PATIENCE_S
        while not holds():
            assert time.monotonic() < end, f"waited {_PATIENCE_S} s in vain; said: {self.said}, bugs: {self.bugs}"
            QTest.qWait(1)

    # -- projects ----------------------------------------------------------------------------------------------------

    def place(self) -> Path:
        """A new folder."""
        folder = self._home / f"place{next(self._numbers)}"
        folder.mkdir(parents=True)
        return folder

    def load(
        self,
        names: Sequence[str] = plates(6),
        classes: Sequence[str] = CLASSES,
        *,
        labelled: bool = True,
        read_only: bool = False,
    ) -> OpenedProject:
        """Open a copy of a small project at its first image; a read-only one is written by somebody else."""
        path = self.projects.copy(self.place(), names, classes, labelled=labelled)
        return self.read_only(path) if read_only else self.open(path)

    def read_only(self, path: Path) -> OpenedProject:
        """Open a project that somebody else writes."""
        self._others.append(Project.open(path))
        return self.open(path)

    def show(self, pixels: Mapping[str, NDArray[np.generic]], classes: Sequence[str] = CLASSES) -> OpenedProject:
        """Open a new project of these pictures at the first."""
        return self.open(self.projects.pictures(self.place(), pixels, classes))

    def open(self, path: Path, *, first: int = 0) -> OpenedProject:
        """Open a project and wait for its image."""
        self.session.projects.open(path, first)
        self.wait(self.session.projects.wait)
        self.shown()
        return self.opened

    @property
    def opened(self) -> OpenedProject:
        """The open project's owners."""
        assert self.session.project is not None
        return self.session.project

    @property
    def engine(self) -> ScriptedEngine:
        """The engine of the open project."""
        assert isinstance(self.opened.engine, ScriptedEngine)
        return self.opened.engine

    @property
    def navigation(self) -> Navigation:
        """Which image is on screen."""
        return self.opened.navigation

    @property
    def documents(self) -> Documents:
        """The labels in memory."""
        return self.opened.documents

    @property
    def document(self) -> Document:
        """The labels of the image on screen."""
        assert self.documents.current is not None
        return self.documents.current.document

    @property
    def edits(self) -> int:
        """How many edits the project has, those on their way included."""
        return self.documents.submitted

    # -- what comes later --------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Wait for the image that was asked for."""
        self.wait(lambda: not self.navigation.loading and not self.opened.proposals.reading)

    def shows(self, index: int) -> None:
        """Show an image and wait for it."""
        self.navigation.open(index)
        self.shown()

    @contextmanager
    def slow_reading(self) -> Iterator[None]:
        """Inside, no image is decoded: the disk takes its time."""
        goes, load = threading.Event(), displaying.load_display_image

        def waited(*arguments: Any) -> DisplayImage:
            assert goes.wait(_PATIENCE_S)
            return load(*arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(displaying, "load_display_image", waited)
            try:
                yield
            finally:
                goes.set()
                self.shown()

    def settle(self) -> None:
        """Wait until every edit is durable and reported."""
        self.wait(lambda: self.documents.save_state().saved)

    def class_ids(self) -> NDArray[np.uint16]:
        """Class ids (h, w) of the image on screen."""
        plane = self.navigation.plane
        w, h = self.document.raster.sizes[plane]
        return self.document.class_ids(plane, Rect(0, 0, w, h))

    # -- labels and proposals ----------------------------------------------------------------------------------------

    def paint(self, rect: Rect, class_id: int) -> None:
        """Paint a rectangle as a new object of a class, as one edit and without a pointer."""
        document = self.document
        self.documents.commit(painted(document, rect, document.next_object, new_class=class_id))

    def erase(self, rect: Rect) -> None:
        """Make a rectangle unlabelled, as one edit."""
        self.documents.commit(painted(self.document, rect, 0))

    def proposed(self, class_id: int, version: str = INSTANT) -> None:
        """Ask for a proposal, let the engine answer with one class for the whole image, and wait until that is seen."""
        asked = len(self.engine.predicts)
        self.session.propose()
        self.wait(lambda: len(self.engine.predicts) > asked)
        (target,) = self.engine.predicts[-1].targets
        labels, sureness = encoded(ProposalTile(Constant(1, 0), np.full((TILE // 4, TILE // 4), 12, np.uint8)))
        w, h = self.document.raster.sizes[target.plane]
        for ty, tx in tiles_of(Rect(0, 0, w, h)):
            self.engine.answer(PredictedTile(0, target.image, target.plane, ty, tx, labels, sureness))
        rows = [(1, class_id, 0.9)]
        self.engine.answer(PredictedImage(id=0, image=target.image, plane=target.plane, version=version, rows=rows))
        self.engine.end()
        self.wait(lambda: not self.opened.proposals.owed)

    def stores(self, proposal: Proposal, version: str = "imported") -> None:
        """Put a proposal that a person made, or a version, into the project, and show the image again with it."""
        tiles = {key: encoded(tile) for key, tile in proposal.tiles.items()}
        image = self.document.image
        self.opened.store.proposals.write(image, proposal.plane, version, proposal.rows, tiles, replace_people=True)
        self.shows(self.navigation.index)

    # -- a job of an owner -------------------------------------------------------------------------------------------

    def job(
        self, kind: JobKind, text: str, fraction: float | None = None, seconds_left: float | None = None
    ) -> tuple[JobId, list[str]]:
        """A job that its owner lists; the list has its words once a person has cancelled it."""
        cancelled: list[str] = []
        id_ = self.session.jobs.show(kind, text, None, lambda: cancelled.append(text))
        self.session.jobs.tell(id_, None, fraction, seconds_left)
        return id_, cancelled

    # -- training ----------------------------------------------------------------------------------------------------

    def trains(self) -> ScriptedEngine:
        """Begin a run, wait until the engine is asked for it, and let it plan."""
        asked = len(self.engine.trains)
        self.session.fine_tune()
        self.wait(lambda: len(self.engine.trains) > asked)
        self.engine.answer(RunPlanned(0, PLAN))
        return self.engine

    def tells(self, *events: dict[str, Any]) -> None:
        """Let the engine tell of events of the run, and wait until the window has them."""
        told, heard = [msgspec.convert(event, Event) for event in events], list[object]()
        happened = self.opened.training.happened
        happened.connect(heard.append)
        self.engine.answer(*(RunEvent(0, event) for event in told))
        self.wait(lambda: heard and heard[-1] is told[-1])
        happened.disconnect(heard.append)

    def ends(self, trained: Trained) -> None:
        """Let the run end with a version and its verdict, and wait until the window has them."""
        ended: list[object] = []
        self.opened.training.finished.connect(ended.append)
        self.engine.answer(Blob(0, "weights", b"weights", True), trained, Done(0))
        self.wait(lambda: ended)
        self.opened.training.finished.disconnect(ended.append)

    # -- the end -----------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Forget what was heard."""
        self.said.clear()
        self.bugs.clear()

    def leave(self) -> None:
        """Close the project, as a window does that opens another; no fault may have been reported."""
        for other in self._others:
            other.close()
        self._others.clear()
        jobs = self.session.jobs
        for job in jobs.states:
            jobs.cancel(job.id)
        if self.session.project is not None:
            self.session.projects.close()
        for job in jobs.states:
            jobs.end(job.id)
        assert self.bugs == [], "\n".join(self.bugs)

    def close(self) -> None:
        """End the session, where no window has."""
        self.leave()
        self.session.notices.close()


def own_home(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Settings, data, state and cache lie in a folder, and no project starts an engine process."""
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    patch.setattr("segstudio.app.open_project.EngineClient", ScriptedEngine)


@contextmanager
def opened_desk() -> Iterator[Desk]:
    """A desk in a temporary folder, for a benchmark."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        home = Path(folder)
        own_home(patch, home)
        desk = Desk(Session(), SmallProjects(home / "small"), home / "desk")
        yield desk
        desk.close()

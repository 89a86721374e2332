"""What is stored for a plane, read and decoded on a worker; what is asked of it is answered in the order of asking."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from segstudio.app.jobs import MainThread, Worker
from segstudio.labels.model import ImageId
from segstudio.labels.proposal import Proposal
from segstudio.store.project import Project

__all__ = ["Learnt", "Look", "Stored", "StoredProposals"]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A reading of a plane; `request` is the number of the request it ends or shows a part of, 0 for none.

    `known` is what is on screen already: of a proposal that grows only what is new is decoded.
    """

    image: ImageId
    plane: int
    request: int = 0
    ends: bool = False
    known: Proposal | None = None


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a proposal asked for now would come from: the current version, and how many classes have known pixels."""

    version: str | None = None
    classes: int = 0

    @property
    def two_classes(self) -> bool:
        """Whether the instant learner can be fitted."""
        return self.classes >= 2

    @property
    def nothing(self) -> bool:
        """Whether there is no more than the embedded guess."""
        return self.version is None and not self.two_classes


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What is stored for a plane; `rejected`: a person wanted none, until one is asked for."""

    proposal: Proposal | None
    rejected: bool
    learnt: Learnt


class StoredProposals:
    """Reads, and writes what a person decides, on one thread."""

    def __init__(self, project: Project, main: MainThread) -> None:
        self._project, self._main = project, main
        self.worker = Worker("proposal", main)

    def read(self, look: Look) -> "Future[Stored]":
        """Begin to read a plane."""
        proposals, where = self._project.proposals, (look.image, look.plane)
        return self.worker.submit(
            lambda: Stored(proposals.read(*where, look.known), proposals.is_rejected(*where), self._learnt())
        )

    def read_learnt(self, then: "Callable[[Future[Learnt]], None]") -> None:
        """Read what a proposal would come from."""
        self.worker.submit(self._learnt, then)

    def _learnt(self) -> Learnt:
        current = self._project.current_version()
        return Learnt(None if current is None else current.name, len(self._project.known_classes()))

    def when_read(self, future: "Future[Stored]", then: "Callable[[Future[Stored]], None]") -> None:
        """Call with the finished future on the main thread, unless it was cancelled before it began."""

        def read(future: "Future[Stored]") -> None:
            if not future.cancelled():
                self._main.post(lambda: then(future))

        future.add_done_callback(read)

    def reject(
        self, image: ImageId, plane: int, after: Callable[[], None], then: "Callable[[Future[None]], None]"
    ) -> None:
        """Note that a person wants no proposal for a plane, once `after` has returned."""
        proposals = self._project.proposals

        def write() -> None:
            after()
            proposals.reject(image, plane)

        self.worker.submit(write, then)

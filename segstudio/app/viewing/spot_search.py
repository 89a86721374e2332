"""The owner of spots: the places of the image on screen where an error is most likely, one after the other.

They are found on a worker in what the model proposes now; each is shown once, the likeliest first.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, cast

import numpy as np
from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.editing.tools.overlay import Overlay, Polyline
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.values import LABELS, JobId, JobKind, ModelView
from segstudio.app.viewing.compared import Compared
from segstudio.app.viewing.model_views import ModelViews
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.proposals import Proposals
from segstudio.engine.client import EngineClient
from segstudio.geometry import tiles_of
from segstudio.labels.model import Origin
from segstudio.labels.proposal_views import DifferenceTiles, LabelledClasses, ProposedClasses
from segstudio.labels.spots import Spot, different_cells, doubtful_cells, find_spots
from segstudio.runs import FROM_PEOPLE, Measure
from segstudio.tasks.learning.doubt import Doubts, doubt
from segstudio.text import _, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segstudio.errors import UserError
    from segstudio.labels.document import Document
    from segstudio.labels.proposal import Proposal

__all__ = ["SpotSearch"]

_NEAR_PX = 8
"""Spots that almost meet are one: they are cut at the edges of tiles."""
_AROUND_PX = 24
"""So much of what surrounds a spot is seen with it."""
_SETTLED = 0.5
"""A spot of which a person has painted so much since is not shown any more."""
_MOST_PX = 8 << 20
"""Of larger planes the model would take too long to say more than the confidence that is there."""
_LEAST_DOUBT = {"confidence": 0.3, "margin": 0.6, "entropy": 0.88, "flips": 0.2}
"""Surer cells are no spot: by the first three, two classes at 0.7 and 0.3; by flips, 20 points of probability.
Entropy is a share of the most that there is: of more classes, two have less of it (`_least`).
"""
_PAINTED = (int(Origin.PAINTED), int(Origin.IMPORTED))


class SpotSearch(QObject):
    """`sought` carries the rectangle (`Rect`, image pixels) of a spot that is to be seen.

    Spots belong to one image and one way to look at one proposal of it: with another they are forgotten.
    """

    sought = Signal(object)

    def __init__(
        self,
        ground: Ground,
        engine: EngineClient,
        documents: Documents,
        navigation: Navigation,
        proposals: Proposals,
        views: ModelViews,
        compared: Compared,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._ground, self._engine = ground, engine
        self._notices, self._documents, self._proposals = ground.notices, documents, proposals
        self._views, self._compared = views, compared
        self._worker = Worker("spots", ground.main)
        self._number = 0
        self._mark: Overlay = ()
        self._of: _Looked | None = None
        self._searching = False
        self._spots: tuple[Spot, ...] = ()
        self._shown: list[Spot] = []
        self._at = -1
        self._asked: JobId | None = None
        self.measure = "confidence"
        navigation.imageLoading.connect(lambda _path: self._forget())
        navigation.imageFailed.connect(lambda _path, _why: self._forget())
        views.changed.connect(self._views_changed)
        documents.changed.connect(lambda _change: self._unmark())  # until then it says which spot is meant

    def next(self) -> None:
        """Show the next spot, the likeliest error first; says so where there is none."""
        self._step(self._forward)

    def previous(self) -> None:
        """Show the spot that was shown before this one."""
        self._step(self._back)

    def close(self, wait_s: float | None = None) -> None:
        """End the worker; nobody waits for an answer any more."""
        self._forget()
        self._worker.close(wait_s)

    def _forget(self) -> None:
        """What was found, and what is being looked for, means nothing any more."""
        self._number += 1
        self._unmark()
        if self._asked is not None:
            self._ground.jobs.drop(self._asked)
            self._asked = None
        self._of, self._searching, self._spots, self._shown, self._at = None, False, (), [], -1

    def _views_changed(self) -> None:
        if self._of is not None and self._looked() != self._of:
            self._forget()

    def _looked(self) -> "_Looked | None":
        """What is looked at now; None where that is no proposal, or what it is compared with is not there yet."""
        seen, opened, views = self._proposals.seen, self._documents.current, self._views
        if seen is None or opened is None:
            return None
        if views.view is not ModelView.DIFFERENCE:
            return _Looked(seen, opened.document, False, None, self._measure_of(seen, opened.document))
        other = None if views.against == LABELS else self._compared.proposal
        if other is None and views.against != LABELS:
            return None
        return _Looked(seen, opened.document, True, other)

    def _measure_of(self, seen: "Proposal", document: "Document") -> str:
        """By what it is doubted: where no model can be asked, or would take too long, the confidence it came with."""
        asks = seen.version not in FROM_PEOPLE and document.raster.bounds(seen.plane).area <= _MOST_PX
        return self.measure if asks else "confidence"

    # -- one after the other -------------------------------------------------------------------------------------------

    def _step(self, go: Callable[[], None]) -> None:
        of = self._looked()
        if self._proposals.seen is None:
            self._notices.say(_("There is no proposal to look through: propose first."))
        elif of is None:
            self._notices.say(_("What it is compared with is still on its way."))
        elif of != self._of:
            self._search(of)
        elif not self._searching:
            go()

    def _forward(self) -> None:
        if self._at + 1 < len(self._shown):
            self._show(self._at + 1)
            return
        for spot in self._spots:
            if spot not in self._shown and not self._is_settled(spot):
                self._shown.append(spot)
                self._show(len(self._shown) - 1)
                return
        self._notices.say(
            count(
                len(self._shown),
                "There is no further spot in this image; 1 was looked at.",
                "There is no further spot in this image; {n} were looked at.",
            )
            if self._shown
            else _("There is nothing to look at in this image.")
        )

    def _back(self) -> None:
        if self._at > 0:
            self._show(self._at - 1)
        else:
            self._notices.say(_("This is the first spot."))

    def _show(self, at: int) -> None:
        self._at = at
        rect = self._shown[at].rect
        corners = ((rect.x, rect.y), (rect.right, rect.y), (rect.right, rect.bottom), (rect.x, rect.bottom))
        self._unmark()
        if not self._documents.gesture_active:
            self._mark = (Polyline(corners, closed=True),)
            self._documents.tools.show(self._mark)
        self.sought.emit(rect.grown(_AROUND_PX))
        self._notices.say(_("Spot {n} of {all}", n=at + 1, all=len(self._spots)))

    def _unmark(self) -> None:
        """Take the frame away, unless a tool has put something else in its place."""
        if self._mark and self._documents.tools.overlay == self._mark:
            self._documents.tools.show(())
        self._mark = ()

    def _is_settled(self, spot: Spot) -> bool:
        """Whether most of it was painted by a person since, or does not differ any more."""
        opened, of = self._documents.current, self._of
        if opened is None or of is None:
            return True
        if of.differences:
            weigh = different_cells(of.seen, self._differences(of, opened.document))
            still = find_spots(tiles_of(spot.rect), weigh, opened.document.raster.bounds(of.seen.plane))
            return not any(not other.rect.intersected(spot.rect).empty for other in still)
        origins = opened.document.raster.read(self._documents.plane, spot.rect)[1]
        return float(np.isin(origins, _PAINTED).mean()) > _SETTLED

    # -- finding them --------------------------------------------------------------------------------------------------

    def _search(self, of: "_Looked") -> None:
        self._documents.commit_gesture()
        self._forget()
        self._of, self._searching = of, True
        if of.measure == "confidence":
            self._look_through(of)
        else:
            self._ask(of)

    def _ask(self, of: "_Looked") -> None:
        """Ask how unsure the version is by another measure; nothing of it is stored."""
        seen, number = of.seen, self._number
        bounds = of.document.raster.bounds(seen.plane)
        measure = cast(Measure, of.measure)
        self._asked = self._ground.jobs.follow(
            JobKind.LOOK,
            _("Looking for likely errors"),
            doubt(self._engine, seen.image, seen.plane, bounds, version=seen.version, measure=measure),
            self._ground.main,
            on_done=lambda doubts: self._look_through(of, doubts) if number == self._number else None,
            on_failed=lambda error: self._not_asked(number, error),
            on_cancelled=lambda: self._not_asked(number, None),
            on_bug=lambda: self._not_asked(number, None),
        )

    def _not_asked(self, number: int, error: "UserError | None") -> None:
        if number == self._number:
            self._asked = None
            self._forget()
            if error is not None:
                self._ground.notices.fail(JobKind.LOOK, error)

    def _look_through(self, of: "_Looked", doubts: "Doubts | None" = None) -> None:
        self._asked = None
        number, document, seen = self._number, of.document.copy(), of.seen
        if of.differences:
            weigh = different_cells(seen, self._differences(of, document))
        else:
            tiles, classes = (None, 0) if doubts is None else (doubts.tiles, doubts.classes)
            weigh = doubtful_cells(seen, document, tiles, _least(of.measure, classes))
        bounds, places = document.raster.bounds(seen.plane), sorted(seen.tiles)

        def search() -> tuple[Spot, ...]:
            return _apart(find_spots(places, weigh, bounds, lambda: number != self._number))

        self._worker.submit(search, lambda future: self._found(number, future))

    def _differences(self, of: "_Looked", document: "Document") -> DifferenceTiles:
        classes = self._documents.classes
        if of.other is None:
            before = LabelledClasses(document, of.seen.plane, classes, passing=True)
        else:
            before = ProposedClasses(of.other, classes)
        return DifferenceTiles(ProposedClasses(of.seen, classes), before, classes)

    def _found(self, number: int, future: "Future[tuple[Spot, ...]]") -> None:
        if number != self._number:
            return
        of, self._of, self._searching = self._of, None, False
        error = refusal(future)  # a bug is raised: the next step looks again
        if error is not None:
            self._notices.say(error.line)
            return
        self._of, self._spots = of, future.result()
        self._forward()


def _least(measure: str, classes: int) -> float:
    """The least doubt of a spot, by a version that tells so many classes apart."""
    least = _LEAST_DOUBT[measure]
    return least * log(2) / log(classes) if measure == "entropy" and classes > 2 else least


def _apart(spots: "Sequence[Spot]") -> tuple[Spot, ...]:
    """Without those that nearly meet a heavier one: an area that the edge of a tile cuts is one spot."""
    out: list[Spot] = []
    for spot in spots:
        near = spot.rect.grown(_NEAR_PX)
        if all(near.intersected(other.rect).empty for other in out):
            out.append(spot)
    return tuple(out)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What spots belong to: a proposal of a document, by a measure of doubt, or by differences from another one or the
    labels.

    Documents and proposals are equal to themselves alone.
    """

    seen: "Proposal"
    document: "Document"
    differences: bool
    other: "Proposal | None"
    measure: str = "confidence"

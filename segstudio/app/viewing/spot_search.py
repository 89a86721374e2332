"""The owner of spots: the places of the image on screen where an error is most likely, one after the other.

They are found on a worker in what the model proposes now; each is shown once, the likeliest first.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.editing.tools.overlay import Overlay, Polyline
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker, refusal
from segstudio.app.values import LABELS, ModelView
from segstudio.app.viewing.compared import Compared
from segstudio.app.viewing.model_views import ModelViews
from segstudio.app.viewing.proposals import Proposals
from segstudio.geometry import tiles_of
from segstudio.labels.model import Origin
from segstudio.labels.proposal_views import DifferenceTiles, LabelledClasses, ProposedClasses
from segstudio.labels.spots import Spot, Weigh, different_cells, doubtful_cells, find_spots
from segstudio.text import _, count

if TYPE_CHECKING:
    from segstudio.labels.document import Document
    from segstudio.labels.proposal import Proposal

__all__ = ["SpotSearch"]

_NEAR_PX = 8
"""Spots that almost meet are one: they are cut at the edges of tiles."""
_AROUND_PX = 24
"""So much of what surrounds a spot is seen with it."""
_MARKED_MS = 3000
"""So long a frame shows which part of the view is meant."""
_SETTLED = 0.5
"""A spot of which a person has painted so much since is not shown any more."""
_PAINTED = (int(Origin.PAINTED), int(Origin.IMPORTED))


class SpotSearch(QObject):
    """`sought` carries the rectangle (`Rect`, image pixels) of a spot that is to be seen."""

    sought = Signal(object)

    def __init__(
        self,
        ground: Ground,
        documents: Documents,
        proposals: Proposals,
        views: ModelViews,
        compared: Compared,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._notices, self._documents, self._proposals = ground.notices, documents, proposals
        self._views, self._compared = views, compared
        self._worker = Worker("spots", ground.main)
        self._number = 0
        self._mark: Overlay = ()
        self._marked = QTimer(self)
        self._marked.setSingleShot(True)
        self._marked.setInterval(_MARKED_MS)
        self._marked.timeout.connect(self._unmark)
        self._of: tuple[object, ...] | None = None
        self._searching = False
        self._spots: tuple[Spot, ...] = ()
        self._shown: list[Spot] = []
        self._at = -1

    def next(self) -> None:
        """Show the next spot, the likeliest error first; says so where there is none."""
        self._step(self._forward)

    def previous(self) -> None:
        """Show the spot that was shown before this one."""
        self._step(self._back)

    def close(self, wait_s: float | None = None) -> None:
        """End the worker; nobody waits for an answer any more."""
        self._number += 1
        self._marked.stop()
        self._worker.close(wait_s)

    # -- one after the other -------------------------------------------------------------------------------------------

    def _step(self, go: Callable[[], None]) -> None:
        seen, opened = self._proposals.seen, self._documents.current
        if seen is None or opened is None:
            self._notices.say(_("There is no proposal to look through; P asks for one."))
            return
        differences = self._views.view is ModelView.DIFFERENCE
        other = self._compared.proposal if differences and self._views.against != LABELS else None
        if differences and self._views.against != LABELS and other is None:
            self._notices.say(_("What it is compared with is still on its way."))
            return
        of = (seen, opened.document, differences, self._views.against if differences else "", other)
        if of != self._of:
            self._search(of, seen, differences, other)
        elif not self._searching:
            go()

    def _forward(self) -> None:
        if self._at + 1 < len(self._shown):
            self._show(self._at + 1)
            return
        for spot in self._spots:
            near = spot.rect.grown(_NEAR_PX)
            if not any(not near.intersected(shown.rect).empty for shown in self._shown) and not self._is_settled(spot):
                self._shown.append(spot)
                self._show(len(self._shown) - 1)
                return
        if self._shown:
            looked = count(len(self._shown), "1 was looked at", "{n} were looked at")
            self._notices.say(_("There is no further spot in this image; {looked}.", looked=looked))
        else:
            self._notices.say(_("There is nothing to look at in this image."))

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
            self._marked.start()
        self.sought.emit(rect.grown(_AROUND_PX))

    def _unmark(self) -> None:
        """Take the frame away, unless a tool has put something else in its place."""
        self._marked.stop()
        if self._mark and self._documents.tools.overlay == self._mark:
            self._documents.tools.show(())
        self._mark = ()

    def _is_settled(self, spot: Spot) -> bool:
        """Whether a person has painted most of it by now."""
        opened = self._documents.current
        if opened is None:
            return True
        origins = opened.document.raster.read(self._documents.plane, spot.rect)[1]
        return float(np.isin(origins, _PAINTED).mean()) > _SETTLED and self._views.view is not ModelView.DIFFERENCE

    # -- finding them --------------------------------------------------------------------------------------------------

    def _search(self, of: tuple[object, ...], seen: "Proposal", differences: bool, other: "Proposal | None") -> None:
        self._documents.commit_gesture()
        opened = self._documents.current
        assert opened is not None
        self._number += 1
        number, document = self._number, opened.document.copy()
        weigh = self._weigh(seen, document, other) if differences else doubtful_cells(seen, document)
        bounds = document.raster.bounds(seen.plane)
        self._of, self._searching, self._spots, self._shown, self._at = of, True, (), [], -1

        def search() -> tuple[Spot, ...]:
            return find_spots(tiles_of(bounds), weigh, bounds, lambda: number != self._number)

        self._worker.submit(search, lambda future: self._found(number, future))

    def _weigh(self, seen: "Proposal", document: "Document", other: "Proposal | None") -> Weigh:
        classes = self._documents.classes
        before = LabelledClasses(document, seen.plane, classes) if other is None else ProposedClasses(other, classes)
        return different_cells(seen, DifferenceTiles(ProposedClasses(seen, classes), before, classes))

    def _found(self, number: int, future: "Future[tuple[Spot, ...]]") -> None:
        error = refusal(future)
        if number != self._number:
            return
        self._searching = False
        if error is not None:
            self._of = None
            self._notices.say(error.line)
            return
        self._spots = future.result()
        self._forward()

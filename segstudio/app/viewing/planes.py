"""The owner of the planes of the image on screen: which one is asked for, along which axes they lie, and the way to the
plane on which something was undone."""

from typing import NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.values import Changed
from segstudio.app.viewing.navigation import Navigation
from segstudio.imaging.metadata import PLAIN, Metadata, known
from segstudio.labels.model import Cause
from segstudio.text import count

__all__ = ["PlaneAxis", "Planes"]


class PlaneAxis(NamedTuple):
    """One axis of a stack: its name ('z', 't'; '' of pages), how many places it has, and which is asked for."""

    name: str
    size: int
    at: int


class Planes(QObject):
    """Planes count from 0. `changed`: another plane is asked for, perhaps of another image, or is on screen."""

    changed = Signal()

    def __init__(
        self, ground: Ground, documents: Documents, navigation: Navigation, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._notices, self._navigation = ground.notices, navigation
        self._known: tuple[str, Metadata] = ("", PLAIN)
        self._undone: tuple[Cause, set[int]] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._show_undone)
        navigation.imageLoading.connect(lambda _path: self.changed.emit())
        navigation.imageShown.connect(self.changed)
        navigation.imageFailed.connect(lambda _path, _sentence: self.changed.emit())
        documents.changed.connect(self._changed)

    @property
    def number(self) -> int:
        """How many planes the image asked for has; 0 where there is none."""
        navigation = self._navigation
        return len(navigation.rows[navigation.index].planes) if navigation.index >= 0 else 0

    @property
    def asked(self) -> int:
        """The plane asked for; it is on screen once its pixels are there."""
        return self._navigation.asked_plane

    def go(self, plane: int) -> None:
        """Show a plane of the image on screen. Raises `UserError` where it is not there."""
        if self.number and plane != self.asked:
            self._navigation.turn(plane)
            self.changed.emit()

    def step(self, by: int) -> None:
        """Go on by so many planes, to the last or first one at most."""
        if self.number:
            self.go(min(max(self.asked + by, 0), self.number - 1))

    # -- axes ----------------------------------------------------------------------------------------------------------

    @property
    def axes(self) -> tuple[PlaneAxis, ...]:
        """The axes along which the planes lie, the one that counts fastest last; one without a name where the file
        names none."""
        metadata, number, at = self._metadata(), self.number, self.asked
        sizes, names = metadata.sizes, metadata.axes[:-2]
        whole = 1
        for size in sizes:
            whole *= size
        if len(sizes) != len(names) or whole != number or not sizes:
            return (PlaneAxis("", number, at),)
        out: list[PlaneAxis] = []
        for name, size in zip(reversed(names), reversed(sizes), strict=True):
            out.append(PlaneAxis(name, size, at % size))
            at //= size
        return tuple(axis for axis in reversed(out) if axis.size > 1) or (PlaneAxis("", number, at),)

    def go_along(self, place: int, to: int) -> None:
        """Show the plane that lies elsewhere along one axis, given by its place in `axes`, and the same along the
        others."""
        axes, plane = self.axes, 0
        for n, axis in enumerate(axes):
            plane = plane * axis.size + (min(max(to, 0), axis.size - 1) if n == place else axis.at)
        self.go(plane)

    @property
    def run(self) -> int:
        """How many planes of one point in time follow each other; 0 where all of them lie along one axis."""
        axes = self.axes
        return axes[-1].size if len(axes) > 1 else 0

    @property
    def position(self) -> str:
        """Where the plane asked for lies along z, with its unit: in a patient where the file says so, else from the
        first plane; '' where nothing is known."""
        metadata = self._metadata()
        if metadata.spacing is None or len(metadata.spacing) < 3 or not metadata.unit:
            return ""
        z = next((axis.at for axis in self.axes if axis.name == "z"), None)
        if z is None:
            return ""
        at = round(_along_normal(metadata, z), 1) + 0.0  # no minus before a zero
        return f"{at:.1f} {metadata.unit}".replace("-", "\N{MINUS SIGN}")

    def _metadata(self) -> Metadata:
        navigation = self._navigation
        text = navigation.rows[navigation.index].metadata if navigation.index >= 0 else ""
        if self._known[0] != text:
            self._known = text, known(text)
        return self._known[1]

    # -- undo ----------------------------------------------------------------------------------------------------------

    def _changed(self, change: Changed) -> None:
        """Gather the planes of an undo: each is told of by itself, and all of them before the events that follow."""
        undone = change.cause in (Cause.UNDO, Cause.REDO) and change.seq is not None and not change.rect.empty
        if not undone or change.image is None or change.image != self._navigation.shown or self.number < 2:
            return
        assert change.cause is not None
        planes = set[int]() if self._undone is None or self._undone[0] is not change.cause else self._undone[1]
        self._undone = change.cause, planes | {change.plane}
        self._soon.start()

    def _show_undone(self) -> None:
        """Go to the plane where labels came or went, and say which: nobody undoes what they do not see."""
        if self._undone is None:
            return
        (cause, planes), self._undone = self._undone, None
        here = self._navigation.plane
        if planes == {here} or self._navigation.shown is None:
            return
        nearest = min(planes, key=lambda plane: (abs(plane - here), plane))
        self.go(nearest)
        n, plane = len(planes), nearest + 1
        if cause is Cause.UNDO:
            sentence = count(
                n, "Undone on plane {plane}.", "Undone on {n} planes; the nearest is {plane}.", plane=plane
            )
        else:
            sentence = count(
                n, "Redone on plane {plane}.", "Redone on {n} planes; the nearest is {plane}.", plane=plane
            )
        self._notices.say(sentence)


def _along_normal(metadata: Metadata, z: int) -> float:
    """Where a plane lies, in the unit of its spacing: along the normal from a patient's origin, or from the first."""
    spacing = metadata.spacing[0] if metadata.spacing else 1.0
    if metadata.affine is None:
        return z * spacing
    step = [row[2] for row in metadata.affine]
    length = sum(part * part for part in step) ** 0.5
    if not length:
        return z * spacing
    origin = [row[3] for row in metadata.affine]
    return sum((at + z * part) * part for at, part in zip(origin, step, strict=True)) / length

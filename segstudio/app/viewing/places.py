"""Where a person was in each project: an image, how each was looked at, and the class chosen; in small files in the
user's configuration folder.

A project on a disk that may only be read has its place too, and its journal knows nothing of it.
"""

import hashlib
import json
from math import isfinite
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.jobs import Worker
from segstudio.app.values import Place
from segstudio.app.viewing.navigation import Navigation
from segstudio.app.viewing.seen_planes import SeenPlanes
from segstudio.durable import write_durably
from segstudio.labels.done_planes import planes_of
from segstudio.labels.model import ClassId

__all__ = ["Places", "place_file", "read_place", "write_place"]

_EVERY_MS = 1000
_KEPT = 500
_VIEWS = 300
"""Views of images that are kept for a project, the last seen ones."""


def place_file(project: Path) -> Path:
    """The file that has the place of a project, there or not."""
    from platformdirs import user_config_path

    name = hashlib.sha256(str(project.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return user_config_path("segstudio", appauthor=False) / "places" / f"{name}.json"


def read_place(project: Path) -> Place | None:
    """The place kept for a project; None where there is none, or none that can be read. For a worker thread."""
    try:
        found = json.loads(place_file(project).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    image, plane, fitted = found.get("image"), found.get("plane"), found.get("fitted")
    numbers = [value for name in ("scale", "x", "y") if isinstance(value := found.get(name), float) and isfinite(value)]
    if not isinstance(image, str) or type(plane) is not int or type(fitted) is not bool or len(numbers) < 3:
        return None
    scale, x, y = numbers
    chosen, views, seen = found.get("label_class"), found.get("views"), found.get("seen")
    place = Place(
        image=image,
        plane=plane,
        fitted=fitted,
        scale=scale,
        x=x,
        y=y,
        label_class=chosen if type(chosen) is int else 0,
        views=tuple(view for part in views if (view := _view(part))) if isinstance(views, list) else (),
        seen=tuple(planes for part in seen if (planes := _seen(part))) if isinstance(seen, list) else (),
    )
    return place if scale > 0 else None


def _view(found: Any) -> tuple[str, float, float, float] | None:
    """The view of an image as it was written; None for anything else."""
    match found:
        case [str(path), float(scale), float(x), float(y)] if scale > 0 and isfinite(scale + x + y):
            return path, scale, x, y
        case _:
            return None


def _seen(found: Any) -> tuple[str, str] | None:
    """The planes of an image that were on screen, as they were written; None for anything else."""
    match found:
        case [str(path), str(ranges)]:
            try:
                planes_of(ranges)
            except ValueError:
                return None
            return path, ranges
        case _:
            return None


def write_place(project: Path, place: Place) -> None:
    """Keep a place, and drop those that were not kept anew for longest. For a worker thread. Raises `OSError`."""
    file = place_file(project)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_durably(file, json.dumps({"project": str(project), **place._asdict()}, indent=2).encode())
    there = list(file.parent.glob("*.json"))
    if len(there) > _KEPT:
        for old in sorted(there, key=lambda kept: kept.stat().st_mtime)[: len(there) - _KEPT]:
            old.unlink(missing_ok=True)


class Places(QObject):
    """`left` is where the project was left, as read at its opening. What is on screen is kept at most once a second,
    on a worker, unless `keeps` is switched off: then nothing is taken up either, but how an image was looked at is
    remembered while the project is open. `seen` knows which planes of stacks were.
    """

    def __init__(
        self,
        ground: Ground,
        navigation: Navigation,
        documents: Documents,
        left: Place | None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.seen = SeenPlanes(navigation, left, self)
        self._project, self._navigation, self._documents = ground.project.path, navigation, documents
        self.keeps = True
        self._left = left
        self._took_up = False
        self._views: dict[str, tuple[float, float, float]] = {}
        self._now: Place | None = None
        self._kept = left
        self._worker = Worker("places", ground.main)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._keep)
        navigation.imageShown.connect(self._shown)
        documents.classChosen.connect(self._chosen)

    @property
    def first(self) -> tuple[int, int] | None:
        """Index and plane of the image that was on screen; None where it is in the list no more."""
        left = self._left if self.keeps else None
        if left is None:
            return None
        for item in self._navigation.items:
            if item.name == left.image:
                return item.index, left.plane if 0 <= left.plane < item.planes else 0
        return None

    def take_up(self) -> None:
        """Choose the class that was chosen, and remember the views of images as they were left, once."""
        left = self._left if self.keeps else None
        if left is None or self._took_up:
            return
        self._took_up = True
        views = {path: (scale, x, y) for path, scale, x, y in left.views}
        if not left.fitted:
            views[left.image] = left.scale, left.x, left.y
        self._views = views | self._views
        classes = self._documents.classes
        if ClassId(left.label_class) in {c.id for c in classes}:
            self._documents.class_id = ClassId(left.label_class)

    def view(self) -> tuple[float, float, float] | None:
        """Scale and image position in the middle of the view in which the image on screen was left; None where the
        whole of it was shown, or it was never looked at."""
        return self._views.get(self._navigation.path or "")

    def saw(self, scale: float, x: float, y: float, *, fitted: bool) -> None:
        """The view of the image on screen: view pixels per image pixel, and the image position in its middle."""
        if self._now is None:
            return
        self._views.pop(self._now.image, None)
        if not fitted:
            self._views[self._now.image] = scale, x, y
            while len(self._views) > 2 * _VIEWS:
                self._views.pop(next(iter(self._views)))
        self._become(self._now._replace(scale=scale, x=x, y=y, fitted=fitted))

    def _shown(self) -> None:
        path, plane = self._navigation.path, self._navigation.plane
        before = None if self._now is None else (self._now.image, self._now.plane)
        if path is not None and before != (path, plane):
            self._become(Place(image=path, plane=plane))

    def _chosen(self) -> None:
        if self._now is not None:
            self._become(self._now)

    def _become(self, place: Place) -> None:
        self._now = place._replace(label_class=int(self._documents.current_class.id))
        if self.keeps and not self._timer.isActive():
            self._timer.start()

    def _keep(self) -> None:
        now, project = self._now, self._project
        if not self.keeps or now is None:
            return
        others = [(path, *view) for path, view in self._views.items() if path != now.image]
        now = now._replace(views=tuple(others[-_VIEWS:]), seen=self.seen.kept)
        if now == self._kept:
            return
        self._kept = now

        def write() -> None:
            try:
                write_place(project, now)
            except OSError:
                return  # a disk that refuses costs a person nothing but the way back to an image

        self._worker.submit(write)

    def close(self, wait_s: float | None = None) -> None:
        """Keep where the person is now."""
        self._timer.stop()
        self._keep()
        self._worker.close(wait_s, drop=False)

"""The surface that follows the open project: its image, labels and proposal, and a hint where there is no image."""

from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from segstudio.app.values import Changed, ModelView
from segstudio.geometry import Rect
from segstudio.text import _
from segstudio.ui.canvas.hint import Badge, Hint
from segstudio.ui.canvas.orientation import OrientationLetters
from segstudio.ui.canvas.surface import Surface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.ui.canvas.layers.selection import SelectionLayer
    from segstudio.ui.canvas.scene import Scene

__all__ = ["ImageView"]

_SELECTION_BUDGET_S = 0.008
_CLOSEST = 16.0
"""View pixels for an image pixel, at most, where an object is shown."""


class ImageView(Surface):
    """Shows what the owners of the project say is on screen; `left` announces that no image is under the pointer."""

    left = Signal()
    openRequested = Signal()

    def __init__(self, session: "Session", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._project: OpenedProject | None = None
        self._shown_image: str | None = None
        self._loading = False
        self._selection: SelectionLayer | None = None
        self._hint = Hint(self)
        self._badge = Badge(self)
        self._letters = OrientationLetters(session, self)
        self._hint.openRequested.connect(self.openRequested)
        self.viewChanged.connect(self._tell_visible)
        self._pixel_grid.shown = session.preferences.pixel_grid

    def follow(self, project: "OpenedProject | None") -> None:
        """Show this project, with the image that it already has on screen."""
        self._project = project
        self._show_empty()
        if project is not None:
            project.navigation.imageShown.connect(self._on_image_shown)
            project.navigation.imageLoading.connect(self._on_image_loading)
            project.navigation.imageFailed.connect(self._on_image_failed)
            project.navigation.displaying.displayChanged.connect(self._on_display_changed)
            project.navigation.displaying.samplesArrived.connect(self._on_samples_arrived)
            project.navigation.imagesChanged.connect(lambda _rows: project.navigation.items or self._show_empty())
            project.documents.changed.connect(self._on_changed)
            project.documents.classesChanged.connect(self._on_classes_changed)
            project.documents.selection.changed.connect(self._on_selection_changed)
            project.object_rows.sought.connect(self._on_sought)
            project.solo.changed.connect(self._on_classes_changed)
            project.selected_area.found.connect(self.zoom_to)
            project.views.changed.connect(self._on_proposal_changed)
            project.spots.sought.connect(self._on_sought)
            project.lint.sought.connect(self._on_sought)
            if project.navigation.display is not None:
                self._on_image_shown()

    def _let_go(self) -> None:
        """Another image is shown, or none: what the pointer does to the one before must end."""

    def _refresh_cursor(self) -> None:
        """What the pointer would do may be another."""

    def _make_scene(self) -> "Scene":
        scene = super()._make_scene()
        kept = self._session.preferences
        labels, proposals, outlined = kept.label_look
        scene.labels.set_opacity(labels, proposals)
        scene.labels.outlines = outlined
        scene.labels.show_proposal = scene.model.shown = kept.show_proposals
        return scene

    def _show_empty(self) -> None:
        self._show_nothing()
        if self._project is None:
            self._hint.say(_("Open a folder of images, or drop one here"), button=True)
        elif not self._project.navigation.items:
            self._hint.say(_("This project has no images"), _("Drop images or a folder here"))

    def _on_image_loading(self, path: str) -> None:
        self._loading = True
        text = _("Loading {name} …", name=path)
        if self._blank:
            self._hint.say(text)
        else:
            self._badge.announce(text)

    def _on_image_shown(self) -> None:
        assert self._project is not None
        navigation, documents = self._project.navigation, self._project.documents
        self._loading = False
        self._let_go()
        self._hint.hide()
        self._badge.withdraw()
        document = documents.current.document if documents.current is not None else None
        self._scene.show(navigation.display, document, navigation.plane)
        self._scene.labels.set_classes(self._project.solo.classes)
        self._take_proposal(self._project)
        if self._shown_image != navigation.path or self._scene.size != self._viewport.image:
            self._shown_image = navigation.path
            self._viewport.show(self._scene.size)
            if (left := self._project.places.view()) is not None:
                scale, x, y = left
                self._viewport.look_at(x, y, scale)
        self._refresh_cursor()
        self._on_selection_changed()
        self._view_changed()

    def _on_selection_changed(self) -> None:
        """Outline what is selected now."""
        if self._selection is None and self._project is not None and self._project.documents.selection.ids:
            from segstudio.ui.canvas.layers.selection import SelectionLayer

            self._selection = SelectionLayer()
        if self._selection is not None:
            labels = None if self._blank else self._scene.labels
            ids = () if self._project is None else self._project.documents.selection.ids
            document, plane = (None, 0) if labels is None else (labels.document, labels.plane)
            self._selection.show(document, plane, ids)
            self.update()

    def _paint_selection(self, painter: QPainter) -> None:
        if self._selection is None or self._selection.empty:
            return
        viewport = self._viewport
        deadline = perf_counter() + _SELECTION_BUDGET_S
        if not self._selection.catch_up(viewport.transform, viewport.device_size, viewport.ratio, deadline):
            self._behind.start(0)
        self._selection.paint(painter)

    def _on_sought(self, rect: Rect) -> None:
        """Show an object: it takes up to half of the view, and its pixels are not enlarged beyond recognition."""
        if self._blank:
            return
        scale = min(self.width() / max(2 * rect.w, 1), self.height() / max(2 * rect.h, 1), _CLOSEST)
        self._viewport.look_at(rect.x + rect.w / 2, rect.y + rect.h / 2, scale)
        self._view_changed()

    def _labels_changed(self, rects: "Sequence[Rect]") -> None:
        if self._selection is not None and not self._selection.empty:
            margin = 3 * self._scene.labels.line_px
            for rect in rects:
                device = self._viewport.covering(rect, margin)
                self._selection.touched(rect, device)
                self.update(self._view_rect(device))
        super()._labels_changed(rects)

    def _on_display_changed(self) -> None:
        """Show another rendering of the same samples: only the look-up is new."""
        if not self._blank and self._project is not None:
            self._scene.image.pixels = self._project.navigation.display
            self._frame.spoil_ground()
            self.update()

    def _on_samples_arrived(self, part: Rect) -> None:
        """Draw a part of the image again, which is decoded by now."""
        if not self._blank and not self._loading:
            device = self._viewport.covering(part, 2)
            self._scene.image.renewed()
            self._frame.spoil_ground(device)
            self.update(self._view_rect(device))

    def _tell_visible(self) -> None:
        if self._project is not None:
            self._project.proposals.visible = None if self._blank else self._viewport.visible()
            if not self._blank and not self._loading:
                self._project.places.saw(self.scale, *self._viewport.middle, fitted=self._viewport.follows)

    def _on_image_failed(self, _path: str, sentence: str) -> None:
        assert self._project is not None
        self._show_nothing()
        said_above = bool(self._project.navigation.trouble.kind) and self._project.may_write
        self._hint.say(_("This image cannot be shown"), "" if said_above else sentence)

    def _show_nothing(self) -> None:
        self._loading = False
        self._let_go()
        self._badge.withdraw()
        self._shown_image = None
        if not self._blank:
            self._scene.show(None, None, 0)
            self._frame.spoil_all()
        self._place_ring(None)
        self._show_overlay(())
        self._on_selection_changed()
        self.left.emit()
        self._refresh_cursor()
        self.update()

    def _on_changed(self, change: Changed) -> None:
        document = None if self._blank else self._scene.labels.document
        if document is None or change.image != document.image:
            return
        if self._scene.labels.refresh_lookup():
            self._scene.model.spoil()
            self._overlay_changed()
        if self._selection is not None and self._selection.outdated:
            self._on_selection_changed()
        if change.plane != self._scene.labels.plane or change.rect.empty:
            return
        self._labels_changed((change.rect,) if change.parts is None else change.parts)

    def _on_proposal_changed(self) -> None:
        if not self._blank and self._project is not None:
            self._take_proposal(self._project)
            self._overlay_changed()

    def _take_proposal(self, project: "OpenedProject") -> None:
        """Draw the proposal, or what a person wants to see in its place."""
        views = project.views
        self._scene.labels.set_proposal(views.proposal)
        tiles, plane = views.tiles, project.navigation.plane
        self._scene.labels.set_quiet(tiles is not None and views.view is ModelView.DIFFERENCE)
        if tiles is None:
            self._scene.model.show_nothing()
        elif views.view is ModelView.CONFIDENCE:
            self._scene.model.show_confidence(tiles, plane)
        else:
            self._scene.model.show_difference(tiles, plane, project.solo.classes)

    def _on_classes_changed(self) -> None:
        if not self._blank and self._project is not None:
            self._scene.labels.set_classes(self._project.solo.classes)
            self._take_proposal(self._project)
            self._overlay_changed()
            self._refresh_cursor()

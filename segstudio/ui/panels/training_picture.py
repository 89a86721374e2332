"""A held-out image as a run learns: filled what is predicted, outlined what people labelled; the slider goes back."""

from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QStackedLayout, QVBoxLayout, QWidget

from segstudio.labels.model import Kind
from segstudio.text import _
from segstudio.ui.panels.controls import ElidedLabel, Tick, muted_label, role_label
from segstudio.ui.theme import current_theme

if TYPE_CHECKING:
    from segstudio.labels.model import ClassTable
    from segstudio.runs import HeldOutPicture

__all__ = ["TrainingPicture"]

_MOST_KEPT = 64
"""Pictures of a run that can be gone back to: 64 of at most 256 KB, for the image itself is kept once."""
_FILL = 0.5
_WORDS_W = 220


class TrainingPicture(QWidget):
    """`heldOutPicture`, `pictureStep` (which measurement), `picturePredicted`, `pictureLabelled`; `pictureNone`."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[HeldOutPicture] = []
        self._classes: ClassTable | None = None
        self.view = _View()
        self.none = role_label("", "muted")
        self.path, self.at = ElidedLabel("", Qt.TextElideMode.ElideMiddle), muted_label("")
        self.predicted, self.labelled = Tick(_("Fill what is predicted")), Tick(_("Outline what is labelled"))
        self.step = QSlider(Qt.Orientation.Horizontal)
        self._dress()
        self._lay_out()
        self.clear()
        self.step.valueChanged.connect(lambda _at: self._show())
        for tick in (self.predicted, self.labelled):
            tick.toggled.connect(lambda _on: self._show())

    def clear(self, why: str = "") -> None:
        """Show that there is no picture, and why."""
        self.pictures.clear()
        self.view.image = None
        self.none.setText(why or _("A held-out image appears here once the run measures it"))
        self._stack.setCurrentIndex(0)

    def show_picture(self, picture: "HeldOutPicture", classes: "ClassTable") -> None:
        """Show a picture that has just come, unless a person has gone back to an earlier one."""
        self._classes = classes
        before = self.pictures[-1] if self.pictures else None
        if before is not None and before.image == picture.image:
            picture = structs.replace(picture, image=before.image)
        follows = self.step.value() >= len(self.pictures) - 1
        self.pictures = [each for each in self.pictures if each.step < picture.step][-_MOST_KEPT + 1 :]
        self.pictures.append(picture)
        self.step.blockSignals(True)
        self.step.setRange(0, len(self.pictures) - 1)
        self.step.blockSignals(False)
        if follows:
            self.step.setValue(len(self.pictures) - 1)
        self._stack.setCurrentIndex(1)
        self._show()

    def _dress(self) -> None:
        self.none.setObjectName("pictureNone")
        self.none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.none.setWordWrap(True)
        self.step.setObjectName("pictureStep")
        self.step.setAccessibleName(_("Measurement whose prediction is shown"))
        self.step.setToolTip(_("Go back to an earlier measurement of this run"))
        self.predicted.setObjectName("picturePredicted")
        self.labelled.setObjectName("pictureLabelled")
        for tick in (self.predicted, self.labelled):
            tick.setChecked(True)

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self.path)
        words.addWidget(self.at)
        words.addWidget(self.step)
        words.addWidget(self.predicted)
        words.addWidget(self.labelled)
        words.addStretch(1)
        beside = QWidget()
        beside.setLayout(words)
        beside.setFixedWidth(_WORDS_W)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.view, 1)
        row.addWidget(beside)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.none)
        self._stack.addWidget(body)

    def _show(self) -> None:
        if not self.pictures or self._classes is None:
            return
        picture = self.pictures[min(self.step.value(), len(self.pictures) - 1)]
        self.path.setText(picture.path)
        self.at.setText(_("Held out · after step {step}", step=f"{picture.step:,}"))
        shown = drawn(picture, self._classes, predicted=self.predicted.isChecked(), labelled=self.labelled.isChecked())
        self.view.show_image(shown)


def drawn(picture: "HeldOutPicture", classes: "ClassTable", *, predicted: bool, labelled: bool) -> NDArray[np.uint8]:
    """The picture (h, w, 3) with the classes that are predicted filled in, and around the labelled ones an outline.

    Background has neither.
    """
    shape = picture.height, picture.width
    out = np.frombuffer(picture.image, np.uint8).reshape(*shape, 3).astype(np.float32)
    if predicted:
        ids = np.frombuffer(picture.predicted, "<u2").reshape(shape)
        colors, filled = _colors(ids, classes)
        out[filled] += _FILL * (colors[filled] - out[filled])
    if labelled:
        ids = np.frombuffer(picture.truth, "<u2").reshape(shape)
        colors, known = _colors(ids, classes)
        edge = _edges(ids) & known
        out[edge] = colors[edge]
    return out.round().astype(np.uint8)


def _colors(ids: NDArray[np.uint16], classes: "ClassTable") -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The colour (h, w, 3) of each pixel's class, and whether it has one that is drawn."""
    table = np.zeros((int(ids.max(initial=0)) + 1, 3), np.float32)
    is_drawn = np.zeros(len(table), np.bool_)
    for found in classes:
        if int(found.id) < len(table) and found.kind is not Kind.BACKGROUND:
            color = QColor(found.color)
            table[int(found.id)] = color.red(), color.green(), color.blue()
            is_drawn[int(found.id)] = True
    return table[ids], is_drawn[ids]


def _edges(ids: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """The pixels that have a neighbour of another class."""
    edge = np.zeros(ids.shape, np.bool_)
    down, across = ids[1:] != ids[:-1], ids[:, 1:] != ids[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    return edge


class _View(QWidget):
    """Draws a picture as large as it fits."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("heldOutPicture")
        self.setAccessibleName(_("Held-out image with its prediction"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.image: QImage | None = None

    def minimumSizeHint(self) -> QSize:
        """As small as it can be of use."""
        return QSize(96, 64)

    def show_image(self, pixels: NDArray[np.uint8]) -> None:
        """Draw these pixels (h, w, 3)."""
        h, w = pixels.shape[:2]
        self.image = QImage(pixels.tobytes(), w, h, 3 * w, QImage.Format.Format_RGB888).copy()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture in the middle, on the colour of fields."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(current_theme().field))
        if self.image is not None:
            size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(0, 0, size.width(), size.height())
            place.moveCenter(self.rect().center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, size.width() < 2 * self.image.width())
            painter.drawImage(place, self.image)
        painter.end()

"""Qt events in the terms of the canvas: buttons, wheel steps, pointers, dropped files."""

import sys
from functools import cache
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, Qt
from PySide6.QtGui import QInputDevice, QKeyEvent, QMouseEvent, QTabletEvent, QWheelEvent

from segstudio.app.editing.tools.pointer import Button, Key, KeyEvent, Phase, Pointer

__all__ = [
    "button_of",
    "buttons_of",
    "dropped_paths",
    "is_swipe",
    "key_of",
    "meant_button",
    "notches_of",
    "pointer_of",
    "sizes_brush",
    "wheel_factor",
]

_BUTTONS = {
    Qt.MouseButton.LeftButton: Button.LEFT,
    Qt.MouseButton.RightButton: Button.RIGHT,
    Qt.MouseButton.MiddleButton: Button.MIDDLE,
}
_KEYS: dict[int, Key] = {
    Qt.Key.Key_Return: Key.ENTER,
    Qt.Key.Key_Enter: Key.ENTER,
    Qt.Key.Key_Escape: Key.ESCAPE,
    Qt.Key.Key_Backspace: Key.BACKSPACE,
    Qt.Key.Key_Delete: Key.DELETE,
    Qt.Key.Key_Tab: Key.TAB,
    Qt.Key.Key_Backtab: Key.TAB,
    Qt.Key.Key_Shift: Key.SHIFT,
    Qt.Key.Key_Control: Key.CTRL,
    Qt.Key.Key_Alt: Key.ALT,
}
_NOTCH = 120.0
_NOTCHES_A_DOUBLING = 3.0
_PIXELS_A_DOUBLING = 240.0
_LARGEST_STEP = 4.0


def button_of(button: Qt.MouseButton) -> Button:
    """Our name for a mouse button; NONE for buttons without a meaning here."""
    return _BUTTONS.get(button, Button.NONE)


@cache
def buttons_of(buttons: Qt.MouseButton) -> frozenset[Button]:
    """The buttons that are down."""
    return frozenset(ours for theirs, ours in _BUTTONS.items() if buttons & theirs)


def meant_button(button: Button, modifiers: Qt.KeyboardModifier, platform: str = sys.platform) -> Button:
    """The button that a press means: on macOS, Ctrl+left means right (Qt calls that key Meta there)."""
    ctrl = bool(modifiers & Qt.KeyboardModifier.MetaModifier)
    return Button.RIGHT if platform == "darwin" and ctrl and button is Button.LEFT else button


def pointer_of(
    phase: Phase, event: QMouseEvent | QTabletEvent, position: tuple[float, float], button: Button, scale: float
) -> Pointer:
    """A pointer event at an image position; `scale` is in view pixels per image pixel."""
    pressure = event.pressure() if isinstance(event, QTabletEvent) else 1.0
    return Pointer(phase, *position, button, *_held(event.modifiers()), event.timestamp() / 1000, scale, pressure)


def key_of(event: QKeyEvent) -> KeyEvent | None:
    """A key event in our terms; None for a key that no tool takes."""
    key = _KEYS.get(event.key())
    down = event.type() is not QEvent.Type.KeyRelease
    return None if key is None else KeyEvent(key, down, *_held(event.modifiers()))


@cache  # flags of PySide are slow to take apart, and a pointer sends the same ones all the time
def _held(modifiers: Qt.KeyboardModifier) -> tuple[bool, bool, bool]:
    """Whether Shift, Ctrl and Alt are down."""
    return (
        bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
        bool(modifiers & Qt.KeyboardModifier.ControlModifier),
        bool(modifiers & Qt.KeyboardModifier.AltModifier),
    )


def sizes_brush(modifiers: Qt.KeyboardModifier) -> bool:
    """Whether the wheel changes the size of the brush: with Alt, or with Ctrl+Shift where the system takes Alt."""
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    return bool(modifiers & Qt.KeyboardModifier.AltModifier) or modifiers & both == both


def notches_of(event: QWheelEvent) -> float:
    """How far the wheel was turned; away from the hand counts up."""
    angle = event.angleDelta()
    # With Alt held, some platforms report horizontal instead of vertical scrolling.
    return (angle.y() or angle.x()) / _NOTCH


def is_swipe(event: QWheelEvent) -> bool:
    """Whether two fingers on a touchpad moved, which reports pixels and phases; with Ctrl they are a pinch."""
    if event.modifiers() & Qt.KeyboardModifier.ControlModifier or event.pixelDelta().isNull():
        return False
    device = event.device()
    touchpad = device is not None and device.type() == QInputDevice.DeviceType.TouchPad
    return touchpad or event.phase() != Qt.ScrollPhase.NoScrollPhase


def wheel_factor(event: QWheelEvent) -> float:
    """The zoom factor: three notches double the zoom; on touchpads that report only pixels, 240 pixels do."""
    angle, pixels = event.angleDelta(), event.pixelDelta()
    # With Alt held, some platforms report horizontal instead of vertical scrolling.
    turned = angle.y() or angle.x()
    doublings = turned / _NOTCH / _NOTCHES_A_DOUBLING if turned else (pixels.y() or pixels.x()) / _PIXELS_A_DOUBLING
    return min(max(2.0**doublings, 1 / _LARGEST_STEP), _LARGEST_STEP)


def dropped_paths(data: QMimeData) -> list[Path]:
    """The files and folders of a drag, in their order."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()] if data.hasUrls() else []

"""The panel of the tool in use, the hint in the status bar, and the column of tools, in the real window."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QScrollArea, QToolButton, QWidget

from segstudio.app.editing.tools import options
from segstudio.app.editing.tools.base import Tool
from segstudio.app.editing.tools.table import TOOLS
from segstudio.app.preferences import Preferences, load_preferences
from segstudio.app.session import Session
from segstudio.ui.panels.controls import PixelSpin
from segstudio.ui.window import bars
from segstudio.ui.window.actions import ACTIONS
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk

OPTIONS = (
    options.Number("tolerance", "Tolerance", "How far values may be", 5.0, 0.0, 100.0, 0.5, 1, " %"),
    options.Choice("looks", "Looks at", "What is compared", "image", (("image", "Image"), ("labels", "Labels"))),
    options.Flag("everywhere", "Everywhere", "Also what is not connected", False),
)
PROBE = replace(TOOLS["lasso"], name="probe", title="Probe", keys=(), options=OPTIONS, hint="")


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Tool:
    """A tool with an option of every kind."""
    monkeypatch.setitem(TOOLS._own, "probe", PROBE)
    monkeypatch.setattr(TOOLS, "_all", None)
    return PROBE


@pytest.fixture
def options_back(desk: Desk) -> Iterator[None]:
    """The next test finds the options as they were."""
    yield
    desk.session.tools._options.clear()


def panel(window: MainWindow) -> QWidget:
    return window.arrangement.panels["brush"]


def seen(window: MainWindow, name: str) -> bool:
    """Whether the panel shows a widget of this name."""
    found = panel(window).findChild(QWidget, name)
    return found is not None and found.isVisible()


def title(window: MainWindow) -> str:
    found = panel(window).findChild(QLabel, "toolTitle")
    assert found is not None
    return found.text()


def hint(window: MainWindow) -> str:
    return window.status_bar.said_label.text()


@pytest.mark.parametrize(
    ("tool", "shown"),
    [
        ("pan", set()),
        ("brush", {"brushSize", "brushSizeSlider", "mayTouch"}),
        ("eraser", {"brushSize", "brushSizeSlider", "mayTouch"}),
        ("polygon", {"mayTouch", "option-shape_paints"}),
        ("ellipse", {"mayTouch", "option-shape_paints"}),
    ],
)
def test_the_panel_shows_what_can_be_set_about_the_tool(
    window: MainWindow, desk: Desk, tool: str, shown: set[str]
) -> None:
    desk.session.set_tool(tool)
    names = ("brushSize", "brushSizeSlider", "mayTouch", "option-shape_paints")
    assert {name for name in names if seen(window, name)} == shown
    assert title(window) == TOOLS[tool].title


def test_the_panel_is_as_high_and_as_wide_with_every_tool(window: MainWindow, desk: Desk) -> None:
    places = set()
    for tool in TOOLS.own:
        desk.session.set_tool(tool.name)
        QTest.qWait(5)
        places.add(panel(window).geometry().getRect())
    assert len(places) == 1


def test_the_scroll_bar_of_a_low_panel_covers_no_field(window: MainWindow, desk: Desk) -> None:
    desk.session.set_tool("brush")
    fields = window.findChild(QScrollArea, "toolFields")
    spin = window.arrangement.tool.size_spin
    least = window.arrangement.tool.minimumHeight()
    assert fields is not None
    widths = []
    for low in (False, True):
        window.arrangement.tool.setFixedHeight(110 if low else 320)
        QTest.qWait(20)
        assert fields.verticalScrollBar().isVisible() is low
        right = spin.mapTo(fields.viewport(), QPoint(spin.width(), 0)).x()
        assert right <= fields.viewport().width()
        widths.append(spin.mapTo(window, QPoint(0, 0)).x())
    window.arrangement.tool.setMinimumHeight(least)
    window.arrangement.tool.setMaximumHeight(16777215)
    assert abs(widths[0] - widths[1]) <= 4, "nothing moves to speak of"


@pytest.mark.usefixtures("options_back")
def test_every_kind_of_option_has_a_field_that_sets_it_and_follows_it(
    window: MainWindow, desk: Desk, probe: Tool
) -> None:
    tools = desk.session.tools
    desk.session.set_tool("probe")
    spin = panel(window).findChild(PixelSpin, "option-tolerance")
    box = panel(window).findChild(QComboBox, "option-looks")
    tick = panel(window).findChild(QCheckBox, "option-everywhere")
    assert spin is not None
    assert box is not None
    assert tick is not None
    assert (spin.text(), box.currentText(), tick.isChecked()) == ("5 %", "Image", False)
    assert (spin.minimum(), spin.maximum(), spin.singleStep()) == (0.0, 100.0, 0.5)
    for field, option in zip((spin, box, tick), OPTIONS, strict=True):
        assert (field.accessibleName(), field.toolTip()) == (option.title, option.tip)
    QTest.keyClick(spin, Qt.Key.Key_Up)
    QTest.keyClick(box, Qt.Key.Key_Down)
    QTest.mouseClick(tick, Qt.MouseButton.LeftButton, pos=QPoint(8, tick.height() // 2))
    assert dict(tools.values()) == {"tolerance": 5.5, "looks": "labels", "everywhere": True}
    tools.set_option("tolerance", 40)
    tools.set_option("looks", "image")
    tools.set_option("everywhere", False)
    assert (spin.value(), box.currentText(), tick.isChecked()) == (40, "Image", False)
    desk.session.set_tool("brush")
    assert not seen(window, "option-tolerance")
    desk.session.set_tool("probe")
    again = panel(window).findChild(PixelSpin, "option-tolerance")
    assert again is not None
    assert again.value() == 40


@pytest.mark.parametrize("name", ["brushSize", "mayTouch", "option-shape_paints"])
def test_a_field_that_goes_gives_the_focus_to_the_canvas(window: MainWindow, desk: Desk, name: str) -> None:
    desk.session.set_tool("lasso" if name.startswith("option") else "brush")
    field = panel(window).findChild(QWidget, name)
    assert field is not None
    field.setFocus()
    assert field.hasFocus()
    desk.session.set_tool("pan")
    assert window.canvas.hasFocus()


@pytest.mark.usefixtures("options_back")
def test_an_option_is_one_for_all_tools_that_have_it(window: MainWindow, desk: Desk) -> None:
    desk.session.set_tool("polygon")
    box = panel(window).findChild(QComboBox, "option-shape_paints")
    assert box is not None
    QTest.keyClick(box, Qt.Key.Key_Down)
    desk.session.set_tool("ellipse")
    other = panel(window).findChild(QComboBox, "option-shape_paints")
    assert other is not None
    assert other.currentData() == "unknown"


def test_options_are_there_again_in_the_next_window(own_window: MainWindow, own_desk: Desk) -> None:
    own_desk.session.set_tool("lasso")
    own_desk.session.tools.set_option("shape_paints", "unknown")
    own_window.close()
    assert load_preferences().tool_options == {"shape_paints": "unknown"}
    later = Session()
    later.set_tool("lasso")
    assert later.tools.values() == {"shape_paints": "unknown"}
    later.close()


@pytest.mark.parametrize("kept", [5, "no such value", True])
def test_a_value_that_an_option_cannot_be_is_its_default(qapp: QApplication, kept: object) -> None:
    from segstudio.app.editing.tool_state import ToolState

    tools = ToolState(options={"shape_paints": kept})  # type: ignore[dict-item]
    tools.choose("lasso")
    assert tools.values() == {"shape_paints": "class"}


def test_preferences_hold_no_option_that_is_a_list() -> None:
    from segstudio.app.preferences import checked_preferences

    assert checked_preferences(Preferences(tool_options={"a": 1.5, "b": "x", "c": True})).tool_options["c"] is True
    with pytest.raises(ValueError, match="tool_options"):
        checked_preferences(Preferences(tool_options={"a": [1]}))  # type: ignore[dict-item]


def test_the_status_bar_says_how_the_tool_is_used_where_nothing_else_is_said(window: MainWindow, desk: Desk) -> None:
    desk.session.set_tool("pan")
    assert hint(window) == ""
    desk.session.set_tool("polygon")
    assert hint(window).startswith("Click corners or draw")
    desk.session.notices.say("Something happened")
    assert hint(window) == "Something happened"
    desk.session.set_tool("lasso")
    assert hint(window) == "Something happened"
    window.status_bar._timer.timeout.emit()
    assert hint(window).startswith("Drag around an area")
    window.pages.show_help("keys")
    assert hint(window) == ""
    window.close_topmost()
    assert hint(window).startswith("Drag around an area")
    assert "Drag around" in window.status_bar.currentMessage()
    desk.session.set_tool("pan")
    assert hint(window) == ""


def test_no_hint_is_cut_in_a_window_of_1280(window: MainWindow, desk: Desk) -> None:
    bar = window.status_bar
    window.resize(1280, 720)
    bar.save_label.setText("saved 23:59:59")
    bar.proposal_label.setText("proposal: first guess")
    bar.device_label.setText("CPU (16 threads)")
    for tool in TOOLS.own:
        desk.session.set_tool(tool.name)
        QTest.qWait(5)
        label = bar.said_label
        assert label.fontMetrics().horizontalAdvance(label.text()) <= label.contentsRect().width(), tool.name


def test_eighteen_tools_have_room_in_a_window_of_1280_by_720(
    own_desk: Desk, monkeypatch: pytest.MonkeyPatch, qapp: QApplication
) -> None:
    tools = [row for row in ACTIONS if row.group == "tool"]
    more = [tools[-1]._replace(name=f"more-{n}", button=f"toolMore{n}", keys=()) for n in range(18 - len(tools))]
    monkeypatch.setattr(bars, "ACTIONS", (*ACTIONS, *more))
    names = tuple(row.name for row in (*tools, *more))
    monkeypatch.setattr(bars, "_TOOL_BAR", (names, ("fit", "actual-size")))
    made = MainWindow(own_desk.session)
    made._adding.stop()
    made.resize(1280, 720)
    made.show()
    own_desk.load()
    QTest.qWait(20)
    bar = made.bars.tool_bar
    buttons = [button for button in bar.findChildren(QToolButton) if button.objectName().startswith("tool")]
    assert len(buttons) == 20
    assert all(button.isVisible() and bar.rect().contains(button.geometry()) for button in buttons)
    assert min(button.height() for button in buttons) >= 26
    made.close()
    made.deleteLater()

"""Colours people can read, icons that follow them, words and figures as they are written."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QWidget,
)
from pytestqt.qtbot import QtBot

from segstudio.text import amount, clock, count, elided
from segstudio.ui.panels.plots import LivePlot
from segstudio.ui.text import typed_path, wrapped
from segstudio.ui.theme import DARK, LIGHT, Theme, apply_theme, choose_theme, current_theme, seen_on_plot, theme_named
from segstudio.ui.window.icons import icon, icon_names, pixmap, recolour, swatch
from segstudio.ui.window.loader import ModuleLoader
from segstudio.ui.window.main_window import MainWindow


def _luminance(color: str) -> float:
    parts = [c / 255 for c in QColor(color).getRgb()[:3]]  # type: ignore[index]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """WCAG 2.1's contrast ratio, 1..21."""
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_words_stand_out_from_what_they_stand_on(theme: Theme) -> None:
    for ground in (theme.window, theme.panel, theme.control, theme.field, theme.hover, theme.accent_soft):
        assert contrast(theme.text, ground) >= 7, ground
    for ground in (theme.window, theme.panel, theme.field):
        assert contrast(theme.muted, ground) >= 4.5, ground
    assert contrast(theme.warning, theme.window) >= 4.5
    assert contrast(theme.text, theme.warning_soft) >= 7
    assert contrast(theme.on_accent, theme.accent) >= 4.5
    assert contrast(theme.accent, theme.panel) >= 4.5


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_what_is_disabled_can_still_be_made_out(theme: Theme) -> None:
    for ground in (theme.window, theme.panel, theme.control):
        assert contrast(theme.faint, ground) >= 2.5, ground
        assert contrast(theme.faint, ground) <= 0.6 * contrast(theme.text, ground), "and told from what is enabled"


def _ink(image: QImage, rect: QRect, ratio: float = 1.0) -> float:
    """The strongest contrast of a pixel of the rectangle to its ground, the pixel in the upper right corner."""
    ground = image.pixelColor(rect.right() - 2, rect.top() + 1).name()
    colors = {
        image.pixelColor(x, y).name()
        for x in range(rect.left() + 24, rect.right() - 2)
        for y in range(rect.top() + 1, rect.bottom())
    }
    return max(contrast(color, ground) for color in colors)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.qt_log_ignore("This plugin does not support")
def test_menu_entries_can_be_read_under_the_pointer_and_disabled_ones_told_from_the_others(
    qtbot: QtBot, qapp: QApplication, theme: Theme
) -> None:
    sheet = qapp.styleSheet()
    apply_theme(qapp, theme)
    menu = QMenu()
    qtbot.addWidget(menu)
    plain, under, disabled = (menu.addAction(text) for text in ("Open the image", "Save the image", "Undo the image"))
    disabled.setEnabled(False)
    menu.popup(QPoint(0, 0))
    menu.setActiveAction(under)
    image = menu.grab().toImage()
    inks = [_ink(image, menu.actionGeometry(action)) for action in (plain, under, disabled)]
    menu.close()
    assert inks[0] >= 4.5
    assert inks[1] >= 4.5
    assert 2.5 <= inks[2] <= 0.6 * inks[0]
    qapp.setStyleSheet(sheet)


def test_a_tooltip_is_broken_into_lines_also_where_a_name_has_no_space() -> None:
    assert wrapped("short") == "short"
    assert wrapped("a\nb") == "a\nb"
    lines = wrapped("x" * 300 + ".png\n640 × 480 px").splitlines()
    assert max(map(len, lines)) <= 80
    assert "".join(lines) == "x" * 300 + ".png640 × 480 px"


def test_a_typed_path_has_ones_own_home_and_stays_as_it_is_for_a_user_nobody_knows() -> None:
    assert typed_path(" ~/masks ") == Path.home() / "masks"
    assert typed_path("~nobody-of-this-name/masks") == Path("~nobody-of-this-name/masks")


def test_a_theme_is_found_by_its_name(qtbot: QtBot) -> None:
    assert theme_named("light") is LIGHT
    assert theme_named("dark") is DARK
    assert theme_named("system") in (DARK, LIGHT)


def test_every_icon_draws_something_in_the_colour_asked_for(qtbot: QtBot) -> None:
    for name in icon_names() - {"segstudio"}:
        image = pixmap(name, "#ff0000").toImage()
        strong = [
            image.pixelColor(x, y)
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alpha() > 200
        ]
        assert strong, name
        assert all(color.red() > 200 and color.green() < 40 for color in strong), name
        assert not icon(name).isNull()


@pytest.fixture
def light(qapp: QApplication) -> Iterator[None]:
    """The light theme, of which three colours are white."""
    before = current_theme()
    choose_theme(qapp, LIGHT)
    yield
    choose_theme(qapp, before)


@pytest.mark.usefixtures("light")
def test_a_class_keeps_its_colour_in_another_theme_also_where_the_theme_has_the_same(qtbot: QtBot) -> None:
    plot = LivePlot("plot", "IoU", ModuleLoader("json"))
    qtbot.addWidget(plot)
    plot.resize(400, 120)
    plot.add("chalk", LIGHT.field)
    plot.add("mean", "text")
    plot.add("on it", "on_accent")
    assert LIGHT.text in plot.legend
    plot.follow_theme(DARK)
    assert [color in plot.legend for color in (LIGHT.field, DARK.text, DARK.on_accent)] == [True] * 3
    assert [color in plot.legend for color in (LIGHT.text, DARK.field)] == [False] * 2


@pytest.mark.usefixtures("light")
def test_a_picture_follows_the_name_of_its_colour_and_one_of_a_fixed_colour_stays(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    named, fixed = QLabel(page), QLabel(page)
    named.setPixmap(pixmap("warning", "on_accent"))
    fixed.setPixmap(pixmap("warning", LIGHT.on_accent))
    recolour(page, DARK)

    def colors(label: QLabel) -> set[str]:
        image = label.pixmap().toImage()
        every = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
        return {color.name() for color in every if color.alpha() == 255}

    assert colors(named) == {DARK.on_accent.lower()}
    assert colors(fixed) == {LIGHT.on_accent.lower()}


def test_a_swatch_has_the_class_colour(qtbot: QtBot) -> None:
    assert swatch("#009e73").pixmap(12, 12).toImage().pixelColor(6, 6).name() == "#009e73"


def test_every_widget_one_can_use_has_words_for_who_cannot_see_it(window: MainWindow) -> None:
    kinds = (QAbstractButton, QAbstractItemView, QAbstractSlider, QComboBox, QLineEdit)
    silent = [
        f"{type(w).__name__} {w.objectName()}"
        for w in window.findChildren(QWidget)
        if isinstance(w, kinds) and w.objectName() and not w.objectName().startswith("qt_")
        if not (w.accessibleName() or (isinstance(w, QAbstractButton) and w.text().strip()))
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "0.123"), (4.567, "4.57"), (78.94, "78.9"), (123.4, "123"), (1834.2, "1,834")]
)
def test_figures_have_about_three_digits(value: float, text: str) -> None:
    assert amount(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1:00 min"), (185, "3:05 min"), (4800, "1:20 h")]
)
def test_spans_of_time_read_at_a_glance(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_one_is_not_many() -> None:
    assert count(1, "1 file", "{n} files") == "1 file"
    assert count(1200, "1 file", "{n} files") == "1,200 files"


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_a_class_of_the_colour_of_the_ground_is_seen_in_a_plot(theme: Theme) -> None:
    for color in ("#000000", "#FFFFFF", theme.field):
        drawn, ground = QColor(seen_on_plot(color, theme)), QColor(theme.field)
        assert abs(drawn.lightnessF() - ground.lightnessF()) > 0.25
    assert seen_on_plot("#D55E00", theme) == "#D55E00"


def test_long_words_lose_their_middle() -> None:
    assert elided("short", 10) == "short"
    assert elided("abcdefghijklmnop", 7) == "abcd…op"
    assert len(elided("x" * 100, 40)) == 40

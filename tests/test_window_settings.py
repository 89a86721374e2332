"""The page of settings in a real window: reached by key and menu, applied at once, kept at once, and left by Escape."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QDesktopServices, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QPushButton, QSlider, QWidget
from pytestqt.qtbot import QtBot

from segstudio.app.preferences import Preferences, preferences_file, save_preferences
from segstudio.app.values import Rest
from segstudio.ui.dialogs.settings_page import native_name
from segstudio.ui.theme import DARK, LIGHT, apply_theme, current_theme
from tests.window_bench import LEFT, Bench, make_project


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Iterator[Bench]:
    """A window in which nothing is proposed by itself, so that no engine starts."""
    save_preferences(Preferences(automatic_proposals=False, theme="dark"))
    made = Bench(make_project(tmp_path / "home", fields=2))
    made.wait(lambda: made.shown)
    yield made
    made.close()
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_theme(application, DARK)


@pytest.fixture
def empty(qtbot: QtBot) -> Iterator[Bench]:
    made = Bench(None)
    yield made
    made.close()


def kept() -> dict[str, object]:
    """What the file says now."""
    return json.loads(preferences_file().read_text(encoding="utf-8"))


def part(bench: Bench, name: str) -> QWidget:
    found = bench.window.findChild(QWidget, name)
    assert found is not None, name
    return found


def show_settings(bench: Bench) -> None:
    bench.window.activateWindow()
    bench.wait(bench.window.isActiveWindow)
    QTest.keyClick(bench.window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    bench.wait(lambda: part(bench, "settingsPage").isVisible())


def pick(bench: Bench, name: str, key: Qt.Key) -> None:
    """Move a choice by a key."""
    box = part(bench, name)
    box.setFocus()
    QTest.keyClick(box, key)


def tick(bench: Bench, name: str) -> None:
    """Click the box itself."""
    box = part(bench, name)
    QTest.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))


def test_the_key_opens_the_page_and_escape_leaves_it(bench: Bench) -> None:
    show_settings(bench)
    assert not bench.window.bars.action("propose").isEnabled()
    QTest.keyClick(part(bench, "settingsTheme"), Qt.Key.Key_Escape)
    assert not part(bench, "settingsPage").isVisible()
    assert bench.canvas.hasFocus()


def test_the_theme_is_applied_and_kept_at_once(bench: Bench) -> None:
    show_settings(bench)
    before = bench.window.grab().toImage()
    pick(bench, "settingsTheme", Qt.Key.Key_Up)
    assert current_theme() is LIGHT
    after = bench.window.grab().toImage()
    assert before.pixelColor(4, 4) == QColor(DARK.window)
    assert after.pixelColor(4, 4) == QColor(LIGHT.window)
    bench.wait(lambda: kept()["theme"] == "light")
    pick(bench, "settingsTheme", Qt.Key.Key_Down)
    assert current_theme() is DARK


def brightness(image: QImage) -> float:
    """Mean brightness of what is drawn in an image, 0..255; its clear pixels do not count."""
    drawn = image.convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.frombuffer(drawn.constBits(), np.uint8).reshape(drawn.height(), drawn.bytesPerLine() // 4, 4)
    return float(pixels[pixels[..., 3] > 128, :3].mean())


def test_icons_made_before_follow_the_theme(bench: Bench) -> None:
    def shown() -> tuple[float, float]:
        action = bench.window.bars.action("open").icon().pixmap(16, 16).toImage()
        button = bench.window.findChild(QPushButton, "exportBrowse")
        assert button is not None
        return brightness(action), brightness(button.icon().pixmap(16, 16).toImage())

    assert min(shown()) > 150
    bench.session.kept_preferences.prefer(theme="light")
    assert max(shown()) < 100


def test_a_window_opens_in_the_theme_that_was_kept(qtbot: QtBot) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    save_preferences(Preferences(theme="light"))
    application.setStyleSheet("")  # as at the start of the program
    made = Bench(None)
    assert current_theme() is LIGHT
    made.close()
    apply_theme(application, DARK)


def test_opacities_change_the_canvas_at_once(bench: Bench) -> None:
    bench.canvas.setFocus()
    bench.drag((40, 40), (60, 60))
    bench.settle()
    bench.canvas.zoom_to_fit()
    QTest.qWait(50)
    at = bench.at(50, 50)

    def color() -> QColor:
        QTest.qWait(30)
        return bench.canvas.grab().toImage().pixelColor(at)

    before = color()
    show_settings(bench)
    slider = part(bench, "settingsLabelOpacity")
    assert isinstance(slider, QSlider)
    slider.setFocus()
    for _press in range(4):
        QTest.keyClick(slider, Qt.Key.Key_Right)
    percent = part(bench, "settingsLabelPercent")
    assert isinstance(percent, QLabel)
    assert percent.text() == "65 %"
    QTest.keyClick(slider, Qt.Key.Key_Escape)
    after = color()
    wanted = QColor(bench.opened.documents.current_class.color)
    distance = [
        sum(abs(a - b) for a, b in zip(c.toTuple()[:3], wanted.toTuple()[:3], strict=True)) for c in (before, after)
    ]
    assert distance[1] < distance[0]
    bench.wait(lambda: kept()["overlay_opacity"] == 0.65)
    assert kept()["proposal_opacity"] == 0.45


def test_what_done_fills_is_the_projects_own(bench: Bench) -> None:
    show_settings(bench)
    pick(bench, "settingsRest", Qt.Key.Key_Down)
    assert bench.opened.finishing.rest is Rest.BACKGROUND
    assert bench.window.bars.action("rest-background").isChecked()
    bench.opened.finishing.set_rest(Rest.UNKNOWN)
    box = part(bench, "settingsRest")
    assert isinstance(box, QComboBox)
    assert box.currentText() == "Nothing (leave unknown)"
    assert "rest" not in kept()


def test_without_a_project_what_belongs_to_one_is_greyed_and_says_why(empty: Bench) -> None:
    show_settings(empty)
    assert not part(empty, "settingsRest").isEnabled()
    assert empty.labels_say("Each project has its own choice")
    assert part(empty, "settingsTheme").isEnabled()
    assert empty.window.findChild(QWidget, "settingsShowProject") is None


def test_proposals_begin_by_themselves_only_where_wanted(bench: Bench) -> None:
    bench.wait(lambda: not bench.opened.proposals.reading)
    QTest.qWait(300)
    assert not bench.opened.proposals.coming
    assert bench.opened.engine_state.kind == "off"
    show_settings(bench)
    tick(bench, "settingsAutomaticProposals")
    bench.wait(lambda: bench.opened.proposals.coming)
    bench.wait(lambda: kept()["automatic_proposals"] is True)
    box = part(bench, "settingsAutomaticProposals")
    assert isinstance(box, QCheckBox)
    assert box.isChecked()


def test_a_proposal_that_is_asked_for_comes_anyway(bench: Bench) -> None:
    bench.canvas.setFocus()
    bench.key(Qt.Key.Key_P)
    bench.wait(lambda: bench.opened.proposals.running)
    assert bench.opened.proposals.owed


def test_the_measure_of_uncertainty_is_kept_and_holds_at_once(bench: Bench) -> None:
    assert bench.opened.spots.measure == "confidence"
    show_settings(bench)
    for _ in range(3):
        pick(bench, "settingsUncertainty", Qt.Key.Key_Down)
    assert bench.opened.spots.measure == "flips"
    bench.wait(lambda: kept()["uncertainty"] == "flips")


def test_adding_new_images_is_kept(bench: Bench) -> None:
    show_settings(bench)
    tick(bench, "settingsAddNewImages")
    bench.wait(lambda: kept()["add_new_images"] is True)


def test_folders_are_shown_in_the_file_manager(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) or True)
    show_settings(bench)
    button = part(bench, "settingsShowPreferences")
    QTest.mouseClick(button, LEFT)
    QTest.mouseClick(part(bench, "settingsShowProject"), LEFT)
    assert opened == [str(preferences_file().parent), str(bench.project)]
    QTest.mouseClick(part(bench, "settingsShowWaiting"), LEFT)
    assert Path(opened[-1]).is_dir()  # nothing waits: the nearest folder that is there


def test_a_file_manager_that_does_not_open_is_said(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _url: False)
    show_settings(bench)
    QTest.mouseClick(part(bench, "settingsShowProject"), LEFT)
    assert bench.said[-1] == f"The folder could not be opened: {bench.project}"


def test_a_language_is_listed_by_the_name_it_gives_itself() -> None:
    assert [native_name(code) for code in ("en", "zh_CN", "de", "no language")] == [
        "English",
        "简体中文",
        "Deutsch",
        "no language",
    ]


def test_the_page_can_be_read_in_a_small_window(bench: Bench) -> None:
    bench.window.resize(760, 420)
    show_settings(bench)
    last = part(bench, "settingsShowPreferences")
    for _stop in range(30):
        if last.hasFocus():
            break
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert last.hasFocus()
    page = part(bench, "settingsPage")
    assert page.rect().contains(last.mapTo(page, last.rect().center()))


def test_a_disk_that_refuses_the_preferences_is_said_and_the_setting_stays(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_preferences: Preferences) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("segstudio.app.kept_preferences.save_preferences", refuses)
    show_settings(bench)
    tick(bench, "settingsAddNewImages")
    bench.wait(lambda: bench.said)
    assert bench.said[-1] == "The preferences could not be saved: No space left on device."
    assert bench.session.preferences.add_new_images


def test_every_control_has_words_for_those_who_cannot_see_it(bench: Bench) -> None:
    show_settings(bench)
    page = part(bench, "settingsPage")
    for kind in (QComboBox, QSlider, QCheckBox, QPushButton):
        for widget in page.findChildren(kind):
            assert widget.accessibleName(), widget.objectName()

"""Of what is said above the image one strip is seen at a time; the one behind comes back."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from segstudio.app.values import ImageTrouble, JobKind
from segstudio.ui.window.main_window import MainWindow
from tests.ui.fake_session import FakeSession, class_table, image_items


def _seen(window: MainWindow) -> list[str]:
    strips: list[QWidget] = [window.closing_strip, window.message_strip, window.read_only_banner, window.image_banner]
    return [strip.objectName() for strip in strips if strip.isVisible()]


def test_one_strip_is_seen_and_the_one_behind_comes_back(window: MainWindow, session: FakeSession) -> None:
    session.load(image_items(3), class_table(["cell"]))
    assert _seen(window) == []
    session.image_trouble = ImageTrouble("changed", "'a.png' holds another content.", usable=True)
    session.imageTroubleChanged.emit()
    assert _seen(window) == ["imageBanner"]
    session.notices.fail(JobKind("export"), "The disk is full.")
    assert _seen(window) == ["messageStrip"]
    window.closing_strip.show()
    assert _seen(window) == ["closingStrip"]
    window.closing_strip.stay()
    assert _seen(window) == ["messageStrip"]
    QTest.mouseClick(window.message_strip.close_button, Qt.MouseButton.LeftButton)
    assert _seen(window) == ["imageBanner"]


def test_a_long_name_of_a_job_leaves_room_for_whether_all_is_saved(window: MainWindow, session: FakeSession) -> None:
    session.load(image_items(3), class_table(["cell"]))
    window.resize(1280, 720)
    session.job("restore", True, text=f"Restoring '{'a very long name ' * 9}'", fraction=0.5)
    bar = window.status_bar
    QTest.qWait(20)
    assert bar.job_label.width() <= 320
    assert bar.save_label.width() >= bar.save_label.fontMetrics().horizontalAdvance(bar.save_label.text())


def test_without_a_project_nothing_is_said_to_be_saved(window: MainWindow, session: FakeSession) -> None:
    session.close_project()
    assert window.status_bar.save_label.text() == ""


def test_the_sentence_that_guides_a_newcomer_fits_at_1280_by_720(window: MainWindow, session: FakeSession) -> None:
    session.load(image_items(3), class_table(["cell"]))
    window.resize(1280, 720)
    QTest.qWait(20)
    label = window.arrangement.training.state
    assert label.text().startswith("Label a few images")
    assert label.toolTip() == ""


def test_nothing_of_the_image_before_stays_when_one_cannot_be_shown(window: MainWindow, session: FakeSession) -> None:
    session.load(image_items(3), class_table(["cell"]))
    window.status_bar.show_zoom(2.0)
    session.image_trouble = ImageTrouble("missing", "The file of 'a.png' is not there.")
    session.image_failed = True
    session.notices.fail(JobKind("image"), "The file of 'a.png' is not there.")
    assert window.status_bar.zoom_label.text() == ""
    assert _seen(window) == []
    session.imageTroubleChanged.emit()
    assert _seen(window) == ["imageBanner"]


def test_a_window_that_only_reads_says_so_before_it_speaks_of_the_image(
    window: MainWindow, session: FakeSession
) -> None:
    session.load(image_items(3), class_table(["cell"]), why="read-only: ada on lab-3 writes.")
    session.image_trouble = ImageTrouble("missing", "The file of 'a.png' is not there.")
    session.imageTroubleChanged.emit()
    assert _seen(window) == ["readOnlyBanner"]
    assert window.read_only_banner.text.text().startswith("Read-only: ada on lab-3 writes. You can look")

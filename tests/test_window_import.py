"""Importing in a real window over a real project: look first, choose what values mean, import, and undo."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QTreeView, QWidget
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from segstudio import faults
from segstudio.app import importing
from segstudio.app.preferences import Preferences, save_preferences
from segstudio.app.values import JobKind
from segstudio.geometry import Rect
from segstudio.ui.dialogs.import_page import ImportPage
from tests.window_bench import LEFT, Bench, make_project

NO_BUTTON, NO_KEYS = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Iterator[Bench]:
    """A window in which nothing is proposed by itself, so that no engine starts."""
    save_preferences(Preferences(automatic_proposals=False))
    made = Bench(make_project(tmp_path / "home", fields=3))
    made.wait(lambda: made.shown)
    made.window.activateWindow()
    made.wait(made.window.isActiveWindow)
    yield made
    made.close()


@pytest.fixture
def masks(bench: Bench, tmp_path: Path) -> Path:
    """Masks of the first two fields: coin (1), rim (2), the nameless 7; and one that matches no image."""
    folder = tmp_path / "masks"
    folder.mkdir()
    for row in bench.opened.navigation.rows[:2]:
        width, height = row.planes[0]
        values = np.full((height, width), 255, np.uint8)
        values[10:30, 10:60], values[40:50, 10:20], values[40:50, 30:60] = 1, 2, 7
        Image.fromarray(values).save(folder / f"{Path(row.path).stem}.png")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "of nothing.png")
    return folder


def page_of(bench: Bench) -> ImportPage:
    page = bench.window.findChild(ImportPage)
    assert page is not None
    return page


def show_import(bench: Bench, path: Path | None = None) -> ImportPage:
    """Open the page by its key and type the path."""
    bench.canvas.setFocus()
    bench.key(Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    page = page_of(bench)
    assert page.isVisible()
    if path is not None:
        field = page.path
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, str(path))
    return page


def choose(page: ImportPage, words: str, class_name: str) -> None:
    """Type the class of a value."""
    place = [meaning.words for meaning in page.meanings.meanings].index(words) + 1
    box = page.findChild(QComboBox, f"importMeaning{place}")
    assert box is not None
    edit = box.lineEdit()
    assert edit is not None
    edit.setFocus()
    edit.selectAll()
    QTest.keyClicks(edit, class_name)


def cells(page: ImportPage) -> list[list[str]]:
    """The texts of the dry run."""
    model = page.findChild(QTreeView, "importTable").model()
    return [
        [str(model.index(row, column).data() or "") for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def press(page: ImportPage) -> None:
    QTest.mouseClick(page.findChild(QPushButton, "importStart"), LEFT)


def labels_of(bench: Bench, place: int) -> NDArray[np.str_]:
    """Class names of an image as stored; '' = unknown."""
    store = bench.opened.store
    row = store.images()[place]
    names = {int(c.id): c.name for c in store.classes()} | {0: ""}
    return np.vectorize(names.__getitem__)(store.document(row.id).class_ids(0, Rect(0, 0, *row.planes[0])))


def pixels(bench: Bench) -> list[int]:
    return [item.labelled_pixels for item in bench.opened.navigation.items]


def drop(bench: Bench, path: Path) -> None:
    """Drop a path on the canvas with the events of a real drag."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    actions = Qt.DropAction.CopyAction
    QApplication.sendEvent(bench.window, QDragEnterEvent(QPoint(60, 90), actions, data, LEFT, NO_KEYS))
    QApplication.sendEvent(bench.window, QDropEvent(QPointF(60, 90), actions, data, LEFT, NO_KEYS))


def test_masks_are_looked_at_chosen_imported_and_undone(bench: Bench, masks: Path) -> None:
    page = show_import(bench, masks)
    bench.wait(lambda: page.problem.text())
    assert page.problem.text() == "Choose what 7 means: a class, a new one, or leave it unknown."
    assert not page.start.isEnabled()
    first, second = (row.path for row in bench.opened.navigation.rows[:2])
    fits = [[f"{Path(path).stem}.png", path, "2", "1,100", ""] for path in (first, second)]
    assert cells(page) == [["of nothing.png", "no matching image", "", "", ""], *fits]
    choose(page, "7", "scratch")
    bench.wait(page.start.isEnabled)
    assert page.notes.text() == "1 new class will be created: scratch."
    assert [row[2:4] for row in cells(page)[1:]] == [["3", "1,400"]] * 2
    press(page)
    bench.wait(lambda: page.state.text() == "2 masks of 2 images imported as labels: 2,800 known pixels.")
    assert "2 masks of 2 images imported as labels: 2,800 known pixels." in bench.said
    bench.wait(lambda: pixels(bench)[:2] == [1400, 1400])
    names = labels_of(bench, 1)
    assert (names[10:30, 10:60] == "coin").all()
    assert (names[40:50, 30:60] == "scratch").all()
    assert np.count_nonzero(names != "") == 1400
    QTest.keyClick(page.back, Qt.Key.Key_Escape)
    assert bench.canvas.isVisible()
    bench.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    bench.wait(lambda: pixels(bench)[:2] == [0, 0])
    assert bench.opened.documents.classes.named("scratch") is None


def test_what_would_be_overwritten_is_shown_first(bench: Bench, masks: Path) -> None:
    bench.drag((15, 15), (50, 15))
    bench.settle()
    page = show_import(bench, masks)
    bench.wait(lambda: page.problem.text())
    over = int(cells(page)[0][4].replace(",", ""))
    painted = labels_of(bench, 0) != ""
    mask = np.asarray(Image.open(masks / f"{Path(bench.opened.navigation.rows[0].path).stem}.png"))
    assert over == np.count_nonzero(painted & (mask != 255) & (mask != 7)) > 0
    assert f"{over:,} labelled pixels of 1 image would be overwritten." in page.notes.text()


def test_an_export_comes_back_pixel_for_pixel(bench: Bench, tmp_path: Path) -> None:
    for place in (0, 1):
        bench.shows(place)
        bench.canvas.setFocus()
        bench.session.set_class("coin")
        bench.drag((20, 20), (50, 40))
        bench.session.set_class("rim")
        bench.drag((60, 20), (70, 60))
        bench.drag((20, 70), (30, 80))
    bench.settle()
    before = [labels_of(bench, place) for place in (0, 1)]
    for format_ in ("png", "coco"):
        done: list[object] = []
        bench.session.exportFinished.connect(done.append)
        bench.session.export(format_, tmp_path / format_)
        bench.wait(lambda done=done: done)
    for format_ in ("png", "coco"):
        for place in (0, 1):
            bench.shows(place)
            while bench.opened.documents.can_undo:
                bench.session.undo()
            bench.settle()
        assert not any((labels_of(bench, place) != "").any() for place in (0, 1))
        page = show_import(bench, tmp_path / format_)
        bench.wait(page.start.isEnabled)
        press(page)
        bench.wait(lambda page=page: "imported as labels" in page.state.text())
        for place in (0, 1):
            assert np.array_equal(labels_of(bench, place), before[place]), format_
        QTest.keyClick(page.back, Qt.Key.Key_Escape)


def test_masks_come_in_as_proposals(bench: Bench, masks: Path) -> None:
    page = show_import(bench, masks)
    bench.wait(lambda: page.problem.text())
    choose(page, "7", "leave unknown")
    page.target.setFocus()
    QTest.keyClick(page.target, Qt.Key.Key_Down)
    bench.wait(page.start.isEnabled)
    assert page.table.isColumnHidden(4)
    press(page)
    bench.wait(lambda: "imported as proposals" in page.state.text())
    bench.wait(lambda: bench.opened.proposals.on_screen is not None)
    assert pixels(bench)[:2] == [0, 0]
    QTest.keyClick(page.back, Qt.Key.Key_Escape)
    bench.key(Qt.Key.Key_A)
    bench.wait(lambda: pixels(bench)[0] == 1100)


def test_masks_of_zero_and_255_warn_and_255_can_be_a_class(bench: Bench, tmp_path: Path) -> None:
    row = bench.opened.navigation.rows[0]
    values = np.zeros((row.planes[0][1], row.planes[0][0]), np.uint8)
    values[10:20, 10:20] = 255
    file = tmp_path / f"{Path(row.path).stem}.png"
    Image.fromarray(values).save(file)
    page = show_import(bench, file)
    bench.wait(page.start.isEnabled)
    assert "The masks hold only 0 and 255" in page.notes.text()
    choose(page, "255", "coin")
    bench.wait(page.start.isEnabled)
    assert "only 0 and 255" not in page.notes.text()
    press(page)
    bench.wait(lambda: "imported as labels" in page.state.text())
    names = labels_of(bench, 0)
    assert (names[10:20, 10:20] == "coin").all()
    assert np.count_nonzero(names == "background") == values.size - 100


def test_names_of_a_pattern_are_found(bench: Bench, masks: Path) -> None:
    for file in list(masks.iterdir()):
        file.rename(file.with_name(f"{file.stem}_gt.png"))
    page = show_import(bench, masks)
    bench.wait(lambda: "belongs to an image" in page.problem.text())
    assert not page.start.isEnabled()
    page.pattern.setFocus()
    QTest.keyClicks(page.pattern, "{stem}_gt")
    bench.wait(lambda: len(cells(page)) == 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON, or is cut short"),
        ('{"images": [], "annot', "is not JSON, or is cut short"),
        ("[]", "is not a COCO file of instances"),
        ('{"images": [], "annotations": [], "categories": []}', "has no image"),
        ('{"images": [{"id": 1, "file_name": "z.png"}], "annotations": [], "categories": []}', "None of the 1 images"),
    ],
)
def test_bad_annotations_are_one_sentence_and_nothing_is_written(
    bench: Bench, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "them.json"
    file.write_text(text, encoding="utf-8")
    before = bench.opened.store.last_seq()
    page = show_import(bench, file)
    bench.wait(lambda: page.problem.text())
    assert said in page.problem.text()
    assert "\n" not in page.problem.text()
    assert not page.start.isEnabled()
    assert cells(page) == []
    assert not page.pattern.isVisible()
    assert bench.opened.store.last_seq() == before
    assert not bench.window.message_strip.isVisible()


def test_an_annotation_beyond_its_image_is_said(bench: Bench, tmp_path: Path) -> None:
    row = bench.opened.navigation.rows[0]
    far = [9000.0, 9000.0, 9010.0, 9000.0, 9010.0, 9010.0]
    content = {
        "images": [{"id": 1, "file_name": row.path}],
        "annotations": [{"id": 5, "image_id": 1, "category_id": 1, "segmentation": [far], "iscrowd": 0}],
        "categories": [{"id": 1, "name": "coin"}],
    }
    file = tmp_path / "them.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    page = show_import(bench, file)
    bench.wait(lambda: "is outside its image" in page.problem.text())
    assert not page.start.isEnabled()


def test_what_fails_only_while_importing_is_said_on_the_page(bench: Bench, masks: Path) -> None:
    page = show_import(bench, masks)
    bench.wait(lambda: page.problem.text())
    choose(page, "7", "rim")
    bench.wait(page.start.isEnabled)
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(masks / f"{Path(bench.opened.navigation.rows[1].path).stem}.png")
    press(page)
    bench.wait(lambda: "has 3 x 3 pixels" in page.problem.text())
    assert not bench.window.message_strip.isVisible()
    assert pixels(bench)[:2] == [0, 0]
    assert page.start.isEnabled()  # to try again once the file is right


class Held:
    """A task of the owner of imports that stops after its first step until `go_on` is set, and may then raise."""

    def __init__(self, patch: pytest.MonkeyPatch, name: str, error: Exception | None = None) -> None:
        self.at_work, self.go_on = threading.Event(), threading.Event()
        self.real, self.error = getattr(importing, name), error
        patch.setattr(importing, name, self)

    def __call__(self, *args: Any, **options: Any) -> Iterator[Any]:
        steps = self.real(*args, **options)
        yield next(steps)
        self.at_work.set()
        self.go_on.wait(20)
        if self.error is not None:
            raise self.error
        return (yield from steps)


def ready(bench: Bench, masks: Path) -> ImportPage:
    """The page with everything chosen, so that Import can be pressed."""
    page = show_import(bench, masks)
    bench.wait(lambda: page.problem.text())
    choose(page, "7", "rim")
    bench.wait(page.start.isEnabled)
    return page


@pytest.mark.parametrize("button", ["importCancel", "jobCancel"])
def test_a_long_import_can_be_cancelled_on_the_page_and_in_the_status_bar(
    bench: Bench, masks: Path, monkeypatch: pytest.MonkeyPatch, button: str
) -> None:
    page, held = ready(bench, masks), Held(monkeypatch, "check_import")
    press(page)
    bench.wait(page.cancel.isVisible)
    assert not page.start.isEnabled()
    bench.wait(lambda: page.state.text().startswith("Importing: "))
    bench.click(button)
    held.go_on.set()
    bench.wait(lambda: page.state.text() == "Cancelled.")
    assert not bench.session.jobs.of(JobKind.IMPORT)
    assert pixels(bench)[:2] == [0, 0]
    assert page.start.isEnabled()


@pytest.mark.parametrize("button", ["importCancel", "jobCancel"])
@pytest.mark.parametrize("look", ["survey_import", "preview_import"])
def test_a_look_that_was_cancelled_says_so_and_is_taken_up_by_the_key(
    bench: Bench, masks: Path, monkeypatch: pytest.MonkeyPatch, look: str, button: str
) -> None:
    held = Held(monkeypatch, look)
    page = show_import(bench, masks)
    bench.wait(held.at_work.is_set)
    assert page.cancel.isVisible()
    assert page.state.text() == "Looking at the files …"
    bench.click(button)
    held.go_on.set()
    bench.wait(lambda: page.state.text() == "Cancelled.")
    assert not page.start.isEnabled()
    QTest.keyClick(page.back, Qt.Key.Key_Escape)
    show_import(bench)
    bench.wait(lambda: len(cells(page)) == 3)


@pytest.mark.parametrize("task", ["survey_import", "check_import"])
def test_after_a_bug_the_page_waits_for_nothing(
    bench: Bench, masks: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    page = ready(bench, masks) if task == "check_import" else None
    Held(monkeypatch, task, ZeroDivisionError("a bug")).go_on.set()
    with capture_exceptions() as met:
        faults.watch()  # pytest's hook stands in front of ours
        page = show_import(bench, masks) if page is None else page
        if task == "check_import":
            press(page)
        bench.wait(lambda: page.state.text() == "Stopped by an error in SegStudio.")
        bench.wait(lambda: met)
    assert page.start.isEnabled() is (task == "check_import")  # to try again
    assert not page.cancel.isVisible()


def test_cancelling_proposals_says_how_many_came_in(bench: Bench, masks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segstudio.tasks.labels.import_masks import CheckedImport

    go_on, real = threading.Event(), CheckedImport.add_proposals

    def held(found: CheckedImport) -> Iterator[Any]:
        steps = real(found)
        yield next(steps)
        first = next(steps)
        yield first
        go_on.wait(20)
        yield first  # here a cancel is seen
        yield from steps

    monkeypatch.setattr(CheckedImport, "add_proposals", held)
    page = ready(bench, masks)
    assert page.start.toolTip() == "Import what the table shows; undo takes it back"
    page.target.setFocus()
    QTest.keyClick(page.target, Qt.Key.Key_Down)
    bench.wait(page.start.isEnabled)
    assert page.start.toolTip() == "Import what the table shows"
    press(page)
    bench.wait(lambda: "reading" in page.state.text() or bench.labels_say("Importing proposals"))
    assert page.cancel.toolTip() == "Stop; the proposals imported so far stay"
    bench.click("importCancel")
    go_on.set()
    bench.wait(lambda: page.state.text() == "Cancelled: 1 of 2 masks are imported as proposals.")


def test_a_users_home_that_is_not_there_is_a_path_that_does_not_exist(bench: Bench) -> None:
    page = show_import(bench, Path("~nobody-of-this-name"))
    bench.wait(lambda: "does not exist" in page.problem.text())
    assert not bench.window.message_strip.isVisible()


def test_masks_dropped_on_the_window_are_shown_on_the_page(bench: Bench, masks: Path) -> None:
    drop(bench, masks)
    bench.wait(lambda: bench.window.findChild(ImportPage) is not None and page_of(bench).isVisible())
    page = page_of(bench)
    assert page.path.text() == str(masks)
    bench.wait(lambda: len(cells(page)) == 3)


def test_annotations_dropped_on_the_window_are_shown_on_the_page(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "them.json"
    file.write_text("{}", encoding="utf-8")
    drop(bench, file)
    bench.wait(lambda: bench.window.findChild(ImportPage) is not None and page_of(bench).isVisible())
    bench.wait(lambda: page_of(bench).problem.text())


def test_a_format_that_came_with_a_drop_is_not_kept_for_other_files(bench: Bench, masks: Path, tmp_path: Path) -> None:
    file = tmp_path / "them.json"
    file.write_text("{}", encoding="utf-8")
    drop(bench, file)
    bench.wait(lambda: bench.window.findChild(ImportPage) is not None and page_of(bench).isVisible())
    page = page_of(bench)
    bench.wait(lambda: page.problem.text())
    page.back.click()
    show_import(bench, masks)
    bench.wait(lambda: len(cells(page)) == 3)
    assert page.format.currentData() == ""


def test_the_page_looks_again_when_it_is_opened_after_an_import(bench: Bench, masks: Path) -> None:
    page = ready(bench, masks)
    assert [row[-1] for row in cells(page)[:2]] == ["", ""]
    press(page)
    bench.wait(lambda: "imported as labels" in page.state.text())
    page.back.click()
    show_import(bench)
    bench.wait(page.start.isEnabled)
    assert all(int(row[-1].replace(",", "")) > 0 for row in cells(page)[:2]), "they would be overwritten now"


def test_without_a_project_there_is_nothing_to_import_into(qtbot: QtBot) -> None:
    empty = Bench(None)
    button = empty.window.findChild(QWidget, "importButton")
    assert button is not None
    assert not button.isEnabled()
    empty.close()


def test_another_project_starts_with_an_empty_page(bench: Bench, masks: Path, tmp_path: Path) -> None:
    page = show_import(bench, masks)
    bench.wait(lambda: len(cells(page)) == 3)
    other = make_project(tmp_path / "other", fields=1)
    bench.session.projects.open(other)
    bench.session.projects.wait()
    assert cells(page) == []
    assert page.findChild(QLabel, "importProblem").text() == ""
    assert page.findChild(QLineEdit, "importPath").text() == ""

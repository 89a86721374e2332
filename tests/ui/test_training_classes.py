"""The page of classes in the training panel: the table that can be sorted, and the confusion matrix."""

from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTreeWidget

from segstudio.runs import Confusion, Figures, ObjectFigures
from segstudio.ui.panels.training_classes import TrainingClasses
from segstudio.ui.window.main_window import MainWindow
from tests.ui.desk import Desk
from tests.ui.test_training_panel import started, trained

LEFT = Qt.MouseButton.LeftButton
CONFUSION = Confusion(("background", "nucleus", "debris"), ((90, 10, 0, 0), (20, 60, 0, 0), (0, 0, 0, 0)))


def judged(confusion: Confusion | None) -> dict[str, Figures | None]:
    """Figures of a parent, and of a child with counts."""
    figures = Figures(0.4, 0.7, {"background": 0.75, "nucleus": 0.65}, confusion=confusion)
    return {"parent": msgspec.structs.replace(figures, mean_iou=0.6, confusion=None), "child": figures}


def turn(window: MainWindow, name: str) -> Any:
    """Click a tab of the panel by its words; the page."""
    tabs = window.arrangement.training.pages.tabs
    place = next(n for n in range(tabs.count()) if tabs.tabText(n) == name)
    QTest.mouseClick(tabs, LEFT, pos=tabs.tabRect(place).center())
    return window.arrangement.training.pages.stack.currentWidget()


def cells(table: QTreeWidget) -> list[list[str]]:
    """The words of a table."""
    items: list[Any] = [table.topLevelItem(n) for n in range(table.topLevelItemCount())]
    return [[item.text(column) for column in range(table.columnCount())] for item in items]


def ended(window: MainWindow, desk: Desk, confusion: Confusion | None = CONFUSION) -> TrainingClasses:
    """A run has ended, and its page of classes is open."""
    window.resize(1600, 900)
    desk.trains()
    desk.tells(started())
    desk.ends(trained(True, figures=judged(confusion)))
    return turn(window, "Classes")


def test_the_table_has_the_figures_of_each_class_that_occurs(window: MainWindow, desk: Desk) -> None:
    page = ended(window, desk)
    assert cells(page.table) == [
        ["background", "0.750", "0.857", "0.818", "0.900", "100"],
        ["nucleus", "0.667", "0.800", "0.857", "0.750", "80"],
    ]


def test_a_click_on_a_title_sorts_by_its_figures(window: MainWindow, desk: Desk) -> None:
    names = ("a", "b", "c")
    page = ended(window, desk, Confusion(names, ((9, 1, 0, 0), (0, 100, 0, 0), (900, 0, 100, 0))))
    header = page.table.header()
    for _ in range(2):
        QTest.mouseClick(
            header.viewport(), LEFT, pos=QPoint(header.sectionViewportPosition(5) + 20, header.height() // 2)
        )
    pixels = [row[5] for row in cells(page.table)]
    assert pixels in (["1,000", "100", "10"], ["10", "100", "1,000"])
    QTest.mouseClick(header.viewport(), LEFT, pos=QPoint(header.sectionViewportPosition(5) + 20, header.height() // 2))
    assert [row[5] for row in cells(page.table)] == pixels[::-1]


def test_the_matrix_says_its_cells_in_words(window: MainWindow, desk: Desk) -> None:
    matrix = ended(window, desk).matrix
    assert matrix.shares is not None
    assert matrix.words_at(matrix.cell(1, 0).center()) == "25.0 % of 'nucleus' was predicted as 'background': 20 pixels"
    assert matrix.words_at(QPoint(2, matrix.cell(1, 0).center().y())) == "nucleus"
    assert matrix.words_at(matrix.cell(-1, 0).center()) == "background"
    assert matrix.words_at(QPoint(matrix.width() + 50, 5)) == ""


def test_the_larger_a_share_the_stronger_its_cell(window: MainWindow, desk: Desk) -> None:
    matrix = ended(window, desk).matrix
    picture = matrix.grab().toImage()
    ratio = picture.devicePixelRatio()

    def blue(row: int, column: int) -> int:
        place = matrix.cell(row, column).topLeft() * ratio
        return picture.pixelColor(place + QPoint(2, 2)).blue()

    assert blue(0, 0) > blue(1, 1) > blue(1, 0) > blue(0, 1)


def test_thirty_classes_with_very_long_names_can_be_scrolled(window: MainWindow, desk: Desk) -> None:
    names = tuple(f"class {n:02d} " + "long" * 40 for n in range(40))
    rows = tuple(tuple(50 if n == m and n < 30 else 0 for m in range(41)) for n in range(40))
    page = ended(window, desk, Confusion(names, rows))
    assert page.table.topLevelItemCount() == 30
    assert page.matrix.shares is not None
    assert len(page.matrix.shares.columns) == 30
    assert page.matrix.cell(0, 0).width() >= 18
    assert page.matrix.width() > page.scroller.viewport().width()
    assert page.scroller.horizontalScrollBar().maximum() > 0
    assert window.width() == 1600


def test_without_figures_the_page_says_why(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.tells(started())
    page = turn(window, "Classes")
    assert page.none.isVisible()
    assert page.none.text() == "Figures by class appear after the first run that holds something out"
    desk.ends(trained(False, figures={"parent": None, "child": None}))
    assert page.none.text() == "Nothing was held out: there are no figures to compare"
    desk.trains()
    desk.ends(trained(False, figures=judged(None)))
    assert page.none.text() == "Figures by class appear after the next run"
    desk.trains()
    desk.ends(trained(True, figures=judged(CONFUSION)))
    assert page.table.isVisible()


def test_another_project_has_no_figures(window: MainWindow, desk: Desk) -> None:
    page = ended(window, desk)
    desk.load()
    assert page.rows == ()
    assert page.matrix.shares is None


def test_a_tab_leaves_the_versions(window: MainWindow, desk: Desk) -> None:
    ended(window, desk)
    QTest.mouseClick(window.arrangement.training.head.versions, LEFT)
    assert window.arrangement.training.pages.shows_versions
    assert turn(window, "Classes") is window.arrangement.training.pages.classes
    assert not window.bars.action("versions").isChecked()
    assert not window.arrangement.training.head.versions.isChecked()
    turn(window, "Curves")
    assert window.arrangement.training.curves.isVisible()
    assert window.arrangement.training.curves.controls.isVisible()


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        (
            ObjectFigures(24, 0.812, 0.74, tuned=True),
            "24 held-out objects: F1 0.740 → 0.812, separation tuned",
        ),
        (ObjectFigures(24, 0.74, 0.74, tuned=True), "24 held-out objects: F1 0.740"),
        (
            ObjectFigures(4, 0.5, 0.5, tuned=False),
            "4 held-out objects: F1 0.500; with fewer than 10, separation is not tuned",
        ),
    ],
)
def test_the_line_above_the_table_says_how_well_held_out_objects_match(
    window: MainWindow, desk: Desk, objects: ObjectFigures, words: str
) -> None:
    figures = judged(CONFUSION)
    assert figures["child"] is not None
    figures["child"] = msgspec.structs.replace(figures["child"], objects=objects)
    window.resize(1600, 900)
    desk.trains()
    desk.tells(started())
    desk.ends(trained(True, figures=figures))
    page = turn(window, "Classes")
    assert page.objects.isVisible()
    assert page.objects.text() == words


def test_without_an_instance_class_nothing_is_said_of_objects(window: MainWindow, desk: Desk) -> None:
    assert not ended(window, desk).objects.isVisible()

"""Every sentence in the window comes through the catalogue: in the made-up language, each comes in double brackets."""

import re
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QGroupBox,
    QLabel,
    QLineEdit,
    QMenu,
    QSpinBox,
    QTabWidget,
    QTextBrowser,
    QTextEdit,
    QTreeView,
    QWidget,
)

from segstudio.app.values import JobKind
from segstudio.geometry import Rect
from segstudio.store.learning import add_trained
from segstudio.text import PSEUDO, set_language
from segstudio.ui.panels.class_list import Spot, spot_words
from segstudio.ui.window.actions import ACTIONS
from segstudio.ui.window.main_window import MainWindow
from tests.failing_disk import Disk
from tests.ui.desk import Desk
from tests.ui.test_training_panel import evaluated, started, stepped, trained
from tests.ui.test_versions import version

CLASSES = ("background", "nucleus", "membrane")
DATA = (
    *CLASSES,
    *(f"plate_{n:04d}" for n in range(6)),
    "plates",
    "cpu",
    "SegStudio",
    "segstudio",
    "PySide6",
    "Python",
)
"""Names of classes, images, the project, the device and programs; `PATTERNS` has paths, versions, units and figures."""

PATTERNS = (
    r"(?<!\w)/[\w./ -]*",  # a path
    r"\w+\.(?:png|tif|log|md|json|segstudio)\b",
    r"\bv\d+\b",  # a version of the model
    r"\b\d+ × \d+ px\b",
    r"#[0-9A-Fa-f]{6}\b",
    r"\d{2}:\d{2}:\d{2}",
)
"""Data by its form."""

# Said by the offscreen platform of every menu that pops up.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)


@pytest.fixture(autouse=True)
def pseudo() -> Iterator[None]:
    """The made-up language, and English again afterwards."""
    set_language(PSEUDO)
    yield
    set_language("en")


def _keys() -> list[str]:
    shown = {QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for row in ACTIONS for key in row.keys}
    return sorted(shown, key=len, reverse=True)


def bare(text: str) -> str:
    """What is left of a text without its translated sentences, data and keys; empty where no word is left."""
    if "<" in text:
        text = re.sub(r"<[^>]*>|&\w+;", " ", text)
    before = None
    while before != text:  # sentences may hold others
        before, text = text, re.sub(r"⟦[^⟦⟧]*⟧", " ", text)
    for pattern in PATTERNS:
        text = re.sub(pattern, " ", text)
    for known in (*DATA, *_keys()):
        text = text.replace(known, " ")
    return text.strip() if re.search(r"[^\W\d_]{2}", text) else ""


def of_model(model: QAbstractItemModel) -> Iterator[str]:
    """Texts, tooltips, spoken words and headers of a flat model."""
    for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())):
        yield str(model.headerData(column, Qt.Orientation.Horizontal) or "")
        for row in range(model.rowCount(QModelIndex())):
            for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
                yield str(model.index(row, column).data(role) or "")


def of_widget(widget: QWidget) -> Iterator[str]:
    """Everything a person reads on a widget, or a screen reader says of it."""
    yield from (widget.toolTip(), widget.statusTip(), widget.whatsThis(), widget.windowTitle())
    yield from (widget.accessibleName(), widget.accessibleDescription())
    if isinstance(widget, QLabel | QAbstractButton):
        yield widget.text()
    if isinstance(widget, QGroupBox | QMenu):
        yield widget.title()
    if isinstance(widget, QLineEdit):
        yield widget.placeholderText()
    if isinstance(widget, QSpinBox):
        yield from (widget.prefix(), widget.suffix())
    if isinstance(widget, QTextBrowser):
        yield widget.toPlainText()
    elif isinstance(widget, QTextEdit):
        yield widget.placeholderText()
    if isinstance(widget, QTabWidget):
        yield from (widget.tabText(n) for n in range(widget.count()))
    if isinstance(widget, QComboBox):
        yield from (widget.itemText(n) for n in range(widget.count()))
        yield from (str(widget.itemData(n, Qt.ItemDataRole.ToolTipRole) or "") for n in range(widget.count()))
    elif isinstance(widget, QAbstractItemView) and widget.model() is not None:
        yield from of_model(widget.model())
    if isinstance(widget, QTreeView):
        yield from of_model(widget.model())


def of_action(action: QAction) -> Iterator[str]:
    """Everything a person reads of an action."""
    yield from (action.text(), action.iconText(), action.toolTip(), action.statusTip())


def _qts_own(part: QObject) -> bool:
    """Whether a part belongs to a dialog of Qt's, which has translations of its own, or to a plot."""
    found: QObject | None = part
    while found is not None:
        if isinstance(found, QFileDialog) or found.objectName() in ("lossPlotView", "iouPlotView"):
            return True
        if found.objectName().startswith("qt_"):
            return True
        found = found.parent()
    return False


def untranslated(window: QWidget) -> list[str]:
    """The texts of a window with a word outside the catalogue, each with where it stands."""
    found: list[str] = []
    for part in (window, *window.findChildren(QWidget), *window.findChildren(QAction)):
        if _qts_own(part):
            continue
        texts = of_action(part) if isinstance(part, QAction) else of_widget(part)
        where = part.objectName() or type(part).__name__
        found += [f"{where}: {text!r}" for text in texts if bare(text)]
    return sorted(set(found))


@pytest.fixture
def desk(own_desk: Desk) -> Desk:
    """A session of the test's own: its window is made in the made-up language."""
    return own_desk


@pytest.fixture
def empty(own_empty_window: MainWindow) -> MainWindow:
    """The window without a project."""
    own_empty_window.resize(1280, 900)
    return own_empty_window


@pytest.fixture
def window(empty: MainWindow, desk: Desk) -> MainWindow:
    """The window with images and classes."""
    desk.load(classes=CLASSES[1:])
    empty.export_panel.folder.setText("/tmp/out")  # a longer one is broken into lines, which are no paths any more
    return empty


def test_what_is_bare() -> None:
    assert bare("⟦Open⟧ (Ctrl+O)\n⟦Open ⟦a⟧ project⟧") == ""
    assert bare("nucleus, ⟦key 1⟧, 640 × 480 px") == ""
    assert bare("⟦Open⟧ a file") == "a file"


def test_an_empty_window(empty: MainWindow) -> None:
    assert len(empty.findChildren(QAction)) > 40
    assert untranslated(empty) == []


def test_a_window_with_a_project(window: MainWindow) -> None:
    assert untranslated(window) == []


@pytest.mark.parametrize(
    "show",
    [
        lambda w: w.pages.show_help("keys"),
        lambda w: w.pages.show_help("about"),
        lambda w: w.pages.show_new_project("/tmp/plates"),
        lambda w: w.export_panel.toggle(),
        lambda w: w.later.snapshots.present(),
        lambda w: w.later.snapshots.ask_name(),
        lambda w: w.bars.action("versions").trigger(),
        lambda w: w.pages.show_settings(),
        lambda w: w.bars.action("palette").trigger(),
    ],
    ids=["keys", "about", "new", "export", "snapshots", "keep", "versions", "settings", "palette"],
)
def test_pages_panels_and_dialogs(window: MainWindow, show: Callable[[MainWindow], object]) -> None:
    show(window)
    parts = untranslated(window)
    # What libraries declare as their licence, and where they lie, is data.
    assert [text for text in parts if not text.startswith("helpText") or "LICENCES" not in text] == []


def test_menus_of_a_class(window: MainWindow, desk: Desk) -> None:
    for found in desk.documents.classes:
        menu = window.arrangement.classes.menu_for(found)
        assert untranslated(menu) == []
        assert [words for spot in Spot if bare(words := spot_words(found, spot))] == []
        menu.close()


def test_strips_and_status_bar(window: MainWindow, desk: Desk, disk: Disk) -> None:
    window.message_strip.say(JobKind.EXPORT, "⟦The disk is full.⟧", "⟦details⟧")
    for strip in (window.done_strip, window.held_out_banner, window.image_banner, window.closing_strip):
        strip.show()
    disk.goes.clear()
    desk.paint(Rect(100, 100, 5, 5), 2)
    window.status_bar.reassure()
    found = untranslated(window)
    disk.mend()
    assert found == []
    desk.settle()
    window.status_bar.reassure()
    assert untranslated(window) == []
    for kind in ("starting", "dead"):
        desk.engine.says(kind, "", "⟦The engine ended.⟧")
        desk.wait(lambda kind=kind: desk.opened.engine_state.kind == kind)
        assert untranslated(window) == []
    for name in ("show-proposals", "show-labels", "rest-background", "rest-unknown", "rest-proposal"):
        window.bars.action(name).trigger()
        assert not bare(window.status_bar.currentMessage())


def test_a_run_of_training(window: MainWindow, desk: Desk) -> None:
    desk.trains()
    desk.tells(started(held_out_groups=["plate_0001.png"]))
    for event in (stepped(1), stepped(2), evaluated(2, 0.8)):
        desk.tells(event)
        assert untranslated(window) == []
    desk.tells(started(optimistic=True))
    assert untranslated(window) == []
    window.arrangement.training._show_numbers()
    assert untranslated(window) == []
    desk.ends(trained(True, reason="", advice=""))
    assert untranslated(window) == []
    for page in ("picture", "classes", "history"):
        window.arrangement.training.pages.turn_to(page)
        assert untranslated(window) == []
    desk.wait(lambda: desk.opened.runs.items)
    assert untranslated(window) == []


def test_the_versions(window: MainWindow, desk: Desk) -> None:
    for name, parent in (("v1", "embedded"), ("v2", "v1")):
        row = version(name, parent, 0.7, 0.8, "", promoted=name == "v1")
        add_trained(desk.opened.store, row, run=None, groups={}, current="v1", state="done", summary={}).result()
    desk.opened.versions.read_again()
    window.arrangement.training.head.versions.click()
    assert window.arrangement.training.versions.table is not None
    assert window.arrangement.training.versions.table.topLevelItemCount() == 3
    assert untranslated(window) == []


def test_the_first_step_and_the_canvas(window: MainWindow, desk: Desk) -> None:
    for name in CLASSES[:2]:
        desk.documents.choose_class(name)
        assert not bare(window.first_step._words(desk.opened))
    window.canvas._on_image_loading("plate_0001.png")
    window.canvas._on_image_failed("plate_0001.png", "")
    assert untranslated(window) == []

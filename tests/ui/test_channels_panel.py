"""The panel of an image of several channels, and of one with windows by name, with mouse and keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QColorDialog, QComboBox, QLabel, QLineEdit, QWidget

from segstudio.app.viewing.display import DisplayImage, load_display_image
from segstudio.geometry import Rect
from segstudio.imaging.display import BLUE, GREEN, RED
from segstudio.imaging.levels import Levels
from segstudio.imaging.metadata import Channel, Metadata
from segstudio.tasks.images.new import new_project
from tests.imaging.dicom_files import write_dicom
from tests.window_bench import Bench, without_proposals

LEFT = Qt.MouseButton.LeftButton
STAINS = Metadata(channels=(Channel("DAPI", "#0000ff"), Channel("GFP", "#00ff00"), Channel("Cy5", "#ff0000")))
BANDS = Metadata(channels=tuple(Channel(name) for name in ("Blue", "Green", "Red", "NIR")))


@pytest.fixture
def bench(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A window over a composite of three stains, four bands, a CT with a window of its own, and a dark picture."""
    import tifffile
    from PIL import Image

    without_proposals(monkeypatch)
    folder, rng = tmp_path / "images", np.random.default_rng(0)
    ramp = np.arange(-1024, 1024, dtype=np.int16).reshape(32, 64)
    write_dicom(folder / "ct.dcm", ramp, WindowCenter=40, WindowWidth=400, WindowCenterWidthExplanation="BELLY")
    lies = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [0, 1, 0, 0, 0, -1], "PixelSpacing": [1, 1]}
    write_dicom(folder / "sagittal.dcm", ramp, **lies, SeriesInstanceUID="1.2.3")
    for name, channels in (("stains", 3), ("bands", 4)):
        samples = np.stack([rng.integers(0, 1000 * (n + 1), (40, 50)) for n in range(channels)], -1)
        tifffile.imwrite(
            folder / f"{name}.tif", samples.astype(np.uint16), planarconfig="contig", photometric="minisblack"
        )
    Image.fromarray(rng.integers(0, 31, (40, 50), np.uint8)).save(folder / "dark.png")
    real = load_display_image

    def load(stored: Any, *rest: Any) -> DisplayImage:
        """What a reader of such files says of their channels."""
        found = real(stored, *rest)
        known = {"stains.tif": STAINS, "bands.tif": BANDS}.get(stored.first.name)
        if known is None:
            return found
        pixels = np.array(found.samples(0, Rect(0, 0, *found.size)))
        assert found.found_stored is not None
        return DisplayImage.of(pixels, found.found_stored, metadata=known)

    monkeypatch.setattr("segstudio.app.viewing.displaying.load_display_image", load)
    for _ in new_project(tmp_path / "p.segstudio", [str(folder)], ["cell"]):
        pass
    bench = Bench(tmp_path / "p.segstudio")
    bench.window.show()
    bench.wait(lambda: bench.shown)
    bench.session.kept_preferences.prefer(display_panel=True)
    yield bench
    bench.rest()
    bench.close()


def _shows(bench: Bench, name: str) -> None:
    if bench.session.current_image != name:
        bench.shows(name)


def _named(bench: Bench, kind: type, name: str) -> Any:
    found = bench.window.findChild(kind, name)
    assert found is not None, name
    return found


def _click(bench: Bench, name: str) -> None:
    button = _named(bench, QAbstractButton, name)
    assert button.isEnabled()
    QTest.mouseClick(button, LEFT, pos=QPoint(10, button.height() // 2))


def _choose(bench: Bench, name: str, words: str) -> None:
    """Open a choice and take the entry with these words, with the keyboard."""
    box = _named(bench, QComboBox, name)
    assert box.isVisible()
    place = box.findText(words)
    assert place >= 0, [box.itemText(i) for i in range(box.count())]
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Home)
    for _ in range(place):
        QTest.keyClick(box, Qt.Key.Key_Down)
    assert box.currentText() == words


def _view(bench: Bench) -> Any:
    display = bench.opened.navigation.display
    assert display is not None
    return display.view


def test_a_composite_is_shown_by_channel_and_each_is_turned_off_coloured_and_set_alone(bench: Bench) -> None:
    _shows(bench, "stains.tif")
    assert [c.colour for c in _view(bench).channels] == [BLUE, GREEN, RED]
    assert _view(bench).channels[2].levels.high > 2.5 * _view(bench).channels[0].levels.high
    _click(bench, "channelShown1")
    assert _view(bench).indices == (0, 2)
    _click(bench, "channelShown1")
    assert _view(bench).indices == (0, 1, 2)
    _choose(bench, "levelsOf", "Cy5")
    bench.opened.adjusting.levels(10, 20)
    assert [c.levels == Levels(10, 20) for c in _view(bench).channels] == [False, False, True]
    _click(bench, "channelColour0")
    dialog = _named(bench, QColorDialog, "channelColourDialog")
    dialog.setCurrentColor(QColor(1, 2, 3))
    dialog.accept()
    assert _view(bench).channels[0].colour == (1, 2, 3)
    _click(bench, "channelShown0")
    _click(bench, "channelShown0")
    assert _view(bench).channels[0].colour == (1, 2, 3), "a channel comes back as it was"
    assert _view(bench).channels[2].levels == Levels(10, 20)


def test_bands_are_shown_in_false_colour_and_as_an_index_in_a_colour_map(bench: Bench) -> None:
    _shows(bench, "bands.tif")
    assert _named(bench, QComboBox, "bandChoice").currentText() == "True colour"
    _choose(bench, "bandChoice", "False colour infrared")
    assert _view(bench).indices == (3, 2, 1)
    _choose(bench, "bandChoice", "NDVI")
    formula = _view(bench).formula
    assert formula is not None
    assert formula.channels == (2, 3)
    bench.wait(lambda: bench.opened.histograms.current is not None)
    assert bench.opened.histograms.current.low >= -1
    _choose(bench, "colourMap", "Viridis")
    assert _view(bench).colours_by == "viridis"
    picture = bench.window.canvas.grab().toImage()
    assert len({picture.pixelColor(x, picture.height() // 2).rgb() for x in range(0, picture.width(), 3)}) > 20
    _click(bench, "channelShown0")
    assert _view(bench).formula is None
    assert _view(bench).indices == (0,)


def test_a_formula_is_typed_and_one_that_is_not_understood_is_said_and_changes_nothing(bench: Bench) -> None:
    _shows(bench, "bands.tif")
    _choose(bench, "bandChoice", "Formula …")
    field = _named(bench, QLineEdit, "formulaField")
    assert field.isVisible()
    field.setFocus()
    field.clear()
    QTest.keyClicks(field, "nir / (c1 + 1)")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert _view(bench).formula.text == "nir / (c1 + 1)"
    field.clear()
    QTest.keyClicks(field, "nir / swir")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert _view(bench).formula.text == "nir / (c1 + 1)"
    assert "There is no channel 'swir' in this image." in bench.said[-1]
    field.clear()
    _choose(bench, "bandChoice", "Channels")
    assert _view(bench).formula is None
    assert not field.isVisible()


def test_windows_are_chosen_by_name_and_numbers_that_are_typed_are_ones_own(bench: Bench) -> None:
    _shows(bench, "ct.dcm")
    assert not _named(bench, QWidget, "channelList").isVisible()
    box = _named(bench, QComboBox, "windowChoice")
    assert box.currentText() == "From the file: BELLY"
    _choose(bench, "windowChoice", "Lung")
    assert (_view(bench).channels[0].levels) == Levels(-1350, 150)
    bench.session.set_window(100, 50)
    assert box.currentText() == "As set below"
    assert _view(bench).channels[0].levels == Levels(75, 125)
    _choose(bench, "windowChoice", "Automatic")
    assert _view(bench).channels[0].levels == bench.opened.navigation.display.found


def test_the_panel_says_that_a_dark_picture_is_not_shown_as_it_is_stored(bench: Bench) -> None:
    _shows(bench, "dark.png")
    note = _named(bench, QLabel, "displayNote")
    assert note.isVisible()
    assert note.text() == "Dark: shown between its own values"
    bench.session.set_window(127.5, 255)
    assert not note.isVisible()
    assert not _named(bench, QWidget, "windowChoice").isVisible()


def test_letters_at_the_edges_say_how_a_picture_lies_in_the_patient_where_that_is_known(bench: Bench) -> None:
    _shows(bench, "sagittal.dcm")
    labels = {place: _named(bench, QLabel, f"orientation{place}") for place in ("Left", "Top", "Right", "Bottom")}
    assert {place: label.text() for place, label in labels.items()} == {
        "Left": "A",
        "Top": "S",
        "Right": "P",
        "Bottom": "I",
    }
    assert labels["Left"].accessibleName() == "front"
    canvas = bench.canvas
    assert all(label.isVisible() for label in labels.values())
    assert labels["Right"].geometry().right() == canvas.width() - 11
    assert abs(labels["Left"].geometry().center().y() - canvas.height() // 2) <= 1
    _shows(bench, "dark.png")
    assert not any(label.isVisible() for label in labels.values())

"""A series whose slices have slopes of their own: what is shown, picked and measured are values."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segstudio.app.editing.tools.areas import levels_of, of_range, value_at
from segstudio.app.viewing.display import DisplayImage
from segstudio.app.viewing.scale_bar import Spacing
from segstudio.imaging.display import to_rgb
from segstudio.imaging.levels import Levels
from segstudio.imaging.metadata import Metadata
from segstudio.imaging.value_range import range_around
from tests.app.seeing_desk import SeeingDesk
from tests.imaging.dicom_files import write_dicom
from tests.shown_pixels import whole

VALUES = np.tile(np.arange(-320, 320, 10), (64, 1))
SLOPES = ((1.0, -1024.0), (0.5, 0.0), (-1.0, 100.0), (10.0, 0.0))


@pytest.fixture
def desk(qtbot: Any, tmp_path: Path) -> Iterator[Callable[[], SeeingDesk]]:
    for n, (slope, intercept) in enumerate(SLOPES):
        samples = ((VALUES - intercept) / slope).round().astype(np.int16)
        place = {"ImagePositionPatient": [0.0, 0.0, float(n)], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        own = {"RescaleSlope": slope, "RescaleIntercept": intercept, "PixelSpacing": [1.0, 1.0], "InstanceNumber": n}
        write_dicom(tmp_path / "scan" / f"{n}.dcm", samples, **place, **own)
    desks: list[SeeingDesk] = []

    def opened() -> SeeingDesk:
        desks.append(SeeingDesk(qtbot, tmp_path))
        return desks[-1]

    yield opened
    for each in desks:
        each.close()


def test_every_slice_has_the_same_values_and_is_shown_the_same_between_the_same_levels(
    desk: Callable[[], SeeingDesk],
) -> None:
    seen = desk()
    pictures = []
    for plane in range(len(SLOPES)):
        shown = seen.shows(0, plane)
        assert np.allclose(whole(shown)[..., 0], VALUES)
        assert (shown.found.low, shown.found.high) == pytest.approx((-320, 310))
        assert shown.value_text(32, 5) == "0 HU"
        assert shown.value_text(0, 5) == "-320 HU"
        pictures.append(to_rgb(whole(shown), shown.view.between(Levels(-160.0, 240.0))))
    for picture in pictures[1:]:
        assert np.array_equal(picture, pictures[0])


def test_the_wand_takes_what_is_near_in_values_whatever_the_slope(desk: Callable[[], SeeingDesk]) -> None:
    seen = desk()
    for plane in range(len(SLOPES)):
        image = seen.shows(0, plane)
        within = range_around(value_at(image, 32, 5), 0.05, levels_of(image))
        found = of_range(image, within)((0, 0))
        assert isinstance(found, np.ndarray)
        assert np.array_equal(found[:64, :64], np.abs(VALUES) <= 0.05 * 630)


def test_the_histogram_counts_values(desk: Callable[[], SeeingDesk]) -> None:
    seen = desk()
    for plane in (0, 2):
        seen.shows(0, plane)
        seen.histograms.wanted = True
        seen.qtbot.waitUntil(lambda: seen.histograms.current is not None)
        found = seen.histograms.current
        assert found is not None
        assert (found.low, found.high) == pytest.approx((-320, 310), abs=3)


def test_levels_that_were_found_are_found_again_as_they_were_kept(desk: Callable[[], SeeingDesk]) -> None:
    seen = desk()
    first = seen.shows(0, 2)
    again = seen.navigation.displaying._kept.get(seen.navigation.rows[0].id, 2, seen_stamp(seen))
    assert again == first.found_stored


def seen_stamp(seen: SeeingDesk) -> tuple[int, int]:
    from segstudio.store.kept_levels import stamp_of

    files = [file.stat() for file in seen.navigation.rows[0].files]
    return stamp_of([(each.st_size, each.st_mtime_ns) for each in files])


def test_a_value_of_a_ct_has_its_unit() -> None:
    pixels = np.full((4, 4, 1), 1064, np.int16)
    of = DisplayImage.of(pixels, Levels(0, 2000), metadata=Metadata(modality="CT"), rescale=(1.0, -1024.0))
    assert of.value_text(1, 1) == "40 HU"
    other = DisplayImage.of(pixels, Levels(0, 2000), metadata=Metadata(modality="MR"))
    assert other.value_text(1, 1) == "1064"


def test_a_slice_is_as_wide_as_its_file_says(desk: Callable[[], SeeingDesk]) -> None:
    shown = desk().shows(0, 0)
    x = shown.metadata.spacing[-1]
    assert shown.metadata.unit == "mm"
    assert shown.spacing == Spacing(x, "mm")
    assert DisplayImage.of(np.zeros((4, 4, 1), np.uint8), Levels(0, 255)).spacing is None

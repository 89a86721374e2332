"""Windows by name: the file's own as DICOM PS3.3 C.11.2.1 defines them, and those for CT."""

from pathlib import Path

import numpy as np
import pytest

from segstudio.imaging.display import View, automatic_view, colours
from segstudio.imaging.first_view import first_view_of
from segstudio.imaging.levels import Levels
from segstudio.imaging.metadata import Metadata, Window
from segstudio.imaging.values import rescale_of, valued
from segstudio.imaging.windows import between, offered
from tests.imaging.dicom_files import write_dicom


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.int32])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_windows_of_a_file_are_shown_as_the_standard_defines_them(
    tmp_path: Path, function: str, dtype: type
) -> None:
    from pydicom import dcmread
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    from segstudio.imaging.source import open_image

    file = tmp_path / "a.dcm"
    ramp = np.arange(-1024, 3072, 2, dtype=np.int16).reshape(32, 64)
    own = {"RescaleSlope": 1, "RescaleIntercept": -24, "WindowCenter": [60, 500], "WindowWidth": [350, 1500]}
    write_dicom(file, ramp, **own, WindowCenterWidthExplanation=["LIVER", "BONE"], VOILUTFunction=function)
    source, read = open_image(file), dcmread(file)
    windows = offered(source.info.metadata, 1)
    assert [(w.name, w.level, w.width, w.from_file) for w in windows[:2]] == [
        ("LIVER", 60, 350, True),
        ("BONE", 500, 1500, True),
    ]
    values = valued(source.read(), rescale_of(source, 0)).astype(dtype)
    for place in range(2):
        view = between(automatic_view(1, Levels(0, 1)), windows[place])
        assert windows[place].matches(view)
        shown = colours(values, view)[..., 0]
        wanted = np.asarray(apply_voi_lut(apply_modality_lut(read.pixel_array, read), read, index=place), np.float64)
        least, most = values.min(), values.max()  # pydicom spreads the result over the values that there can be
        low, high = wanted.min(), wanted.max()
        if function == "SIGMOID":
            middle, width = windows[place].level, windows[place].width
            wanted = 255 / (1 + np.exp(-4 * (values[..., 0].astype(np.float64) - middle) / width))
        else:
            wanted = (wanted - low) / (high - low) * 255
        assert least < windows[place].levels.low < windows[place].levels.high < most
        assert np.abs(shown - wanted).max() <= 1


def test_a_ct_has_presets_and_other_modalities_have_none() -> None:
    names = [window.name for window in offered(Metadata(modality="CT"), 1)]
    assert names == ["Lung", "Bone", "Brain", "Soft tissue", "Abdomen"]
    assert offered(Metadata(modality="MR"), 1) == ()
    assert offered(Metadata(modality="CT"), 3) == ()
    soft = offered(Metadata(modality="CT"), 1)[3]
    assert soft.levels == Levels(-160, 240)


def test_the_first_window_of_a_file_is_the_first_view_and_keeps_what_the_file_wants_inverted() -> None:
    metadata = Metadata(windows=(Window(40, 400, "", "linear_exact"), Window(500, 50)), inverted=True)
    view = first_view_of(metadata, 1, Levels(-1000, 1000))
    assert view == View(automatic_view(1, Levels(-160, 240)).channels, invert=True)
    assert first_view_of(Metadata(), 1, Levels(-1000, 1000)) == automatic_view(1, Levels(-1000, 1000))


def test_a_window_that_is_none_is_not_offered() -> None:
    metadata = Metadata(windows=(Window(0.0, 0.0, "", "linear_exact"), Window(float("inf"), 3.0), Window(5.0, 1.0)))
    (step,) = offered(metadata, 1)
    shades = colours(np.array([[[4], [5]]], np.int16), between(automatic_view(1, Levels(0, 1)), step))
    assert shades[0, :, 0].tolist() == [0, 255], "a width of 1 is a step"

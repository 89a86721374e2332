"""DICOM: samples as stored, what stands beside them, and a series as one stack in the order of the body."""

import shutil
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from segstudio.errors import UnreadableImage
from segstudio.imaging import open_source
from segstudio.imaging.metadata import Metadata, Window, decoded, encoded
from segstudio.imaging.readers.dicom_stack import GAPS, REPEATED, TILTED, TWICE, UNEQUAL
from segstudio.imaging.source import open_image, probe
from tests.imaging.dicom_files import write_dicom, write_series

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

GREY = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000


def first_of_each(folder: Path) -> list[int]:
    source = open_source(folder)
    return [int(source.read(plane=plane)[0, 0, 0]) for plane in range(len(source.info.planes))]


def test_samples_are_those_stored_and_slope_and_intercept_stand_beside_them(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a.dcm", GREY, RescaleSlope=2, RescaleIntercept=-1024)
    source = open_image(tmp_path / "a.dcm")
    assert source.info.dtype == "uint16"
    assert np.array_equal(source.read()[..., 0], GREY)
    assert source.rescale(0) == (2.0, -1024.0)


def test_colours_frames_and_palettes_are_read(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    write_dicom(tmp_path / "rgb.dcm", colours)
    assert np.array_equal(open_image(tmp_path / "rgb.dcm").read(), colours)
    frames = np.stack([GREY, GREY + 1, GREY + 2])
    uid = write_dicom(tmp_path / "frames.dcm", frames)
    source = open_image(tmp_path / "frames.dcm")
    assert [plane.key for plane in source.info.planes] == [f"{uid}#{n}" for n in range(3)]
    assert np.array_equal(source.read(plane=2)[..., 0], frames[2])
    assert source.info.metadata.axes == "zyx"
    ramp = np.arange(4, dtype=np.uint8).reshape(2, 2)
    tables = {
        f"{name}PaletteColorLookupTable{part}": value
        for name, at in (("Red", 1), ("Green", 2), ("Blue", 3))
        for part, value in (("Descriptor", [4, 0, 16]), ("Data", (np.arange(4, dtype=np.uint16) * 256 * at).tobytes()))
    }
    write_dicom(tmp_path / "palette.dcm", ramp, PhotometricInterpretation="PALETTE COLOR", **tables)
    found = open_image(tmp_path / "palette.dcm")
    assert (found.info.channels, found.info.dtype) == (3, "uint16")
    assert found.read()[1, 1].tolist() == [3 * 256, 6 * 256, 9 * 256]


def test_windows_of_the_file_are_kept_with_their_names_and_functions(tmp_path: Path) -> None:
    write_dicom(
        tmp_path / "a.dcm",
        GREY,
        WindowCenter=[40, -600],
        WindowWidth=[400, 1500],
        WindowCenterWidthExplanation=["SOFT", "LUNG"],
        VOILUTFunction="SIGMOID",
    )
    assert probe(tmp_path / "a.dcm").metadata.windows == (
        Window(40, 400, "SOFT", "sigmoid"),
        Window(-600, 1500, "LUNG", "sigmoid"),
    )
    write_dicom(tmp_path / "b.dcm", GREY, WindowCenter=40, WindowWidth=0)
    assert probe(tmp_path / "b.dcm").metadata.windows == ()


def test_the_size_of_a_pixel_says_where_it_was_measured(tmp_path: Path) -> None:
    write_dicom(tmp_path / "body.dcm", GREY, PixelSpacing=[0.5, 0.25], ImagerPixelSpacing=[0.7, 0.7])
    assert probe(tmp_path / "body.dcm").metadata.spacing == (0.5, 0.25)
    assert not probe(tmp_path / "body.dcm").metadata.notes
    write_dicom(tmp_path / "detector.dcm", GREY, ImagerPixelSpacing=[0.7, 0.6])
    found = probe(tmp_path / "detector.dcm").metadata
    assert found.spacing == (0.7, 0.6)
    assert "detector" in found.notes[0]
    write_dicom(tmp_path / "nowhere.dcm", GREY)
    assert probe(tmp_path / "nowhere.dcm").metadata.spacing is None


def test_nothing_that_names_a_person_is_kept_but_files_of_one_patient_are_known(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a.dcm", GREY)
    write_dicom(tmp_path / "b.dcm", GREY, StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.4")
    write_dicom(tmp_path / "c.dcm", GREY, PatientID="18")
    a, b, c = (probe(tmp_path / f"{name}.dcm").metadata for name in "abc")
    assert a.group == b.group != c.group
    assert a.personal
    assert "17" not in a.group.split()
    assert "Doe" not in encoded(a)
    assert decoded(encoded(a)) == a
    write_dicom(tmp_path / "d.dcm", GREY, PatientName="", PatientID="")
    anonymous = probe(tmp_path / "d.dcm").metadata
    assert not anonymous.personal
    assert anonymous.group.startswith("study ")


def test_a_series_lies_in_the_order_of_the_body_whatever_its_names_and_numbers(tmp_path: Path) -> None:
    write_series(tmp_path, [30, 10, 20, 0])
    assert first_of_each(tmp_path) == [300, 100, 200, 0]
    source = open_source(tmp_path)
    metadata = source.info.metadata
    assert (metadata.axes, metadata.sizes, metadata.spacing, metadata.unit) == ("zyx", (4,), (10.0, 0.5, 0.25), "mm")
    assert not metadata.notes
    assert metadata.affine is not None
    # Column, row and plane of a pixel to right, front, top: DICOM's left and back turned round.
    assert np.allclose(np.array(metadata.affine) @ [2, 1, 3, 1], [10 - 2 * 0.25, 20 - 0.5, 30])


def test_sagittal_slices_go_along_their_own_normal(tmp_path: Path) -> None:
    for n, x in enumerate((5.0, -5.0, 0.0)):
        write_series(
            tmp_path / str(n),
            [0],
            ImagePositionPatient=[x, 0, 0],
            ImageOrientationPatient=[0, 1, 0, 0, 0, -1],
            InstanceNumber=n,
        )
        (tmp_path / str(n) / "IM0000.dcm").rename(tmp_path / f"{n}.dcm")
        (tmp_path / str(n)).rmdir()
    # The normal of these is -x: rank 0 is the slice furthest to the patient's left.
    assert [open_source(tmp_path).info.planes[p].file for p in range(3)] == [0, 1, 2]
    affine = open_source(tmp_path).info.metadata.affine
    assert affine is not None
    assert affine[0][3] == -5.0


@pytest.mark.parametrize(
    ("heights", "note"), [([0, 1, 2, 4, 5], GAPS), ([0, 1, 2.2, 3.1], UNEQUAL), ([0, 1, 1, 2], REPEATED)]
)
def test_what_is_wrong_with_a_series_is_said_in_a_sentence(tmp_path: Path, heights: list[float], note: str) -> None:
    write_series(tmp_path, heights)
    metadata = open_source(tmp_path).info.metadata
    assert metadata.notes == (note,)
    assert metadata.spacing is not None
    assert metadata.spacing[0] == pytest.approx(1, abs=0.2)


def test_as_many_slices_at_each_place_are_times(tmp_path: Path) -> None:
    write_series(tmp_path, [0, 5, 0, 5, 0, 5])
    source = open_source(tmp_path)
    assert (source.info.metadata.axes, source.info.metadata.sizes) == ("tzyx", (3, 2))
    assert first_of_each(tmp_path) == [0, 100, 200, 300, 400, 500]


def test_other_sizes_and_directions_are_stacks_of_their_own(tmp_path: Path) -> None:
    from segstudio.imaging.readers.dicom import gathered

    write_series(tmp_path / "a", [0, 1, 2])
    write_series(tmp_path / "b", [0, 1], side=9)
    write_series(tmp_path / "c", [0], ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    files = sorted(tmp_path.rglob("*.dcm"))
    found = gathered([probe(file) for file in files])
    assert [[files[p].parent.name for p in stack.places] for stack in found] == [["a"] * 3, ["b"] * 2, ["c"]]


def test_low_values_that_are_to_be_bright_are_marked_and_not_turned_round(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a.dcm", GREY, PhotometricInterpretation="MONOCHROME1")
    source = open_image(tmp_path / "a.dcm")
    assert source.info.metadata == Metadata(
        modality="CT", group=source.info.metadata.group, personal=True, inverted=True
    )
    assert np.array_equal(source.read()[..., 0], GREY)


def test_a_file_without_an_image_is_refused_in_a_sentence(tmp_path: Path) -> None:
    write_dicom(tmp_path / "report.dcm", GREY, Rows=None, Columns=None, PixelData=b"")
    with pytest.raises(UnreadableImage, match=r"report\.dcm cannot be read: it is a DICOM file without an image"):
        probe(tmp_path / "report.dcm")


def test_a_slice_that_is_gone_is_named_when_it_is_read(tmp_path: Path) -> None:
    write_series(tmp_path, [0, 1, 2])
    source = open_source(tmp_path)
    (tmp_path / "IM0002.dcm").unlink()
    assert source.read(plane=0).shape == (8, 8, 1)
    with pytest.raises(UnreadableImage, match=r"IM0002\.dcm"):
        source.read(plane=2)


def _group(**items: object) -> "Dataset":
    from pydicom.dataset import Dataset

    found = Dataset()
    for name, values in items.items():
        inner = Dataset()
        for key, value in values.items():  # type: ignore[attr-defined]
            setattr(inner, key, value)
        setattr(found, name, [inner])
    return found


def test_frames_lie_in_the_order_of_the_body_too(tmp_path: Path) -> None:
    frames = np.stack([GREY, GREY + 1, GREY + 2])
    shared = _group(
        PixelMeasuresSequence={"PixelSpacing": [0.5, 0.25]},
        PlaneOrientationSequence={"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
    )
    own = [_group(PlanePositionSequence={"ImagePositionPatient": [0, 0, z]}) for z in (4.0, 0.0, 2.0)]
    uid = write_dicom(
        tmp_path / "a.dcm", frames, SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=own
    )
    source = open_image(tmp_path / "a.dcm")
    assert [plane.key for plane in source.info.planes] == [f"{uid}#{n}" for n in (1, 2, 0)]
    assert [int(source.read(plane=n)[0, 0, 0]) for n in range(3)] == [1, 2, 0]
    assert source.info.metadata.spacing == (2.0, 0.5, 0.25)
    assert (source.info.metadata.axes, source.info.metadata.sizes) == ("zyx", (3,))


def test_a_file_that_is_there_twice_is_taken_once(tmp_path: Path) -> None:
    write_series(tmp_path, [0, 1, 2])
    shutil.copy(tmp_path / "IM0001.dcm", tmp_path / "copy.dcm")
    source = open_source(tmp_path)
    assert len(source.info.planes) == 3
    assert source.info.metadata.notes == (TWICE,)


def test_the_stack_of_a_tilted_gantry_leans(tmp_path: Path) -> None:
    for n in range(3):
        write_series(
            tmp_path / str(n),
            [0],
            ImagePositionPatient=[0, 0, 5.0 * n],
            ImageOrientationPatient=[1, 0, 0, 0, 0.956, -0.292],
            InstanceNumber=n,
        )
        (tmp_path / str(n) / "IM0000.dcm").rename(tmp_path / f"{n}.dcm")
        (tmp_path / str(n)).rmdir()
    metadata = open_source(tmp_path).info.metadata
    assert metadata.notes == (TILTED,)
    assert metadata.affine is not None
    assert np.allclose(np.array(metadata.affine) @ [0, 0, 2, 1], [0, 0, 10])


def test_directions_that_differ_in_the_last_digits_are_one_stack(tmp_path: Path) -> None:
    for n, cosine in enumerate((0.70499, 0.70501, 0.70500)):
        other = (1 - cosine**2) ** 0.5
        turned = [cosine, other, 0, -other, cosine, 0]
        write_series(tmp_path / str(n), [float(n)], ImageOrientationPatient=turned)
        (tmp_path / str(n) / "IM0000.dcm").rename(tmp_path / f"{n}.dcm")
        (tmp_path / str(n)).rmdir()
    assert len(open_source(tmp_path).info.planes) == 3


def test_a_header_that_asks_for_frames_that_cannot_be_there_is_refused(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a.dcm", GREY, NumberOfFrames=2_000_000_000)
    with pytest.raises(UnreadableImage, match=r"asks for 2000000000 frames"):
        probe(tmp_path / "a.dcm")


def test_a_deflated_file_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a.dcm", GREY)
    data = (tmp_path / "a.dcm").read_bytes()
    end = 144 + int.from_bytes(data[140:144], "little")
    head = data[:end].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    longer = len(head) - end
    place = head.index(b"1.2.840.10008.1.2.1.99") - 2
    head = head[:place] + (22).to_bytes(2, "little") + head[place + 2 :]
    head = head[:140] + (end - 144 + longer).to_bytes(4, "little") + head[144:]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
    (tmp_path / "bomb.dcm").write_bytes(head + packed)
    with pytest.raises(UnreadableImage, match=r"bomb\.dcm"):
        probe(tmp_path / "bomb.dcm")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    (tmp_path / "fair.dcm").write_bytes(head + packer.compress(data[end:]) + packer.flush())
    assert np.array_equal(open_image(tmp_path / "fair.dcm").read()[..., 0], GREY)


def test_reports_beside_the_slices_do_not_keep_a_folder_from_being_read(tmp_path: Path) -> None:
    write_series(tmp_path, [0, 1])
    write_dicom(tmp_path / "report.dcm", GREY, Rows=None, Columns=None, PixelData=b"")
    assert len(open_source(tmp_path).info.planes) == 2


def test_a_group_cannot_be_found_by_trying_numbers(tmp_path: Path) -> None:
    import hashlib

    write_dicom(tmp_path / "a.dcm", GREY)
    found = probe(tmp_path / "a.dcm").metadata.group.split()[1]
    tried = {hashlib.blake2b(f"patient||{n}".encode(), digest_size=6).hexdigest() for n in range(100)}
    assert found not in tried

"""Masks as NIfTI, read by nibabel: shape, affine and values of the grid they belong to."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from segstudio.errors import ExportMismatch, MaskMismatch, UnreadableImage
from segstudio.formats import nifti as nifti_masks
from segstudio.formats.nifti import NiftiReader, NiftiWriter, earlier
from segstudio.formats.values import NOTHING, ExportPlan, FormatClass, LabelPlane, MaskFile
from segstudio.imaging.metadata import Metadata
from segstudio.imaging.readers.table import Content, content_of
from segstudio.imaging.source import Stored, probe
from segstudio.labels.model import Kind

CLASSES = (
    FormatClass(0, "background", "#102030", Kind.BACKGROUND),
    FormatClass(1, "leaf", "#E69F00", Kind.SEMANTIC),
)
AFFINE = np.array([[0.0, -0.7, 0.0, 12.0], [0.6, 0.0, 0.0, -30.0], [0.0, 0.0, 2.5, 7.0], [0.0, 0.0, 0.0, 1.0]])


def volume_file(path: Path, shape: tuple[int, ...], affine: NDArray[np.float64] = AFFINE, **texts: bytes) -> Path:
    image = nib.Nifti1Image(np.random.default_rng(1).integers(0, 900, shape).astype(np.int16), affine)
    image.header.set_xyzt_units("mm", "sec")
    for name, text in texts.items():
        image.header[name] = text
    image.header.set_slope_inter(2.0, -1024.0)
    nib.save(image, path)
    return path


def some_planes(count: int, h: int, w: int) -> NDArray[np.int32]:
    return np.random.default_rng(5).choice([NOTHING, 0, 1], (count, h, w)).astype(np.int32)


def written(folder: Path, planes: NDArray[np.int32], stored: Stored | None, *, left: tuple[int, ...] = ()) -> Path:
    writer = NiftiWriter(folder, ExportPlan(CLASSES, (("sub/a.nii.gz", len(planes)),), project="1b4e28ba"))
    for plane, values in enumerate(planes):
        if plane not in left:
            objects = np.zeros(values.shape, np.uint32)
            writer.add(LabelPlane("sub/a.nii.gz", plane, len(planes), values, objects, stored))
    (name,) = writer.finish()
    assert str(name) == "masks/sub/a.nii.gz"
    return folder / name


def stored_of(file: Path) -> Stored:
    info = probe(file)
    return Stored((file,), info.planes, info.metadata)


@pytest.mark.parametrize("shape", [(9, 7, 5), (9, 7, 5, 3), (9, 7), (9, 7, 1)])
def test_a_mask_of_a_volume_has_its_shape_and_its_affine(tmp_path: Path, shape: tuple[int, ...]) -> None:
    file = volume_file(tmp_path / "a.nii.gz", shape)
    planes = some_planes(int(np.prod(shape[2:])), 7, 9)
    mask: Any = nib.load(written(tmp_path, planes, stored_of(file)))
    there: Any = nib.load(file)
    assert mask.shape == there.shape
    assert np.array_equal(mask.affine, there.affine)
    assert mask.header["sform_code"] == there.header["sform_code"]
    assert mask.header.get_xyzt_units() == there.header.get_xyzt_units()
    assert mask.get_data_dtype() == np.uint8
    voxels = np.asarray(mask.dataobj).reshape(9, 7, -1, order="F")
    for plane, values in enumerate(planes):
        assert np.array_equal(voxels[..., plane].T, np.where(values == NOTHING, 255, values))


def test_a_series_gets_the_affine_that_its_files_say(tmp_path: Path) -> None:
    rows = tuple(tuple(float(v) for v in row) for row in AFFINE[:3])
    metadata = Metadata(axes="zyx", sizes=(4,), affine=rows, spacing=(2.5, 0.7, 0.6), unit="mm")  # type: ignore[arg-type]
    slices = tuple(tmp_path / f"{n}.dcm" for n in range(4))
    planes = some_planes(4, 7, 9)
    mask: Any = nib.load(written(tmp_path, planes, Stored(slices, metadata=metadata)))
    assert mask.shape == (9, 7, 4)
    assert np.allclose(mask.affine, AFFINE)
    assert (int(mask.header["sform_code"]), int(mask.header["qform_code"])) == (1, 1)


def test_planes_without_a_label_are_unknown(tmp_path: Path) -> None:
    file = volume_file(tmp_path / "a.nii.gz", (9, 7, 3))
    mask: Any = nib.load(written(tmp_path, np.zeros((3, 7, 9), np.int32), stored_of(file), left=(1,)))
    assert [int(v) for v in np.asarray(mask.dataobj)[0, 0]] == [0, 255, 0]


def test_no_text_of_the_volume_is_copied(tmp_path: Path) -> None:
    file = volume_file(tmp_path / "a.nii", (9, 7, 3), descrip=b"DOE^JOHN", db_name=b"doe", aux_file=b"doe.txt")
    mask = written(tmp_path, some_planes(3, 7, 9), stored_of(file))
    header: Any = nib.load(mask).header
    assert bytes(header["descrip"]).rstrip(b"\0") == b"SegStudio mask 1b4e28ba"
    assert not bytes(header["db_name"]).strip(b"\0")
    assert not bytes(header["aux_file"]).strip(b"\0")


def test_a_scan_tells_it_from_an_image_and_a_later_export_its_project(tmp_path: Path) -> None:
    file = volume_file(tmp_path / "a.nii.gz", (9, 7, 3))
    mask = written(tmp_path, some_planes(3, 7, 9), stored_of(file))
    assert (content_of(mask), content_of(file)) == (Content.OWN_MASK, Content.IMAGE)
    assert [(str(path), project) for path, project in earlier(tmp_path)] == [("masks/sub/a.nii.gz", "1b4e28ba")]


def test_the_same_labels_give_the_same_file(tmp_path: Path) -> None:
    stored, planes = stored_of(volume_file(tmp_path / "a.nii", (9, 7, 3))), some_planes(3, 7, 9)
    assert written(tmp_path / "x", planes, stored).read_bytes() == written(tmp_path / "y", planes, stored).read_bytes()


def test_a_bit_that_flips_on_the_disk_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = nifti_masks._image

    def careless(planes: NDArray, stored: Stored | None, description: str) -> Any:
        planes = planes.copy()
        planes[0, 0, 0] ^= 1
        return made(planes, stored, description)

    monkeypatch.setattr(nifti_masks, "_image", careless)
    with pytest.raises(ExportMismatch, match=r"masks/sub/a\.nii\.gz"):
        written(tmp_path, np.ones((2, 4, 4), np.int32), None)


def test_each_plane_of_a_volume_is_a_mask(tmp_path: Path) -> None:
    voxels = np.random.default_rng(1).integers(0, 3, (9, 7, 3)).astype(np.float32)
    nib.save(nib.Nifti1Image(voxels, AFFINE), tmp_path / "a.nii.gz")
    reader = NiftiReader()
    found = reader.find(tmp_path)
    assert [mask.name for mask in found] == [f"a_p000{n}.nii.gz" for n in range(3)]
    assert reader.size(found[0]) == (9, 7)
    assert np.array_equal(reader.read(found[2]).values, voxels[..., 2].T)


def test_what_holds_no_class_values_is_refused(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.full((4, 4), 0.5, np.float32), AFFINE), tmp_path / "a.nii")
    with pytest.raises(MaskMismatch, match=r"a\.nii is not a mask"):
        NiftiReader().read(MaskFile(tmp_path / "a.nii", "a.nii"))


def test_a_damaged_mask_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.nii").write_bytes(b"\x5c\x01\0\0" + bytes(340) + b"n+1\0")
    (mask,) = NiftiReader().find(tmp_path)
    with pytest.raises(UnreadableImage, match=r"a\.nii cannot be read"):
        NiftiReader().size(mask)

"""NIfTI: voxels as stored, x = i, y = j, planes k first; what stands beside them."""

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.source import open_image, probe

AFFINE = np.array([[-0.5, 0, 0, 10], [0, 0.75, 0, -20], [0, 0, 2, 30], [0, 0, 0, 1]])


def write(path: Path, voxels: np.ndarray, affine: np.ndarray = AFFINE, unit: str = "mm", **rescale: float) -> Path:
    image = nibabel.Nifti1Image(voxels, affine, dtype=voxels.dtype)
    image.header.set_xyzt_units(unit)
    if rescale:
        image.header.set_slope_inter(**rescale)
    nibabel.save(image, path)
    return path


VOXELS = np.arange(5 * 4 * 3 * 2, dtype=np.int16).reshape(5, 4, 3, 2)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_x_is_i_y_is_j_and_planes_count_k_first(tmp_path: Path, name: str) -> None:
    source = open_image(write(tmp_path / name, VOXELS))
    assert [(p.key, p.width, p.height) for p in source.info.planes][:4] == [
        ("z0t0", 5, 4),
        ("z1t0", 5, 4),
        ("z2t0", 5, 4),
        ("z0t1", 5, 4),
    ]
    for plane in range(6):
        assert np.array_equal(source.read(plane=plane)[..., 0], VOXELS[:, :, plane % 3, plane // 3].T)
    assert np.array_equal(source.read(Rect(1, 2, 9, 9), plane=4)[..., 0], VOXELS[1:, 2:, 1, 1].T)
    assert (source.info.metadata.axes, source.info.metadata.sizes) == ("tzyx", (2, 3))
    source.close()
    assert source.read().shape == (4, 5, 1), "it is read again after it was closed"


def test_place_and_size_of_a_voxel_are_those_of_the_file(tmp_path: Path) -> None:
    metadata = probe(write(tmp_path / "a.nii", VOXELS[..., 0])).metadata
    assert metadata.axes == "zyx"
    assert metadata.spacing == (2.0, 0.75, 0.5)
    assert metadata.unit == "mm"
    assert metadata.affine == ((-0.5, 0, 0, 10), (0, 0.75, 0, -20), (0, 0, 2, 30))
    metadata = probe(write(tmp_path / "b.nii", VOXELS[..., 0], unit="micron")).metadata
    assert (metadata.spacing, metadata.unit) == ((2.0, 0.75, 0.5), "µm")
    assert metadata.affine is not None
    assert metadata.affine[2] == pytest.approx((0, 0, 0.002, 0.03))


def test_slope_and_intercept_stand_beside_the_samples(tmp_path: Path) -> None:
    source = open_image(write(tmp_path / "a.nii", VOXELS, slope=0.5, inter=-100))
    assert source.rescale(0) == (0.5, -100.0)
    assert source.info.dtype == "int16"
    assert open_image(write(tmp_path / "b.nii", VOXELS)).rescale(0) == (1.0, 0.0)


def test_colours_are_channels(tmp_path: Path) -> None:
    voxels = np.zeros((5, 4, 3), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    voxels["G"] = 7
    source = open_image(write(tmp_path / "a.nii", voxels))
    assert (source.info.channels, source.info.dtype) == (3, "uint8")
    assert source.read(plane=2)[3, 4].tolist() == [0, 7, 0]


def test_an_affine_without_an_inverse_is_said_and_the_pixels_are_read(tmp_path: Path) -> None:
    singular = AFFINE.copy()
    singular[2] = 0
    path = write(tmp_path / "a.nii", VOXELS[..., 0])
    data = bytearray(path.read_bytes())
    for at, row in zip((280, 296, 312), singular[:3].astype("<f4"), strict=True):
        data[at : at + 16] = row.tobytes()
    path.write_bytes(data)
    metadata = probe(path).metadata
    assert metadata.affine is None
    assert "affine has no inverse" in metadata.notes[0]
    assert np.array_equal(open_image(path).read(plane=1)[..., 0], VOXELS[:, :, 1, 0].T)


def test_a_compressed_file_that_was_damaged_or_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.nii", np.random.default_rng(0).integers(0, 99, (40, 40, 9)).astype(np.int16))
    packed = bytearray(gzip.compress(whole.read_bytes()))
    packed[-6] ^= 255
    (tmp_path / "wrong.nii.gz").write_bytes(packed)
    (tmp_path / "bomb.nii.gz").write_bytes(gzip.compress(whole.read_bytes() + bytes(32 << 20)))
    for name in ("wrong.nii.gz", "bomb.nii.gz"):
        with pytest.raises(UnreadableImage, match=name):
            open_image(tmp_path / name).read()


def test_complex_numbers_are_no_pixels(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="complex64 values, which are not pixels"):
        probe(write(tmp_path / "a.nii", np.zeros((4, 4, 2), np.complex64)))


def test_a_gzip_of_something_else_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "notes.gz").write_bytes(gzip.compress(b"hello" * 1000))
    with pytest.raises(UnreadableImage, match="is not an image"):
        probe(tmp_path / "notes.gz")


def test_a_pair_of_files_is_refused_with_a_way_on(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(VOXELS, AFFINE), tmp_path / "a.hdr")
    with pytest.raises(UnreadableImage, match=r"a\.hdr cannot be read: its pixels lie in another file") as refused:
        probe(tmp_path / "a.hdr")
    assert "one .nii file" in refused.value.line


def test_a_file_shorter_than_its_header_says_is_refused_before_a_plane_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", np.zeros((2, 2, 2), np.uint8))
    data = bytearray(path.read_bytes())
    data[46:48] = (32767).to_bytes(2, "little")
    data[48:50] = (32767).to_bytes(2, "little")
    data[40:42] = (4).to_bytes(2, "little")
    path.write_bytes(data)
    with pytest.raises(UnreadableImage, match="cut short"):
        probe(path)


def test_a_file_that_says_nothing_of_its_place_has_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", VOXELS[..., 0])
    data = bytearray(path.read_bytes())
    data[252:256] = bytes(4)
    path.write_bytes(data)
    metadata = probe(path).metadata
    assert metadata.affine is None
    assert "does not say where it lies" in metadata.notes[0]


def test_a_compressed_volume_is_unpacked_once_for_all_that_open_it_and_again_where_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segstudio.imaging.readers import nifti

    path, times = write(tmp_path / "a.nii.gz", VOXELS), [0]
    content = nifti._content

    def counted(*arguments: Any) -> bytes:
        times[0] += 1
        return content(*arguments)

    monkeypatch.setattr(nifti, "_content", counted)
    for plane in range(4):
        source = open_image(path)
        assert np.array_equal(source.read(plane=plane)[..., 0], VOXELS[:, :, plane % 3, plane // 3].T)
        source.close()
    assert times == [1]
    write(path, VOXELS + 1)
    assert np.array_equal(open_image(path).read()[..., 0], VOXELS[:, :, 0, 0].T + 1)
    assert times == [2]


def test_unpacked_volumes_are_kept_within_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segstudio.imaging.readers import unpacked

    monkeypatch.setattr(unpacked, "_BUDGET_BYTES", 3 * VOXELS.nbytes)
    for n in range(6):
        open_image(write(tmp_path / f"{n}.nii.gz", VOXELS)).read()
    assert len(unpacked._kept) == 3

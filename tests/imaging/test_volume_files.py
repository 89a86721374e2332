"""NRRD and MetaImage: the same voxels, sizes and place as nibabel gives for the same volume."""

import gzip
import zlib
from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pytest

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.source import Stored, open_image, open_stored, probe
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.tasks.progress import finished

VOXELS = np.arange(6 * 5 * 4, dtype=np.int16).reshape(6, 5, 4) * 31 - 900
"""As (x, y, z), and the affine of the same volume, to the right, forward and up."""
AFFINE = np.array([[-0.5, 0.1, 0, 10], [0.05, -0.75, 0, 20], [0, 0, 2, -30], [0, 0, 0, 1]])
LPS = np.diag([-1.0, -1.0, 1.0, 1.0]) @ AFFINE

NRRD = {
    "space": "left-posterior-superior",
    "space directions": LPS[:3, :3].T,
    "space origin": LPS[:3, 3],
    "kinds": ["domain", "domain", "domain"],
}


def as_nibabel_gives_it(folder: Path):
    nibabel.save(nibabel.Nifti1Image(VOXELS, AFFINE), folder / "same.nii")
    return open_image(folder / "same.nii")


def assert_the_same(path: Path, folder: Path) -> None:
    source, same = open_image(path), as_nibabel_gives_it(folder)
    assert [p.key for p in source.info.planes] == [p.key for p in same.info.planes]
    for plane in range(4):
        assert np.array_equal(source.read(plane=plane), same.read(plane=plane))
    assert np.array_equal(source.read(Rect(2, 1, 3, 9), plane=3), same.read(Rect(2, 1, 3, 9), plane=3))
    assert source.info.metadata.affine is not None
    assert same.info.metadata.affine is not None
    assert np.allclose(source.info.metadata.affine, same.info.metadata.affine, atol=1e-6)
    assert source.info.metadata.spacing == pytest.approx(same.info.metadata.spacing)
    assert (source.info.metadata.axes, source.info.metadata.unit) == ("zyx", "mm")


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
@pytest.mark.parametrize("space", ["left-posterior-superior", "right-anterior-superior"])
def test_an_nrrd_is_the_volume_that_nibabel_gives(tmp_path: Path, encoding: str, space: str) -> None:
    matrix = LPS if space.startswith("left") else AFFINE
    told = {"space": space, "space directions": matrix[:3, :3].T, "space origin": matrix[:3, 3], "encoding": encoding}
    nrrd.write(str(tmp_path / "a.nrrd"), VOXELS, NRRD | told)
    assert_the_same(tmp_path / "a.nrrd", tmp_path)


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_voxels_beside_an_nrrd_header_are_found(tmp_path: Path, encoding: str) -> None:
    nrrd.write(str(tmp_path / "a.nhdr"), VOXELS, NRRD | {"encoding": encoding})
    assert probe(tmp_path / "a.nhdr").beside == ("a.raw" if encoding == "raw" else "a.raw.gz",)
    assert_the_same(tmp_path / "a.nhdr", tmp_path)


def test_samples_of_an_nrrd_before_space_are_channels_and_time_behind_it_is_planes(tmp_path: Path) -> None:
    colours = np.random.default_rng(1).integers(0, 255, (3, 6, 5, 4), np.uint8)
    header = {"kinds": ["RGB-color", "domain", "domain", "domain"], "spacings": [np.nan, 0.5, 0.75, 2.0]}
    nrrd.write(str(tmp_path / "a.nrrd"), colours, header)
    source = open_image(tmp_path / "a.nrrd")
    assert (source.info.channels, len(source.info.planes), source.info.metadata.spacing) == (3, 4, (2.0, 0.75, 0.5))
    assert np.array_equal(source.read(plane=2), colours[:, :, :, 2].transpose(2, 1, 0))
    times = np.random.default_rng(1).integers(0, 255, (6, 5, 4, 2), np.uint8)
    nrrd.write(str(tmp_path / "b.nrrd"), times, {"kinds": ["domain", "domain", "domain", "time"]})
    source = open_image(tmp_path / "b.nrrd")
    assert (source.info.metadata.axes, source.info.metadata.sizes) == ("tzyx", (2, 4))
    assert np.array_equal(source.read(plane=6)[..., 0], times[:, :, 2, 1].T)


def metaimage(path: Path, data: bytes = b"", *, local: bool = True, **more: str) -> Path:
    turned, lengths = LPS[:3, :3].T, np.linalg.norm(LPS[:3, :3], axis=0)
    words = {
        "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
        "TransformMatrix": " ".join(map(str, (turned / lengths[:, None]).ravel())),
        "Offset": " ".join(map(str, LPS[:3, 3])), "ElementSpacing": " ".join(map(str, lengths)),
        "DimSize": "6 5 4", "ElementType": "MET_SHORT", **more,
    }  # fmt: skip
    name = "LOCAL" if local else f"{path.stem}.raw"
    text = "".join(f"{key} = {value}\n" for key, value in (words | {"ElementDataFile": name}).items())
    if not local:
        path.with_name(name).write_bytes(data)
    path.write_bytes(text.encode() + (data if local else b""))
    return path


RAW = VOXELS.tobytes(order="F")


def test_a_metaimage_is_the_volume_that_nibabel_gives(tmp_path: Path) -> None:
    assert_the_same(metaimage(tmp_path / "a.mha", RAW), tmp_path)
    packed = zlib.compress(RAW)
    more = {"CompressedData": "True", "CompressedDataSize": str(len(packed))}
    assert_the_same(metaimage(tmp_path / "b.mha", packed, **more), tmp_path)
    assert_the_same(metaimage(tmp_path / "c.mhd", RAW, local=False), tmp_path)
    big = VOXELS.astype(">i2").tobytes(order="F")
    assert_the_same(metaimage(tmp_path / "d.mha", big, BinaryDataByteOrderMSB="True"), tmp_path)
    assert_the_same(metaimage(tmp_path / "e.mhd", b"head" + RAW, local=False, HeaderSize="-1"), tmp_path)


def test_voxels_elsewhere_are_refused_and_so_are_those_that_are_missing(tmp_path: Path) -> None:
    path = metaimage(tmp_path / "a.mhd", RAW, local=False)
    path.write_text(path.read_text().replace("a.raw", "../a.raw"))
    with pytest.raises(UnreadableImage, match="not beside it"):
        probe(path)
    path = metaimage(tmp_path / "b.mhd", RAW, local=False)
    (tmp_path / "b.raw").unlink()
    with pytest.raises(UnreadableImage, match="missing"):
        probe(path)


@pytest.mark.parametrize("packing", ["raw", "zlib"])
def test_a_volume_cut_short_is_refused(tmp_path: Path, packing: str) -> None:
    data = RAW if packing == "raw" else zlib.compress(np.random.default_rng(2).bytes(240))
    more = {} if packing == "raw" else {"CompressedData": "True"}
    path = metaimage(tmp_path / "a.mha", data[:-10], **more)
    with pytest.raises(UnreadableImage, match="cut short"):
        open_image(path).read()
    nrrd.write(str(tmp_path / "a.nrrd"), VOXELS, NRRD | {"encoding": "raw" if packing == "raw" else "gzip"})
    path = tmp_path / "a.nrrd"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UnreadableImage, match="cut short"):
        open_image(path).read()


def test_a_small_file_that_asks_for_a_huge_volume_is_refused(tmp_path: Path) -> None:
    path = metaimage(tmp_path / "a.mha", zlib.compress(bytes(99)), CompressedData="True", DimSize="60000 60000 9000")
    with pytest.raises(UnreadableImage):
        probe(path)
    (tmp_path / "b.nrrd").write_bytes(
        b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 9000 9000 9000\nencoding: gzip\n\n" + gzip.compress(bytes(99))
    )
    with pytest.raises(UnreadableImage):
        probe(tmp_path / "b.nrrd")


def test_the_file_with_the_voxels_goes_with_its_header_into_a_project(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    metaimage(tmp_path / "data" / "a.mhd", RAW, local=False)
    report = finished(new_project(tmp_path / "p.segstudio", [str(tmp_path / "data")], [], copy_files=True))
    assert report.skipped == 0
    (tmp_path / "data" / "a.raw").unlink()
    with Project.open(report.path) as project:
        (row,) = project.images()
        assert (row.path, len(row.planes)) == ("a.mhd", 4)
        assert np.array_equal(open_stored(row.stored).read(plane=3)[..., 0], VOXELS[:, :, 3].T)


def test_a_renamed_file_of_voxels_is_read_where_the_project_knows_it(tmp_path: Path) -> None:
    path = metaimage(tmp_path / "a.mhd", RAW, local=False)
    (tmp_path / "a.raw").rename(tmp_path / "other.raw")
    source = open_stored(Stored((path, tmp_path / "other.raw")))
    assert np.array_equal(source.read(plane=1)[..., 0], VOXELS[:, :, 1].T)

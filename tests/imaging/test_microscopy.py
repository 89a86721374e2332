"""OME-TIFF, ImageJ's hyperstacks and scanned slides, as tifffile writes them and as their makers describe them."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.metadata import Channel
from segstudio.imaging.opening import open_source
from segstudio.imaging.readers.tiff_files import INCOMPLETE
from segstudio.imaging.source import open_image, probe
from tests.imaging.microscope_files import noise, ome_set, slide

NAMED = {
    "Channel": {"Name": ["DAPI", "GFP"], "Color": [65535, -16776961]},
    "PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 250.0, "PhysicalSizeYUnit": "nm",
    "PhysicalSizeZ": 0.001, "PhysicalSizeZUnit": "mm",
}  # fmt: skip


@pytest.mark.parametrize("axes", ["TZCYX", "CTZYX", "ZTCYX", "TCZYX"])
def test_ome_axes_in_any_order_give_planes_and_channels(tmp_path: Path, axes: str) -> None:
    lengths = {"T": 2, "Z": 3, "C": 2, "Y": 20, "X": 30}
    stack = noise(*(lengths[axis] for axis in axes))
    tifffile.imwrite(tmp_path / "a.ome.tif", stack, metadata={"axes": axes, **NAMED})
    source = open_image(tmp_path / "a.ome.tif")
    told, others = source.info.metadata, [axis for axis in axes if axis in "TZ"]
    assert (source.info.channels, len(source.info.planes)) == (2, 6)
    assert told.axes == "".join(others).lower() + "yx"
    assert told.sizes == tuple(lengths[axis] for axis in others)
    assert told.channels == (Channel("DAPI", "#0000FF"), Channel("GFP", "#FF0000"))
    assert (told.spacing, told.unit) == ((1.0, 0.25, 0.25), "µm")
    moved = np.moveaxis(stack, [axes.index(a) for a in (*others, "Y", "X", "C")], range(5)).reshape(6, 20, 30, 2)
    for plane in range(6):
        assert np.array_equal(source.read(plane=plane), moved[plane])
    assert source.info.planes[5].key == "".join(f"{axis}{lengths[axis] - 1}" for axis in others)


def test_an_ome_pyramid_is_read_by_rectangle_and_level(tmp_path: Path) -> None:
    stack = noise(2, 3, 200, 300)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as file:
        options = {"tile": (64, 64), "compression": "zlib"}
        file.write(stack, subifds=2, metadata={"axes": "CZYX", **NAMED}, **options)
        file.write(stack[..., ::2, ::2], subfiletype=1, **options)
        file.write(stack[..., ::4, ::4], subfiletype=1, **options)
    source = open_image(tmp_path / "a.ome.tif")
    assert source.info.levels == ((150, 100), (75, 50))
    assert len(source.info.planes) == 3
    rect = Rect(50, 30, 40, 60)
    assert np.array_equal(source.read(rect, 1, 2), stack[:, 2, 60:180:2, 100:180:2].transpose(1, 2, 0))
    assert np.array_equal(source.read(rect, plane=1, channels=[1])[..., 0], stack[1, 1, 30:90, 50:90])
    assert np.array_equal(source.read(level=2), stack[:, 0, ::4, ::4].transpose(1, 2, 0))
    with pytest.raises(IndexError):
        source.read(level=3)


def test_an_imagej_hyperstack_says_spacing_and_colours(tmp_path: Path) -> None:
    stack = noise(2, 3, 2, 20, 30)
    ramp = np.arange(256, dtype=np.uint8)
    luts = [np.stack([ramp, ramp * 0, ramp * 0]), np.stack([ramp * 0, ramp, ramp])]
    told = {"axes": "TZCYX", "spacing": 2.0, "unit": "um", "LUTs": luts, "mode": "composite"}
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, resolution=(4.0, 2.0), metadata=told)
    source = open_image(tmp_path / "a.tif")
    metadata = source.info.metadata
    assert (metadata.axes, metadata.sizes, metadata.spacing, metadata.unit) == ("tzyx", (2, 3), (2.0, 0.5, 0.25), "µm")
    assert [channel.color for channel in metadata.channels] == ["#FF0000", "#00FFFF"]
    assert np.array_equal(source.read(plane=4), stack[1, 1].transpose(1, 2, 0))


def test_a_big_imagej_stack_behind_one_page_is_read_plane_by_plane(tmp_path: Path) -> None:
    stack = noise(40, 20, 30)
    with tifffile.TiffWriter(tmp_path / "a.tif", imagej=True) as file:
        file.write(stack, metadata={"axes": "ZYX"}, contiguous=True, truncate=True)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert len(file.pages) == 1
    source = open_image(tmp_path / "a.tif")
    assert len(source.info.planes) == 40
    assert np.array_equal(source.read(plane=33)[..., 0], stack[33])


def test_a_colour_table_of_a_microscope_leaves_the_samples_as_they_are(tmp_path: Path) -> None:
    pixels = noise(20, 30, dtype=np.uint8)
    red = np.zeros((3, 256), np.uint16)
    red[0] = np.arange(256) * 257
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, photometric="palette", colormap=red, metadata={"axes": "YX"})
    source = open_image(tmp_path / "a.ome.tif")
    assert source.info.channels == 1
    assert np.array_equal(source.read()[..., 0], pixels)


def test_pages_of_which_nothing_is_known_stay_pages(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in noise(3, 20, 30):
            file.write(page, metadata=None)
    info = probe(tmp_path / "a.tif")
    assert (len(info.planes), info.metadata.sizes, info.metadata.spacing) == (3, (), None)


def ramps(height: int = 200, width: int = 320) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], -1).astype(np.uint8)


@pytest.mark.parametrize("compression", [None, "jpeg", "jpeg2000", "lzw"])
def test_a_slide_is_its_scan_with_levels_and_nothing_else(tmp_path: Path, compression: str | None) -> None:
    scan = ramps()
    slide(tmp_path / "a.svs", scan, compression)
    source = open_image(tmp_path / "a.svs")
    info = source.info
    assert (info.planes[0].width, info.planes[0].height, len(info.planes)) == (320, 200, 1)
    assert info.levels == ((160, 100), (80, 50))
    assert (info.metadata.spacing, info.metadata.unit) == ((0.499, 0.499), "µm")
    near = 0 if compression in (None, "lzw") else 12
    found = source.read(Rect(40, 20, 90, 70)).astype(int)
    assert np.abs(found - scan[20:90, 40:130].astype(int)).max() <= near
    assert np.abs(source.read(level=2).astype(int) - scan[::4, ::4].astype(int)).mean() <= near / 4


def test_of_a_slide_no_name_is_taken_but_it_is_said_that_there_may_be_one(tmp_path: Path) -> None:
    slide(tmp_path / "a.svs", ramps())
    info = probe(tmp_path / "a.svs")
    assert info.metadata.personal
    assert "Jane" not in repr(info)


def test_a_label_that_comes_first_is_not_the_picture(tmp_path: Path) -> None:
    scan = ramps()
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as file:
        file.write(np.zeros((30, 40, 3), np.uint8), photometric="rgb", metadata={"axes": "YXS", "Name": "label image"})
        file.write(scan, photometric="rgb", metadata={"axes": "YXS", "Name": "Scan 1"})
    source = open_image(tmp_path / "a.ome.tif")
    assert np.array_equal(source.read(), scan)
    assert source.info.metadata.personal


def test_aperios_own_jpeg_2000_is_turned_into_colours(tmp_path: Path) -> None:
    """Compression 33003 holds YCbCr and does not say so."""
    rgb = ramps(64, 64).astype(np.float32)
    y = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    ycc = np.stack([y, (rgb[..., 2] - y) * 0.564 + 128, (rgb[..., 0] - y) * 0.713 + 128], -1)
    data = imagecodecs.jpeg2k_encode(
        np.clip(np.rint(ycc), 0, 255).astype(np.uint8), level=0, codecformat="j2k", mct=False
    )
    with tifffile.TiffWriter(tmp_path / "a.svs") as file:
        file.write(
            iter([data]), shape=(64, 64, 3), dtype=np.uint8, tile=(64, 64), compression=33003, photometric="rgb",
            description="Aperio Image Library |MPP = 0.25", metadata=None,
        )  # fmt: skip
    assert np.abs(open_image(tmp_path / "a.svs").read().astype(float) - rgb).max() <= 3


def test_only_the_tiles_asked_for_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slide(tmp_path / "a.svs", ramps(640, 640), "jpeg")
    decoded: list[int] = []
    plain = imagecodecs.jpeg_decode
    import tifffile.tifffile as module

    monkeypatch.setattr(
        module.imagecodecs, "jpeg_decode", lambda *given, **named: (decoded.append(1), plain(*given, **named))[1]
    )
    source = open_image(tmp_path / "a.svs")
    source.read(Rect(10, 10, 60, 60))
    assert len(decoded) == 4
    source.read(Rect(20, 20, 60, 60))
    assert len(decoded) == 4


def test_a_tile_cut_short_is_said(tmp_path: Path) -> None:
    slide(tmp_path / "a.svs", ramps(), "lzw")
    with tifffile.TiffFile(tmp_path / "a.svs") as file:
        page = file.pages.first
        at, size = page.dataoffsets[3], page.databytecounts[3]
    data = bytearray((tmp_path / "a.svs").read_bytes())
    data[at : at + size] = bytes(size)
    (tmp_path / "a.svs").write_bytes(data)
    source = open_image(tmp_path / "a.svs")
    with pytest.raises(UnreadableImage, match=r"a\.svs"):
        source.read()


def test_a_picture_in_one_piece_is_read_without_its_other_rows(tmp_path: Path) -> None:
    pixels = noise(5000, 4000)
    tifffile.imwrite(tmp_path / "a.tif", pixels, byteorder=">")
    source = open_image(tmp_path / "a.tif")
    found = source.read(Rect(3900, 4900, 500, 500))
    assert found.dtype == np.dtype("uint16")
    assert found.dtype.isnative
    assert np.array_equal(found[..., 0], pixels[4900:, 3900:])
    source.close()
    assert np.array_equal(source.read(Rect(0, 0, 2, 2))[..., 0], pixels[:2, :2])


NAMES = ["a_dapi.ome.tif", "a_gfp.ome.tif", "a_rfp.ome.tif"]


@pytest.mark.parametrize("largest", [1 << 30, 0])
def test_an_ome_image_of_several_files_is_read_whole(
    tmp_path: Path, largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segstudio.imaging.readers.tiff._LARGE_BYTES", largest)
    stack = noise(3, 2, 20, 30)
    ome_set(tmp_path, stack, NAMES)
    source = open_source(tmp_path)
    assert [channel.name for channel in source.info.metadata.channels] == ["dye 0", "dye 1", "dye 2"]
    for plane in range(2):
        assert np.array_equal(source.read(plane=plane), stack[:, plane].transpose(1, 2, 0))
    assert np.array_equal(
        open_image(tmp_path / NAMES[1]).read(Rect(3, 4, 5, 6)), stack[:, 0, 4:10, 3:8].transpose(1, 2, 0)
    )


def test_a_file_that_is_missing_from_an_ome_image_is_said(tmp_path: Path) -> None:
    stack = noise(3, 2, 20, 30)
    ome_set(tmp_path, stack, NAMES)
    (tmp_path / NAMES[2]).unlink()
    assert probe(tmp_path / NAMES[0]).metadata.notes == (INCOMPLETE,)
    with pytest.raises(UnreadableImage, match="missing"):
        open_image(tmp_path / NAMES[0]).read()

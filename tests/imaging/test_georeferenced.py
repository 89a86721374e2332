"""Rasters with a place on a map: GeoTIFF, COG, JPEG 2000, VRT, ENVI, Erdas Imagine, and a drone's JPEG."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.metadata import decoded, encoded
from segstudio.imaging.outside import outside
from segstudio.imaging.readers import tiff
from segstudio.imaging.readers.raster_file import RasterSource
from segstudio.imaging.source import open_image, probe
from tests.imaging.geo_files import NORTH_UP, UTM, noise, write_raster

pytestmark = [
    pytest.mark.filterwarnings("ignore:Dataset has no geotransform"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.mark.parametrize(
    ("name", "driver", "opened"),
    [
        ("a.tif", "GTiff", "a.tif"),
        ("a.jp2", "JP2OpenJPEG", "a.jp2"),
        ("a.img", "HFA", "a.img"),
        ("a.dat", "ENVI", "a.hdr"),
    ],
)
def test_pixels_place_and_names_of_bands_are_those_of_the_file(
    tmp_path: Path, name: str, driver: str, opened: str
) -> None:
    samples = noise((70, 90, 4), "uint16", high=4000)
    more: dict[str, Any] = {"QUALITY": 100, "REVERSIBLE": "YES"} if driver == "JP2OpenJPEG" else {}
    write_raster(tmp_path / name, samples, driver, names=("blue", "green", "red", "nir"), **more)
    source = open_image(tmp_path / opened)
    assert np.array_equal(source.read(), samples)
    assert np.array_equal(source.read(Rect(80, 60, 50, 50), channels=[3, 0]), samples[60:, 80:, [3, 0]])
    metadata = source.info.metadata
    assert (metadata.crs, metadata.transform) == (UTM, NORTH_UP)
    assert (metadata.spacing, metadata.unit) == ((0.5, 0.5), "m")
    assert [channel.name for channel in metadata.channels] == ["blue", "green", "red", "nir"]
    assert decoded(encoded(metadata)) == metadata
    source.close()
    assert np.array_equal(source.read(Rect(0, 0, 1, 1)), samples[:1, :1])


def test_a_tiff_with_a_place_gives_the_pixels_of_one_without(tmp_path: Path) -> None:
    for dtype in ("uint8", "int16", "uint16", "float32", "float64"):
        samples = noise((40, 50, 3), dtype, high=120)
        file = write_raster(
            tmp_path / f"{dtype}.tif", samples, compress="deflate", tiled=True, blockxsize=16, blockysize=16
        )
        source = open_image(file)
        assert isinstance(source, RasterSource)
        assert np.array_equal(source.read(), tiff._decoded(file, 0).pixels)


def test_smaller_copies_in_the_file_are_levels_and_are_read_alone(tmp_path: Path) -> None:
    samples = noise((1000, 1500, 3))
    file = write_raster(tmp_path / "a.tif", samples, tiled=True, blockxsize=256, blockysize=256, overviews=(2, 4, 8))
    source = open_image(file)
    assert source.info.levels == ((750, 500), (375, 250), (188, 125))
    # Resampled by the nearest neighbour, a smaller copy holds pixels of the picture.
    assert source.read(Rect(10, 20, 30, 40), level=1).shape == (40, 30, 3)
    assert np.array_equal(source.read(level=1)[::1, ::1][:5, :5], source.read(Rect(0, 0, 5, 5), level=1))
    with pytest.raises(IndexError):
        source.read(level=4)


def test_world_file_and_coordinate_system_may_lie_beside_a_tiff(tmp_path: Path) -> None:
    from rasterio.crs import CRS
    from rasterio.enums import WktVersion

    file = write_raster(tmp_path / "a.tif", noise((4, 5, 1)), crs=None, transform=None)
    assert probe(file).metadata.transform is None
    (tmp_path / "a.tfw").write_text("2.0\n0.0\n0.0\n-2.0\n1001.0\n1999.0\n")
    (tmp_path / "a.prj").write_text(CRS.from_string(UTM).to_wkt(version=WktVersion.WKT1_ESRI))
    metadata = probe(file).metadata
    assert (metadata.transform, metadata.crs) == ((2.0, 0.0, 1000.0, 0.0, -2.0, 2000.0), UTM)
    assert metadata.spacing == (2.0, 2.0)


@pytest.mark.parametrize(
    ("crs", "transform", "spacing", "word"),
    [
        (UTM, (0.3, 0.4, 0.0, 0.4, -0.3, 0.0), (0.5, 0.5), "turned"),
        (UTM, (1.0, 1.0, 0.0, 0.0, -1.0, 0.0), (2**0.5, 1.0), "skewed"),
        ("EPSG:4326", (1e-5, 0.0, 13.0, 0.0, -1e-5, 52.0), None, "degrees"),
        (None, NORTH_UP, None, "not in which coordinate system"),
        ("EPSG:2263", (1.0, 0.0, 9e5, 0.0, -1.0, 2e5), (0.3048006, 0.3048006), ""),
        ('LOCAL_CS["site",UNIT["unknown",0]]', NORTH_UP, None, "unit of length"),
    ],
)
def test_a_pixel_has_a_size_where_its_unit_is_known_and_a_sentence_where_not(
    tmp_path: Path, crs: str | None, transform: tuple[float, ...], spacing: tuple[float, float] | None, word: str
) -> None:
    metadata = probe(write_raster(tmp_path / "a.tif", noise((4, 5, 1)), crs=crs, transform=transform)).metadata
    assert metadata.spacing == (None if spacing is None else pytest.approx(spacing))
    assert metadata.transform == transform
    assert word in " ".join(metadata.notes)
    assert bool(word) == bool(metadata.notes)


def test_pixels_without_data_in_every_band_lie_outside(tmp_path: Path) -> None:
    samples = noise((20, 30, 2), "int16")
    samples[:5] = -9999
    samples[10, 10, 0] = -9999
    expected = np.zeros((20, 30), bool)
    expected[:5] = True
    source = open_image(write_raster(tmp_path / "value.tif", samples, nodata=-9999))
    assert source.info.metadata.nodata == -9999
    found = outside(source, Rect(0, 0, 30, 20))
    assert found is not None
    assert np.array_equal(found, expected)
    assert outside(source, Rect(0, 8, 30, 20)) is None
    masked = open_image(write_raster(tmp_path / "mask.tif", samples, mask=~expected))
    assert masked.info.metadata.masked
    found = outside(masked, Rect(0, 0, 30, 20))
    assert found is not None
    assert np.array_equal(found, expected)


def test_what_is_transparent_in_a_geotiff_lies_outside(tmp_path: Path) -> None:
    samples = noise((20, 30, 4))
    samples[..., 3] = 255
    samples[:, 25:, 3] = 0
    source = open_image(write_raster(tmp_path / "a.tif", samples, photometric="RGB", alpha="YES"))
    assert source.info.channels == 3
    found = outside(source, Rect(0, 0, 30, 20))
    assert found is not None
    assert np.array_equal(found, samples[..., 3] == 0)


def test_nan_may_mean_no_data_and_infinity_is_a_value(tmp_path: Path) -> None:
    samples = noise((8, 9, 1), "float32")
    samples[0] = np.nan
    samples[1] = np.inf
    source = open_image(write_raster(tmp_path / "a.tif", samples, nodata=float("nan")))
    found = outside(source, Rect(0, 0, 9, 8))
    assert found is not None
    assert np.array_equal(found, np.isnan(samples[..., 0]))
    assert decoded(encoded(source.info.metadata)) == source.info.metadata


def test_colours_of_a_palette_are_shown_and_its_value_without_data_lies_outside(tmp_path: Path) -> None:
    import rasterio

    values = noise((8, 9, 1), high=3)
    values[0] = 0
    file = tmp_path / "classes.tif"
    kind = {"driver": "GTiff", "count": 1, "dtype": "uint8", "photometric": "palette"}
    with rasterio.open(file, "w", width=9, height=8, nodata=0, crs=UTM, **kind) as out:
        out.write(values[..., 0], 1)
        out.write_colormap(1, {0: (0, 0, 0, 255), 1: (255, 0, 0, 255), 2: (0, 0, 255, 255)})
    source = open_image(file)
    assert source.info.channels == 3
    assert source.read()[4, 4].tolist() == [[255, 0, 0], [0, 0, 255]][values[4, 4, 0] - 1]
    found = outside(source, Rect(0, 0, 9, 8))
    assert found is not None
    assert np.array_equal(found, values[..., 0] == 0)


def test_complex_values_are_refused_in_a_sentence(tmp_path: Path) -> None:
    file = write_raster(tmp_path / "radar.img", noise((4, 5, 1)).astype("complex64"), "HFA")
    with pytest.raises(UnreadableImage, match=r"radar\.img cannot be read: it holds values of type complex64"):
        probe(file)


def mosaic(path: Path, *sources: str, more: str = "", relative: int = 1) -> Path:
    """A VRT of 8 x 8 pixels that takes its pixels from these files."""
    inner = "".join(
        f'<SimpleSource><SourceFilename relativeToVRT="{relative}">{source}</SourceFilename>'
        '<SourceBand>1</SourceBand><SrcRect xOff="0" yOff="0" xSize="8" ySize="8"/>'
        '<DstRect xOff="0" yOff="0" xSize="8" ySize="8"/></SimpleSource>'
        for source in sources
    )
    path.write_text(
        f'<VRTDataset rasterXSize="8" rasterYSize="8"><SRS>{UTM}</SRS>'
        f'<VRTRasterBand dataType="Byte" band="1">{more}{inner}</VRTRasterBand></VRTDataset>'
    )
    return path


def test_a_mosaic_is_read_from_the_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    samples = noise((8, 8, 1))
    write_raster(tmp_path / "parts" / "a.tif", samples)
    mosaic(tmp_path / "inner.vrt", "parts/a.tif")
    source = open_image(mosaic(tmp_path / "a.vrt", "inner.vrt"))
    assert np.array_equal(source.read(), samples)


@pytest.mark.parametrize(
    ("named", "word"),
    [
        ("/vsicurl/http://127.0.0.1:9/a.tif", "fetches nothing"),
        ("http://127.0.0.1:9/a.tif", "fetches nothing"),
        ("../outside.tif", "does not lie beside it"),
        ("link.tif", "does not lie beside it"),
        ("gone.tif", "is missing"),
        ("map.xml", "format"),
        ("self.vrt", "without end"),
    ],
)
def test_a_mosaic_opens_nothing_but_pictures_beside_it(tmp_path: Path, named: str, word: str) -> None:
    folder = tmp_path / "mosaic"
    folder.mkdir()
    write_raster(tmp_path / "outside.tif", noise((8, 8, 1)))
    (folder / "link.tif").symlink_to(tmp_path / "outside.tif")
    (folder / "map.xml").write_text("<GDAL_WMS><Service name='TMS'/></GDAL_WMS>")
    with pytest.raises(UnreadableImage, match=word) as caught:
        open_image(mosaic(folder / "self.vrt", named)).read()
    assert "self.vrt" in caught.value.line or word == "format"
    assert "\n" not in caught.value.line


def test_a_mosaic_runs_no_code_and_declares_no_entities(tmp_path: Path) -> None:
    write_raster(tmp_path / "a.tif", noise((8, 8, 1)))
    code = "<PixelFunctionLanguage>Python</PixelFunctionLanguage>"
    with pytest.raises(UnreadableImage, match="does not follow"):
        probe(mosaic(tmp_path / "a.vrt", "a.tif", more=code))
    text = (tmp_path / "a.vrt").read_text().replace(code, "&x;")
    (tmp_path / "b.vrt").write_text(f'<!DOCTYPE a [<!ENTITY x "y">]>{text}'.replace("<!DOCTYPE", "<!DOCTYPE", 1))
    with pytest.raises(UnreadableImage):
        probe(tmp_path / "b.vrt")


def test_an_absolute_name_within_the_folder_is_beside_it(tmp_path: Path) -> None:
    samples = noise((8, 8, 1))
    file = write_raster(tmp_path / "a.tif", samples)
    assert np.array_equal(open_image(mosaic(tmp_path / "a.vrt", str(file), relative=0)).read(), samples)


def test_pixels_of_envi_that_are_missing_are_named(tmp_path: Path) -> None:
    write_raster(tmp_path / "a.dat", noise((4, 5, 1)), "ENVI")
    (tmp_path / "a.dat").unlink()
    with pytest.raises(UnreadableImage, match=r"a\.hdr cannot be read: the file with its pixels"):
        probe(tmp_path / "a.hdr")


def test_a_file_that_goes_away_is_a_sentence_and_one_that_comes_back_is_read(tmp_path: Path) -> None:
    samples = noise((40, 50, 3))
    file = write_raster(tmp_path / "a.tif", samples)
    source = open_image(file)
    source.read(Rect(0, 0, 5, 5))
    file.rename(tmp_path / "away.tif")
    with pytest.raises(UnreadableImage, match=r"a\.tif cannot be read: there is no such file"):
        source.read()
    (tmp_path / "away.tif").rename(file)
    assert np.array_equal(source.read(), samples)


def test_a_file_that_changes_while_it_is_open_is_read_anew_if_it_is_alike(tmp_path: Path) -> None:
    file = write_raster(tmp_path / "a.tif", noise((40, 50, 3)))
    source = open_image(file)
    source.read()
    other = noise((40, 50, 3), low=3, high=9)
    write_raster(tmp_path / "new.tif", other).replace(file)
    assert np.array_equal(source.read(), other)
    write_raster(tmp_path / "new.tif", noise((41, 50, 3))).replace(file)
    with pytest.raises(UnreadableImage, match=r"a\.tif was changed while it was open"):
        source.read()


def test_several_threads_may_read_one_source(tmp_path: Path) -> None:
    samples = noise((600, 700, 3))
    source = open_image(write_raster(tmp_path / "a.tif", samples, tiled=True, blockxsize=64, blockysize=64))
    wrong: list[Rect] = []

    def read(seed: int) -> None:
        at = np.random.default_rng(seed)
        for _ in range(40):
            rect = Rect(int(at.integers(0, 600)), int(at.integers(0, 500)), 90, 90)
            if not np.array_equal(source.read(rect), samples[rect.y : rect.bottom, rect.x : rect.right]):
                wrong.append(rect)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_blocks_are_kept_within_a_bound(tmp_path: Path) -> None:
    from rasterio._env import get_gdal_config

    from segstudio.imaging.readers.gdal import gdal

    with gdal(tmp_path):
        assert get_gdal_config("GDAL_CACHEMAX") == 128 << 20
        assert get_gdal_config("CPL_VSIL_CURL_ALLOWED_FILENAME") == "/vsicurl/none"


def test_nothing_is_printed_about_a_damaged_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = write_raster(tmp_path / "a.tif", noise((300, 300, 3)), compress="deflate")
    data = bytearray(file.read_bytes())
    data[2000:90000] = bytes(88000)
    file.write_bytes(data)
    with pytest.raises(UnreadableImage, match=r"a\.tif cannot be read"):
        open_image(file).read()
    assert capfd.readouterr() == ("", "")


def drone_jpeg(path: Path, *, pitch: float = -90.0, height: str = "+100.00", focal: int = 24) -> Path:
    """A picture of 400 x 300 pixels, taken by a drone south of Berlin."""
    from PIL import Image

    image = Image.fromarray(noise((300, 400, 3)))
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 36.0), 3: "W", 4: (13.0, 15.0, 0.0), 5: b"\0", 6: 135.5})
    exif.get_ifd(0x8769)[0xA405] = focal
    xmp = f'<x drone-dji:RelativeAltitude="{height}" drone-dji:GimbalPitchDegree="{pitch}"/>'
    image.save(path, exif=exif, xmp=xmp.encode())
    return path


def test_a_picture_of_a_drone_has_a_position_and_an_estimate_of_its_scale(tmp_path: Path) -> None:
    metadata = probe(drone_jpeg(tmp_path / "a.jpg")).metadata
    assert metadata.position == pytest.approx((52.51, -13.25, 135.5))
    assert metadata.spacing == pytest.approx((0.375, 0.375))  # 100 m * 36 mm / (24 mm * 400 px)
    assert metadata.unit == "m"
    assert "estimate" in metadata.notes[0]


def test_a_drone_that_looks_aside_gives_its_position_alone(tmp_path: Path) -> None:
    metadata = probe(drone_jpeg(tmp_path / "a.jpg", pitch=-45.0)).metadata
    assert metadata.position is not None
    assert metadata.spacing is None


def test_nothing_but_a_position_is_taken_from_what_is_no_number(tmp_path: Path) -> None:
    metadata = probe(drone_jpeg(tmp_path / "a.jpg", height="nan", focal=0)).metadata
    assert (metadata.spacing, metadata.unit) == (None, "")

"""Masks as GeoTIFF, read by other programs: values, no data, coordinate system and transform."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import tifffile
from affine import Affine
from numpy.typing import NDArray

from segstudio.errors import ExportMismatch, MaskMismatch, UnreadableImage
from segstudio.formats import geotiff
from segstudio.formats.geotiff import GeoTiffReader, GeoTiffWriter, earlier
from segstudio.formats.values import NOTHING, ExportPlan, FormatClass, LabelPlane, MaskFile
from segstudio.imaging.readers.table import Content, content_of
from segstudio.imaging.source import Stored, probe
from segstudio.labels.model import Kind
from tests.imaging.geo_files import NORTH_UP, UTM, noise, write_raster

CLASSES = (
    FormatClass(0, "background", "#102030", Kind.BACKGROUND),
    FormatClass(1, "leaf", "#E69F00", Kind.SEMANTIC),
)

pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")


def some_values(h: int = 30, w: int = 41) -> NDArray[np.int32]:
    return np.random.default_rng(5).choice([NOTHING, 0, 1], (h, w)).astype(np.int32)


def written(folder: Path, values: NDArray[np.int32], *, image: Path | None = None, **more: object) -> Path:
    plan = ExportPlan(more.pop("classes", CLASSES), (("sub/a.jpg", 1),), **more)  # type: ignore[arg-type]
    writer = GeoTiffWriter(folder, plan)
    stored = None if image is None else Stored((image,), metadata=probe(image).metadata)
    writer.add(LabelPlane("sub/a.jpg", 0, 1, values, np.zeros(values.shape, np.uint32), stored))
    (name,) = writer.finish()
    assert str(name) == "masks/sub/a.tif"
    return folder / name


def test_a_mask_lies_where_its_image_lies(tmp_path: Path) -> None:
    values = some_values()
    image = write_raster(tmp_path / "image.tif", noise((30, 41, 3)))
    with rasterio.open(written(tmp_path, values, image=image)) as mask:
        assert np.array_equal(mask.read(1), np.where(values == NOTHING, 255, values))
        assert mask.dtypes == ("uint8",)
        assert (mask.crs.to_string(), tuple(mask.transform)[:6], mask.nodata) == (UTM, NORTH_UP, 255)
        assert mask.colormap(1)[1] == (0xE6, 0x9F, 0x00, 255)


def test_a_turned_transform_and_a_system_without_a_number_are_kept(tmp_path: Path) -> None:
    local = 'ENGCRS["site",EDATUM["site"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]'
    turned = (0.3, 0.4, 7.0, 0.4, -0.3, 9.0)
    image = write_raster(tmp_path / "image.tif", noise((30, 41, 1)), crs=local, transform=turned)
    with rasterio.open(written(tmp_path, some_values(), image=image)) as mask, rasterio.open(image) as there:
        assert mask.crs == there.crs
        assert mask.transform.almost_equals(Affine(*turned))


def test_an_image_without_a_place_gets_a_mask_without_one(tmp_path: Path) -> None:
    values = some_values(300, 300)
    file = written(tmp_path, values, grey=True)
    assert np.array_equal(tifffile.imread(file), np.where(values == NOTHING, 255, values))
    with rasterio.open(file) as mask:
        assert mask.crs is None
        assert mask.transform.is_identity


def test_a_value_over_254_makes_16_bits_with_65535_for_unknown(tmp_path: Path) -> None:
    classes = (*CLASSES, FormatClass(300, "late", "#000000", Kind.SEMANTIC))
    values = np.where(some_values() == 1, 300, some_values()).astype(np.int32)
    with rasterio.open(written(tmp_path, values, classes=classes)) as mask:
        assert (mask.dtypes, mask.nodata) == (("uint16",), 65535)
        assert np.array_equal(mask.read(1), np.where(values == NOTHING, 65535, values))


@pytest.mark.parametrize("side", [20, 3000])
@pytest.mark.parametrize("grey", [False, True])
def test_a_scan_tells_it_from_an_image_and_a_later_export_its_project(tmp_path: Path, side: int, grey: bool) -> None:
    file = written(tmp_path, np.zeros((side, side), np.int32), grey=grey, project="1b4e28ba-2fa1")
    assert content_of(file) is Content.OWN_MASK
    assert [(str(path), project) for path, project in earlier(tmp_path)] == [("masks/sub/a.tif", "1b4e28ba-2fa1")]
    assert content_of(write_raster(tmp_path / "image.tif", noise((9, 9, 1)))) is Content.IMAGE


def test_a_bit_that_flips_on_the_disk_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(self: GeoTiffWriter, file: Path, values: NDArray, metadata: object) -> None:
        values = values.copy()
        values[0, 0] ^= 1
        write_raster(file, values[..., None], crs=None, transform=None, nodata=255)

    monkeypatch.setattr(geotiff.GeoTiffWriter, "_write", careless)
    with pytest.raises(ExportMismatch, match=r"masks/sub/a\.tif"):
        written(tmp_path, np.ones((4, 4), np.int32))


def test_masks_of_other_programs_are_read_and_their_value_for_no_data_is_unknown(tmp_path: Path) -> None:
    values = noise((8, 9, 1), "int16", low=-1, high=5)
    write_raster(tmp_path / "a.tif", values, nodata=-1)
    found = GeoTiffReader().read(MaskFile(tmp_path / "a.tif", "a.tif"))
    assert np.array_equal(found.values, values[..., 0])
    assert found.unknown == -1
    assert found.grid.transform == NORTH_UP


@pytest.mark.parametrize(("bands", "dtype"), [(2, "uint8"), (1, "float32"), (3, "uint8")])
def test_what_holds_no_class_values_is_refused(tmp_path: Path, bands: int, dtype: str) -> None:
    file = write_raster(tmp_path / "a.tif", noise((8, 9, bands), dtype))
    with pytest.raises(MaskMismatch, match=r"a\.tif is not a mask"):
        GeoTiffReader().read(MaskFile(file, "a.tif"))
    assert GeoTiffReader().holds_values(MaskFile(file, "a.tif")) is False


def test_a_damaged_mask_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0 and no more")
    with pytest.raises(UnreadableImage, match=r"a\.tif cannot be read"):
        GeoTiffReader().size(MaskFile(tmp_path / "a.tif", "a.tif"))


def test_the_colours_of_a_picture_may_stand_for_classes(tmp_path: Path) -> None:
    picture = np.zeros((4, 5, 3), np.uint8)
    picture[0] = (255, 0, 0)
    file = write_raster(tmp_path / "a.tif", picture, photometric="RGB")
    found = GeoTiffReader().read(MaskFile(file, "a.tif"), pictures=True)
    assert found.picture
    assert found.colors is not None
    assert found.colors[found.values[0, 0]].tolist() == [255, 0, 0]

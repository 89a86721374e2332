from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from segstudio.errors import ExportMismatch, MaskMismatch, UnreadableImage
from segstudio.formats.png import PngReader, PngWriter, earlier, read_mask
from segstudio.formats.values import NOTHING, ExportPlan, FormatClass, LabelPlane
from segstudio.imaging.readers.table import Content, content_of
from segstudio.labels.model import Kind

CLASSES = (
    FormatClass(0, "background", "#102030", Kind.BACKGROUND),
    FormatClass(1, "leaf", "#E69F00", Kind.SEMANTIC),
    FormatClass(2, "cell", "#56B4E9", Kind.INSTANCE),
    FormatClass(3, "blur", "#FFFFFF", Kind.IGNORE),
)


def labels(values: NDArray, path: str = "a.jpg", plane: int = 0, planes: int = 1) -> LabelPlane:
    values = values.astype(np.int32)
    return LabelPlane(path, plane, planes, values, np.where(values == NOTHING, 0, values + 1).astype(np.uint32))


def some_values(h: int = 30, w: int = 41) -> NDArray:
    return np.random.default_rng(5).choice([NOTHING, 0, 1, 2], (h, w))


def written(folder: Path, plan: ExportPlan, *planes: LabelPlane) -> list[str]:
    writer = PngWriter(folder, plan)
    for plane in planes:
        writer.add(plane)
    return [str(name) for name in writer.finish()]


def test_a_mask_is_a_palette_png_of_values_in_the_classes_colours(tmp_path: Path) -> None:
    values = some_values()
    assert written(tmp_path, ExportPlan(CLASSES, (("sub/a.jpg", 1),)), labels(values, "sub/a.jpg")) == [
        "masks/sub/a.png"
    ]
    with Image.open(tmp_path / "masks/sub/a.png") as mask:
        assert mask.mode == "P"
        assert np.array_equal(np.asarray(mask), np.where(values == NOTHING, 255, values))
        colours = np.asarray(mask.convert("RGB"))
    assert (colours[values == 1] == [0xE6, 0x9F, 0x00]).all()
    assert (colours[values == 0] == [0x10, 0x20, 0x30]).all()
    assert (colours[values == NOTHING] == colours[values == NOTHING][0]).all()


def test_a_value_over_254_makes_16_bit_grey_with_65535_for_unknown(tmp_path: Path) -> None:
    classes = (*CLASSES, FormatClass(300, "late", "#000000", Kind.SEMANTIC))
    values = np.where(some_values() == 2, 300, some_values())
    written(tmp_path, ExportPlan(classes, (("a.jpg", 1),)), labels(values))
    stored = cv2.imread(str(tmp_path / "masks/a.png"), cv2.IMREAD_UNCHANGED)
    assert stored.dtype == np.uint16
    assert np.array_equal(stored, np.where(values == NOTHING, 65535, values))


def test_an_ignore_class_of_a_high_value_does_not_make_16_bits(tmp_path: Path) -> None:
    classes = (*CLASSES[:2], FormatClass(300, "blur", "#000000", Kind.IGNORE))
    written(tmp_path, ExportPlan(classes, (("a.jpg", 1),)), labels(np.ones((3, 3))))
    assert read_mask(tmp_path / "masks/a.png").unknown == 255


@settings(max_examples=30, deadline=None)
@given(
    arrays.arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([-1, 0, 1, 2]))
)
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, values: NDArray) -> None:
    folder = tmp_path_factory.mktemp("export")
    written(folder, ExportPlan(CLASSES, (("a.jpg", 1),)), labels(values))
    found = read_mask(folder / "masks/a.png")
    assert np.array_equal(np.where(found.values == found.unknown, NOTHING, found.values), values)


def test_planes_get_their_number(tmp_path: Path) -> None:
    plan = ExportPlan(CLASSES, (("v.tif", 4),))
    names = written(tmp_path, plan, *(labels(some_values(), "v.tif", plane, 4) for plane in range(4)))
    assert names[3] == "masks/v_p0003.png"


def test_a_bit_that_flips_on_the_disk_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segstudio.formats import png

    def careless(file: Path, indices: NDArray, palette: NDArray, **_: object) -> None:
        indices = indices.copy()
        indices[0, 0] ^= 1
        Image.fromarray(indices).save(file)

    monkeypatch.setattr(png, "write_palette", careless)
    with pytest.raises(ExportMismatch, match=r"masks/a\.png"):
        written(tmp_path, ExportPlan(CLASSES, (("a.jpg", 1),)), labels(np.ones((4, 4))))


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_grey_masks_of_every_depth_give_the_stored_values(tmp_path: Path, bits: int) -> None:
    import struct
    import zlib

    from segstudio.formats.png_file import _chunk

    values = (np.arange(8) % 2**bits).astype(np.uint16)
    row = (
        values.astype(">u2").tobytes()
        if bits == 16
        else np.packbits((values[:, None] >> np.arange(bits - 1, -1, -1)) & 1).tobytes()
    )
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 1, bits, 0, 0, 0, 0))
    data = _chunk(b"IDAT", zlib.compress(b"\0" + row)) + _chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + data)
    assert read_mask(tmp_path / "a.png").values.tolist() == [values.tolist()]


def test_a_colour_picture_is_no_mask_and_says_so(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(MaskMismatch, match=r"a\.png is a colour picture"):
        read_mask(tmp_path / "a.png")


def test_a_broken_mask_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(UnreadableImage, match=r"text\.png"):
        read_mask(tmp_path / "text.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99), np.uint8)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:3000])
    with pytest.raises(UnreadableImage, match=r"cut\.png"):
        read_mask(tmp_path / "cut.png")


def test_masks_are_found_below_a_folder_and_in_an_exports_own(tmp_path: Path) -> None:
    for name in ("b.PNG", "sub/a.png", ".hidden/x.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [m.name for m in PngReader().find(tmp_path)] == ["b.PNG", "sub/a.png"]
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/c.png").touch()
    assert [m.name for m in PngReader().find(tmp_path)] == ["c.png"]
    assert [m.name for m in PngReader().find(tmp_path / "sub/a.png")] == ["a.png"]


def test_our_own_masks_are_told_from_images_by_their_first_bytes(tmp_path: Path) -> None:
    written(tmp_path, ExportPlan(CLASSES, (("a.jpg", 1),)), labels(some_values()))
    Image.new("P", (4, 4)).save(tmp_path / "other.png")
    assert content_of(tmp_path / "masks/a.png") is Content.OWN_MASK
    assert content_of(tmp_path / "other.png") is Content.IMAGE


def test_plain_grey_holds_the_same_values_and_keeps_the_mark(tmp_path: Path) -> None:
    values = some_values()
    written(tmp_path, ExportPlan(CLASSES, (("a.jpg", 1),), grey=True, project="u-1"), labels(values))
    file = tmp_path / "masks/a.png"
    stored = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(stored, np.where(values == NOTHING, 255, values))
    assert np.array_equal(read_mask(file).values, stored)
    assert content_of(file) is Content.OWN_MASK
    assert list(earlier(tmp_path)) == [(PurePosixPath("masks/a.png"), "u-1")]


def test_a_mask_names_the_project_that_exported_it(tmp_path: Path) -> None:
    for name, project in (("a", "7d0e"), ("b", "")):
        written(
            tmp_path, ExportPlan(CLASSES, ((f"{name}.jpg", 1),), project=project), labels(some_values(), f"{name}.jpg")
        )
    Image.new("P", (4, 4)).save(tmp_path / "masks/other.png")
    assert list(earlier(tmp_path)) == [(PurePosixPath("masks/a.png"), "7d0e"), (PurePosixPath("masks/b.png"), "")]


def test_colours_of_palettes_greys_and_pictures_are_known(tmp_path: Path) -> None:
    values = some_values(5, 6)
    written(tmp_path, ExportPlan(CLASSES, (("a.jpg", 1),)), labels(values))
    palette = read_mask(tmp_path / "masks/a.png").colors
    assert palette is not None
    assert palette[1].tolist() == [0xE6, 0x9F, 0x00]
    Image.fromarray(np.full((2, 2), 9, np.uint8)).save(tmp_path / "grey.png")
    grey = read_mask(tmp_path / "grey.png").colors
    assert grey is not None
    assert grey[9].tolist() == [9, 9, 9]
    pixels = np.array([[[255, 0, 0, 255], [0, 0, 9, 255], [1, 2, 3, 0]]], np.uint8)
    Image.fromarray(pixels).save(tmp_path / "rgba.png")
    picture = read_mask(tmp_path / "rgba.png", pictures=True)
    assert picture.colors is not None
    assert picture.colors[picture.values[0, :2]].tolist() == [[255, 0, 0], [0, 0, 9]]
    assert picture.values[0, 2] == picture.unknown
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (99, 99, 3), np.uint8)).save(tmp_path / "photo.png")
    with pytest.raises(MaskMismatch, match="colours"):
        read_mask(tmp_path / "photo.png", pictures=True)

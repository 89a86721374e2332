"""What every format has to hold to, taken from the table: a format without these tests is impossible."""

from pathlib import Path

import numpy as np
import pytest

from segstudio.formats.table import FORMATS, Format, Layout, readable, writable
from segstudio.formats.values import NOTHING, ExportPlan, FormatClass, LabelPlane
from segstudio.labels.model import Kind

CLASSES = (
    FormatClass(0, "background", "#102030", Kind.BACKGROUND),
    FormatClass(1, "leaf", "#E69F00", Kind.SEMANTIC),
    FormatClass(2, "cell", "#56B4E9", Kind.INSTANCE),
)
written = pytest.mark.parametrize("form", [f for f in FORMATS.rows if f.exports], ids=lambda f: f.name)
masks = pytest.mark.parametrize(
    "form", [f for f in FORMATS.rows if f.exports and f.imports and f.layout is Layout.MASKS], ids=lambda f: f.name
)


def plane(path: str) -> LabelPlane:
    objects = np.random.default_rng(2).integers(0, 6, (17, 23)).astype(np.uint32)
    values = np.array([NOTHING, 0, 1, 2, 2, 2], np.int32)[objects]
    return LabelPlane(path, 0, 1, values, objects)


def exported(form: Format, folder: Path, *paths: str) -> list[Path]:
    writer = form.load().writer(folder, ExportPlan(CLASSES, tuple((path, 1) for path in paths)))
    for path in paths:
        writer.add(plane(path))
    return [folder / name for name in writer.finish()]


def test_what_can_be_written_and_read_is_listed() -> None:
    assert writable() == ("png", "geotiff", "nifti", "coco")
    assert readable() == ("png", "geotiff", "nifti", "coco")
    assert (readable(Layout.MASKS), readable(Layout.ANNOTATIONS)) == (("png", "geotiff", "nifti"), ("coco",))


@written
def test_an_export_consists_of_the_files_it_names(form: Format, tmp_path: Path) -> None:
    files = exported(form, tmp_path, "a.jpg", "sub/b.jpg")
    assert files
    assert {f for f in tmp_path.rglob("*") if f.is_file()} == set(files)
    assert all(f.name.endswith(form.extensions) for f in files)


@masks
def test_what_is_exported_is_imported_again(form: Format, tmp_path: Path) -> None:
    reader = form.load().mask_reader()
    exported(form, tmp_path, "a.jpg", "sub/b.jpg")
    masks = reader.find(tmp_path)
    assert [m.name for m in masks] == [f"{stem}{form.extensions[0]}" for stem in ("a", "sub/b")]
    for mask in masks:
        found = reader.read(mask)
        assert np.array_equal(np.where(found.values == found.unknown, NOTHING, found.values), plane("").values)


@written
def test_a_full_disk_is_an_error_of_the_system_and_no_mismatch(
    form: Format, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        exported(form, tmp_path, "a.jpg")

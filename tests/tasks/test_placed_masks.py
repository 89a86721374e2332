"""Masks that lie somewhere, out of a project and in again: GeoTIFF and NIfTI."""

from pathlib import Path

import numpy as np
import pytest

from segstudio.errors import MaskMismatch, UserError
from segstudio.formats.naming import StemPattern
from segstudio.geometry import Rect
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.tasks.labels.export import export
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.progress import finished
from tests.formats.test_nifti_masks import volume_file
from tests.imaging.geo_files import NORTH_UP, UTM, noise, write_raster
from tests.tasks.small_projects import CLASSES

pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")


def project_of(folder: Path, name: str) -> Project:
    return Project.open(finished(new_project(folder / f"{name}.segstudio", [str(folder / "images")], CLASSES)).path)


def labels(project: Project) -> list[np.ndarray]:
    (row,) = project.images()
    document = project.document(row.id)
    return [document.class_ids(plane, Rect(0, 0, *size)) for plane, size in enumerate(row.planes)]


def test_labels_go_out_as_geotiff_and_come_in_again(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    write_raster(tmp_path / "images" / "field.tif", noise((30, 40, 3)))
    values = noise((30, 40, 1), low=0, high=3)
    (tmp_path / "given").mkdir()
    write_raster(tmp_path / "given" / "field.tif", values)
    with project_of(tmp_path, "a") as project:
        finished(import_masks(project, "geotiff", tmp_path / "given"))
        finished(export(project, "geotiff", tmp_path / "out"))
        before = labels(project)
    with project_of(tmp_path, "b") as project:
        report = finished(import_masks(project, "", tmp_path / "out"))
        assert report.images == 1
        assert np.array_equal(labels(project)[0], before[0])
    # What an export wrote is no image.
    with pytest.raises(Exception, match="image"):
        finished(new_project(tmp_path / "c.segstudio", [str(tmp_path / "out")], CLASSES))


def test_labels_of_a_volume_go_out_as_nifti_and_come_in_again(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    volume_file(tmp_path / "images" / "heart.nii.gz", (12, 10, 4))
    with project_of(tmp_path, "a") as project:
        masks = tmp_path / "given"
        masks.mkdir()
        import cv2

        for plane in (0, 2):
            values = noise((10, 12), low=0, high=3)
            assert cv2.imwrite(str(masks / f"heart_p000{plane}.png"), values)
        finished(import_masks(project, "png", masks))
        report = finished(export(project, "nifti", tmp_path / "out"))
        assert [file.relative_to(tmp_path).as_posix() for file in report.files] == ["out/masks/heart.nii.gz"]
        before = labels(project)
    with project_of(tmp_path, "b") as project:
        finished(import_masks(project, "", tmp_path / "out"))
        after = labels(project)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert not after[1].any()
    assert after[2].all()


def test_a_picture_whose_pixels_lie_in_other_files_is_not_copied(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    write_raster(tmp_path / "images" / "field.dat", noise((30, 40, 1)), "ENVI")
    with pytest.raises(UserError, match=r"field\.hdr cannot be copied into a project"):
        finished(new_project(tmp_path / "p.segstudio", [str(tmp_path / "images/field.hdr")], CLASSES, copy_files=True))
    assert not (tmp_path / "p.segstudio").exists()
    with project_of(tmp_path, "a") as project:
        assert [image.path for image in project.images()] == ["field.hdr"]


def test_a_mask_that_lies_elsewhere_on_the_map_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "given").mkdir()
    write_raster(tmp_path / "images" / "field.tif", noise((30, 40, 3)))
    a, b, c, d, e, f = NORTH_UP
    near, far = (a, b, c + 0.01, d, e, f), (a, b, c + 5.0, d, e, f)
    with project_of(tmp_path, "a") as project:
        for transform, crs in ((far, UTM), (NORTH_UP, "EPSG:32634")):
            write_raster(tmp_path / "given" / "field.tif", noise((30, 40, 1), high=2), transform=transform, crs=crs)
            with pytest.raises(
                MaskMismatch, match=r"field\.tif has the size of its image field\.tif, but lies elsewhere"
            ):
                finished(import_masks(project, "geotiff", tmp_path / "given"))
            assert not labels(project)[0].any()
        write_raster(tmp_path / "given" / "field.tif", noise((30, 40, 1), high=2), transform=near)
        finished(import_masks(project, "geotiff", tmp_path / "given"))
        assert labels(project)[0].all()


def test_masks_in_png_beside_images_in_tiff_need_no_format(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "images").mkdir()
    write_raster(tmp_path / "images" / "field.tif", noise((30, 40, 3)))
    with project_of(tmp_path, "a") as project:
        assert cv2.imwrite(str(tmp_path / "images" / "field_mask.png"), np.ones((30, 40), np.uint8))
        finished(import_masks(project, "", tmp_path / "images", pattern=StemPattern("{stem}_mask")))
        assert labels(project)[0].all()


def test_a_volume_on_another_grid_is_refused(tmp_path: Path) -> None:
    import nibabel as nib

    (tmp_path / "images").mkdir()
    (tmp_path / "given").mkdir()
    volume_file(tmp_path / "images" / "heart.nii.gz", (12, 10, 4))
    turned = np.diag([0.7, 0.6, 2.5, 1.0])
    nib.save(nib.Nifti1Image(np.ones((12, 10, 4), np.uint8), turned), tmp_path / "given" / "heart.nii.gz")
    with project_of(tmp_path, "a") as project, pytest.raises(MaskMismatch, match="lies elsewhere"):
        finished(import_masks(project, "nifti", tmp_path / "given"))

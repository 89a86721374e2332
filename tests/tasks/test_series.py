"""The slices of a scan are one image of a project: when it is made, when it grows, when its files are taken in."""

import os
import shutil
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from segstudio.engine.project_data import ProjectData
from segstudio.engine.sources import Sources
from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.imaging.source import open_stored
from segstudio.store.file_check import Content, adopt, look_at, note
from segstudio.store.project import Project
from segstudio.tasks.images.add import add_images
from segstudio.tasks.images.info import info
from segstudio.tasks.images.new import new_project
from segstudio.tasks.images.newcomers import newcomers
from segstudio.tasks.images.relink import relink
from segstudio.tasks.progress import finished
from tests.imaging.dicom_files import SERIES, write_dicom, write_series
from tests.tasks.pictures import label

OTHER = {"SeriesInstanceUID": f"{SERIES}.7", "SeriesNumber": 7, "SeriesDescription": "Abdomen / late"}


def made(folder: Path, *given: Path, copy_files: bool = False) -> Project:
    path = folder / "p.segstudio"
    finished(new_project(path, [str(each) for each in given], [], copy_files=copy_files))
    return Project.open(path)


def first_values(project: Project, place: int = 0) -> list[int]:
    row = project.images()[place]
    source = open_stored(row.stored)
    try:
        return [int(source.read(plane=plane)[0, 0, 0]) for plane in range(len(row.planes))]
    finally:
        source.close()


def test_a_series_is_one_image_called_like_its_folder(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "scan", [30, 10, 20, 0])
    with made(tmp_path, tmp_path / "data") as project:
        (row,) = project.images()
        assert (row.path, row.planes, row.family) == ("scan", ((8, 8),) * 4, "dicom")
        assert first_values(project) == [300, 100, 200, 0]
        (image,) = info(project)["images"]
        assert image["axes"] == "zyx"
        assert image["spacing"] == [10.0, 0.5, 0.25]
        assert image["unit"] == "mm"
        assert image["channels"] == 1
        assert image["dtype"] == "int16"
        assert image["group"].startswith("patient ")


def test_the_given_folder_itself_may_be_the_series(tmp_path: Path) -> None:
    write_series(tmp_path / "scan", [0, 1, 2])
    with made(tmp_path, tmp_path / "scan") as project:
        assert [row.path for row in project.images()] == ["scan"]
        assert first_values(project) == [0, 100, 200]


def test_two_series_in_a_folder_are_two_images_named_by_number_and_description(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "one", [0, 1, 2])
    write_series(tmp_path / "data" / "two", [0, 1], **OTHER)
    for file in (tmp_path / "data" / "two").iterdir():
        file.rename(tmp_path / "data" / "one" / f"b{file.name}")
    with made(tmp_path, tmp_path / "data") as project:
        assert [(row.path, len(row.planes)) for row in project.images()] == [
            ("one/7_Abdomen_late", 2),
            ("one/4_Thorax_1.0", 3),
        ]


def test_a_series_of_two_sizes_is_two_images(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "scan", [0, 1, 2])
    write_series(tmp_path / "data" / "scout", [0, 1], side=9)
    with made(tmp_path, tmp_path / "data") as project:
        assert [(row.path, len(row.planes)) for row in project.images()] == [("4_Thorax_1.0", 3), ("4_Thorax_1.0-2", 2)]


def test_a_lone_file_keeps_its_own_name(tmp_path: Path) -> None:
    write_dicom(tmp_path / "data" / "hand.dcm", np.zeros((4, 4), np.uint8), Modality="DX")
    write_series(tmp_path / "data" / "lone", [5])
    with made(tmp_path, tmp_path / "data") as project:
        assert [row.path for row in project.images()] == ["hand.dcm", "lone/IM0000.dcm"]
        assert [row.more for row in project.images()] == [(), ()]


def test_images_of_one_patient_are_one_group(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "a", [0, 1])
    write_series(tmp_path / "data" / "b", [0, 1], **OTHER)
    write_series(tmp_path / "data" / "c", [0, 1], **{**OTHER, "SeriesInstanceUID": "1.2.3", "PatientID": "18"})
    with made(tmp_path, tmp_path / "data") as project:
        groups = [row.group_id for row in project.images()]
        assert groups[0] == groups[1] != groups[2]


def test_nothing_that_names_a_person_is_in_the_project(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "scan", [0, 1, 2], PatientName="Doe^Jane", PatientBirthDate="19610412")
    with made(tmp_path, tmp_path / "data") as project:
        path = project.path
    content = (path / "project.db").read_bytes()
    assert b"Doe" not in content
    assert b"19610412" not in content


def test_files_that_name_a_person_are_counted_where_they_are_copied(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "a", [0, 1])
    write_series(tmp_path / "data" / "b", [0, 1], **OTHER, PatientName="", PatientID="")
    for copy_files, personal in ((False, 0), (True, 1)):
        given = [str(tmp_path / "data")]
        report = finished(new_project(tmp_path / f"p{copy_files}", given, [], copy_files=copy_files))
        assert report.personal == personal


def test_a_known_series_is_not_added_again_and_a_new_one_is(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "a", [0, 1, 2])
    with made(tmp_path, tmp_path / "data") as project:
        plan = finished(add_images(project, [str(tmp_path / "data")]))
        assert plan.empty
        assert [row.path for row in plan.there] == ["a"]
        write_series(tmp_path / "data" / "b", [0, 1], **OTHER)
        plan = finished(add_images(project, [str(tmp_path / "data")]))
        assert plan.added == ("b",)
        assert first_values(project, 1) == [0, 100]


def test_a_series_that_appears_beside_the_images_is_offered_whole(tmp_path: Path) -> None:
    write_series(tmp_path / "data", [0, 1, 2])
    with made(tmp_path, tmp_path / "data") as project:
        assert finished(newcomers(project)).files == ()
        write_series(tmp_path / "more", [0, 1], **OTHER)
        for file in (tmp_path / "more").iterdir():
            shutil.move(file, tmp_path / "data" / f"n{file.name}")
        assert [found.path for found in finished(newcomers(project)).files] == ["nIM0000.dcm", "nIM0001.dcm"]


def test_files_that_are_taken_in_are_all_there_and_in_order(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "scan", [30, 10, 20])
    with made(tmp_path, tmp_path / "data", copy_files=True) as project:
        shutil.rmtree(tmp_path / "data")
        assert first_values(project) == [100, 200, 0]
        write_series(tmp_path / "more" / "late", [2, 1], **OTHER)
        finished(add_images(project, [str(tmp_path / "more")]))
        shutil.rmtree(tmp_path / "more")
        assert first_values(project, 1) == [100, 0]


def test_labels_stay_with_their_slices_when_the_project_has_moved(tmp_path: Path) -> None:
    write_series(tmp_path / "here" / "data" / "scan", [30, 10, 20])
    made(tmp_path / "here", tmp_path / "here" / "data").close()
    (tmp_path / "here").rename(tmp_path / "there")
    with Project.open(tmp_path / "there" / "p.segstudio") as project:
        assert first_values(project) == [100, 200, 0]


def write_directory(folder: Path, *named: list[str]) -> Path:
    """A DICOMDIR that names these files."""
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MediaStorageDirectoryStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    records = []
    for parts in named:
        record = Dataset()
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", parts
        records.append(record)
    directory.DirectoryRecordSequence = records
    directory.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


def test_a_dicomdir_stands_for_the_files_that_it_names(tmp_path: Path) -> None:
    write_series(tmp_path / "disc" / "scan", [2, 0, 1])
    write_series(tmp_path / "disc" / "other", [0, 1], **OTHER)
    named = [["SCAN", f"IM000{n}.DCM"] for n in range(3)]
    directory = write_directory(tmp_path / "disc", *named, ["SCAN", "GONE"], ["..", "secret"])
    with made(tmp_path, directory) as project:
        assert [(row.path, len(row.planes)) for row in project.images()] == [("scan", 3)]
        assert first_values(project) == [100, 200, 0]


def test_a_dicomdir_whose_files_are_gone_says_so(tmp_path: Path) -> None:
    directory = write_directory(tmp_path, ["GONE"])
    with pytest.raises(UnreadableImage, match="DICOMDIR names no file that is there"):
        made(tmp_path, directory)


def test_a_dicomdir_in_a_folder_is_passed_over_with_a_reason(tmp_path: Path) -> None:
    write_series(tmp_path / "disc" / "scan", [0, 1])
    write_directory(tmp_path / "disc", ["SCAN", "IM0000.DCM"])
    report = finished(new_project(tmp_path / "p", [str(tmp_path / "disc")], []))
    assert (report.images, report.skipped) == (1, 1)


def test_a_series_whose_own_folder_is_chosen_is_found_with_all_its_files(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "scan", [30, 10, 20])
    write_series(tmp_path / "data" / "late", [0, 1], **OTHER)
    with made(tmp_path, tmp_path / "data") as project:
        shutil.move(tmp_path / "data" / "scan", tmp_path / "elsewhere")
        report = finished(relink(project, tmp_path / "elsewhere"))
        assert (report.found, report.missing) == (("scan",), ())
        assert [file.is_file() for row in project.images() for file in row.files] == [True] * 5
        assert [first_values(project, place) for place in (0, 1)] == [[0, 100], [100, 200, 0]]


def test_a_series_whose_slices_have_new_names_is_found_by_what_they_hold(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "scan", [30, 10, 20])
    with made(tmp_path, tmp_path / "data") as project:
        (tmp_path / "new").mkdir()
        for n, file in enumerate(sorted((tmp_path / "data" / "scan").iterdir())):
            file.rename(tmp_path / "new" / f"{9 - n}.dcm")
        assert finished(relink(project, tmp_path / "new")).found == ("scan",)
        assert first_values(project) == [100, 200, 0]


def test_a_series_is_missing_until_its_last_slice_is_found(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "scan", [30, 10, 20])
    with made(tmp_path, tmp_path / "data") as project:
        (tmp_path / "data" / "aside").mkdir()
        lost = project.images()[0].files[1]
        lost.rename(tmp_path / "data" / "aside" / "b.dcm")
        before = project.images()
        report = finished(relink(project, tmp_path / "data" / "aside"))
        assert (report.found, report.missing) == ((), ("scan",))
        assert project.images() == before
        assert finished(relink(project, tmp_path / "data")).found == ("scan",)
        assert first_values(project) == [100, 200, 0]
        assert finished(relink(project, tmp_path / "data")).missing == ()


def test_a_root_stays_where_a_slice_of_a_series_is_left_in_it(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "scan", [30, 10, 20])
    write_series(tmp_path / "data" / "late", [0, 1], **OTHER)
    with made(tmp_path, tmp_path / "data") as project:
        shutil.copytree(tmp_path / "data" / "late", tmp_path / "other" / "late")
        shutil.rmtree(tmp_path / "data" / "late")
        project.images()[1].files[2].unlink()
        report = finished(relink(project, tmp_path / "other"))
        assert (report.found, report.missing) == (("late",), ("scan",))
        assert [file.is_file() for file in project.images()[1].files] == [True, True, False]


@pytest.mark.parametrize("damage", ['{"axes":"zyx","sizes":[4', '{"axes":7}', "\x00"])
def test_a_series_whose_metadata_is_damaged_is_one_of_which_nothing_is_known(tmp_path: Path, damage: str) -> None:
    write_series(tmp_path / "data" / "scan", [30, 10, 20, 0])
    with made(tmp_path, tmp_path / "data") as project:
        project.writing().call(lambda db: db.execute("UPDATE images SET metadata = ?", (damage,))).result(30)
        (image,) = info(project)["images"]
        assert (image["path"], image["planes"], image["spacing"]) == ("scan", 4, None)
        assert first_values(project) == [300, 100, 200, 0]


def _replaced(file: Path) -> None:
    """Another slice in its place: of the same size, and from an earlier day."""
    before = file.read_bytes()
    file.write_bytes(before[:-40] + bytes(40))
    os.utime(file, ns=(10**18, 10**18))


def test_a_slice_that_is_replaced_is_flagged_until_it_is_put_back_or_used(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "scan", [30, 10, 20], side=30)
    with made(tmp_path, tmp_path / "data") as project:
        label(project, project.images()[0].id)
        row = project.images()[0]
        assert look_at(row).content is Content.SAME
        os.utime(row.files[1], ns=(5, 5))
        look = look_at(row)
        assert look.content is Content.TOUCHED
        _written(note(project, row, look))
        row = project.images()[0]
        assert look_at(row).content is Content.SAME
        _replaced(row.files[1])
        look = look_at(row)
        assert look.content is Content.CHANGED
        _written(note(project, row, look))
        assert project.images()[0].changed == look.digest
        assert "has changed since" in info(project)["images"][0]["problem"]
        adopt(project, row, look).result(30)
        row = project.images()[0]
        assert (look_at(row).content, row.changed) == (Content.SAME, "")
        row.files[2].unlink()
        assert look_at(row).content is Content.MISSING


def test_nothing_is_learned_from_a_series_of_which_a_slice_was_replaced(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "scan", [30, 10, 20], side=30)
    sources = Sources()
    with made(tmp_path, tmp_path / "data") as project:
        label(project, project.images()[0].id)
        row = project.images()[0]
        _replaced(row.files[2])
        with closing(sources), pytest.raises(UnreadableImage, match="content of 'scan' has changed"):
            ProjectData(project, sources).pixels(int(row.id), 0, Rect(0, 0, 5, 5))


def test_a_slice_without_labels_that_is_replaced_is_decoded_again(tmp_path: Path) -> None:
    write_series(tmp_path / "data" / "scan", [0, 10, 20], side=30)
    whole = Rect(0, 0, 30, 30)
    with made(tmp_path, tmp_path / "data") as project, closing(Sources()) as sources:
        row = project.images()[0]
        planes = [ProjectData(project, sources).pixels(int(row.id), plane, whole) for plane in range(3)]
        _replaced(row.files[row.places[1]])
        now = [ProjectData(project, sources).pixels(int(row.id), plane, whole) for plane in range(3)]
        assert [bool((a == b).all()) for a, b in zip(planes, now, strict=True)] == [True, False, True]


def _written(waiting: "Future[None] | None") -> None:
    assert waiting is not None
    waiting.result(30)

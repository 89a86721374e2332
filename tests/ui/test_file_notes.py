"""What is odd about the files of an image is said when it is shown, once."""

from pathlib import Path

from segstudio.app.values import Notice, NoticeKind
from segstudio.tasks.images.new import new_project
from segstudio.tasks.progress import finished
from tests.imaging.dicom_files import SERIES, write_series
from tests.ui.desk import Desk


def test_missing_slices_are_said_once_and_nothing_is_said_of_a_whole_series(desk: Desk, tmp_path: Path) -> None:
    heard: list[Notice] = []
    desk.session.notices.told.connect(heard.append)
    write_series(tmp_path / "data" / "a_gap", [0, 1, 2, 5, 6])
    write_series(tmp_path / "data" / "whole", [0, 1, 2], SeriesInstanceUID=f"{SERIES}.1")
    path = finished(new_project(tmp_path / "p", [str(tmp_path / "data")], [])).path

    def news() -> list[str]:
        return [notice.sentence for notice in heard if notice.kind is NoticeKind.NEWS]

    desk.open(path)
    assert desk.session.current_image == "a_gap"
    assert len(news()) == 1
    assert news()[0].startswith("a_gap: Slices are missing")
    desk.shows(1)
    desk.shows(0)
    assert len(news()) == 1

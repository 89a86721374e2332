"""The owner of imports: looks on a thread, writes by the one door, and leaves everything as it was where it fails."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pytestqt.exceptions import capture_exceptions

from segstudio import faults
from segstudio.app.editing.tools.pointer import Button, Phase, Pointer
from segstudio.app.importing import ImportPreview, ImportReport, ImportSurvey, Target, WantedImport, imported_words
from segstudio.app.open_project import OpenedProject
from segstudio.app.session import Session
from segstudio.app.values import JobKind, Notice, NoticeKind
from segstudio.geometry import Rect
from tests.app.conftest import SIZE

pytestmark = pytest.mark.usefixtures("qtbot")


class Desk:
    """A session over the small project, and what it was told."""

    def __init__(self, qtbot: Any, path: Path) -> None:
        self.qtbot = qtbot
        self.session = Session()
        self.notices: list[Notice] = []
        self.session.notices.told.connect(self.notices.append)
        self.session.kept_preferences.prefer(automatic_proposals=False)
        self.session.projects.open(path)
        self.wait(lambda: self.opened.navigation.shown is not None)
        self.looks: list[object] = []
        self.reports: list[ImportReport] = []
        importing = self.opened.importing
        for signal in (importing.surveyed, importing.previewed, importing.refused):
            signal.connect(self.looks.append)
        importing.imported.connect(self.reports.append)

    @property
    def opened(self) -> OpenedProject:
        assert self.session.project is not None
        return self.session.project

    def wait(self, holds: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=20_000)

    def survey(self, path: Path, format_: str = "", pattern: str = "") -> object:
        self.opened.importing.survey(format_, path, pattern)
        return self._look()

    def preview(self, wanted: WantedImport) -> object:
        self.opened.importing.preview(wanted)
        return self._look()

    def _look(self) -> object:
        self.wait(lambda: self.looks)
        return self.looks.pop()

    def wanted(self, path: Path, target: Target = Target.LABELS, **chosen: str) -> WantedImport:
        """Import what is in the files; `chosen` has classes by `_` and the value."""
        survey = self.survey(path)
        assert isinstance(survey, ImportSurvey), survey
        keys = {int(name[1:]): class_name for name, class_name in chosen.items()}
        return WantedImport("", path, target=target, meanings=survey.meanings, chosen=keys)

    def bring_in(self, wanted: WantedImport) -> ImportReport:
        self.opened.importing.start(wanted)
        self.wait(lambda: self.reports)
        return self.reports.pop()

    def class_names(self, image: int = 0) -> np.ndarray:
        """Class names (h, w) of an image as stored; '' = unknown."""
        project = self.opened.store
        names = {int(c.id): c.name for c in project.classes()} | {0: ""}
        document = project.document(project.images()[image].id)
        return np.vectorize(names.__getitem__)(document.class_ids(0, Rect(0, 0, *SIZE)))

    @property
    def failures(self) -> list[Notice]:
        return [notice for notice in self.notices if notice.kind is not NoticeKind.WORD]


@pytest.fixture
def desk(qtbot: Any, project_path: Path) -> Iterator[Desk]:
    made = Desk(qtbot, project_path)
    yield made
    made.session.close()


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """Masks of two images: cell (1) on background in one, cell and the nameless 7 in the other."""
    folder = tmp_path / "masks"
    folder.mkdir()
    for n, extra in enumerate((None, 7)):
        values = np.full(SIZE[::-1], 255, np.uint8)
        values[10:20, 10:30] = 0
        values[12:18, 12:18] = 1
        if extra:
            values[40:50, 40:60] = extra
        Image.fromarray(values).save(folder / f"{n}.png")
    return folder


def test_labels_come_in_and_what_is_open_follows(desk: Desk, masks: Path) -> None:
    wanted = desk.wanted(masks, _7="scratch")
    preview = desk.preview(wanted)
    assert isinstance(preview, ImportPreview)
    assert [(plane.path, plane.pixels) for plane in preview.planes] == [("0.png", 200), ("1.png", 400)]
    assert preview.new_classes == ("scratch",)
    report = desk.bring_in(wanted)
    assert (report.images, report.new_classes) == (2, ("scratch",))
    current = desk.opened.documents.current
    assert current is not None
    assert np.count_nonzero(current.document.class_ids(0, Rect(0, 0, *SIZE))) == 200
    assert desk.opened.documents.classes.named("scratch") is not None
    desk.wait(lambda: [item.labelled_pixels for item in desk.opened.navigation.items] == [200, 400, 0])
    assert desk.notices[-1].sentence == "2 masks of 2 images imported as labels: 600 known pixels."
    assert np.count_nonzero(desk.class_names(1) == "scratch") == 200


def test_one_undo_takes_the_whole_import_back_and_redo_brings_it_again(desk: Desk, masks: Path) -> None:
    desk.bring_in(desk.wanted(masks, _7="scratch"))
    desk.session.undo()
    desk.wait(lambda: [item.labelled_pixels for item in desk.opened.navigation.items] == [0, 0, 0])
    assert desk.opened.documents.classes.named("scratch") is None
    desk.wait(lambda: desk.opened.documents.can_redo)
    desk.session.redo()
    desk.wait(lambda: [item.labelled_pixels for item in desk.opened.navigation.items] == [200, 400, 0])


def test_proposals_come_in_beside_the_labels_and_are_on_screen(desk: Desk, masks: Path) -> None:
    desk.bring_in(desk.wanted(masks, Target.PROPOSALS, _7=""))
    desk.wait(lambda: desk.opened.proposals.on_screen is not None)
    proposal = desk.opened.proposals.on_screen
    assert proposal is not None
    assert proposal.version == "imported"
    assert [item.labelled_pixels for item in desk.opened.navigation.items] == [0, 0, 0]


def test_a_stroke_under_way_is_kept_before_the_import(desk: Desk, masks: Path) -> None:
    wanted = desk.wanted(masks / "0.png")
    desk.session.set_class("crack")
    opened = desk.opened.documents
    assert opened.current is not None
    opened.active_tool.pointer(Pointer(Phase.PRESS, 60.5, 60.5, Button.LEFT))
    assert opened.gesture_active
    desk.bring_in(wanted)
    names = desk.class_names()
    assert names[60, 60] == "crack"
    assert names[15, 15] == "cell"


def test_a_newer_look_drops_the_one_before(desk: Desk, masks: Path) -> None:
    desk.opened.importing.survey("", masks)
    desk.opened.importing.survey("", masks / "0.png")
    desk.wait(lambda: desk.looks and not desk.session.jobs.states)
    assert len(desk.looks) == 1
    (survey,) = desk.looks
    assert isinstance(survey, ImportSurvey)
    assert [m.words for m in survey.meanings] == ["0", "1", "255"]


@pytest.mark.parametrize(
    ("path", "pattern", "said"),
    [
        ("nowhere", "", "does not exist"),
        ("broken.json", "", "is not JSON, or is cut short"),
        ("masks", "mask", "'mask' is not a pattern"),
        ("masks", "{stem}_gt", "is named '{stem}_gt' after an image"),
        ("images", "", "belongs to an image|holds no mask"),
    ],
)
def test_bad_input_is_one_sentence_without_the_command_lines_options(
    desk: Desk, masks: Path, tmp_path: Path, path: str, pattern: str, said: str
) -> None:
    import re

    (tmp_path / "broken.json").write_text('{"images"', encoding="utf-8")
    sentence = desk.survey(tmp_path / path, pattern=pattern)
    assert isinstance(sentence, str)
    assert re.search(said, sentence)
    assert "--" not in sentence
    assert "\n" not in sentence


def test_a_name_that_no_class_can_have_is_refused_before_anything_is_read(desk: Desk, masks: Path) -> None:
    sentence = desk.preview(desk.wanted(masks, _7="a,b"))
    assert sentence == "The class name 'a,b' contains ','; ':', ',' and '=' are not allowed."


def test_an_import_that_fails_is_said_and_changes_nothing(desk: Desk, masks: Path) -> None:
    wanted = desk.wanted(masks, _7="scratch")
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(masks / "1.png")
    before = desk.opened.store.last_seq()
    desk.opened.importing.start(wanted)
    desk.wait(lambda: desk.failures)
    assert desk.failures[-1].job is JobKind.IMPORT
    assert "1.png has 3 x 3 pixels, but its image" in desk.failures[-1].sentence
    assert desk.opened.store.last_seq() == before
    assert not desk.session.jobs.states


def test_classes_that_changed_meanwhile_stop_the_import(
    desk: Desk, masks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segstudio.app import importing

    wanted = desk.wanted(masks, _7="scratch")
    real = importing.check_import

    def slow(*args: Any, **options: Any) -> Any:
        found = yield from real(*args, **options)
        desk.opened.ground.main.post(lambda: desk.opened.classes.add("moss"))
        return found

    monkeypatch.setattr(importing, "check_import", slow)
    desk.opened.importing.start(wanted)
    desk.wait(lambda: desk.failures)
    assert desk.failures[-1].sentence == "The classes were changed meanwhile, so nothing was imported."
    assert not (desk.class_names() != "").any()


def test_a_cancelled_import_changes_nothing_and_is_no_failure(
    desk: Desk, masks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from segstudio.app import importing

    wanted, go_on = desk.wanted(masks, _7="scratch"), threading.Event()
    real = importing.check_import

    def held(*args: Any, **options: Any) -> Any:
        steps = real(*args, **options)
        yield next(steps)
        go_on.wait(20)
        return (yield from steps)

    monkeypatch.setattr(importing, "check_import", held)
    desk.opened.importing.start(wanted)
    desk.wait(lambda: desk.session.jobs.of(JobKind.IMPORT))
    desk.opened.importing.cancel()
    go_on.set()
    desk.wait(lambda: not desk.session.jobs.states)
    assert desk.failures == []
    assert desk.reports == []
    assert not (desk.class_names() != "").any()


def test_an_import_is_under_way_from_its_start_to_its_end_and_no_other_begins(desk: Desk, masks: Path) -> None:
    wanted = desk.wanted(masks, _7="scratch")
    desk.session.set_class("crack")
    assert desk.opened.documents.current is not None
    desk.opened.documents.active_tool.pointer(Pointer(Phase.PRESS, 60.5, 60.5, Button.LEFT))
    for _press in range(2):
        desk.opened.importing.start(wanted)
        assert desk.opened.importing.running
    desk.wait(lambda: not desk.opened.importing.running and not desk.session.jobs.states)
    assert len(desk.reports) == 1
    assert desk.failures == []


def test_what_was_written_is_said_of_the_target_that_was_asked_for(desk: Desk, masks: Path) -> None:
    report = desk.bring_in(desk.wanted(masks, Target.PROPOSALS, _7=""))
    assert imported_words(report) == "2 masks of 2 images imported as proposals: 400 known pixels."


def test_a_cancelled_write_ends_as_nothing_that_came_in(
    desk: Desk, masks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segstudio.tasks.labels.import_masks import CheckedImport

    ends: list[str] = []
    desk.opened.importing.ended.connect(ends.append)
    real = CheckedImport.edits

    def held(found: CheckedImport, db: Any, ticker: Any) -> Any:
        for edit in real(found, db, ticker):
            desk.opened.ground.main.post(desk.opened.importing.cancel)
            for _tick in range(2000):
                ticker.step(0)
                time.sleep(0.005)
            yield edit

    monkeypatch.setattr(CheckedImport, "edits", held)
    desk.opened.importing.start(desk.wanted(masks, _7="scratch"))
    desk.wait(lambda: ends)
    assert ends == ["Cancelled."]
    assert not desk.opened.importing.running
    assert not (desk.class_names() != "").any()


def test_a_bug_while_writing_ends_the_import(desk: Desk, masks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segstudio.tasks.labels.import_masks import CheckedImport

    ends: list[str] = []
    desk.opened.importing.ended.connect(ends.append)

    def broken(*_of: Any) -> Any:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(CheckedImport, "edits", broken)
    wanted = desk.wanted(masks, _7="scratch")
    with capture_exceptions() as found:
        faults.watch()  # pytest's hook stands in front of ours
        desk.opened.importing.start(wanted)
        desk.wait(lambda: ends and found)
    assert ends == ["Stopped by an error in SegStudio."]
    assert not desk.opened.importing.running


def test_a_disk_that_does_not_take_what_was_made_before_stops_the_import(
    desk: Desk, masks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = desk.wanted(masks, _7="scratch")
    writer = desk.opened.store.writer
    assert writer is not None
    with monkeypatch.context() as patch:
        patch.setattr(type(writer), "flush", lambda _writer, timeout_s=None: False)
        desk.opened.importing.start(wanted)
        desk.wait(lambda: desk.failures)
    sentence = "Earlier changes could not be saved to the disk, so nothing was imported."
    assert desk.failures[-1].sentence == sentence
    assert not (desk.class_names() != "").any()


def test_a_look_that_is_cancelled_too_late_ends_as_cancelled_all_the_same(
    desk: Desk, masks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segstudio.app import importing

    ends: list[str] = []
    desk.opened.importing.ended.connect(ends.append)
    real = importing.survey_import

    def finishes(*args: Any, **options: Any) -> Any:
        found = yield from real(*args, **options)
        desk.opened.ground.main.post(desk.opened.importing.cancel)
        return found

    monkeypatch.setattr(importing, "survey_import", finishes)
    desk.opened.importing.survey("", masks)
    desk.wait(lambda: ends)
    assert ends == ["Cancelled."]
    assert desk.looks == []


def test_a_read_only_window_says_why_and_imports_nothing(
    desk: Desk, masks: Path, project_path: Path, qtbot: Any
) -> None:
    other = Desk(qtbot, project_path)
    assert not other.opened.may_write
    other.opened.importing.start(other.wanted(masks, _7="scratch"))
    assert other.failures[-1].job is JobKind.IMPORT
    assert "read-only" in other.failures[-1].sentence
    other.session.close()


def test_what_is_recognised_is_told_by_its_format(desk: Desk, masks: Path, tmp_path: Path) -> None:
    heard: list[str] = []
    for path in (masks, tmp_path / "images", tmp_path / "them.json"):
        desk.opened.importing.recognise(path, heard.append)
    desk.wait(lambda: len(heard) == 3)
    assert sorted(heard) == ["", "coco", "png"]

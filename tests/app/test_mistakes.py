"""Probable mistakes in a window, over a real project, with an engine whose answer is made up."""

import threading
from collections.abc import Generator, Iterator

import numpy as np
import pytest

from segstudio.app.editing import mistakes as owner_module
from segstudio.app.editing.lint import Lint
from segstudio.app.editing.mistakes import Mistakes
from segstudio.app.values import JobKind
from segstudio.errors import NotEnoughLabels
from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.lint.finding import Finding, LintKind
from segstudio.labels.model import Cause, ClassId, Origin
from segstudio.tasks.images.remove import remove_images
from segstudio.tasks.learning.mistakes import Doubted, MistakesProgress
from tests.app.proposal_desk import Desk

CELL_AT, SECOND_AT = Rect(26, 26, 6, 5), Rect(34, 30, 4, 4)


class Search:
    """Says what it is told to: of cells in an image, by place in the list, that a box of them looks like crack."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk = desk
        self.says: list[tuple[int, Rect, float]] = []
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        monkeypatch.setattr(owner_module, "find_mistakes", self._find)
        self.mistakes, self.lint = self.owners()

    def owners(self) -> tuple[Mistakes, Lint]:
        desk = self.desk
        mistakes = Mistakes(desk.ground, None, desk.documents, desk.navigation)  # type: ignore[arg-type]
        return mistakes, Lint(desk.ground, desk.documents, desk.navigation, desk.finishing.fills, mistakes)

    def id_of(self, name: str) -> ClassId:
        found = self.desk.documents.classes.named(name)
        assert found is not None
        return found.id

    def _find(self, _engine: object) -> Generator[MistakesProgress, None, list[Doubted]]:
        every: list[Doubted] = []
        if self.error is not None:
            raise self.error
        for place, rect, score in self.says:
            image, mask = self.desk.navigation.rows[place].id, np.ones((rect.h, rect.w), np.bool_)
            every.append(Doubted(image, 0, rect, mask, self.id_of("cell"), self.id_of("crack"), score))
            yield MistakesProgress(0, 3, every[-1])
        yield MistakesProgress(3, 3)
        while not self.gate.wait(0.01):
            yield MistakesProgress(3, 3)
        return every

    def run(self) -> None:
        self.mistakes.search()
        self.settled()

    def settled(self) -> None:
        self.desk.qtbot.waitUntil(lambda: not self.mistakes.searching and self.mistakes.known)

    def lists(self, *rects: Rect) -> None:
        """Wait until these are listed, in this order."""
        self.desk.qtbot.waitUntil(lambda: [found.rect for found in self.mistakes.findings] == list(rects))


@pytest.fixture
def search(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Search]:
    """The first two images have a disc of cell; a box of each is doubted, that of the second more."""
    for place in (1, 0):
        desk.shows(place)
        desk.documents.choose_class("cell")
        desk.documents.tools.set_radius(12)
        desk.stroke(32, 30)
    found = Search(desk, monkeypatch)
    found.says = [(0, CELL_AT, 5.0), (1, SECOND_AT, 9.0)]
    yield found
    found.gate.set()
    found.lint.close()
    found.mistakes.close()


def classes_in(desk: Desk, rect: Rect) -> set[int]:
    assert desk.documents.current is not None
    return set(np.unique(desk.documents.current.document.class_ids(0, rect)).tolist())


def test_they_are_listed_first_and_the_gravest_first(search: Search, desk: Desk) -> None:
    search.lint.watch(True)
    desk.qtbot.waitUntil(lambda: search.lint.looks.complete)
    search.run()
    search.lists(SECOND_AT, CELL_AT)
    assert [found.kind for found in search.lint.findings] == [
        LintKind.MISTAKE,
        LintKind.MISTAKE,
        LintKind.UNUSED_CLASS,
    ]
    assert search.mistakes.findings[0].pixels == SECOND_AT.area
    assert desk.said[-1] == "2 probable mistakes were found. 3 labelled images were compared."


def test_nothing_found_says_so_and_how_many_images_were_looked_at(search: Search, desk: Desk) -> None:
    search.says = []
    search.run()
    assert desk.said[-1] == "No probable mistakes were found. 3 labelled images were compared."
    assert search.lint.findings == ()


def test_too_few_labels_are_told_of_as_a_failure_and_what_was_listed_stays(search: Search, desk: Desk) -> None:
    search.run()
    search.error = NotEnoughLabels("At least two images must be labelled.", todo="Label another image.")
    search.run()
    assert [(notice.job, notice.sentence) for notice in desk.heard.failures] == [
        (JobKind.MISTAKES, "At least two images must be labelled. Label another image.")
    ]
    search.lists(SECOND_AT, CELL_AT)


def test_a_search_shows_how_far_it_is_and_lists_what_it_had_when_it_is_stopped(search: Search, desk: Desk) -> None:
    search.gate.clear()
    search.mistakes.search()
    desk.qtbot.waitUntil(lambda: search.mistakes.done == 3)
    search.mistakes.search()
    assert [job.fraction for job in desk.ground.jobs.of(JobKind.MISTAKES)] == [1.0]
    assert search.mistakes.searching
    search.mistakes.stop()
    search.settled()
    search.lists(SECOND_AT, CELL_AT)
    assert not desk.ground.jobs.of(JobKind.MISTAKES)
    assert "2 probable mistakes were found. 3 labelled images were compared." not in desk.said


def test_closing_does_not_wait_for_the_end_of_a_search(search: Search, desk: Desk) -> None:
    search.gate.clear()
    search.mistakes.search()
    search.mistakes.close(5)
    assert not search.mistakes.searching
    desk.qtbot.wait(50)
    assert search.mistakes.findings == ()


def test_what_was_edited_since_is_listed_no_more_and_undo_brings_it_back(search: Search, desk: Desk) -> None:
    search.run()
    desk.documents.tools.choose("eraser")
    desk.documents.tools.set_radius(1)
    desk.stroke(28, 28)
    search.lists(SECOND_AT)
    desk.documents.undo()
    search.lists(SECOND_AT, CELL_AT)


def test_an_edit_beside_it_changes_nothing(search: Search, desk: Desk) -> None:
    search.run()
    desk.documents.tools.choose("eraser")
    desk.documents.tools.set_radius(2)
    desk.stroke(60, 60)
    desk.stroke(40, 36)
    search.settled()
    search.lists(SECOND_AT, CELL_AT)


def test_a_class_that_goes_takes_what_looks_like_it_along(search: Search, desk: Desk) -> None:
    search.run()
    crack = desk.documents.classes.named("crack")
    assert crack is not None
    desk.documents.commit_classes(Edit(None, Cause.CLASSES, rows=(changed_class_row(crack, removed=True),)))
    search.lists()


def test_an_image_that_is_taken_out_takes_its_own_along(search: Search, desk: Desk) -> None:
    search.run()
    remove_images(desk.project, [desk.navigation.rows[1].path])
    desk.navigation.reload()
    search.lists(CELL_AT)


def test_choosing_one_goes_to_its_image_and_shows_the_place(search: Search, desk: Desk) -> None:
    search.run()
    sought: list[Rect] = []
    search.lint.sought.connect(sought.append)
    search.lint.step(1)
    desk.qtbot.waitUntil(lambda: bool(sought))
    assert desk.navigation.index == 1
    assert sought == [SECOND_AT.grown(24)]
    assert desk.documents.tools.overlay


def chosen_first(search: Search, desk: Desk) -> Finding:
    search.lint.choose(search.mistakes.findings[0])
    desk.qtbot.waitUntil(lambda: desk.navigation.index == 1 and not desk.navigation.loading)
    return search.mistakes.findings[0]


def test_accepting_gives_the_pixels_the_other_class_in_one_step_of_undo(search: Search, desk: Desk) -> None:
    search.run()
    chosen_first(search, desk)
    before, edits = desk.read(), desk.documents.submitted
    search.lint.mend_chosen()
    assert classes_in(desk, SECOND_AT) == {search.id_of("crack")}
    ids, origins = desk.read()
    assert (ids != before[0]).sum() == SECOND_AT.area
    assert (origins[ids != before[0]] == Origin.PAINTED).all()
    assert desk.documents.submitted == edits + 1
    assert desk.said[-1] == "16 px are 'crack' now."
    search.lists(CELL_AT)
    assert search.lint.chosen is None
    desk.documents.undo()
    assert (desk.read()[0] == before[0]).all()
    search.lists(SECOND_AT, CELL_AT)


def test_one_of_an_image_that_is_not_on_screen_yet_is_accepted_too(search: Search, desk: Desk) -> None:
    search.run()
    desk.shows(2)
    search.lint.chosen = search.mistakes.findings[0]
    search.lint.mend_chosen()
    desk.qtbot.waitUntil(lambda: desk.said[-1:] == ["16 px are 'crack' now."])
    search.lists(CELL_AT)


@pytest.mark.parametrize("name", ["cell", "crack"])
def test_a_locked_class_neither_gives_nor_takes_and_that_is_said(search: Search, desk: Desk, name: str) -> None:
    search.run()
    found = desk.documents.classes.named(name)
    assert found is not None
    desk.documents.commit_classes(Edit(None, Cause.CLASSES, rows=(changed_class_row(found, locked=True),)))
    chosen_first(search, desk)
    edits = desk.documents.submitted
    search.lint.mend_chosen()
    assert desk.documents.submitted == edits
    assert desk.said[-1].startswith("Nothing was changed: a class or an object there is locked")


def test_keeping_takes_it_off_the_list_and_chooses_the_next(search: Search, desk: Desk) -> None:
    search.run()
    chosen_first(search, desk)
    edits = desk.documents.submitted
    search.lint.keep_chosen()
    search.lists(CELL_AT)
    assert search.lint.chosen == search.mistakes.findings[0]
    assert desk.documents.submitted == edits
    search.lint.keep_chosen()
    assert (search.lint.findings, search.lint.chosen) == ((), None)
    search.lint.keep_chosen()
    assert desk.said[-1] == "Choose a probable mistake first."


def test_what_was_kept_is_in_the_project_and_not_found_again(search: Search, desk: Desk) -> None:
    search.run()
    chosen_first(search, desk)
    search.lint.keep_chosen()
    search.run()
    search.lists(CELL_AT)
    assert desk.project.writer is not None
    desk.project.writer.flush(10)
    again, lint = search.owners()
    again.search()
    desk.qtbot.waitUntil(lambda: not again.searching and again.known)
    assert [found.rect for found in again.findings] == [CELL_AT]
    lint.close()
    again.close()


def test_another_fit_that_draws_it_a_little_otherwise_finds_it_no_more_either(search: Search, desk: Desk) -> None:
    search.run()
    chosen_first(search, desk)
    search.lint.keep_chosen()
    moved = Rect(SECOND_AT.x, SECOND_AT.y, SECOND_AT.w, SECOND_AT.h + 1)
    search.says = [(1, moved, 9.0), (0, SECOND_AT, 3.0)]
    search.run()
    search.lists(SECOND_AT)
    assert search.mistakes.findings[0].image == desk.navigation.rows[0].id
    search.says = [(1, moved, 9.0)]
    search.run()
    assert desk.said[-1].startswith("No probable mistakes were found other than those whose label you kept.")


def test_a_read_only_window_searches_and_keeps_and_says_why_it_does_not_accept(
    search: Search, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = desk.project.writer
    monkeypatch.setattr(desk.project, "writer", None)
    monkeypatch.setattr(desk.project, "why_read_only", "read-only: Anna writes it")
    search.run()
    chosen_first(search, desk)
    search.lint.mend_chosen()
    assert desk.said[-1] == "read-only: Anna writes it"
    search.lint.keep_chosen()
    search.lists(CELL_AT)
    monkeypatch.setattr(desk.project, "writer", writer)

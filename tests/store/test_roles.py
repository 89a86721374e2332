"""The roles of groups over random lives of a project: labels, runs, versions, a person's word; and what is said."""

import sqlite3
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from segstudio.errors import UserError
from segstudio.labels.model import Cause, ImageId, Seq, Status
from segstudio.store.catalog.roles import (
    begin_learning,
    decide_split,
    decided_since,
    end_learning,
    hold_out,
    hold_out_all,
)
from segstudio.store.catalog.split import Candidate, Split, stand_in
from segstudio.store.database.schema import create_tables

GROUPS = 14
GROUP = st.integers(1, GROUPS)
BY_HAND = st.sampled_from([Cause.PAINT, Cause.ACCEPT, Cause.DONE])
RUN = {"run": "r1"}
AS_A_WHOLE = st.sampled_from([Cause.IMPORT, Cause.MERGE])


class Life:
    """A project's database with images of one group each, and what can happen to it."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        create_tables(self.db)
        for n in range(1, GROUPS + 1):
            self.db.execute("INSERT INTO groups (id, key) VALUES (?, ?)", (n, f"hash:{n}"))
            self.db.execute(
                "INSERT INTO images (id, position, path, name_key, group_id, channels, dtype, family) "
                "VALUES (?, ?, ?, ?, ?, 3, 'uint8', 'png')",
                (n, n, f"{n}.png", f"{n}.png", n),
            )
        self.seq = 0
        self.versions = 0
        self.labelled: set[int] = set()

    def label(self, image: int, cause: Cause) -> None:
        self.seq += 1
        self.labelled.add(image)
        self.db.execute(
            "INSERT INTO edits (seq, id, image, cause, tool, author, time) VALUES (?, ?, ?, ?, '', '', '')",
            (self.seq, self.seq, image, cause.value),
        )
        status = Status.DONE if cause is Cause.DONE else Status.IN_PROGRESS
        self.db.execute(
            "UPDATE images SET labelled_pixels = 9, last_edit = ?, status = ? WHERE id = ?",
            (self.seq, status.value, image),
        )
        decide_split(self.db, Seq(self.seq), ImageId(image), cause)

    def splits(self) -> dict[int, str]:
        return dict(self.db.execute("SELECT id, split FROM groups WHERE split IS NOT NULL").fetchall())

    def trained(self) -> set[int]:
        return {row[0] for row in self.db.execute("SELECT group_id FROM version_groups WHERE split = 'train'")}

    def add_version(self, groups: dict[int, str]) -> None:
        self.versions += 1
        name = f"v{self.versions}"
        self.db.execute(
            "INSERT INTO versions (name, number, learner, parent, made, seq, promoted) "
            "VALUES (?, ?, 'deep', '', '', 0, 1)",
            (name, self.versions),
        )
        rows = [(name, group, split) for group, split in groups.items()]
        self.db.executemany("INSERT INTO version_groups VALUES (?, ?, ?)", rows)


class Roles(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.life = Life()
        self.run: dict[int, str] | None = None
        self.measured: list[tuple[object, ...]] = []
        self.moved_by_hand = False

    @rule(image=GROUP, cause=BY_HAND)
    def paint(self, image: int, cause: Cause) -> None:
        before = self.life.splits()
        self.life.label(image, cause)
        if image not in before:
            assert self.life.splits()[image] == "train"  # nobody finds the image under the hand held out

    @rule(image=GROUP, cause=AS_A_WHOLE)
    def import_(self, image: int, cause: Cause) -> None:
        before = self.life.splits()
        self.life.label(image, cause)
        after = self.life.splits()
        assert {group: split for group, split in after.items() if group != image} == {
            group: split for group, split in before.items() if group != image
        }

    @precondition(lambda self: self.run is None)
    @rule()
    def begin_run(self) -> None:
        before = Counter(self.life.splits().values())
        train = {group for group, split in self.life.splits().items() if split == "train"}
        free = (train & self.life.labelled) - self.life.trained()
        begin_learning(self.life.db, RUN)
        self.run = self.life.splits()
        due = before["held-out"] == 0 and before["train"] > 3 and bool(free)
        assert Counter(self.run.values())["held-out"] == before["held-out"] + due

    @precondition(lambda self: self.run is not None)
    @rule(finished=st.booleans())
    def end_run(self, finished: bool) -> None:
        assert self.run is not None
        if finished:
            self.life.add_version(self.run)
        end_learning(self.life.db)
        self.run = None
        self.measured = self.life.db.execute("SELECT * FROM version_groups ORDER BY version, group_id").fetchall()

    @rule(image=GROUP, held=st.booleans())
    def say(self, image: int, held: bool) -> None:
        before = self.life.splits()
        try:
            hold_out(self.life.db, ImageId(image), held=held)
        except UserError:
            assert self.life.splits() == before
        else:
            after = self.life.splits()
            assert after.get(image) == ("held-out" if held else "train")
            self.moved_by_hand |= after != before
            if self.run is not None:
                assert after == before

    @invariant()
    def nothing_that_a_version_learned_from_is_held_out(self) -> None:
        held_out = {group for group, split in self.life.splits().items() if split == "held-out"}
        assert held_out.isdisjoint(self.life.trained())

    @invariant()
    def what_a_run_learns_from_stays_so_until_it_ends(self) -> None:
        now = self.life.splits()
        assert all(now[group] == split for group, split in (self.run or {}).items())

    @invariant()
    def what_a_version_saw_stays_as_it_was_written(self) -> None:
        rows = self.life.db.execute("SELECT * FROM version_groups ORDER BY version, group_id").fetchall()
        assert rows == self.measured

    @invariant()
    def three_train_for_each_one_held_out(self) -> None:
        counted = Counter(self.life.splits().values())
        assert self.moved_by_hand or counted["train"] >= 3 * counted["held-out"]


TestRoles = Roles.TestCase
TestRoles.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_finished_image_takes_the_role_rather_than_one_that_was_begun() -> None:
    begun = [Candidate(n, f"hash:{n}", finished=False, last_edit=n) for n in range(5)]
    assert stand_in([*begun, Candidate(9, "hash:9", finished=True, last_edit=1)]) == Candidate(9, "hash:9", True, 1)
    assert stand_in([]) is None


@pytest.fixture
def life() -> Life:
    life = Life()
    for image in (1, 2, 3, 4):
        life.label(image, Cause.PAINT)
    return life


def _held(life: Life) -> list[int]:
    return [group for group, split in life.splits().items() if split == "held-out"]


def test_the_fourth_image_painted_on_gives_the_role_to_another_and_both_are_told(life: Life) -> None:
    (held,) = _held(life)
    assert held in (1, 2, 3)
    assert decided_since(life.db, Seq(4)) == {held, 4}


def test_learning_from_this_one_moves_the_role_and_says_where(life: Life) -> None:
    (held,) = _held(life)
    moved = hold_out(life.db, ImageId(held), held=False)
    (now,) = _held(life)
    assert now != held
    assert (moved.held_out, moved.learned_from) == ((f"{now}.png",), (f"{held}.png",))


def test_where_versions_stand_against_it_it_is_said_and_nothing_moves(life: Life) -> None:
    before = life.splits()
    (held,) = _held(life)
    life.add_version(before)
    with pytest.raises(UserError, match="stays held out: there is no other labelled image that no version has learned"):
        hold_out(life.db, ImageId(held), held=False)
    learned = next(group for group, split in before.items() if split == "train")
    with pytest.raises(UserError, match=f"'{learned}.png' cannot be held out: v1 learned from it"):
        hold_out(life.db, ImageId(learned), held=True)
    assert life.splits() == before
    life.label(5, Cause.PAINT)
    hold_out(life.db, ImageId(held), held=False)  # a fifth has come, which no version knows
    assert _held(life) == [5]


def test_of_several_images_none_takes_the_role_that_another_of_them_lets_go(life: Life) -> None:
    (held,) = _held(life)
    others = [group for group in (1, 2, 3, 4) if group != held]
    moved = hold_out_all(life.db, [ImageId(held), *map(ImageId, others[:2])], held=False)
    assert _held(life) == others[2:]
    assert (moved.learned_from, moved.held_out, moved.refused) == ((f"{held}.png",), (f"{others[2]}.png",), ())


def test_of_several_images_those_that_may_are_moved_and_each_refusal_is_told(life: Life) -> None:
    life.add_version(life.splits())
    life.label(5, Cause.PAINT)
    life.label(6, Cause.PAINT)
    moved = hold_out_all(life.db, [ImageId(n) for n in (1, 2, 3, 4, 5, 6)], held=True)
    assert {"5.png", "6.png"} <= {f"{group}.png" for group in _held(life)}
    assert len(moved.refused) == 3
    assert all("v1 learned from it" in error.sentence for error in moved.refused)


def test_while_a_run_learns_no_role_is_moved(life: Life) -> None:
    (held,) = _held(life)
    begin_learning(life.db, RUN)
    with pytest.raises(UserError, match="A run is under way"):
        hold_out(life.db, ImageId(held), held=False)
    end_learning(life.db)
    hold_out(life.db, ImageId(held), held=False)


def test_a_run_holds_out_what_the_hand_is_not_at_and_the_newest_only_where_nothing_else_will_do(life: Life) -> None:
    fresh = Life()
    for image in (1, 2, 3):
        fresh.label(image, Cause.PAINT)
    fresh.add_version(fresh.splits())  # all three are learned from, so none of them can be held out
    fresh.label(4, Cause.PAINT)
    assert _held(fresh) == []
    begin_learning(fresh.db, RUN)
    assert _held(fresh) == [4]
    end_learning(fresh.db)
    other = Life()
    for image in (1, 2, 3):
        other.label(image, Cause.PAINT)
    other.add_version({1: "train", 2: "train"})
    other.db.execute("UPDATE images SET labelled_pixels = 0 WHERE id = 3")
    other.label(4, Cause.PAINT)
    other.db.execute("UPDATE images SET labelled_pixels = 9 WHERE id = 3")
    begin_learning(other.db, RUN)
    assert _held(other) == [3]
    assert Split.HELD_OUT.value == "held-out"


def test_many_images_that_let_go_of_the_role_look_for_the_others_once() -> None:
    life = Life()
    for n in range(1, GROUPS + 1):
        life.label(n, Cause.PAINT)
    hold_out_all(life.db, [ImageId(n) for n in range(1, GROUPS - 2)], held=True)
    statements: list[str] = []
    life.db.set_trace_callback(statements.append)
    moved = hold_out_all(life.db, [ImageId(n) for n in range(1, GROUPS - 2)], held=False)
    life.db.set_trace_callback(None)
    assert len(moved.learned_from) == GROUPS - 3
    assert len(moved.held_out) == 3  # all that could take the role
    assert sum("GROUP BY g.id" in statement for statement in statements) == 1
    assert sum("GROUP BY g.split" in statement for statement in statements) <= 1

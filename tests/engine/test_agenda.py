"""The engine's agenda against a naive model: a list searched from the front."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from segstudio.engine.agenda import Agenda, Priority

PRIORITIES = st.sampled_from(list(Priority))


class AgendaMachine(RuleBasedStateMachine):
    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.agenda = Agenda()
        self.naive: list[tuple[int, Priority]] = []  # in the order of opening
        self.count = 0

    @rule(target=ids, priority=PRIORITIES)
    def add(self, priority: Priority) -> int:
        self.count += 1
        self.agenda.add(self.count, priority)
        self.naive.append((self.count, priority))
        return self.count

    @rule(id_=ids, priority=PRIORITIES)
    def move(self, id_: int, priority: Priority) -> None:
        if id_ in self.agenda:
            self.agenda.move(id_, priority)
            self.naive = [(i, priority if i == id_ else p) for i, p in self.naive]

    @rule(id_=consumes(ids))
    def close(self, id_: int) -> None:
        was_open = any(i == id_ for i, _ in self.naive)
        assert self.agenda.close(id_) is was_open
        assert not self.agenda.close(id_)
        self.naive = [(i, p) for i, p in self.naive if i != id_]

    @invariant()
    def the_turn_is_that_of_the_first_of_the_highest_priority(self) -> None:
        expected = None
        for wanted in Priority:
            if expected is None:
                expected = next((i for i, p in self.naive if p is wanted), None)
        assert self.agenda.take() == expected
        assert len(self.agenda) == len(self.naive)
        taken = next(((i, p) for i, p in self.naive if i == expected), None)
        if taken is not None and taken[1] in (Priority.TRAIN, Priority.IDLE):
            self.naive.remove(taken)
            self.naive.append(taken)


TestAgenda = AgendaMachine.TestCase
TestAgenda.settings = settings(max_examples=60, deadline=None)


def test_an_id_is_open_once():
    agenda = Agenda()
    agenda.add(1, Priority.REST)
    with pytest.raises(ValueError, match="open already"):
        agenda.add(1, Priority.TRAIN)


def test_a_run_and_what_is_on_the_screen_take_turns_and_the_rest_waits():
    agenda = Agenda()
    agenda.add(1, Priority.REST)
    agenda.add(2, Priority.TRAIN)
    agenda.add(3, Priority.VISIBLE)
    assert [agenda.take() for _ in range(2)] == [3, 3]
    agenda.move(3, Priority.TRAIN)
    assert [agenda.take() for _ in range(4)] == [2, 3, 2, 3]


def test_what_takes_minutes_waits_for_everything_else_and_takes_turns_with_its_like():
    agenda = Agenda()
    agenda.add(1, Priority.IDLE)
    agenda.add(2, Priority.IDLE)
    agenda.add(3, Priority.REST)
    assert [agenda.take() for _ in range(2)] == [3, 3]
    agenda.close(3)
    assert [agenda.take() for _ in range(4)] == [1, 2, 1, 2]

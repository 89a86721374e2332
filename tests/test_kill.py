"""kill -9 of the real program at random instants; by the hundred, and with the engine: tests/soak/kills.py."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.kill_rounds import Lost, Round, Rounds
from tests.soak.nursery import Nursery

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="children are forked")

KILLS = 10


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("home"))
    yield made
    made.close()


def paint_and_kill(rounds: Rounds, times: int, *, sabotage: bool = False) -> list[Round]:
    return [rounds.round(sabotage=sabotage, longest_s=0.05, most_lines=40) for _ in range(times)]


def test_what_the_window_called_saved_survives_a_kill_at_any_instant(nursery: Nursery, tmp_path: Path) -> None:
    rounds = Rounds(tmp_path / "project", nursery, random.Random(1))
    found = paint_and_kill(rounds, KILLS)
    assert sum(one.saved for one in found) > 0
    assert sum(one.checked for one in found) > 0


def test_a_window_that_calls_an_edit_saved_too_early_is_found_out(nursery: Nursery, tmp_path: Path) -> None:
    rounds = Rounds(tmp_path / "project", nursery, random.Random(2))
    with pytest.raises(Lost, match="was called saved"):
        paint_and_kill(rounds, 20, sabotage=True)

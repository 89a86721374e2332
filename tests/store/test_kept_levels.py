from pathlib import Path

import pytest

from segstudio.imaging.levels import Levels
from segstudio.store.kept_levels import KeptLevels, read_levels

STAMP = (1000, 5_000_000_000)


def test_levels_are_there_for_the_file_that_they_were_found_in_alone(tmp_path: Path) -> None:
    kept = KeptLevels(tmp_path, writes=True)
    kept.keep(1, 0, STAMP, Levels(3, 9))
    kept.keep(1, 1, STAMP, Levels(4, 8))
    again = KeptLevels(tmp_path, writes=False)
    assert again.get(1, 0, STAMP) == Levels(3, 9)
    assert again.get(1, 1, STAMP) == Levels(4, 8)
    assert again.get(2, 0, STAMP) is None
    assert again.get(1, 0, (1001, STAMP[1])) is None
    assert again.get(1, 0, (STAMP[0], STAMP[1] + 1)) is None


def test_a_reader_writes_nothing_and_knows_what_it_found(tmp_path: Path) -> None:
    kept = KeptLevels(tmp_path, writes=False)
    kept.keep(1, 0, STAMP, Levels(3, 9))
    assert kept.get(1, 0, STAMP) == Levels(3, 9)
    assert list(tmp_path.iterdir()) == []


def test_what_is_known_already_is_not_written_again(tmp_path: Path) -> None:
    for _ in range(5):
        KeptLevels(tmp_path, writes=True).keep(1, 0, STAMP, Levels(3, 9))
    size = (tmp_path / "cache" / "levels").stat().st_size
    KeptLevels(tmp_path, writes=True).keep(1, 0, (1, 1), Levels(3, 9))
    assert (tmp_path / "cache" / "levels").stat().st_size > size


@pytest.mark.parametrize("levels", [(9.0, 3.0), (3.0, 3.0), (float("nan"), 3.0)])
def test_what_are_no_levels_counts_as_not_known(tmp_path: Path, levels: tuple[float, float]) -> None:
    KeptLevels(tmp_path, writes=True).keep(1, 0, STAMP, Levels(*levels))
    assert KeptLevels(tmp_path, writes=False).get(1, 0, STAMP) is None
    assert len(read_levels(tmp_path)) == 1

from pathlib import Path

import pytest

from segstudio.runs import LabelStamp, PlaneFacts
from segstudio.store.kept_facts import FactsFile, read_facts


def _kept(image: int, seq: int = 1, size: int = 100) -> tuple[LabelStamp, PlaneFacts]:
    stamp = LabelStamp(image, 0, seq, 50, ((1, 1, "background"), (2, 0, "ignore")))
    return stamp, PlaneFacts((1,), (50,), (10,), 3, bytes(size), {1: [(3.5, 9, True)]})


def _write(path: Path, *kept: tuple[LabelStamp, PlaneFacts]) -> None:
    file = FactsFile(path)
    for stamp, facts in kept:
        file.add((stamp, facts))
    file.flush()


def test_the_last_of_a_plane_counts(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "facts"
    assert read_facts(path) == {}
    _write(path, *(_kept(i) for i in range(200)))
    _write(path, _kept(3, seq=2))
    found = read_facts(path)
    assert len(found) == 200
    assert found[3, 0] == _kept(3, seq=2)
    assert found[4, 0] == _kept(4)


@pytest.mark.parametrize("lost", [1, 30, 200])
def test_a_torn_end_costs_what_was_torn_and_what_comes_after_is_kept(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "cache" / "facts"
    _write(path, *(_kept(i) for i in range(10)))
    data = path.read_bytes()
    path.write_bytes(data[:-lost])
    before = read_facts(path)
    assert 0 < len(before) < 10
    _write(path, _kept(77))
    assert read_facts(path) == before | {(77, 0): _kept(77)}


@pytest.mark.parametrize("content", [b"", b"something else", b"segstudio facts 0\n1234"])
def test_what_is_no_such_file_is_empty_and_written_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cache" / "facts"
    path.parent.mkdir()
    path.write_bytes(content)
    assert read_facts(path) == {}
    _write(path, _kept(1))
    assert set(read_facts(path)) == {(1, 0)}


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "facts"
    _write(path, _kept(1), _kept(2))
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    assert set(read_facts(path)) == {(1, 0)}


def test_the_file_does_not_grow_with_every_run(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "facts"
    for seq in range(40):
        _write(path, *(_kept(i, seq, 1000) for i in range(5)))
    assert path.stat().st_size < 3 * 5 * 1200
    assert all(stamp.seq == 39 for stamp, _ in read_facts(path).values())

from pathlib import Path

import pytest

from segstudio.errors import UnreadableImage
from segstudio.imaging.hashing import content_hash, quick_hash


def test_the_quick_hash_sees_both_ends_and_the_size(tmp_path: Path) -> None:
    path = tmp_path / "a"
    data = bytearray(300_000)
    seen = set()
    for at in (None, 0, 299_999):
        changed = bytearray(data)
        if at is not None:
            changed[at] = 1
        path.write_bytes(changed)
        seen.add(quick_hash(path))
    path.write_bytes(bytes(300_001))
    seen.add(quick_hash(path))
    assert len(seen) == 4


def test_the_content_hash_sees_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(300_000))
    before = quick_hash(path), content_hash(path)
    data = bytearray(300_000)
    data[150_000] = 1
    path.write_bytes(data)
    assert quick_hash(path) == before[0]
    assert content_hash(path) != before[1]


def test_a_small_file_and_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert len(quick_hash(tmp_path / "a")) == 40
    with pytest.raises(UnreadableImage, match="no such file"):
        quick_hash(tmp_path / "b")

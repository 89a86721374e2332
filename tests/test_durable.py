import errno
import os
from pathlib import Path

import pytest

from segstudio.durable import built_folder, copy_durably, write_durably


def test_a_file_that_the_disk_refuses_leaves_the_old_one_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "settings.json"
    write_durably(target, b"old")

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_durably(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


def test_content_is_synced_before_the_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def synced(fd: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{fd}") else "file")
        sync(fd)

    def replaced(source: Path, target: Path) -> None:
        done.append("name")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_durably(tmp_path / "weights", b"new")
    assert (tmp_path / "weights").read_bytes() == b"new"
    if os.path.isdir("/proc/self/fd"):
        assert done == ["file", "name", "folder"]


def test_a_copy_keeps_the_times_of_its_source(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"pixels")
    os.utime(source, ns=(10**18, 10**18))
    copy_durably(source, tmp_path / "folder" / "b")
    assert (tmp_path / "folder" / "b").read_bytes() == b"pixels"
    assert (tmp_path / "folder" / "b").stat().st_mtime_ns == 10**18


def _fail_in(part: Path, file: Path) -> None:
    file.write_bytes(b"h")
    assert part.is_dir()
    raise ValueError("no")


def test_a_folder_that_could_not_be_built_leaves_no_folder_above_it(tmp_path: Path) -> None:
    target = tmp_path / "x" / "y" / "z"
    with pytest.raises(ValueError, match="no"), built_folder(target) as part:
        _fail_in(part, part / "half")
    assert list(tmp_path.iterdir()) == []
    with built_folder(target) as part:
        (part / "whole").write_bytes(b"w")
    assert [path.name for path in target.parent.iterdir()] == ["z"]
    assert (target / "whole").read_bytes() == b"w"


def test_a_folder_above_that_somebody_used_meanwhile_stays(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), built_folder(tmp_path / "x" / "y" / "z") as part:
        _fail_in(part, tmp_path / "x" / "theirs")
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["theirs"]

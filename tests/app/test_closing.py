"""Closing a project whose disk refuses: nothing is torn down before every edit is safe somewhere."""

from pathlib import Path
from typing import Any

import pytest

from segstudio.errors import DiskRefused
from segstudio.store.project import Project
from segstudio.store.writing import waiting_edits
from tests.app.test_documents import Bench, FullDisk


def test_a_close_that_nothing_can_hold_is_refused_and_the_project_goes_on(
    qtbot: Any, project_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(Project.open(project_path, connection_type=FullDisk))

    def full(*_: object) -> None:
        raise DiskRefused("The disk of the state folder is full too.")

    try:
        FullDisk.full = True
        monkeypatch.setattr(waiting_edits, "keep", full)
        bench.stroke(20, 20)
        with pytest.raises(DiskRefused):
            bench.project.secure(1.0)
        assert bench.project.writer is not None
        assert bench.ids().any()
        FullDisk.full = False
        qtbot.waitUntil(lambda: bench.seqs == [1], timeout=10_000)
        bench.project.secure(1.0)
    finally:
        FullDisk.full = False
        monkeypatch.undo()
        bench.close()

"""The owner of what is on screen, over a real project: rows of the list follow what is on disk."""

from collections.abc import Callable

from segstudio.app.documents import Documents
from segstudio.app.jobs import MainThread
from segstudio.app.navigation import Navigation
from segstudio.app.values import Changed
from segstudio.geometry import Rect
from segstudio.labels.model import ImageId, Seq
from segstudio.store.project import Project


def test_a_row_waits_for_its_own_edit_not_for_an_older_one(qtbot: object, opened: Callable[[], Project]) -> None:
    project, main = opened(), MainThread()
    documents = Documents(project, main)
    navigation = Navigation(project, documents, main)
    rows: list[tuple[int, ...]] = []
    navigation.imagesChanged.connect(rows.append)
    documents.changed.emit(Changed(Seq(2), ImageId(3), 0, Rect(0, 0, 1, 1)))
    documents.editCommitted.emit(1)
    assert rows == []
    documents.editCommitted.emit(2)
    assert rows == [(2,)]
    documents.editCommitted.emit(3)
    assert rows == [(2,)]
    navigation.close()
    main.close()

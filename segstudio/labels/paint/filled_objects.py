"""The objects that a filling paints: those that a document has, and those that it makes."""

from segstudio.labels.document import Document
from segstudio.labels.edit import RowChange, Table
from segstudio.labels.model import ClassId, ObjectId

__all__ = ["FilledObjects"]


class FilledObjects:
    """The objects that a filling paints, those of the document and those it makes."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._next = document.next_object
        self._single: dict[int, int] = {}
        self.rows: list[RowChange] = []
        """Those of objects made since they were last taken."""

    def single(self, class_id: int) -> int:
        """The one object of a class, made where there is none."""
        if class_id not in self._single:
            found = self._document.single_object(ClassId(class_id))
            self._single[class_id] = self.made(class_id) if found is None else found
        return self._single[class_id]

    def made(self, class_id: int) -> int:
        """A new object of a class."""
        object_id = ObjectId(self._next)
        self._next += 1
        self.rows.append(RowChange(Table.OBJECTS, object_id, None, {"class_id": class_id}))
        return object_id

    def take_rows(self) -> list[RowChange]:
        """The rows of objects made since the last call."""
        rows, self.rows = self.rows, []
        return rows

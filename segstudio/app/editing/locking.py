"""The owner of the locks of objects: locks and unlocks them as one edit, and says why a locked one does not change."""

from collections.abc import Iterable

from segstudio.app.editing.documents import Documents
from segstudio.app.editing.object_runs import ObjectRuns
from segstudio.app.notices import Notices
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ObjectId
from segstudio.labels.paint.objects.locking import locks_changed, must_be_unlocked
from segstudio.text import N_, _, count

__all__ = ["NOTHING_SELECTED", "Locks"]

NOTHING_SELECTED = N_("No object is selected: choose Pick (X) and click one.")


class Locks:
    """The selected objects are those of `documents.selection`."""

    def __init__(self, documents: Documents, runs: ObjectRuns, notices: Notices) -> None:
        self._documents, self._runs, self._notices = documents, runs, notices

    @property
    def all_selected(self) -> bool:
        """Whether objects are selected, and every one is locked by itself."""
        opened, ids = self._documents.current, self._documents.selection.ids
        return opened is not None and bool(ids) and ids <= opened.document.locked

    def toggle(self) -> None:
        """Lock the selected objects, so that no tool changes them; unlock them where all are locked."""
        self.put(self._documents.selection.ids, locked=not self.all_selected)

    def turn(self, ids: Iterable[int]) -> None:
        """Unlock these objects of the image on screen where one is locked, else lock them."""
        opened, wanted = self._documents.current, {ObjectId(id_) for id_ in ids}
        if opened is not None:
            self.put(wanted, locked=wanted.isdisjoint(opened.document.locked))

    def put(self, ids: Iterable[int], *, locked: bool) -> None:
        """Lock these objects of the image on screen, or unlock them; ids that it does not have are passed over.

        It counts at once, also for what is being computed: that keeps off what is locked by then.
        """
        opened = self._runs.may_begin()
        if opened is None:
            return
        known = {ObjectId(id_) for id_ in ids} & opened.document.objects.keys()
        rows = locks_changed(opened.document, known, locked=locked)
        if rows:
            tool, author = "lock" if locked else "unlock", self._documents.author
            self._documents.commit(Edit(opened.document.image, Cause.OBJECTS, rows=rows, tool=tool, author=author))
        self._notices.say(_words(len(rows), locked=locked) if known else _(NOTHING_SELECTED))

    def are_open(self, document: Document, ids: Iterable[ObjectId]) -> bool:
        """Whether neither one of these objects nor its class is locked; says which is."""
        return self._notices.attempt(lambda: must_be_unlocked(document, self._documents.classes, ids))


def _words(changed: int, *, locked: bool) -> str:
    if not changed:
        return _("The objects are locked already.") if locked else _("None of the objects is locked.")
    if locked:
        return count(changed, "1 object locked. No tool can change it.", "{n} objects locked. No tool can change them.")
    return count(changed, "1 object unlocked.", "{n} objects unlocked.")

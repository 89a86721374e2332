"""The owner of the locks of objects: locks and unlocks them as one edit, and says why a locked one does not change."""

from collections.abc import Collection, Iterable

from segstudio.app.editing.documents import Documents
from segstudio.app.editing.object_runs import ObjectRuns, Operation
from segstudio.app.notices import Notices
from segstudio.labels.document import Document
from segstudio.labels.model import ObjectId
from segstudio.labels.paint.objects.locking import locks_changed
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
        """Lock the selected objects, so that nothing changes them; unlock them where all are locked."""
        self.put(self._documents.selection.ids, locked=not self.all_selected)

    def turn(self, ids: Iterable[int]) -> None:
        """Unlock these objects of the image on screen where one is locked, else lock them."""
        opened, wanted = self._documents.current, {ObjectId(id_) for id_ in ids}
        if opened is not None:
            self.put(wanted, locked=wanted.isdisjoint(opened.document.locked))

    def put(self, ids: Iterable[int], *, locked: bool) -> None:
        """Lock these objects of the image on screen, or unlock them; ids that it does not have are passed over."""
        opened = self._runs.may_begin()
        if opened is None:
            return
        known = {ObjectId(id_) for id_ in ids} & opened.document.objects.keys()
        if known:
            self._runs.run(_locking(known, locked=locked))
        else:
            self._notices.say(_(NOTHING_SELECTED))

    def are_open(self, document: Document, ids: Iterable[ObjectId]) -> bool:
        """Whether neither one of these objects nor its class is locked; says which is."""
        sentence = self._why_not(document, ids)
        if sentence:
            self._notices.say(sentence)
        return not sentence

    def _why_not(self, document: Document, ids: Iterable[ObjectId]) -> str:
        for id_ in sorted(ids):
            found = self._documents.classes.effective(document.objects[id_])
            if found is not None and found.locked:
                return _("Nothing is changed: the class '{name}' is locked. Unlock it in the list.", name=found.name)
            if found is not None and id_ in document.locked:
                return _("Nothing is changed: object {n} is locked. Unlock it first.", n=id_)
        return ""


def _locking(ids: Collection[ObjectId], *, locked: bool) -> Operation:
    """What locks these objects, or unlocks them, and the words for it; what is selected stays so."""
    return Operation(
        "lock" if locked else "unlock",
        _("Lock") if locked else _("Unlock"),
        _("Locking objects") if locked else _("Unlocking objects"),
        lambda document, report, _step: locks_changed(document, ids, locked, report),
        lambda report: (
            count(report.number, "1 object locked: nothing changes it.", "{n} objects locked: nothing changes them.")
            if locked
            else count(report.number, "1 object unlocked.", "{n} objects unlocked.")
        ),
        _("The objects are locked already.") if locked else _("None of the objects is locked."),
        selects=False,
    )

"""Another class for whole objects, as an operation on them."""

from collections.abc import Collection

from segstudio.app.editing.object_runs import Operation
from segstudio.labels.model import ClassId, ClassTable, ObjectId
from segstudio.labels.paint.objects.recolor import reclassed
from segstudio.text import _, count

__all__ = ["reclassing"]


def reclassing(ids: Collection[ObjectId], classes: ClassTable, class_id: ClassId) -> Operation:
    """What gives these objects a class of the table, and the words for it."""
    name = classes[class_id].name
    return Operation(
        "reclass",
        _("Change of class"),
        _("Changing the class of objects"),
        lambda document, report, _step: reclassed(document, classes, ids, class_id, report),
        lambda report: count(report.number, "1 object is '{name}' now.", "{n} objects are '{name}' now.", name=name),
        _("The selected objects are '{name}' already.", name=name),
    )

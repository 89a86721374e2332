"""What operations on objects may paint over: 'Paint over', for what begins at no point."""

from collections.abc import Callable
from functools import partial

from segstudio.app.editing.documents import Documents
from segstudio.app.editing.tools.options import OVER_OBJECTS
from segstudio.app.notices import Notices
from segstudio.labels.document import Document
from segstudio.labels.gesture import Paintable
from segstudio.labels.model import Touch
from segstudio.labels.paint.objects.rights import takeable
from segstudio.labels.paint.policy import MayTouch, Samples, may_touch_anywhere
from segstudio.text import N_, _

__all__ = ["ObjectPolicy"]

_NO_CLASS = N_("Nothing is changed: choose the class that may be painted over.")
_NO_OBJECT = N_("Nothing is changed: only one object may be painted over, and none is selected.")


class ObjectPolicy:
    """Both `may` and `takes` are None, saying why, where the policy is about what lies under a stroke's first point."""

    def __init__(self, documents: Documents, notices: Notices) -> None:
        self._documents, self._notices = documents, notices

    def may(self) -> MayTouch | None:
        """The policy as it is chosen now."""
        tools, selected = self._documents.tools, self._documents.selection.ids
        may = may_touch_anywhere(self._documents.classes, tools.touch, tools.limits, selected)
        if may is None:
            self._notices.say(_(_NO_CLASS if tools.touch is Touch.CLASS else _NO_OBJECT))
        return may

    @property
    def samples(self) -> Samples | None:
        """The values of the plane on screen; None where none is."""
        image = self._documents.seen().image
        return None if image is None else partial(image.samples, 0)

    def takes(self) -> Callable[[Document], Paintable] | None:
        """Which pixels an object that grows may take; other objects keep theirs, unless the option says otherwise."""
        may, samples, classes = self.may(), self.samples, self._documents.classes
        over = bool(self._documents.tools.value_of(OVER_OBJECTS))
        return None if may is None else lambda document: takeable(document, classes, may, samples, over=over)

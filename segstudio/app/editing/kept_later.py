"""Gestures that were kept before their pixels were known: each is made on its own image when they are, as one edit.

A hand that goes on to another image or tool waits for none of it, and nothing that it painted is dropped. Until the
edit is there it is an edit under way like any other: undo and Escape on its image cancel it, closing waits for it.
"""

from dataclasses import replace

from segstudio.app.editing.background_fill import Fills
from segstudio.app.editing.documents import Documents
from segstudio.app.editing.tools.base import Later
from segstudio.app.ground import Ground
from segstudio.errors import UserError
from segstudio.labels.document import Document
from segstudio.labels.edit import Edit
from segstudio.labels.paint.flood import Cancelled
from segstudio.text import _

__all__ = ["KeptLater"]


class KeptLater:
    """Takes them from `documents` and hands them to `fills`."""

    def __init__(self, ground: Ground, documents: Documents, fills: Fills) -> None:
        self._notices, self._documents, self._fills = ground.notices, documents, fills
        documents.keep_later = self.keep

    def keep(self, name: str, later: Later) -> None:
        """Make the edit of a gesture on the image on screen; a sentence says so where it takes a while.

        `name` is that of its tool, for people.
        """
        opened, ended = self._documents.current, False
        assert opened is not None
        if later.painted is not None and not later.painted.one_object:
            self._documents.tools.set_new_object(False)

        def make(copy: Document, cancelled: Cancelled) -> Edit | None:
            return later.make(replace(later.context, document=copy), cancelled)

        def made(changed: bool) -> None:
            nonlocal ended
            ended = True
            if not changed:
                self._notices.say(_("{name} changed nothing.", name=name))

        def refused(error: UserError) -> None:
            nonlocal ended
            ended = True
            self._notices.say(error.line)

        self._fills.soon(name, opened, make, made, refused)
        if not ended:
            self._notices.say(_("{name} is still being computed and will be applied when it is ready.", name=name))

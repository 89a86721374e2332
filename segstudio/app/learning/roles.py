"""The owner of held-out images: whether the one on screen is held out, and moving the role to another."""

from collections.abc import Collection, Sequence
from concurrent.futures import Future

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.values import JobKind
from segstudio.app.viewing.navigation import Navigation
from segstudio.errors import UserError
from segstudio.labels.model import ImageId, Seq
from segstudio.store.learning import Moved, hold_out
from segstudio.store.values import Split
from segstudio.text import _, count

__all__ = ["Roles"]

_NAMED = 3


class Roles(QObject):
    """`moved`: a person moved a role, and the list of images already has it."""

    moved = Signal()

    def __init__(
        self, ground: Ground, documents: Documents, navigation: Navigation, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._project, self._main, self._notices = ground.project, ground.main, ground.notices
        self._documents, self._navigation = documents, navigation
        self._seen = Seq(documents.submitted)
        self._undecided: set[ImageId] = set()
        navigation.imageShown.connect(self._image_shown)
        navigation.imagesChanged.connect(self._rows_changed)
        documents.editCommitted.connect(self._committed)

    @property
    def held_out(self) -> bool:
        """Whether the image asked for is held out: measured on, never learned from."""
        return self._split() == Split.HELD_OUT

    def hold_out(self, images: Collection[ImageId], *, held: bool) -> None:
        """Hold images out, or let them be learned from; `moved` follows, or a notice. Raises `ReadOnly`."""
        hold_out(self._project, images, held=held).add_done_callback(
            lambda future: self._main.post(lambda: self._changed(future))
        )

    def follow(self) -> None:
        """Read the rows of images whose role was decided or moved since this was last looked at."""
        since, self._seen = self._seen, Seq(self._documents.saving.acknowledged)
        self._navigation.read_decided(since)

    def _changed(self, future: "Future[Moved]") -> None:
        error = future.exception()
        if isinstance(error, UserError):
            self._notices.fail(JobKind.HOLD_OUT, error)
            return
        done = future.result()
        said: list[str] = []
        if done.learned_from:
            said.append(_("Used for training from now on: {paths}.", paths=_named(done.learned_from)))
        if done.held_out:
            said.append(_("Held out from now on: {paths}.", paths=_named(done.held_out)))
        if said:
            self.follow()
            self._notices.say(" ".join(said))
            self.moved.emit()
        if done.refused:
            self._notices.fail(JobKind.HOLD_OUT, _refusal(done.refused))

    def _image_shown(self) -> None:
        if self._split() is None:
            self._undecided.add(self._navigation.rows[self._navigation.index].id)

    def _committed(self, seq: int) -> None:
        if not self._undecided:
            self._seen = Seq(seq)

    def _rows_changed(self, _rows: tuple[int, ...]) -> None:
        """The first labels of a group may have made another one the held-out one."""
        decided = {image for image in self._undecided if self._navigation.split_of(image) is not None}
        if decided:
            self._undecided -= decided
            self.follow()

    def _split(self) -> str | None:
        index = self._navigation.index
        return self._navigation.items[index].split if index >= 0 else None


def _named(paths: Sequence[str]) -> str:
    """The first of the paths, and how many more there are."""
    first, more = ", ".join(paths[:_NAMED]), len(paths) - _NAMED
    return first if more <= 0 else _("{paths} and {n} more", paths=first, n=f"{more:,}")


def _refusal(refused: Sequence[UserError]) -> str:
    """Why images keep their role, in one sentence: of several the first says it."""
    if len(refused) == 1:
        return refused[0].line
    return count(
        len(refused),
        "{n} image keeps its role: {why}",
        "{n} images keep their role. The first: {why}",
        why=refused[0].line,
    )

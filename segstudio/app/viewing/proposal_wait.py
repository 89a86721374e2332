"""Waiting for the proposal of the image on screen, from a call to its one end."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from segstudio.app.viewing.proposals import Proposals
from segstudio.text import _

__all__ = ["ProposalWait"]


class ProposalWait(QObject):
    """One wait at a time: it ends in `ready`, in `failed` with a sentence, or in `stop`, which reports nothing."""

    def __init__(self, shown: Proposals, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown = shown
        self._ready: Callable[[], None] | None = None
        self._failed: Callable[[str], None] | None = None
        self._asked_for = False
        self._look = QTimer(self)
        self._look.setSingleShot(True)
        self._look.setInterval(0)
        self._look.timeout.connect(self._look_again)
        shown.proposalReady.connect(self._arrived)
        shown.failed.connect(self._give_up)
        shown.runningChanged.connect(self._running)
        shown.proposalChanged.connect(self._look_soon)

    @property
    def active(self) -> bool:
        """Whether there is a wait."""
        return self._ready is not None

    def begin(self, ready: Callable[[], None], failed: Callable[[str], None]) -> None:
        """Wait for what is coming; one before it is dropped."""
        self._ready, self._failed = ready, failed
        self._asked_for = self._shown.running
        self._look_soon()

    def stop(self) -> bool:
        """Stop waiting; whether there was a wait."""
        was = self.active
        self._ready = self._failed = None
        self._look.stop()
        return was

    def _running(self, running: bool) -> None:
        self._asked_for = self._asked_for or running
        if not running:
            self._look_soon()

    def _look_soon(self) -> None:
        """After this moment: a request that has just ended may still report its answer in it."""
        if self.active:
            self._look.start()

    def _arrived(self) -> None:
        ready = self._ready
        if self.stop() and ready is not None:
            ready()

    def _give_up(self, sentence: str) -> None:
        failed = self._failed
        if self.stop() and failed is not None:
            failed(sentence)

    def _look_again(self) -> None:
        """Whether anything is still coming: what was stored may do, and what was asked for may have been dropped."""
        if not self.active or self._shown.coming:
            return
        if self._asked_for:
            self._give_up(_("The proposal was cancelled."))
        else:
            self._arrived()

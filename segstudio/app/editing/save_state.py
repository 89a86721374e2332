"""The owner of the save state: what is durable, and its words; listens to the writer, which runs on its own thread."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from segstudio.app.ground import Ground
from segstudio.app.values import JobKind, SaveState
from segstudio.labels.model import Seq
from segstudio.store.project import SetAside
from segstudio.text import _, count

__all__ = ["Saving"]


class Saving(QObject):
    """`submitted` is the number of the newest edit, on disk or on its way; all up to `acknowledged` were reported.

    `setAside` carries edits that the journal refused, for the owner that holds them; they get no `editCommitted`.
    """

    editCommitted = Signal(int)
    changed = Signal(object)
    setAside = Signal(object)

    def __init__(
        self,
        ground: Ground,
        held: Callable[[], int],
        large: Callable[[], str],
        parent: QObject | None = None,
        last_seq: Seq | None = None,
    ) -> None:
        """`last_seq` is the project's where it was read before.

        `held` is how many edits the writer has not got yet, `large` what is being written as one job, else ''.
        """
        super().__init__(parent)
        project, main = ground.project, ground.main
        self._project, self._notices = project, ground.notices
        self._held, self._large = held, large
        self.acknowledged = self.submitted = project.last_seq() if last_seq is None else last_seq
        self._aside: set[int] = set()
        if project.writer is not None:
            writer = project.writer
            writer.on_saved = lambda seq: main.post(lambda: self._saved(seq))
            writer.on_refused = lambda sentence: main.post(lambda: self._refused(sentence))
            writer.on_recovered = lambda: main.post(self.announce)

            def set_aside(aside: SetAside) -> None:
                # At once: where the project closes before the rest is heard of, none of these counts as saved.
                self._aside.update(seq for seq, _ in aside.edits)
                main.post(lambda: self._set_aside(aside))

            writer.on_set_aside = set_aside

    def acknowledge_rest(self) -> None:
        """Report every edit that became durable while the project closed."""
        writer = self._project.writer
        self._saved(self._project.last_seq() if writer is None else writer.durable)

    def catch_up(self, last_seq: Seq) -> None:
        """Others have written, up to this edit: theirs count as submitted."""
        self.submitted = max(self.submitted, last_seq)

    def state(self) -> SaveState:
        """The words of the status bar."""
        writer = self._project.writer
        if writer is None:
            return SaveState(True, "", self._project.why_read_only)
        state = writer.state
        # Not `pending`: it counts jobs beside the edits (working times), whose end is not reported.
        all_durable = self.submitted <= self.acknowledged and not self._held() and not self._large()
        return SaveState(all_durable and not state.refused, _clock(state.last_saved_utc), state.refused)

    def text(self) -> str:
        """What is being saved, in words; without a number where no edit waits, only a job or an edit still computed."""
        writer = self._project.writer
        if self._large() or writer is None:
            return self._large()
        waiting = len(writer.pending_edits()) + self._held()
        if not waiting:
            return _("Saving")
        return count(waiting, "Saving 1 edit", "Saving {n} edits")

    def announce(self) -> None:
        """Report the state."""
        self.changed.emit(self.state())

    def _saved(self, seq: Seq) -> None:
        for number in range(self.acknowledged + 1, seq + 1):
            self.acknowledged = Seq(number)
            if number not in self._aside:
                self.editCommitted.emit(number)
        self.announce()

    def _set_aside(self, aside: SetAside) -> None:
        """The numbers of refused edits are passed over; they are never given again."""
        while self.acknowledged + 1 in self._aside:
            self.acknowledged = Seq(self.acknowledged + 1)
        self.setAside.emit(aside)
        self.announce()

    def _refused(self, sentence: str) -> None:
        self._notices.fail(JobKind.SAVE, sentence)
        self.announce()


def _clock(utc: str) -> str:
    from datetime import datetime

    return datetime.fromisoformat(utc).astimezone().strftime("%H:%M:%S") if utc else ""

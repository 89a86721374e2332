"""The owner of imports: looks at files, says what an import would do, and imports, all away from the GUI thread."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from segstudio.app.editing.background_writes import Write
from segstudio.app.editing.documents import Documents
from segstudio.app.ground import Ground
from segstudio.app.values import JobId, JobKind
from segstudio.app.viewing.proposals import Proposals
from segstudio.errors import Cancelled, UserError
from segstudio.formats.naming import StemPattern
from segstudio.formats.table import FORMATS, Layout
from segstudio.labels.class_names import valid_name
from segstudio.labels.model import ImageId
from segstudio.tasks.labels.import_masks import CheckedImport, ImportReport, Target, check_import
from segstudio.tasks.labels.import_preview import ImportPreview, PreviewedPlane, preview_import
from segstudio.tasks.labels.import_survey import ImportSurvey, survey_import
from segstudio.tasks.labels.import_words import imported_words, stopped_words
from segstudio.tasks.labels.meanings import Meaning, map_of
from segstudio.tasks.labels.recognise import recognised_format
from segstudio.tasks.progress import Progress
from segstudio.text import _

__all__ = [
    "ImportFormat",
    "ImportPreview",
    "ImportReport",
    "ImportSurvey",
    "Importing",
    "Meaning",
    "PreviewedPlane",
    "Target",
    "WantedImport",
    "imported_words",
]

T = TypeVar("T")
_FLUSH_S = 30.0


@dataclass(frozen=True, slots=True)
class ImportFormat:
    """A format that can be read: its name, its title for people, the endings of its files, whether these are masks."""

    name: str
    title: str
    extensions: tuple[str, ...]
    masks: bool


@dataclass(frozen=True, slots=True)
class WantedImport:
    """What a person wants imported: the files, and the class `chosen` for each key of the `meanings` found in them
    ('' = unknown). A class that the project lacks is made. `pattern` says how masks are named, '' as the images."""

    format: str
    path: Path
    pattern: str = ""
    target: Target = Target.LABELS
    meanings: tuple[Meaning, ...] = ()
    chosen: Mapping[Any, str] = field(default_factory=dict[Any, str])

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of the tasks. Raises `UsageError` for a pattern, or the name of a class, that is none."""
        for name in filter(None, self.chosen.values()):
            valid_name(name)
        mapping = map_of(self.meanings, self.chosen)
        return {"mapping": mapping, "new_classes": True, "pattern": _pattern(self.pattern)}


class Importing(QObject):
    """Each look ends in exactly one signal: `surveyed` (an `ImportSurvey`), `previewed` (an `ImportPreview`), `refused`
    (one sentence) or `ended`; a newer one drops it without a word. An import ends in `imported`, which carries an
    `ImportReport` that a notice says in a sentence, in a notice that says why it cannot be, or in `ended`.

    `ended` carries a sentence: what was under way was cancelled, by whomever, or met a bug."""

    surveyed = Signal(object)
    previewed = Signal(object)
    refused = Signal(str)
    imported = Signal(object)
    ended = Signal(str)

    def __init__(
        self, ground: Ground, documents: Documents, proposals: Proposals, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._ground, self._project, self._notices = ground, ground.project, ground.notices
        self._documents, self._proposals = documents, proposals
        self._look: JobId | None = None
        documents.long.ended.connect(lambda: ground.main.post(self._after_write))
        self._wanted: WantedImport | None = None
        self._writes = self._stopped = self._look_stopped = False

    @property
    def formats(self) -> tuple[ImportFormat, ...]:
        """The formats that can be read. Other packages are looked up when this is first asked."""
        return tuple(
            ImportFormat(form.name, form.title, form.extensions, form.layout is Layout.MASKS)
            for form in FORMATS.rows
            if form.imports
        )

    # -- looking -----------------------------------------------------------------------------------------------------

    def recognise(self, path: Path, then: Callable[[str], None]) -> None:
        """Find out whether a path holds labels for images of the project; `then` gets the format's name, '' for none.

        Nothing is said of a path that cannot be read: whoever asks goes on as if it held none.
        """
        self._ground.jobs.follow(
            JobKind.LOOK,
            _("Looking at {name}", name=path.name),
            recognised_format(self._project, path),
            self._ground.main,
            on_done=then,
            on_failed=lambda _error: then(""),
        )

    def survey(self, format_: str, path: Path, pattern: str = "") -> None:
        """Find out which values, colours or names are in the files."""
        self._look_at(
            lambda: survey_import(self._project, format_, path, pattern=_pattern(pattern)), self.surveyed.emit
        )

    def preview(self, wanted: WantedImport) -> None:
        """Find out what the import would do: the dry run."""
        self._look_at(
            lambda: preview_import(self._project, wanted.format, wanted.path, **wanted.options), self.previewed.emit
        )

    def drop_look(self) -> None:
        """End a look under way; nothing is said."""
        if self._look is not None:
            self._ground.jobs.cancel(self._look)
            self._look = None

    def _look_at(self, make: Callable[[], Generator[Progress, None, T]], tell: Callable[[T], None]) -> None:
        self.drop_look()
        try:
            steps = make()
        except UserError as error:
            self.refused.emit(error.sentence)
            return

        def end(tell: Callable[[], None]) -> None:
            if self._look == id_:
                self._look = None
                tell()

        def done(found: T) -> None:
            if self._look_stopped:  # too late for its thread, which had come to its end
                self.ended.emit(_("Cancelled."))
            else:
                tell(found)

        self._look_stopped = False

        id_ = self._ground.jobs.follow(
            JobKind.IMPORT_CHECK,
            _("Looking at the files"),
            steps,
            self._ground.main,
            on_done=lambda found: end(lambda: done(found)),
            on_failed=lambda error: end(lambda: self.refused.emit(error.sentence)),
            on_bug=lambda: end(lambda: self.ended.emit(_by_a_bug())),
            on_cancelled=lambda: end(lambda: self.ended.emit(_("Cancelled."))),
        )
        self._look = id_

    def cancel(self) -> None:
        """Cancel what is under way: of an import nothing comes in; of proposals, those that are written stay.

        `ended` follows, after the present step, or at once where nothing is at work.
        """
        jobs = [job.id for job in self._ground.jobs.of(JobKind.IMPORT)]
        jobs += [] if self._look is None else [self._look]
        self._stopped = self._look_stopped = True
        for job in jobs:
            self._ground.jobs.cancel(job)
        if not jobs:
            self._end(_("Cancelled."))

    # -- importing ---------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether an import is under way, from `start` to its end."""
        return self._wanted is not None

    def start(self, wanted: WantedImport) -> None:
        """Import in the background, once every edit made so far is written; nothing happens where one is under way."""
        if self._project.writer is None:
            self._notices.fail(JobKind.IMPORT, self._project.why_read_only)
        elif not self.running:
            self.drop_look()
            self._wanted, self._stopped = wanted, False
            self._documents.commit_gesture()
            self._go_on(wanted, lambda: self._check(wanted))

    def _go_on(self, wanted: WantedImport, step: Callable[[], object]) -> None:
        """Take the next step once every edit made so far is written, unless the import was cancelled meanwhile."""

        def go_on() -> None:
            if self._wanted is not wanted:
                return
            try:
                if self._stopped:
                    self._end(_("Cancelled."))
                else:
                    step()
            except UserError as error:
                self._failed(error)
            except Exception:
                self._end(_by_a_bug())
                raise

        self._documents.after(go_on)

    def _check(self, wanted: WantedImport) -> None:
        steps = check_import(self._project, wanted.format, wanted.path, target=wanted.target, **wanted.options)
        self._ground.jobs.follow(
            JobKind.IMPORT,
            _("Checking the files"),
            self._after_writing(steps),
            self._ground.main,
            words=lambda progress: _("Importing: {doing}", doing=progress.doing),
            on_done=lambda found: self._go_on(wanted, lambda: self._write(wanted, found)),
            on_failed=self._failed,
            on_bug=lambda: self._end(_by_a_bug()),
            on_cancelled=lambda: self._end(_("Cancelled.")),
        )

    def _after_writing(
        self, steps: Generator[Progress, None, CheckedImport]
    ) -> Generator[Progress, None, CheckedImport]:
        """The same, once the writer has written what it was given before: the check reads classes from the disk."""
        writer = self._project.writer
        if writer is not None and not writer.flush(_FLUSH_S):
            raise UserError(_("Earlier changes could not be saved to the disk, so nothing was imported."))
        return (yield from steps)

    def _write(self, wanted: WantedImport, found: CheckedImport) -> None:
        if found.now.all != self._documents.classes.all:
            raise UserError(_("The classes were changed meanwhile, so nothing was imported."))
        if wanted.target is Target.LABELS:
            self._write_long(_("Importing labels"), found.write_labels, found.images, lambda: self._done(found))
        elif found.made:
            self._write_long(_("Adding classes"), found.write_classes, frozenset(), lambda: self._add_proposals(found))
        else:
            self._add_proposals(found)

    def _write_long(self, text: str, write: Write, images: frozenset[ImageId], then: Callable[[], None]) -> None:
        def written(_edits: int) -> None:
            self._writes = False
            then()

        self._documents.write_long(JobKind.IMPORT, text, write, images, written, self._failed)
        self._writes = True

    def _after_write(self) -> None:
        """A long write has ended, and who asked for it was told, unless it met a bug."""
        if self._writes:
            self._end(_by_a_bug())

    def _add_proposals(self, found: CheckedImport) -> None:
        self._ground.jobs.follow(
            JobKind.IMPORT,
            _("Importing proposals"),
            found.add_proposals(),
            self._ground.main,
            on_done=lambda _nothing: self._done(found),
            on_failed=self._failed,
            on_end=partial(self._proposals.follow_import, found.images),
            on_bug=lambda: self._end(_by_a_bug()),
            on_cancelled=lambda: self._end(stopped_words(found.added, found.masks)),
        )

    def _failed(self, error: UserError) -> None:
        if isinstance(error, Cancelled):  # already reported
            self._end(_("Cancelled."))
        else:
            self._wanted, self._writes = None, False
            # Not what to do: that is said for the command line, and names its options.
            self._notices.fail(JobKind.IMPORT, " ".join(filter(None, (error.sentence, error.safe))))

    def _done(self, found: CheckedImport) -> None:
        self._wanted = None
        self._notices.say(imported_words(found.report))
        self.imported.emit(found.report)

    def _end(self, sentence: str) -> None:
        self._wanted, self._writes = None, False
        self.ended.emit(sentence)


def _by_a_bug() -> str:
    return _("Stopped by an error in SegStudio.")


def _pattern(text: str) -> StemPattern | None:
    return StemPattern(text.strip()) if text.strip() else None

"""Train: the run happens in the engine; plan, events, checkpoints, weights and versions are written here."""

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import wait
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from segstudio.engine.client import Call, EngineClient
from segstudio.engine.protocol import Blob, Measured, RunEvent, RunPicture, RunPlanned, Train, Trained
from segstudio.errors import Cancelled, DiskRefused, EngineDied, UserError
from segstudio.labels.edit import now_utc
from segstudio.labels.model import Seq
from segstudio.runs import Checkpointed, Choices, Event, Finished, HeldOutPicture, Plan, Preparing, TrainResult, Warned
from segstudio.store.kept_facts import FACTS, FactsFile
from segstudio.store.learning import (
    HELD_OUT_BLOCKS,
    add_trained,
    begin_learning,
    begin_run,
    end_run,
    keep_learning,
    room_for_a_round,
    take_up_run,
)
from segstudio.store.project import Project
from segstudio.store.values import Split, VersionRow
from segstudio.tasks.learning.cards import LearnedFrom, card_of, learned_from
from segstudio.tasks.learning.interrupted import CHECKPOINT, Interrupted, traces_of
from segstudio.tasks.learning.kept_weights import clear_rounds
from segstudio.tasks.learning.resuming import Ended
from segstudio.tasks.learning.run_files import all_or_none, free_number, outcome, refused, write
from segstudio.text import _

__all__ = ["train"]

_LOOK_S = 0.2
_ROW_S = 5.0


def train(
    project: Project,
    engine: EngineClient,
    choices: Choices,
    *,
    stop: Callable[[], bool] = lambda: False,
    discard: Callable[[], bool] = lambda: False,
    on_picture: Callable[[HeldOutPicture], object] = lambda _: None,
    plan: Plan | None = None,
    resume: Interrupted | None = None,
    resumable: bool = False,
    picks_up: bool = False,
    after: Ended | None = None,
) -> Generator[Event, None, TrainResult]:
    """One run, from its plan to its verdict; yields its events as they come and writes them to runs/RUN/events.jsonl.

    When `stop` turns true the run ends after the step it is at, and what it has learned is judged as usual. When
    `discard` does, it ends at once: nothing is kept but its record, and `Cancelled` is raised. `on_picture` gets a
    held-out image as it is measured.

    Where the engine dies the run resumes from its last checkpoint, once, as a `Warned` event says. Closing drops it but
    leaves a `resumable` one to be resumed: `resume` continues it, which a `Warned` event says first. `plan` repeats
    an earlier one. With `picks_up` it is a round of learning that goes on: it also learns what is painted while it is
    under way, begins only where the disk has room to spare, and few of its kind keep their weights; one that is resumed
    is so again. `after` is the run that this one goes on with, whose choices are the ones given; a `Warned` event says
    so. Raises `ReadOnly`,
    `EngineDied`, `NoSuchDevice`, `NotEnoughLabels`, `WeightsDamaged`, `DiskRefused`.
    """
    writer = project.writing()
    if resume is not None:
        picks_up = resume.picks_up
    elif picks_up:
        room_for_a_round(project)
    if not writer.flush():
        raise DiskRefused(writer.state.refused or _("Not every edit could be saved before training."))
    run = _Run(project, choices, None if resume is None else resume.run, on_picture, picks_up=picks_up)
    try:
        if resume is not None:
            sentence = run.take_up(resume)
            yield run.note(Warned(step=run.step, seconds=run.seconds, sentence=sentence))
            plan = run.plan
        else:
            run.begin()
            if after is not None:
                yield run.note(Warned(step=0, seconds=0.0, sentence=after.sentence))
        again, died = resume is not None, False
        yield run.note(Preparing(step=run.step, seconds=run.seconds, text=_("Waiting for the engine")))
        while True:
            request = Train(
                run=run.name,
                version=run.version,
                choices=choices,
                plan=plan,
                resume=again,
                elapsed_s=run.seconds if again else 0.0,
                picks_up=picks_up,
                after=None if after is None else after.plan,
            )
            try:
                with engine.call(request) as call:
                    yield from run.follow(call, stop, discard)
                break
            except EngineDied as error:
                if engine.closed:
                    raise
                if died:
                    raise _twice(error) from error
                died = again = True
                yield run.note(Warned(step=run.step, seconds=run.seconds, sentence=run.survived(error)))
        return run.finish()
    except Cancelled as cancelled:
        run.discard(cancelled.sentence)
        raise
    except UserError as error:
        if engine.closed:
            run.leave(resumable=resumable)
        else:
            run.fail("failed", error.line)
        raise
    except (GeneratorExit, KeyboardInterrupt):
        run.leave(resumable=resumable)
        raise


def _twice(error: EngineDied) -> EngineDied:
    return EngineDied(
        _("The run was abandoned: the engine died twice. {sentence}", sentence=error.sentence),
        safe=_("Everything painted is safe, and the version before it stays in use."),
        todo=_("Run 'segstudio doctor'."),
    )


@dataclass(slots=True)
class _Files:
    """Weights as they come in, part by part."""

    parts: dict[str, list[bytes]] = field(default_factory=dict)

    def add(self, blob: Blob) -> bytes | None:
        """The whole file once its last part is here."""
        self.parts.setdefault(blob.kind, []).append(blob.data)
        return b"".join(self.parts.pop(blob.kind)) if blob.last else None


class _Run:
    """One run's folder and rows."""

    def __init__(
        self,
        project: Project,
        choices: Choices,
        name: str | None,
        on_picture: Callable[[HeldOutPicture], object],
        *,
        picks_up: bool,
    ) -> None:
        self._project, self._on_picture = project, on_picture
        self._choices, self._picks_up = choices, picks_up
        versions, runs = project.versions(), project.runs()
        self._models = project.path / "models"
        models = [path.stem for path in self._models.glob("v*")]
        folders = [path.name for path in (project.path / "runs").glob("r*")]
        # A repair may have lost rows whose files are still there: what was written once is not written over.
        self.number = free_number("v", (v.number for v in versions), (v.name for v in versions), models)
        self.version = f"v{self.number}"
        self.name = name or f"r{free_number('r', (row.id for row in runs), (row.name for row in runs), folders)}"
        self.step = 0
        self.seconds = 0.0
        self._folder = project.path / "runs" / self.name
        self._files = _Files()
        self._weights = b""
        self.plan: Plan | None = None
        self._trained: Trained | None = None
        self._reason = "done"
        self._seq = project.last_seq()
        self._made_folder = False
        self._early: list[Event] = []
        self._facts = FactsFile(project.path / FACTS)
        self._row: int | None = None
        self._data: dict[tuple[int, int], LearnedFrom] = {}

    def begin(self) -> None:
        """Keep by what the run can be resumed; from now on no image changes its side of the split."""
        kept = self._kept()
        begin_learning(self._project, kept).result()

    def _kept(self, resumed_from: int = -1) -> dict[str, Any]:
        kept = Interrupted(run=self.name, choices=self._choices, resumed_from=resumed_from, picks_up=self._picks_up)
        return msgspec.to_builtins(kept)

    def take_up(self, kept: Interrupted) -> str:
        """Resume an interrupted run; returns a sentence about it. Raises `UserError` where that has failed before."""
        traces = traces_of(self._folder)
        self.step, self.seconds, self.plan = traces.step, traces.seconds, traces.plan
        self._row = take_up_run(self._project, self.name).result()
        self._made_folder = self._row is not None and self._folder.is_dir()
        if traces.checkpoint_step == kept.resumed_from:
            raise UserError(
                _(
                    "The run was abandoned: SegStudio ended twice after its step {step}.",
                    step=traces.checkpoint_step,
                ),
                safe=_("Everything painted is safe, and the version before it stays in use."),
                todo=_("Run 'segstudio doctor'."),
            )
        keep_learning(self._project, self._kept(traces.checkpoint_step)).result()
        if traces.checkpoint_step:
            return _("The run continued from step {step}.", step=traces.checkpoint_step)
        return _("The run started again from its beginning.")

    def follow(self, call: Call, stop: Callable[[], bool], discard: Callable[[], bool]) -> Generator[Event, None, None]:
        """Take replies until the last one. Raises `Cancelled` for a run that is discarded."""
        asked = False
        self._files = _Files()
        while not call.ended:
            _unless_discarded(discard)
            if stop() and not asked:
                asked = True
                call.stop()
            reply = call.wait(_LOOK_S)
            if isinstance(reply, RunEvent):
                yield self.note(self._complete(reply.event))
            elif isinstance(reply, RunPicture):
                self._on_picture(reply.picture)
            elif isinstance(reply, Blob):
                whole = self._files.add(reply)
                if whole is not None and reply.kind == "checkpoint":
                    write(self._folder / CHECKPOINT, whole)
                elif whole is not None:
                    self._weights = whole
            elif isinstance(reply, Measured):
                self._keep(lambda found=reply: self._facts.add((found.stamp, found.facts)))
            elif isinstance(reply, RunPlanned):
                self._keep(self._facts.flush)
                self._set_plan(reply.plan)
            elif isinstance(reply, Trained):
                self._trained = reply
        _unless_discarded(discard)  # asked for while the last reply was on its way

    def note(self, event: Event) -> Event:
        """Write an event down."""
        self.step, self.seconds = max(self.step, event.step), max(self.seconds, event.seconds)
        if isinstance(event, Finished):
            self._reason = event.reason
        self._early.append(event)
        if self._made_folder:
            try:
                with (self._folder / "events.jsonl").open("ab") as file:
                    file.writelines(msgspec.json.encode(early) + b"\n" for early in self._early)
            except OSError as error:
                raise refused("events.jsonl", error) from error
            self._early.clear()
        return event

    def _keep(self, write: Callable[[], None]) -> None:
        """Write to the cache of measurements."""
        try:
            write()
        except OSError as error:
            raise refused("cache/facts", error) from error

    def survived(self, error: EngineDied) -> str:
        """One sentence about a death of the engine that the run survives."""
        if (self._folder / CHECKPOINT).exists():
            resumed = _("It was started again, and the run resumed from its last checkpoint.")
        else:
            resumed = _("It was started again, and the run began again.")
        return f"{error.sentence} {resumed}"

    def finish(self) -> TrainResult:
        """Write weights, card and rows; the version counts only once all of it is on disk, and what the disk refuses
        leaves no file of it behind.
        """
        trained, plan = self._trained, self.plan
        if trained is None or plan is None:
            raise EngineDied(_("The engine ended the run without a result."), safe=_("Everything painted is safe."))
        card = card_of(
            self.version,
            self.name,
            plan,
            trained,
            last_edit=self._seq,
            data=self._data,
            weights=self._weights,
            picks_up=self._picks_up,
        )
        result = TrainResult(
            version=self.version,
            parent=trained.parent,
            promoted=trained.promoted,
            reason=trained.reason,
            steps=trained.steps,
            seconds=trained.seconds,
            held_out=trained.figures,
            advice=trained.advice,
            older=trained.older,
        )
        row = VersionRow(
            name=self.version,
            number=self.number,
            learner="deep",
            parent=trained.parent,
            made=now_utc(),
            seq=Seq(self._seq),
            promoted=trained.promoted,
            reason=trained.reason,
            steps=trained.steps,
            seconds=trained.seconds,
            figures=msgspec.to_builtins(trained.figures),
        )
        weights, card_file = (self._models / f"{self.version}.{ending}" for ending in ("safetensors", "json"))
        with all_or_none(weights, card_file):
            write(weights, self._weights)
            write(card_file, msgspec.json.format(msgspec.json.encode(card)))
            row_written = add_trained(
                self._project,
                row,
                run=self._row,
                groups=self._groups(plan),
                current=trained.current,
                state=self._reason,
                summary=msgspec.to_builtins(result),
            )
            outcome(row_written)
        (self._folder / CHECKPOINT).unlink(missing_ok=True)
        if self._picks_up:
            with suppress(DiskRefused):  # the version is there; what is not cleared now is after the next round
                clear_rounds(self._project)
        return result

    def fail(self, state: str, sentence: str) -> None:
        """Write that the run failed; the version before it stays."""
        self._end(state, sentence, None)

    def discard(self, sentence: str) -> None:
        """Nothing is kept of the run but its record: row, plan and events."""
        self.fail("discarded", sentence)
        with suppress(OSError):  # of no use any more; where it stays, nothing reads it
            (self._folder / CHECKPOINT).unlink(missing_ok=True)

    def leave(self, *, resumable: bool) -> None:
        """The run is dropped, or left as it is to be resumed."""
        if not resumable:
            self.fail("stopped", _("It was cut off before its result was measured, so no version came of it."))
            return
        self._end("interrupted", _("It continues when the project is opened in the window."), self._kept())

    def _end(self, state: str, sentence: str, kept: Mapping[str, Any] | None) -> None:
        if self._project.writer is None:
            return
        # A disk that refuses this row too must not hide why the run failed.
        ended = end_run(
            self._project,
            self._row,
            state=state,
            steps=self.step,
            seconds=self.seconds,
            summary={"why": sentence},
            kept=kept,
        )
        wait((ended,), timeout=_ROW_S)
        self._row = None

    def _set_plan(self, plan: Plan) -> None:
        """The plan as it is now; the first one makes the run's folder and row."""
        if not self._data or (self.plan is not None and self.plan.picked_up != plan.picked_up):
            self._data = learned_from(self._project, plan.planes)
        if plan.picked_up:
            self._seq = Seq(max(int(self._seq), plan.picked_up[-1][1]))
        self.plan = plan
        if not self._made_folder:
            try:
                self._folder.mkdir(parents=True)
            except OSError as error:
                raise refused(self._folder.name, error) from error
            self._made_folder = True
            if self._row is None:
                self._row = begin_run(
                    self._project, self.name, parent=plan.base, device=plan.device, seed=plan.seed
                ).result()
            # Held out from now on, whatever becomes of this run.
            self._project.set_setting(HELD_OUT_BLOCKS, msgspec.to_builtins(plan.blocks)).result()
        write(self._folder / "plan.json", msgspec.json.format(msgspec.json.encode(plan)))

    def _complete(self, event: Event) -> Event:
        if isinstance(event, Checkpointed):
            return msgspec.structs.replace(event, path=f"runs/{self.name}/{CHECKPOINT}")
        return event

    def _groups(self, plan: Plan) -> dict[int, Split]:
        group_of = {int(row.id): row.group_id for row in self._project.images(removed=True)}
        return {group_of[p.image]: Split(p.part) for p in plan.planes if p.image in group_of}


def _unless_discarded(discard: Callable[[], bool]) -> None:
    if discard():
        raise Cancelled(_("The run was discarded; only its record was kept."))

"""`segstudio train`."""

import signal
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from segstudio.cli.opening import opened
from segstudio.cli.output import complain, say, say_json
from segstudio.cli.parser import CommandParser, at_least, positive
from segstudio.cli.progress import Bar, run_task
from segstudio.errors import DiskRefused, UsageError, UserError
from segstudio.text import _, count

if TYPE_CHECKING:
    from segstudio.runs import Figures

__all__ = ["arguments", "run"]

_STARTS = ("embedded", "imagenet", "scratch")


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Fine-tune the network on the labels. The new version is compared with the current one on the same held-out\n"
        "pixels and promoted if it is better; otherwise it stays a candidate, and the exit code is still 0. Ctrl+C\n"
        "ends the run and keeps what it has learned.",
        "segstudio train leaves.segstudio --max-seconds 60",
        "segstudio train leaves.segstudio --base imagenet --max-steps 200 --device cuda --events events.jsonl",
    )
    parser.add_project()
    parser.add_argument(
        "--base",
        metavar="VERSION|embedded|imagenet|scratch",
        help=_("what the run starts from (the current version, otherwise embedded)"),
    )
    parser.add_argument(
        "--max-seconds",
        metavar="S",
        type=positive,
        help=_("end after S seconds, counted from the first step and including evaluation"),
    )
    parser.add_argument("--max-steps", metavar="N", type=at_least(1), help=_("end after N steps"))
    parser.add_argument("--device", metavar="auto|cpu|cuda|cuda:N|mps", help=_("the device that computes (auto)"))
    parser.add_argument("--seed", metavar="K", type=at_least(0), help=_("the seed of everything random (0)"))
    parser.add_argument(
        "--events",
        metavar="FILE|-",
        help=_("write events as they happen, one JSON object per line; - is standard output"),
    )
    parser.add_argument(
        "--config",
        metavar="FILE.toml",
        help=_("read these options from a file, written with underscores; the command line takes precedence"),
    )
    parser.add_json()


def run(options: Namespace) -> int:
    """Train."""
    if options.events == "-" and options.json:
        raise UsageError(_("--events - and --json both need standard output: give --events a file."))
    from segstudio.engine.client import EngineClient
    from segstudio.tasks.learning.train import train

    choices = _choices(options)

    with opened(options.project, write=True) as project, _stoppable() as stop, _event_file(options.events) as events:
        known = {version.name for version in project.versions()}
        if choices.base is not None and choices.base not in (*_STARTS, *known):
            raise UserError(
                _(
                    "'{base}' is not a base: choose one of {bases}.",
                    base=choices.base,
                    bases=", ".join((*_STARTS, *sorted(known))),
                )
            )
        watcher = _Watcher(events)
        try:
            with EngineClient(project.path) as engine:
                result = run_task(train(project, engine, choices, stop=lambda: stop.asked), watcher.see)
        finally:
            watcher.close()
    for sentence in watcher.warnings:
        complain(_("warning: {sentence}", sentence=sentence))
    import msgspec

    if options.json:
        say_json(msgspec.to_builtins(result))
    elif options.events != "-":
        said = {"version": result.version, "parent": result.parent, "reason": result.reason}
        if result.promoted:
            say(_("{version} (compared with {parent}): promoted. {reason}", **said))
        else:
            say(_("{version} (compared with {parent}): not promoted. {reason}", **said))
        if result.advice:
            say(result.advice)
        say(count(result.steps, "{n} step in {seconds:.1f} s", "{n} steps in {seconds:.1f} s", seconds=result.seconds))
        for side, figures in result.held_out.items():
            if figures is not None:
                _say_figures(side, figures)
        for side, figures in result.older.items():
            if figures is not None:
                said = {"side": side, "iou": figures.mean_iou}
                say(_("{side}: mean IoU {iou:.4f} on the finished images learned from before", **said))
    return 0


def _say_figures(side: str, figures: "Figures") -> None:
    said = {"side": side, "iou": figures.mean_iou, "loss": figures.loss}
    say(_("{side}: held-out mean IoU {iou:.4f}, loss {loss:.4f}", **said))
    if figures.accepted and figures.without_accepted is not None:
        say(
            _(
                "{side}: {share:.0%} of it are accepted proposals, without them mean IoU {iou:.4f}",
                side=side,
                share=figures.accepted,
                iou=figures.without_accepted,
            )
        )


def _choices(options: Namespace) -> Any:
    """Choices from the command line, then from the file, then the defaults. Raises `UsageError`."""
    from segstudio.tasks.learning.train_options import OPTIONS, choices_of

    config = None if options.config is None else Path(options.config)
    return choices_of({name: getattr(options, name) for name in OPTIONS}, config)


class _Stop:
    """Whether the person has asked the run to end."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def _stoppable() -> Iterator[_Stop]:
    """The first Ctrl+C asks the run to end, a second one interrupts."""
    stop = _Stop()

    def ask(number: int, frame: object) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _event_file(name: str | None) -> Iterator[BinaryIO | None]:
    if name is None or name == "-":
        yield None if name is None else sys.stdout.buffer
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open(name, "wb"))
        except OSError as error:
            raise DiskRefused(
                _("{name} cannot be written: {reason}.", name=name, reason=error.strerror or error)
            ) from error
        yield file


class _Watcher:
    """Writes every event to the file asked for, moves the bar, keeps warnings."""

    def __init__(self, events: BinaryIO | None) -> None:
        self.warnings: list[str] = []
        self._events = events
        self._bar = Bar(_("step"))
        self._steps = 0
        self._figures = ""

    def see(self, event: Any) -> None:
        """Take in one event."""
        from segstudio.runs import Evaluated, Preparing, Started, Stepped, Warned
        from segstudio.tasks.learning.train_options import write_event

        if self._events is not None:
            write_event(self._events, event)
        if isinstance(event, Started):
            self._steps = event.steps
        elif isinstance(event, Preparing):
            self._bar.show(event.done, event.total, event.text)
        elif isinstance(event, Warned):
            self.warnings.append(event.sentence)
        elif isinstance(event, Evaluated):
            self._figures = _("held-out IoU {iou:.3f}", iou=event.held_out.mean_iou)
        elif isinstance(event, Stepped):
            loss = _("loss {loss:.3f}", loss=event.loss)
            self._bar.show(event.step, self._steps, f"{loss} {self._figures}")

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()

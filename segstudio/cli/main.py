"""The entry point of `segstudio`: find the command, run it, turn an error into one line and an exit code.

0 done; 1 failed, with one line on standard error; 2 the command makes no sense as written.
"""

import runpy
import signal
import sys
from collections.abc import Sequence

import segstudio
from segstudio.cli.output import complain, drop_output, say
from segstudio.cli.parser import CommandParser
from segstudio.cli.table import COMMANDS, is_command
from segstudio.cli.trouble import must_be_text, refused_path, report_bugs
from segstudio.errors import UserError
from segstudio.registry import unsaid
from segstudio.text import _

__all__ = ["entry", "parser_of"]


def entry(arguments: Sequence[str] | None = None) -> int:
    """Run the program with these arguments (by default the process's); the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--engine"]:  # the frozen program is its own engine
        sys.argv = ["segstudio-engine", *given[1:]]
        runpy.run_module("segstudio.engine.server", run_name="__main__")
        return 0
    if arguments is None:
        report_bugs()
        signal.signal(signal.SIGTERM, _end)
    try:
        code = _run(given)
        if code == 0:  # a failure prints one line and nothing else
            for row in unsaid():
                complain(row.sentence)
        return code
    except UserError as error:
        complain(error.line)
        return error.exit_code
    except BrokenPipeError:
        drop_output()  # the reader of the pipe has gone
        return 1
    except OSError as error:
        sentence = refused_path(error)
        if not sentence:
            raise
        complain(sentence)
        return 1
    except KeyboardInterrupt as interrupt:
        complain(" ".join(filter(None, (_("Stopped before the end."), *map(str, interrupt.args)))))
        return 1


def _end(_number: int, _frame: object) -> None:
    """End on a signal: unwind as Ctrl+C does, so that temporary folders are removed and locks are freed."""
    raise KeyboardInterrupt


def _run(given: list[str]) -> int:
    must_be_text(given)
    if given and is_command(given[0]):
        options = parser_of(given[0]).parse_args(given[1:])
        return COMMANDS[given[0]].load().run(options)
    if given and given[0] in ("-h", "--help", "help"):
        if len(given) > 1 and is_command(given[1]):
            parser_of(given[1]).print_help()
        else:
            say(_overview())
        return 0
    if given == ["--version"]:
        say(_("segstudio {version}", version=segstudio.__version__))
        return 0
    from segstudio.cli import window

    return window.run(given)


def parser_of(command: str) -> CommandParser:
    """The parser of a command."""
    parser = CommandParser(prog=f"segstudio {command}")
    COMMANDS[command].load().arguments(parser)
    return parser


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = ["  ".join(("", command.name.ljust(width), _(command.summary))) for command in COMMANDS.rows]
    return "\n".join(
        [
            _("Label images with a network that learns from your corrections while you paint."),
            "",
            _("usage: segstudio [PROJECT | FOLDER | IMAGE...] [--demo]\n       segstudio COMMAND ..."),
            "",
            _(
                "Without a command the window opens: on a project (NAME.segstudio); on a folder of images or on\n"
                "images, for which a project is opened or made beside them; or on nothing. --demo opens a copy of the\n"
                "sample; without a display it runs the whole job offscreen and leaves its pictures in segstudio-demo/."
            ),
            "",
            _("commands:"),
            *lines,
            "",
            _(
                "'segstudio COMMAND --help' documents a command. With --json a command prints one JSON object.\n"
                "Exit status: 0 done; 1 failed, with one line on standard error and nothing half-written; 2 the\n"
                "command makes no sense."
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(entry())

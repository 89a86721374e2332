"""`segstudio` without a command: the window or, without a display, the demo."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from segstudio.cli.parser import CommandParser
from segstudio.errors import UsageError, UserError
from segstudio.text import N_, _

__all__ = ["has_display", "run"]

_WITHOUT_SCREEN = ("offscreen", "minimal", "vnc")
_HEADLESS_WAYS = N_(
    "Without one, 'segstudio --demo' runs the whole job offscreen, and the commands new, add, import, train, "
    "predict, export, evaluate, info and doctor need none (see 'segstudio --help')."
)


def run(given: Sequence[str]) -> int:
    """Open the window on the given paths; the exit code. Raises `UserError` if there is no display."""
    parser = CommandParser(prog="segstudio")
    parser.add_argument("paths", nargs="*", metavar="PATH", help=_("a project, a folder of images, or images"))
    parser.add_argument("--demo", action="store_true", help=_("open a copy of the sample"))
    options = parser.parse_args(given)
    paths = [Path(path) for path in options.paths]
    for path in paths:
        if not path.exists():
            raise UsageError(_neither(str(path)))
    if options.demo and paths:
        raise UsageError(_("--demo opens the sample and takes no path."))
    if not has_display() and not options.demo and not _qt_needs_none():
        raise UserError(_("There is no display to open a window on."), todo=_(_HEADLESS_WAYS))
    try:
        if options.demo and (not has_display() or _qt_needs_none()):
            from segstudio.demo.run import run_demo

            return run_demo()
        from segstudio.ui.window.launch import run_window

        return run_window(paths, options.demo)
    except ImportError as error:
        if not _of_qt(error):
            raise
        raise UserError(
            _("The window's library cannot be loaded: {error}.", error=error),
            todo=_(
                "Install what is missing (on Debian and Ubuntu: libegl1 libgl1 libxkbcommon0), or use the commands."
            ),
        ) from error


def has_display() -> bool:
    """Whether there is a screen to show a window on; Windows and macOS always have one."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _qt_needs_none() -> bool:
    """Whether Qt is set to draw without a screen."""
    return os.environ.get("QT_QPA_PLATFORM", "").split(":")[0] in _WITHOUT_SCREEN


def _of_qt(error: ImportError) -> bool:
    return (error.name or "").startswith(("PySide6", "shiboken6")) or ".so" in str(error)


def _neither(word: str) -> str:
    """The sentence for a word that is neither a command nor a path, with the command that was probably meant."""
    from difflib import get_close_matches

    from segstudio.cli.table import COMMANDS

    if word.endswith(".segstudio") or "/" in word:
        return _("There is no project, folder or image at '{path}'.", path=word)
    near = get_close_matches(word, COMMANDS, 1)
    if near:
        todo = _("Did you mean 'segstudio {command}'?", command=near[0])
    else:
        todo = _("'segstudio --help' lists the commands.")
    nothing = _("'{word}' is neither a command of segstudio nor a file or folder here.", word=word)
    return " ".join((nothing, todo))

"""A process that has loaded the whole program and forks a painting child whenever it is asked, so a start is quick.

One process asks through `Nursery`; the children are killed by whoever asked. Run as a program it is the nursery.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parent / "store")]

__all__ = ["Nursery"]


class Nursery:
    """Started when made, ended by `close`. `home` takes the children's settings and what they say."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        kinds = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
        folders = {name: str(home / name) for name in kinds}
        environment = {**os.environ, **folders, "QT_QPA_PLATFORM": "offscreen"}
        with open(home / "stderr.txt", "wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env=environment,
            )
        self._answer()

    def start(self, **arguments: object) -> int:
        """Fork a child that paints with these arguments of `painting_child.paint`; returns its process number."""
        return self._ask(arguments)

    def buried(self, pid: int) -> int:
        """Wait until a child has ended; returns its status as `os.waitpid` has it."""
        return self._ask(pid)

    def close(self) -> None:
        """End the nursery."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _ask(self, what: object) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what, default=str) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


def _serve() -> None:
    from PySide6 import QtWidgets  # noqa: F401

    from tests.soak import painting_child

    answers = os.fdopen(os.dup(1), "w")
    answers.write("0\n")
    answers.flush()
    for line in sys.stdin:
        asked = json.loads(line)
        if isinstance(asked, int):
            answer = os.waitpid(asked, 0)[1]
        elif (answer := os.fork()) == 0:
            os.dup2(2, 1)
            paths = {name: Path(asked.pop(name)) for name in ("project", "told", "out")}
            painting_child.paint(**paths, **asked)
        answers.write(f"{answer}\n")
        answers.flush()


if __name__ == "__main__":
    _serve()

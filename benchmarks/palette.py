"""How long a key waits in the command palette while it searches the names of many images.

    python benchmarks/palette.py [--images 100000] [--times 5]

The real window (1600 x 1000, offscreen); its list is made to hold so many rows. Words are typed into the palette with
real keys, 30 ms apart: each figure holds the key, the slice of the search that it waits for, and the repaint of what
was found so far. Also what opening costs, and when the whole list is searched after the last key. The floor is a line
of text in a window of its own that takes the same keys and is repainted.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from brush import timed
from common import Took, report
from made_up import folders_of_its_own
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from segstudio.app.preferences import Preferences, save_preferences
from segstudio.ui.palette.command_palette import CommandPalette
from tests.window_bench import Bench, make_project

WORDS = ("field_087654", "walk 12 99", "export", "next image", "87654", "fd99")
BETWEEN_MS = 30


def typed(field: QLineEdit, letter: str, shown: QWidget) -> None:
    """A key, and the repaint that it asks for."""
    QTest.keyClick(field, letter)
    shown.repaint()


def ended(palette: CommandPalette) -> None:
    """Handle events until every name was looked at."""
    while not palette._search.ended:
        QApplication.processEvents()


def took(both: list[tuple[float, float]]) -> Took:
    """As `Took` has it."""
    return Took([wall for wall, _ in both], [cpu for _, cpu in both])


def measure(bench: Bench, images: int, times: int) -> None:
    """Type every word so many times, and print the rows."""
    window = bench.window
    row = bench.opened.navigation.items[0]
    walks = [row._replace(index=n, name=f"walk_{n % 97:02d}/field_{n:06d}.png") for n in range(images)]
    bench.opened.navigation._list.items = walks
    line = QLineEdit()
    line.resize(600, 40)
    line.show()
    least: list[tuple[float, float]] = []
    for letter in "".join(WORDS):
        least.append(timed(partial(typed, line, letter, line)))
    line.hide()
    window.activateWindow()
    bench.wait(window.isActiveWindow)
    window.canvas.setFocus()
    opened: list[tuple[float, float]] = []
    keys: list[tuple[float, float]] = []
    rest: list[tuple[float, float]] = []
    for word in WORDS * times:
        opened.append(timed(lambda: (window.bars.action("palette").trigger(), window.later.palette.repaint())))
        palette = window.later.palette
        for letter in word:
            keys.append(timed(partial(typed, palette.field, letter, palette)))
            QTest.qWait(BETWEEN_MS)
        rest.append(timed(partial(ended, palette)))
        palette.leave()
        QTest.qWait(20)
    bench.opened.navigation._list.items = [row]
    floor = took(least)
    for name, found in (("key", keys), ("opened", opened), ("the rest of the search", rest)):
        report(
            "palette",
            {"what": name, "images": images, "times": len(found)},
            took(found).figures(),
            {
                "what": "a line of text that takes the key and is repainted",
                **floor.figures(),
                "ratio": round(took(found).median_s / floor.median_s, 2),
            },
        )


def main() -> None:
    """One window, and its rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5)
    chosen = parser.parse_args()
    QApplication.instance() or QApplication([])
    with tempfile.TemporaryDirectory() as folder, folders_of_its_own(Path(folder)):
        save_preferences(Preferences(automatic_proposals=False, theme="dark"))
        bench = Bench(make_project(Path(folder), fields=3))
        bench.wait(lambda: bench.shown)
        measure(bench, chosen.images, chosen.times)
        bench.close()
        bench.wait(lambda: bench.session.project is None)


if __name__ == "__main__":
    main()

"""How long the hand is held up while the list of what the check of labels found is brought up to date.

    python benchmarks/lint_list.py [--findings 100000] [--times 20]

The real window (offscreen), its list in front, one finding far down chosen. So many specks are made up for one image;
each figure is of the GUI thread, from the worker's answer to the list with its headings. The floor is a copy of the
list of findings.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from brush import timed
from common import Took, report
from made_up import folders_of_its_own
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from segstudio.app.preferences import Preferences, save_preferences
from segstudio.geometry import Rect
from segstudio.labels.lint.finding import Finding, LintKind
from segstudio.labels.model import ClassId, ObjectId
from tests.window_bench import Bench, make_project


def measure(bench: Bench, findings: int, times: int) -> None:
    """Print the row."""
    bench.key(Qt.Key.Key_F7)
    lint, image = bench.opened.lint, bench.opened.navigation.rows[0].id
    bench.wait(lambda: lint.looks.complete)
    specks = [Finding(LintKind.SPECK, image, 0, ClassId(2), ObjectId(2), Rect(n, 0, 3, 2), 6) for n in range(findings)]
    lint.looks._found[image] = {LintKind.SPECK: specks}
    lint.looks._put_together()
    lint.choose(lint.findings[findings - 1])
    both = [timed(lint.looks._put_together) for _ in range(times)]
    copies = [timed(lambda: list(lint.findings)) for _ in range(times)]
    took, floor = (Took([wall for wall, _ in each], [cpu for _, cpu in each]) for each in (both, copies))
    report(
        "lint_list",
        {"findings": findings, "times": times},
        took.figures(),
        {
            "what": "a copy of the list of findings",
            **floor.figures(),
            "ratio": round(took.median_s / floor.median_s, 1),
        },
    )


def main() -> None:
    """One window, and its list."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--findings", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=20)
    chosen = parser.parse_args()
    QApplication.instance() or QApplication([])
    with tempfile.TemporaryDirectory() as folder, folders_of_its_own(Path(folder)):
        save_preferences(Preferences(automatic_proposals=False, theme="dark"))
        bench = Bench(make_project(Path(folder), fields=3))
        bench.wait(lambda: bench.shown)
        measure(bench, chosen.findings, chosen.times)
        bench.close()
        bench.wait(lambda: bench.session.project is None)


if __name__ == "__main__":
    main()

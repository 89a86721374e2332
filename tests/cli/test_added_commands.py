"""A command that another installed package adds, tried as a user has it: in a process of its own."""

from pathlib import Path

import pytest

from tests.added_package import install, run

PACKAGE = """
from segstudio.cli.output import say
from segstudio.cli.table import Command

count_leaves = Command("count-leaves", "extra_rows", "count the leaves of a tree")

def arguments(parser):
    parser.describe("Count.", "segstudio count-leaves TREE")
    parser.add_argument("tree", help="which tree")

def run(options):
    say(f"{options.tree}: 7")
    return 0
"""

ENTRY = """
    import sys
    from segstudio.cli.main import entry
    sys.stderr = sys.stdout
    sys.exit(entry({words!r}))
"""


def test_it_runs_and_stands_in_the_help(tmp_path: Path) -> None:
    install(tmp_path, PACKAGE, "commands", "count-leaves")
    assert run(tmp_path, ENTRY.format(words=["count-leaves", "oak"])) == "oak: 7"
    assert "count the leaves of a tree" in run(tmp_path, ENTRY.format(words=["--help"]))
    assert "which tree" in run(tmp_path, ENTRY.format(words=["help", "count-leaves"]))


@pytest.mark.parametrize(
    ("source", "name", "reason"),
    [
        ("raise OSError('half installed')", "sing", "OSError: half installed"),
        ("sing = 3", "sing", "it is not of the type Command"),
        ("from segstudio.cli.table import Command; info = Command('info', 'x', 'y')", "info", "there is one of that"),
        (
            "from segstudio.cli.table import Command; a_b = Command('A_b', 'x', 'y')",
            "A_b",
            "lower-case letters",
        ),
    ],
)
def test_one_that_is_broken_is_said_once_and_the_others_work(
    tmp_path: Path, source: str, name: str, reason: str
) -> None:
    install(tmp_path, source.replace("a_b =", "A_b ="), "commands", name)
    said = run(tmp_path, ENTRY.format(words=["--help"]))
    assert "make a project from images" in said
    assert said.count("left out of SegStudio's commands") == 1
    assert reason in said


def test_a_path_looks_up_no_other_package(tmp_path: Path) -> None:
    install(tmp_path, "print('loaded')", "commands", "sing")
    program = "from segstudio.cli.table import is_command\nprint(is_command('info'), is_command('a/leaves.segstudio'))"
    assert run(tmp_path, program) == "True False"

"""What was dropped on the window is decided by names alone."""

from pathlib import Path

from segstudio.ui.window.drops import Images, Project, dropped

A, B = Path("/pictures/a.png"), Path("/pictures/b")
LEAVES = Path("/projects/leaves.segstudio")


def test_files_and_folders_are_images_for_the_open_project_or_for_a_new_one() -> None:
    assert dropped([A, B], True) == Images((A, B), added=True)
    assert dropped([A, B], False) == Images((A, B), added=False)


def test_a_project_comes_before_all_else_and_is_opened_whether_one_is_open_or_not() -> None:
    assert dropped([LEAVES], True) == Project(LEAVES)
    assert dropped([A, LEAVES / "project.db"], False) == Project(LEAVES)

"""Classes changed by command: in the order written, all in one edit or none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from segstudio.errors import ReadOnly, UsageError, UserError
from segstudio.labels.model import Kind, Seq
from segstudio.store.project import Project
from segstudio.tasks.images.info import info
from segstudio.tasks.labels.classes import ClassesReport, change_classes, listed_classes, parsed_change
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.progress import finished

Mask = Callable[..., Path]


def changed(project: Project, *options: str) -> ClassesReport:
    return change_classes(project, [parsed_change(*option.split(" ", 1)) for option in options])


def names(project: Project) -> list[str]:
    return [c.name for c in project.classes()]


def test_changes_are_made_in_their_order_in_one_edit_that_undo_takes_back(project: Project) -> None:
    before = info(project)
    report = changed(
        project,
        "add stem",
        "rename stem=trunk",
        "colour trunk=#102030",
        "kind trunk=instance",
        "remove cell",
        "add cell",
    )
    assert report.changed
    assert report.last_edit == 1
    assert [(c.name, c.color, c.kind, c.value) for c in report.classes][-2:] == [
        ("trunk", "#102030", Kind.INSTANCE, 4),
        ("cell", report.classes.named("cell").color, Kind.SEMANTIC, 5),  # type: ignore[union-attr]
    ]
    assert project.take_back(Seq(1), "a").result(30) == 1
    assert info(project)["classes"] == before["classes"]


def test_names_may_be_swapped_and_a_name_that_was_freed_be_given_again(project: Project) -> None:
    changed(project, "rename leaf=x", "rename cell=leaf", "rename x=cell")
    assert [c.value for c in map(project.classes().named, ("leaf", "cell")) if c] == [2, 1]
    assert project.take_back(Seq(1), "a").result(30) == 1
    assert [c.value for c in map(project.classes().named, ("leaf", "cell")) if c] == [1, 2]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["rename nobody=x"], "no class 'nobody'"),
        (["add stem", "remove nobody"], "no class 'nobody'"),
        (["add LEAF"], "already a class 'leaf'"),
        (["rename leaf=cell"], "already a class 'cell'"),
        (["add sky::background"], "second background"),
        (["remove background"], "'background' cannot be removed"),
        (["merge background=leaf"], "'background' cannot be merged"),
        (["merge leaf=leaf"], "'leaf' cannot be merged into itself"),
        (["kind background=semantic"], "'background'"),
        (["kind leaf=background"], "exactly one background"),
        (["remove leaf", "colour leaf=#000000"], "no class 'leaf'"),
    ],
)
def test_what_cannot_be_names_the_class_and_changes_nothing(project: Project, options: list[str], said: str) -> None:
    before = info(project)
    with pytest.raises(UserError, match=said):
        changed(project, *options)
    assert info(project) == before


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("add a\tb", "a tab"),
        ("add a\nb", "a line break"),
        ("add a\u200bb", r"U\+200B"),
        ("rename leaf=a:b", "':'"),
        ("rename leaf", "OLD=NEW"),
        ("colour leaf=red", "#RRGGBB"),
        ("kind leaf=thing", "not a kind"),
        ("add a:#12", "#RRGGBB"),
    ],
)
def test_what_is_not_written_as_it_has_to_be_says_what_is_wrong(option: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as told:
        parsed_change(*option.split(" ", 1))
    assert "\n" not in told.value.line
    assert "\t" not in told.value.line


def test_a_kind_changes_only_while_no_pixel_has_the_class(project: Project, mask: Mask) -> None:
    changed(project, "kind leaf=instance", "kind leaf=semantic", "add old")
    finished(import_masks(project, "png", mask("a.png", (1, 0, 0, 5, 5))))
    for options in (["kind leaf=instance"], ["merge leaf=old", "kind old=instance"], ["merge leaf=cell"]):
        with pytest.raises(UserError, match=r"'leaf'|'old'"):
            changed(project, *options)
    changed(project, "kind cell=semantic")


def test_a_merged_class_counts_as_the_other_one_and_a_removed_one_as_nothing(project: Project, mask: Mask) -> None:
    finished(import_masks(project, "png", mask("a.png", (1, 0, 0, 5, 5), (2, 10, 10, 2, 2))))
    changed(project, "merge cell=leaf")
    table = project.classes()
    leaf = table.named("leaf")
    assert leaf is not None
    assert listed_classes(project).pixels == {leaf.id: 29}
    changed(project, "remove leaf")
    assert names(project) == ["background", "blur"]
    assert listed_classes(project).pixels == {}


def test_what_is_there_already_is_no_edit(project: Project) -> None:
    assert not changed(project, "colour leaf=#E69F00", "rename leaf=leaf").changed
    assert not changed(project, "rename leaf=x", "rename x=leaf").changed
    assert project.last_seq() == 0


def test_listing_needs_no_right_to_write_and_changing_does(project: Project) -> None:
    with Project.open(project.path, write=False) as reader:
        assert len(listed_classes(reader).classes) == 4
        with pytest.raises(ReadOnly):
            changed(reader, "add stem")

from collections import Counter
from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segstudio.geometry import Rect
from segstudio.labels.model import ImageId, Origin
from segstudio.store.catalog.split import Split, decide, hash_holds_out
from segstudio.store.project import Project
from segstudio.store.values import NewImage
from tests.labels.filled_planes import filled
from tests.store.store_painting import CELL, CLASSES, FIRST, flushed, new_images, paint, undo


def test_the_first_three_train_and_the_fourth_is_held_out() -> None:
    assert [decide("any", n, 0) for n in range(4)] == [Split.TRAIN] * 3 + [Split.HELD_OUT]


@given(st.lists(st.text(max_size=8), min_size=5, max_size=80, unique=True))
def test_three_train_for_each_one_held_out_at_every_moment(keys: list[str]) -> None:
    counted: Counter[Split] = Counter()
    for key in keys:
        split = decide(key, counted[Split.TRAIN], counted[Split.HELD_OUT])
        if split is Split.HELD_OUT and counted[Split.HELD_OUT]:
            assert hash_holds_out(key)
        counted[split] += 1
        assert counted[Split.TRAIN] >= min(3 * counted[Split.HELD_OUT], sum(counted.values()))


def test_about_one_in_five_hashes_holds_out() -> None:
    assert 150 < sum(hash_holds_out(f"hash:{i}") for i in range(1000)) < 250


def test_a_group_is_decided_when_it_first_gets_labels_and_never_again(make_project: Callable[..., Project]) -> None:
    project = make_project(count=5)
    order = [ImageId(i) for i in (5, 2, 4, 1)]
    for image in order:
        document = project.document(image)
        seq = paint(project, document, Rect(0, 0, 10, 10), CELL)
        undo(project, document, seq)
    flushed(project)
    splits = {image.id: image.split for image in project.images()}
    # Nothing is labelled any more when the fourth is painted on: no other can be held out in its place.
    assert splits == {5: "train", 2: "train", 4: "train", 1: "train", 3: None}


def test_the_image_under_the_hand_is_not_held_out_while_another_will_do(make_project: Callable[..., Project]) -> None:
    project = make_project(count=5)
    for image in (ImageId(i) for i in (5, 2, 4, 1)):
        paint(project, project.document(image), Rect(0, 0, 10, 10), CELL)
    flushed(project)
    splits = {int(image.id): image.split for image in project.images()}
    assert splits[1] == "train"
    assert sorted(str(splits[i]) for i in (5, 2, 4)) == ["held-out", "train", "train"]
    assert splits[3] is None


def test_what_is_imported_is_decided_by_the_first_three_and_the_hash(make_project: Callable[..., Project]) -> None:
    project = make_project(count=5)
    for image in (ImageId(i) for i in (5, 2, 4, 1)):
        document = project.document(image)
        whole = np.full((400, 600), CELL, np.int32)
        edit = filled(document, 0, whole, project.classes(), Origin.IMPORTED)
        assert edit is not None
        assert project.writer is not None
        project.writer.submit(edit)
    flushed(project)
    splits = {image.id: image.split for image in project.images()}
    assert splits == {5: "train", 2: "train", 4: "train", 1: "held-out", 3: None}


def test_files_of_equal_content_and_named_groups_stand_on_one_side(make_project: Callable[..., Project]) -> None:
    project = make_project(count=1)
    images = new_images(project.path.parent, 4)
    twins = [
        _named(images[0], "a.png", images[1].quick_hash),
        _named(images[1], "b.png", images[1].quick_hash),
        _named(images[2], "c.png", "1", group="patient 7"),
        _named(images[3], "d.png", "2", group="patient 7"),
    ]
    with Project.create(project.path.parent / "twins.segstudio", twins, CLASSES) as made:
        a, b, c, d = made.images()
        assert a.group_id == b.group_id != c.group_id == d.group_id
        paint(made, made.document(FIRST), Rect(0, 0, 5, 5), CELL)
        flushed(made)
        assert [image.split for image in made.images()] == ["train", "train", None, None]


def _named(image: NewImage, path: str, quick_hash: str, group: str = "") -> NewImage:
    from dataclasses import replace

    return replace(image, path=path, quick_hash=quick_hash, group=group)

"""What the training sets label, what they leave unknown, and what is held out."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from segstudio.assets import asset
from tests.training.conftest import FOLDER

Load = Callable[[str], ModuleType]
DATA = Path(os.environ.get("SEGSTUDIO_DATA", FOLDER.parent.parent / "shared" / "data"))


def test_whole_groups_are_held_out(training: Load) -> None:
    stems = [f"{i:03d}" for i in range(60)]
    groups = {stem: f"group {int(stem) % 9}" for stem in stems}
    held = training("sets").held_out(stems, groups, 1)
    assert 6 <= len(held) <= 16
    assert not {groups[s] for s in held} & {groups[s] for s in stems if s not in held}


@pytest.mark.parametrize("count", [2, 3, 5, 17, 20])
def test_something_is_held_out_of_the_smallest_set_and_something_is_left(training: Load, count: int) -> None:
    held = training("sets").held_out([str(i) for i in range(count)], {}, 1)
    assert 1 <= len(held) < count


def test_a_group_of_half_a_set_is_held_out_only_if_nothing_else_can_be(training: Load) -> None:
    stems = [f"{i:02d}" for i in range(20)]
    groups = {stem: "large" if int(stem) < 12 else stem for stem in stems}
    held = training("sets").held_out(stems, groups, 1)
    assert held
    assert all(groups[stem] != "large" for stem in held)
    two = training("sets").held_out(stems, {stem: str(int(stem) % 2) for stem in stems}, 1)
    assert len(two) == 10


def test_neighbouring_stems_stay_together_where_no_group_is_named(training: Load) -> None:
    stems = [f"{i:03d}" for i in range(100)]
    held = training("sets").held_out(stems, {}, 10)
    assert {int(stem) // 10 for stem in held} == {i for i in range(10) if f"{10 * i:03d}" in held}
    assert len(held) == 10 * len({int(stem) // 10 for stem in held})


def test_no_set_kept_for_evaluation_is_named(training: Load) -> None:
    sets = training("sets")
    kept = {"aerial_dubai_heldout", "crop_weed", "em_neural_tissue", "retina_vessels", "road_cracks", "street_facades"}
    kept |= {"coco_ccbysa", "pitting_steel", "spleen_ct", "berkeley", "davis", "grabcut"}
    names = [recipe.folder for recipe in sets.RECIPES]
    assert len(set(names)) == len(names) == 31
    assert not kept & set(names)
    for path in FOLDER.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert '"evaluate"' not in text, path
        assert '"interactive"' not in text, path


def test_ground_far_from_a_labelled_object_is_unknown_where_others_may_lie(training: Load) -> None:
    sets = training("sets")
    mask = np.zeros((80, 80), np.uint8)
    mask[30:40, 30:40] = 1
    near = sets.near_only(mask, 10)
    assert (near[30:40, 30:40] == 1).all()
    assert near[35, 45] == 0  # six pixels away
    assert near[35, 41] == sets.UNKNOWN  # in the rim of a coarse outline
    assert near[35, 60] == sets.UNKNOWN
    assert (sets.near_only(np.zeros((8, 8), np.uint8), 10) == sets.UNKNOWN).all()


def test_what_a_set_does_not_call_ground_is_unknown_to_the_foreground(training: Load) -> None:
    sets = training("sets")
    mask = np.array([[0, 1, 2, 255]], np.uint8)
    recipe = sets.Recipe("made", objects=(2,), ground=(0,))
    assert sets.foreground_of(mask, recipe).tolist() == [[0, 255, 1, 255]]
    assert (sets.foreground_of(mask, sets.Recipe("made")) == 255).all()
    person = next(r for r in sets.RECIPES if r.folder == "person_ccby")
    assert sets.foreground_of(np.array([[0, 1]], np.uint8), person).tolist() == [[255, 1]]


def test_instances_become_one_class_and_a_strange_value_is_refused(training: Load) -> None:
    sets = training("sets")
    stored = np.array([[0, 3, 700]], np.uint16)
    assert sets.labels_of(stored, "instance", sets.Recipe("made"), 2).tolist() == [[0, 1, 1]]
    with pytest.raises(ValueError, match="the value 3"):
        sets.labels_of(np.array([[3]], np.uint8), "semantic", sets.Recipe("made"), 3)


def test_a_pack_gives_back_every_pixel_and_label(training: Load, data: Path, packed: Path) -> None:
    from PIL import Image

    pack, sets = training("pack").open_pack(packed), training("sets")
    assert [s.name for s in pack.sets] == [r.folder for r in sets.RECIPES if r.folder in {s.name for s in pack.sets}]
    for s in pack.sets:
        assert len(s.train) == 4
        assert len(s.held_out) == 2
        for picture in (*s.train, *s.held_out):
            with Image.open(data / "train" / s.name / "images" / f"{picture.stem}.png") as file:
                stored = np.asarray(file)
            assert np.array_equal(pack.image(picture), stored.reshape(*stored.shape[:2], -1))
            assert pack.image(picture).shape[2] == (1 if s.grey else 3)
            mask = pack.mask(picture)
            assert [int((mask == v).sum()) for v in range(len(s.classes))] == list(picture.counts)
    coco = next(s for s in pack.sets if s.name == "coco_ccby")
    assert (pack.mask(coco.train[0]) == sets.UNKNOWN).any()


def test_packing_twice_gives_the_same_digest_and_another_version_is_refused(
    training: Load, data: Path, packed: Path, tmp_path: Path
) -> None:
    pack, sets = training("pack"), training("sets")
    names = {s.name for s in pack.open_pack(packed).sets}
    again = pack.pack(data, tmp_path / "again", tuple(r for r in sets.RECIPES if r.folder in names))
    assert again.digest == pack.open_pack(packed).digest
    assert "coco_ccby" not in {s.name for s in pack.open_pack(packed, ("coco_ccby",)).sets}
    with pytest.raises(ValueError, match="no set named"):
        pack.open_pack(packed, ("elsewhere",))
    index = packed / "index.json"
    index.write_text(index.read_text(encoding="utf-8").replace('"version":1', '"version":0'), encoding="utf-8")
    with pytest.raises(ValueError, match="pack again"):
        pack.open_pack(packed)


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "train").is_dir(), reason="the open sets are not here")
def test_the_open_sets_hold_out_nothing_that_the_embedded_base_has_seen(training: Load) -> None:
    sets = training("sets")
    card = json.loads(asset("models", "base.json").read_text(encoding="utf-8"))
    before = {entry["set"]: set(entry["held_out"]) for entry in card["data"]}
    for recipe in sets.RECIPES:
        facts = sets.facts_of(DATA / "train" / recipe.folder, recipe)
        assert 2 <= len(facts.held_out) <= 0.35 * len(facts.stems), recipe.folder
        if recipe.folder in before:
            assert facts.held_out == before[recipe.folder]

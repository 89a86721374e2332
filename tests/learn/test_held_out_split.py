import numpy as np

from segstudio.geometry import Rect
from segstudio.learn.data import Part
from segstudio.learn.split import choose_blocks, excluded, inside_blocks, rects_of
from segstudio.runs import Block
from tests.learn.conftest import BRIGHT, blob_data
from tests.learn.helpers import facts_of, tiny_plan


def test_a_part_of_every_image_is_held_out_where_there_are_few():
    data = blob_data(3, side=512)
    facts = facts_of(data)
    blocks = choose_blocks(facts, (), 16)
    for entry in facts.planes:
        rects = rects_of(blocks, entry)
        mask = inside_blocks(rects, entry.bounds)
        assert 0.1 < mask.mean() < 0.35
        assert len(np.unique(data.ids[entry.image][mask])) == 2


def test_blocks_once_held_out_stay_so_and_new_images_get_their_own():
    two = blob_data(2, side=512)
    first = choose_blocks(facts_of(two), (), 16)
    three = blob_data(3, side=512)
    three.ids[1][:200, :200] = BRIGHT
    later = choose_blocks(facts_of(three), first, 16)
    assert later[: len(first)] == first
    assert {b.image for b in later[len(first) :]} == {3}


def test_the_same_labels_give_the_same_blocks():
    assert choose_blocks(facts_of(blob_data(3)), (), 8) == choose_blocks(facts_of(blob_data(3)), (), 8)


def test_a_lonely_object_is_never_held_out():
    data = blob_data(1, side=512)
    data.ids[1][...] = 1
    data.ids[1][100:110, 100:110] = BRIGHT
    blocks = choose_blocks(facts_of(data), (), 16)
    hidden = excluded(rects_of(blocks, data.planes()[0]), 16, Rect(100, 100, 10, 10))
    assert blocks
    assert hidden is None or not hidden.any()


def test_scribbles_within_one_block_are_split_by_smaller_ones():
    data = blob_data(1, side=512, origin=1)
    keep = np.zeros((512, 512), np.bool_)
    keep[256:380, 256:380] = True
    data.ids[1][~keep] = 0
    data.ids[1][300:310, 256:380] = BRIGHT
    data.origins[1][~keep] = 0
    blocks = choose_blocks(facts_of(data), (), 8)
    mask = inside_blocks(rects_of(blocks, data.planes()[0]), Rect(0, 0, 512, 512))
    assert 0 < mask[keep].mean() < 0.6


def test_with_held_out_groups_no_block_is_made_and_old_ones_stay_out_of_training():
    data = blob_data(4, side=256)
    assert not tiny_plan(data, max_steps=1).blocks
    old = Block(1, 0, 0, 0, 128, 128)
    data.held_blocks = (old,)
    facts = facts_of(data)
    from segstudio.learn.plan import make_plan
    from segstudio.runs import Choices
    from tests.learn.helpers import CPU, MEAN_STD

    plan = make_plan(facts, Choices(network="tiny"), CPU, base="scratch", blocks=(old,), **MEAN_STD)
    assert plan.blocks == (old,)
    assert not plan.optimistic
    assert plan.groups("held-out") == ["4.png"]
    assert [e.part for e in facts.planes].count(Part.HELD_OUT) == 1


def test_what_a_version_has_learned_from_whole_is_never_held_out_later():
    facts = facts_of(blob_data(2, side=512))
    trained = facts.planes[0].group
    blocks = choose_blocks(facts, (), 16, {trained})
    assert {b.image for b in blocks} == {facts.planes[1].image}
    kept = choose_blocks(facts, blocks, 16, {plane.group for plane in facts.planes})
    assert kept == blocks

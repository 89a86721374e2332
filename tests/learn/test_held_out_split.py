from dataclasses import replace

import numpy as np
import pytest

from segstudio.geometry import Rect
from segstudio.learn.facts import CELL, Cells
from segstudio.learn.networks import DEFAULT_NETWORK
from segstudio.learn.plan import make_plan
from segstudio.learn.sampling import UNKNOWN, Sampler
from segstudio.learn.split import choose_blocks, excluded, in_force, inside_blocks, margin_within, rects_of
from segstudio.runs import Block, Choices
from tests.learn.conftest import BRIGHT, blob_data, stack_data
from tests.learn.helpers import CPU, MEAN_STD, facts_of


def test_a_part_of_every_image_is_held_out_where_there_are_few():
    data = blob_data(3, side=512)
    facts = facts_of(data)
    blocks = choose_blocks(facts, (), 16)
    for entry in facts.planes:
        rects = rects_of(blocks, entry)
        mask = inside_blocks(rects, entry.bounds)
        assert 0.1 < mask.mean() < 0.2
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


@pytest.mark.parametrize("side", [128, 200, 256, 300, 512, 1500])
def test_four_fifths_of_the_labels_of_a_first_image_train(side: int):
    data = blob_data(1, side=side)
    plan = make_plan(facts_of(data), Choices(network=DEFAULT_NETWORK), CPU, base="scratch", **MEAN_STD)
    entry = data.planes()[0]
    hidden = excluded(rects_of(plan.blocks, entry), margin_within(entry, plan.margin_px), entry.bounds)
    measured = inside_blocks(rects_of(plan.blocks, entry), entry.bounds)
    assert hidden.mean() <= 0.2
    assert measured.mean() >= 0.05
    assert set(np.unique(data.ids[1][measured])) == {1, BRIGHT}


def test_a_class_in_the_middle_alone_is_measured_too():
    data = blob_data(1, side=512)
    data.ids[1][...] = 1
    data.ids[1][160:352, 160:352] = BRIGHT
    (block,) = choose_blocks(facts_of(data), (), 16)
    inside = data.ids[1][block.y : block.y + block.h, block.x : block.x + block.w]
    assert set(np.unique(inside)) == {1, BRIGHT}


def test_a_block_of_a_huge_plane_is_no_larger_than_what_is_measured():
    side = 20_000 // CELL
    y, x = (places.ravel() for places in np.mgrid[0:side, 0:side])
    counts = np.full((len(y), 2), CELL * CELL // 2)
    facts = facts_of(blob_data(1))
    entry = replace(facts.planes[0], width=20_000, height=20_000)
    cells = Cells(y, x, counts, counts, counts.sum(1))
    huge = replace(facts, planes=(entry,), cells=[cells], known=counts.sum(0)[None], truth=counts.sum(0)[None])
    (block,) = choose_blocks(huge, (), 16)
    assert 1 << 18 <= block.w * block.h <= 1 << 20


def test_what_is_not_measured_trains_once_a_group_is_held_out():
    data = blob_data(4, side=256)
    data.held_blocks = (Block(1, 0, 0, 0, 128, 128),)
    facts = facts_of(data)
    plan = make_plan(facts, Choices(network="tiny"), CPU, base="scratch", blocks=data.held_blocks, **MEAN_STD)
    assert not plan.blocks
    assert not plan.optimistic
    assert plan.groups("held-out") == ["4.png"]
    only_there = blob_data(4, side=256)
    for image in (1, 2, 3):
        only_there.ids[image][...] = 0
    only_there.ids[1][:100, :100] = data.ids[1][:100, :100]
    assert (Sampler(facts_of(only_there), plan, only_there).batch(0).labels != UNKNOWN).any()


def test_the_instant_learner_gets_the_blocks_back_as_well():
    held = (Block(1, 0, 0, 0, 128, 128),)
    few, more = blob_data(3), blob_data(4)
    few.held_blocks = more.held_blocks = held
    assert in_force(few) == held
    assert not in_force(more)


def test_what_a_version_has_learned_from_whole_is_never_held_out_later():
    facts = facts_of(blob_data(2, side=512))
    trained = facts.planes[0].group
    blocks = choose_blocks(facts, (), 16, {trained})
    assert {b.image for b in blocks} == {facts.planes[1].image}
    kept = choose_blocks(facts, blocks, 16, {plane.group for plane in facts.planes})
    assert kept == blocks


def test_a_block_of_a_stack_is_held_out_in_every_slice_of_it():
    data = stack_data(5, side=256)
    facts = facts_of(data)
    plan = make_plan(facts, Choices(network="tiny"), CPU, base="scratch", **MEAN_STD)
    assert [b.plane for b in plan.blocks] == [0, 1, 2, 3, 4]
    (place,) = {(b.x, b.y, b.w, b.h) for b in plan.blocks}
    assert 0.1 < Rect(*place).area / 256**2 < 0.2
    assert [rects_of(plan.blocks, entry) for entry in facts.planes] == [[Rect(*place)]] * 5


def test_where_a_slice_is_measured_nothing_trains_on_the_slices_beside_it():
    data = stack_data(3, side=256)
    for labelled_later in (1, 3):
        data.ids[labelled_later][...] = 0
    first = choose_blocks(facts_of(data), (), 16)
    (held,) = [Rect(b.x, b.y, b.w, b.h) for b in first]
    assert [b.plane for b in first] == [1]
    for labelled_later in (1, 3):
        data.ids[labelled_later][held.y : held.bottom, held.x : held.right] = BRIGHT
    facts = facts_of(data)
    trained = {entry.group for entry in facts.planes}
    plan = make_plan(facts, Choices(network="tiny"), CPU, base="scratch", blocks=first, trained=trained, **MEAN_STD)
    assert plan.blocks == first
    sampler = Sampler(facts, plan, data)
    for step in range(3):
        sampler.batch(step)
    assert set(data.asked) == {2}
    assert [rects_of(first, entry) for entry in facts.planes] == [[held]] * 3


def test_a_slice_that_is_labelled_before_anything_was_learned_is_measured_at_the_same_place():
    data = stack_data(3, side=256)
    held = (Block(1, 1, 0, 0, 96, 96),)
    assert choose_blocks(facts_of(data), held, 16) == (*held, Block(1, 0, 0, 0, 96, 96), Block(1, 2, 0, 0, 96, 96))


def test_slices_of_two_sizes_are_measured_as_far_as_the_block_reaches_into_them():
    data = stack_data(2, side=256)
    data.pictures[2], data.ids[2], data.origins[2] = (a[2][:64, :64] for a in (data.pictures, data.ids, data.origins))
    held = (Block(1, 0, 32, 32, 96, 96),)
    assert choose_blocks(facts_of(data), held, 16)[1:] == (Block(1, 1, 32, 32, 32, 32),)


def test_blocks_of_an_earlier_version_that_lie_apart_do_not_hold_out_all_of_a_stack():
    data = stack_data(4, side=256)
    apart = [Block(1, plane, x, y, 128, 128) for plane, (x, y) in enumerate(((0, 0), (128, 0), (0, 128), (128, 128)))]
    data.held_blocks = apart
    facts = facts_of(data)
    trained = {entry.group for entry in facts.planes}
    plan = make_plan(facts, Choices(network="tiny"), CPU, base="scratch", blocks=apart, trained=trained, **MEAN_STD)
    assert plan.blocks == tuple(in_force(data)) == tuple(apart[:1])
    assert (Sampler(facts, plan, data).batch(0).labels != UNKNOWN).any()

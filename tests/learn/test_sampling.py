import numpy as np
import pytest

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.learn.data import padded_labels, padded_pixels, resized_labels
from segstudio.learn.sampling import UNKNOWN, Sampler
from segstudio.learn.split import inside_blocks
from tests.learn.conftest import BACKGROUND, BRIGHT, MemoryData, blob_data
from tests.learn.helpers import facts_of, tiny_plan


def _sampler(data: MemoryData, **choices: object) -> Sampler:
    plan = tiny_plan(data, max_steps=5, **choices)
    return Sampler(facts_of(data), plan, data)


def test_a_step_draws_the_same_patches_whenever_it_is_asked(discs: MemoryData):
    sampler = _sampler(discs)
    a, b, other = sampler.batch(3), _sampler(discs).batch(3), sampler.batch(4)
    assert np.array_equal(a.pixels, b.pixels)
    assert np.array_equal(a.labels, b.labels)
    assert not np.array_equal(a.pixels, other.pixels)


def test_another_seed_draws_other_patches(discs: MemoryData):
    assert not np.array_equal(_sampler(discs).batch(0).pixels, _sampler(discs, seed=1).batch(0).pixels)


def test_labels_stay_on_their_pixels_through_zoom_turn_and_flip(discs: MemoryData):
    sampler = _sampler(discs)
    for step in range(4):
        batch = sampler.batch(step)
        bright = batch.pixels.mean(1) > 0.5
        known = batch.labels != UNKNOWN
        assert known.mean() > 0.2
        agree = (bright == (batch.labels == 1))[known].mean()
        assert agree > 0.95


def test_pixels_of_held_out_images_are_never_drawn():
    data = blob_data()
    data.pictures[4][...] = 1.0
    sampler = _sampler(data)
    assert max(float(sampler.batch(step).pixels.max()) for step in range(8)) < 1.0 + 1e-6
    assert all(float((sampler.batch(step).pixels == 1.0).mean()) < 0.9 for step in range(8))


def test_blocks_and_their_margins_give_no_labels():
    data = blob_data(1, side=256)
    plan = tiny_plan(data, max_steps=5)
    assert plan.optimistic
    assert plan.blocks
    rects = [Rect(b.x, b.y, b.w, b.h).grown(plan.margin_px) for b in plan.blocks]
    hidden = inside_blocks(rects, Rect(0, 0, 256, 256))
    # The picture holds its own coordinates, so that every drawn pixel tells where it came from.
    y, x = np.mgrid[0:256, 0:256].astype(np.float32) / 256
    data.pictures[1] = np.stack([x, y, np.zeros_like(x)], 2)
    batch = Sampler(facts_of(data), plan, data).batch(0)
    known = batch.labels != UNKNOWN
    px = np.clip((batch.pixels[:, 0][known] * 256).astype(int), 0, 255)
    py = np.clip((batch.pixels[:, 1][known] * 256).astype(int), 0, 255)
    assert known.any()
    assert hidden[py, px].mean() < 0.03  # interpolated pixels at the very rim


def test_half_of_the_patches_follow_the_newest_corrections():
    data = blob_data(4)
    for image in (1, 2, 3):
        data.pictures[image][...] = image / 10
    data.origins[2][40:60, 40:60] = 1
    sampler = _sampler(data)
    drawn = np.array([[round(float(p.mean()) * 10) for p in sampler.batch(step).pixels] for step in range(20)])
    assert (drawn[:, :4] == 2).all()
    assert set(np.unique(drawn[:, 4:])) == {1, 2, 3}


def test_a_rare_class_is_in_its_quarter_of_the_patches():
    data = blob_data(4)
    for image in (1, 2, 3):
        data.ids[image][...] = BACKGROUND
    data.ids[3][5:9, 5:9] = BRIGHT
    sampler = _sampler(data)
    rare = [(batch.labels[4:6] == 1).any((1, 2)) for batch in (sampler.batch(step) for step in range(20))]
    assert np.mean(rare) > 0.5


def test_beyond_the_plane_pixels_are_mirrored_and_nothing_is_known():
    data = blob_data(1, side=32)
    entry = data.planes()[0]
    rect = Rect(-40, -3, 150, 40)
    pixels = padded_pixels(data, entry, rect)
    picture = data.pictures[1]
    assert np.array_equal(pixels, np.pad(picture, ((3, 5), (40, 78), (0, 0)), mode="reflect"))
    classes, origins = padded_labels(data, entry, rect)
    assert np.array_equal(classes[3:35, 40:72], data.ids[1])
    assert classes.sum() == data.ids[1].sum()
    assert (origins > 0).sum() == 32 * 32


def test_resizing_labels_takes_the_pixel_under_the_centre():
    labels = np.arange(16).reshape(4, 4)
    assert np.array_equal(resized_labels(labels, 8, 8), labels.repeat(2, 0).repeat(2, 1))
    assert np.array_equal(resized_labels(labels, 2, 2), labels[1::2, 1::2])


def test_the_patches_of_the_first_step_come_from_two_images_at_most():
    for seed in range(5):
        data = blob_data(12, side=96)
        data.origins[7][10:30] = 1
        sampler = _sampler(data, seed=seed)
        data.asked.clear()
        data.labels_asked.clear()
        sampler.batch(0)
        assert len(set(data.asked)) <= 2
        assert set(data.labels_asked) == set(data.asked)
        for step in range(1, 12):
            sampler.batch(step)
        assert len(set(data.asked)) > 4


def test_a_damaged_picture_is_passed_over_and_the_patches_depend_on_nothing_else():
    data = blob_data(6, side=96)
    plan = tiny_plan(data, max_steps=9)
    data.damaged = {2, 3}
    facts = facts_of(data)
    whole = Sampler(facts, plan, data)
    batches = [whole.batch(step) for step in range(8)]
    assert data.asked.count(2) <= 1
    resumed = Sampler(facts, plan, data)  # it meets the damage at another step
    for step in (7, 4, 6):
        assert np.array_equal(resumed.batch(step).pixels, batches[step].pixels)


def test_where_no_picture_can_be_read_it_is_said():
    data = blob_data(3, side=96)
    sampler = _sampler(data)
    data.damaged = {1, 2, 3}
    with pytest.raises(UnreadableImage):
        sampler.batch(0)
    data.damaged = {1, 2}
    assert (sampler.batch(1).labels != UNKNOWN).any()

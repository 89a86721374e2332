import cv2
import msgspec
import numpy as np
import pytest

from segstudio.errors import NotEnoughLabels
from segstudio.learn.data import ClassEntry, Part
from segstudio.learn.facts import CELL, knows_two_classes
from segstudio.learn.plan import Machine, make_plan, not_learned, pitch_for
from segstudio.runs import Choices, Plan, Recipe
from tests.learn.conftest import BACKGROUND, BRIGHT, MemoryData, blob_data
from tests.learn.helpers import CPU, MEAN_STD, facts_of, tiny_plan


def test_known_pixels_are_counted_by_cell_class_and_origin():
    data = blob_data(1, side=100)
    data.ids[1][:50] = 0
    data.origins[1][60:70, 10:20] = 1
    facts = facts_of(data)
    cells = facts.cells[0]
    assert cells.known.sum() == (data.ids[1] > 0).sum()
    assert cells.known.sum(0).tolist() == [(data.ids[1] == i).sum() for i in (BACKGROUND, BRIGHT)]
    assert cells.painted.sum() == 100
    for y, x, known in zip(cells.y, cells.x, cells.known, strict=True):
        part = data.ids[1][y * CELL : (y + 1) * CELL, x * CELL : (x + 1) * CELL]
        assert known.sum() == (part > 0).sum()


def test_accepted_pixels_measure_only_in_finished_images():
    data = blob_data(1, origin=2)
    assert facts_of(data).cells[0].truth.sum() == 0
    data.finished.add(1)
    assert facts_of(data).cells[0].truth.sum() == 128 * 128


def test_labels_that_begin_in_later_tiles_keep_their_place():
    data = blob_data(1, side=600)
    keep = np.zeros((600, 600), np.bool_)
    keep[530:560, 300:340] = True
    data.ids[1][~keep] = 0
    cells = facts_of(data).cells[0]
    assert set(zip(cells.y.tolist(), cells.x.tolist(), strict=True)) == {(16, 9), (16, 10), (17, 9), (17, 10)}


def _discs(radius: int, *, instances: bool) -> MemoryData:
    data = blob_data(1, side=512)
    y, x = np.mgrid[0:512, 0:512]
    step = 4 * radius
    inside = ((y % step - step / 2) ** 2 + (x % step - step / 2) ** 2) < radius**2
    data.ids[1] = np.where(inside, BRIGHT, BACKGROUND).astype(np.int32)
    data.entries = (data.entries[0], ClassEntry(BRIGHT, "cell", False, instances))
    return data


def test_objects_are_as_large_as_they_are():
    for instances in (True, False):
        size = facts_of(_discs(20, instances=instances)).object_px[BRIGHT]
        assert size == pytest.approx(40, abs=2)


@pytest.mark.parametrize(
    ("radius", "instances", "pitch"), [(8, True, 16), (20, True, 32), (64, True, 43), (8, False, 32), (64, False, 43)]
)
def test_the_working_scale_brings_objects_to_their_size(radius: int, instances: bool, pitch: int):
    assert pitch_for(facts_of(_discs(radius, instances=instances))) == pytest.approx(pitch, abs=3)


def _strokes(data: MemoryData, seed: int, *, across: bool) -> MemoryData:
    """The same labels, known under strokes of 9 px on 4 % of the pixels alone, which end at edges unless `across`."""
    rng = np.random.default_rng(seed)
    ids = data.ids[1]
    known = np.zeros(ids.shape, np.bool_)
    while known.mean() < 0.04:
        stroke = np.zeros(ids.shape, np.uint8)
        y, x, angle = *rng.uniform(0, ids.shape[0], 2), rng.uniform(0, 2 * np.pi)
        ends = [(int(x + side * 40 * np.cos(angle)), int(y + side * 40 * np.sin(angle))) for side in (-1, 1)]
        cv2.line(stroke, ends[0], ends[1], 1, 9)
        if across:
            known |= stroke > 0
        elif 0 <= y < 512 and 0 <= x < 512:
            _, parts = cv2.connectedComponents(((stroke > 0) & (ids == ids[int(y), int(x)])).astype(np.uint8))
            known |= parts == max(parts[int(y), int(x)], 1)
    data.ids[1] = np.where(known, ids, 0)
    return data


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize(("radius", "instances"), [(20, True), (40, True), (20, False), (40, False)])
def test_strokes_give_the_scale_of_full_masks(radius: int, instances: bool, across: bool):
    full = pitch_for(facts_of(_discs(radius, instances=instances)))
    for seed in range(3):
        found = pitch_for(facts_of(_strokes(_discs(radius, instances=instances), seed, across=across)))
        assert max(found / full, full / found) <= 1.25


def test_objects_that_were_painted_whole_are_measured_among_strokes():
    data = _discs(8, instances=True)
    y, x = np.mgrid[0:512, 0:512]
    data.ids[1][256:] = 0
    assert pitch_for(facts_of(data)) == 16
    data.ids[1][(y > 256) & (x < 9)] = BRIGHT
    assert pitch_for(facts_of(data)) == 16


def test_a_region_of_unknown_width_keeps_the_scale():
    data = _discs(64, instances=False)
    data.entries = (*data.entries, ClassEntry(3, "crack", False, False))
    assert pitch_for(facts_of(data)) > 40
    data.ids[1][100:140] = 0
    data.ids[1][118:122] = 3
    assert pitch_for(facts_of(data)) == 32


def test_a_run_that_continues_a_version_keeps_its_scale():
    facts = facts_of(_discs(8, instances=True))
    assert make_plan(facts, Choices(), CPU, base="embedded", **MEAN_STD).pitch == 16
    assert make_plan(facts, Choices(), CPU, base="v1", pitch=43, **MEAN_STD).pitch == 43


def test_a_plan_survives_json(discs: MemoryData):
    plan = tiny_plan(discs, max_seconds=3.0)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan
    with pytest.raises(AttributeError):
        plan.seed = 3  # type: ignore[misc]


def test_a_class_without_a_known_training_pixel_is_no_output():
    data = blob_data(4)
    data.entries = (*data.entries, ClassEntry(3, "never", False, False), ClassEntry(4, "held out", False, False))
    data.ids[4][:50] = 4
    plan = tiny_plan(data, max_steps=1)
    assert [c.name for c in plan.classes] == ["background", "blob"]
    assert not_learned(facts_of(data), plan) == ("held out",)


def test_too_little_is_said_in_one_sentence():
    data = blob_data(1)
    data.ids[1][...] = BACKGROUND
    with pytest.raises(NotEnoughLabels, match="two classes"):
        tiny_plan(data)
    with pytest.raises(NotEnoughLabels):
        tiny_plan(MemoryData({}, {}, {}))


def _recipe(base: str, *, n: int = 4, step_s: float = 0.4, **choices: object) -> Recipe:
    machine = Machine("cpu", 1, False, step_s)
    return make_plan(facts_of(blob_data(n, side=64)), Choices(**choices), machine, base=base, **MEAN_STD).recipe


def test_a_minute_trains_the_decoder_on_an_encoder_that_stays_however_many_images_are_done():
    for n in (4, 5, 9):
        recipe = _recipe("embedded", n=n)
        assert (recipe.encoder_opens, recipe.frozen_statistics) == (1.0, True)
        assert recipe.pool_patches > recipe.batch
    scratch = _recipe("scratch")
    assert (scratch.encoder_opens, scratch.encoder_factor, scratch.pool_patches) == (0.0, 1.0, 0)
    assert not scratch.frozen_statistics


def test_a_network_that_no_shipped_weights_fit_learns_wholly_from_the_start():
    recipe = _recipe("embedded", network="tiny")
    assert (recipe.encoder_opens, recipe.encoder_factor, recipe.fits_head) == (0.0, 1.0, False)
    assert _recipe("v3", network="tiny").encoder_opens == 0.0


def test_minutes_train_the_whole_network():
    minute_of_a_gpu = _recipe("v3", step_s=0.02)
    for recipe in (
        _recipe("embedded", max_seconds=300.0),
        minute_of_a_gpu,
        _recipe("v3", step_s=0.02, max_seconds=600),
    ):
        assert (recipe.encoder_opens, recipe.frozen_statistics) == (0.25, True)
        assert recipe.rate * recipe.encoder_factor == pytest.approx(3e-4)
    assert _recipe("embedded", step_s=0.4, max_seconds=170.0).encoder_opens == 1.0


def test_only_a_head_that_has_not_learned_yet_is_fitted():
    assert [_recipe(base).fits_head for base in ("embedded", "imagenet", "scratch", "v3")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("choices", "most"), [({"max_seconds": 3.0}, 1), ({"max_seconds": 60.0}, 5), ({"max_steps": 12}, 2)]
)
def test_the_warm_up_is_at_most_a_fifth_of_the_steps(choices: dict[str, float], most: int):
    assert _recipe("embedded", **choices).warmup_steps == most


def test_half_precision_is_written_down_when_it_pays(discs: MemoryData):
    facts = facts_of(discs)
    plans = [make_plan(facts, Choices(), Machine("cpu", 2, half), base="scratch", **MEAN_STD) for half in (True, False)]
    assert [p.recipe.precision for p in plans] == ["bfloat16", "float32"]
    assert plans[0].threads == 2


def test_grey_and_colour_share_a_network_of_three_channels():
    grey = blob_data(4)
    grey.pictures = {i: p[:, :, :1] for i, p in grey.pictures.items()}
    assert tiny_plan(grey).channels == 3
    five = blob_data(4)
    five.pictures = {i: np.concatenate([p, p[:, :, :2]], 2) for i, p in five.pictures.items()}
    assert tiny_plan(five).channels == 5
    assert len(tiny_plan(five).mean) == 5


def test_two_classes_are_known_when_both_train():
    data = blob_data(4)
    assert knows_two_classes(data)
    data.parts = dict.fromkeys(data.pictures, Part.HELD_OUT)
    assert not knows_two_classes(data)

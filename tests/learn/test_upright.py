import numpy as np
import pytest

from segstudio.learn.upright import is_upright
from tests.learn.conftest import BACKGROUND, BRIGHT, MemoryData, blob_data
from tests.learn.helpers import facts_of, tiny_plan


def _sky(n: int, *, sideways: bool = False) -> MemoryData:
    """Pictures of discs below a sky that ends now here, now there."""
    data = blob_data(n)
    for i, ids in data.ids.items():
        horizon = np.arange(128)[:, None] < 40 + 4 * i
        sky = np.where(horizon, BACKGROUND, BRIGHT).astype(np.int32) + np.zeros_like(ids)
        data.ids[i] = sky.T.copy() if sideways else sky
    return data


def test_where_there_is_a_sky_up_is_up_and_patches_are_not_turned():
    plan = tiny_plan(_sky(5), max_steps=1)
    assert plan.recipe.augment is not None
    assert "quarter_turn" not in plan.recipe.augment
    assert plan.recipe.augment["flip"] == 1.0


@pytest.mark.parametrize(
    "data", [blob_data(6), _sky(2), _sky(6, sideways=True)], ids=["discs anywhere", "two pictures", "left and right"]
)
def test_elsewhere_they_are(data: MemoryData):
    assert not is_upright(facts_of(data))
    assert tiny_plan(data, max_steps=1).recipe.augment["quarter_turn"] == 1.0  # type: ignore[index]


def test_one_class_has_no_up():
    data = blob_data(5)
    for ids in data.ids.values():
        ids[...] = BACKGROUND
    assert not is_upright(facts_of(data))

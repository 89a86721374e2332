import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio import runs
from segstudio.runs import Evaluated, Event, Figures, Finished, Metrics, Preparing, Started, Stepped, confusion, metrics

quick = settings(max_examples=80, deadline=None)


@st.composite
def pairs(draw):
    n = draw(st.integers(1, 5))
    size = draw(st.integers(0, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    truth, found = rng.integers(-1, n + 1, size), rng.integers(-1, n + 1, size)
    truth[rng.random(size) < draw(st.sampled_from([0.0, 0.5]))] = 255
    dtype = draw(st.sampled_from([np.int32, np.int64]))
    return n, truth.astype(dtype), found.astype(dtype)


def naive_counts(n, truth, found):
    counts = [[0] * (n + 1) for _ in range(n)]
    for t, f in zip(truth.tolist(), found.tolist(), strict=True):
        if 0 <= t < n:
            counts[t][f if 0 <= f < n else n] += 1
    return counts


@quick
@given(pairs())
def test_the_confusion_counts_every_known_pixel_once(case):
    n, truth, found = case
    counts = confusion(truth, found, n)
    assert counts.tolist() == naive_counts(n, truth, found)
    assert counts.shape == (n, n + 1)
    assert counts.dtype == np.int64


@quick
@given(pairs())
def test_metrics_equal_those_of_sets_of_pixels(case):
    n, truth, found = case
    result = metrics(confusion(truth, found, n), [f"c{i}" for i in range(n)])
    known = set(np.flatnonzero((truth >= 0) & (truth < n)).tolist())
    present = []
    for i in range(n):
        t, f = {k for k in known if truth[k] == i}, {k for k in known if found[k] == i}
        expected = {
            "iou": len(t & f) / len(t | f) if t | f else 0,
            "dice": 2 * len(t & f) / (len(t) + len(f)) if t or f else 0,
            "precision": len(t & f) / len(f) if f else 0,
            "recall": len(t & f) / len(t) if t else 0,
        }
        assert msgspec.structs.asdict(result.classes[f"c{i}"]) == pytest.approx(expected)
        if t:
            present.append(expected)
    for figure, value in msgspec.structs.asdict(result.mean).items():
        assert value == pytest.approx(sum(e[figure] for e in present) / len(present) if present else 0)
    right = sum(1 for k in known if truth[k] == found[k])
    assert result.pixel_accuracy == pytest.approx(right / len(known) if known else 0)
    assert result.pixels == len(known)


def test_metrics_agree_with_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics", reason="an independent check where scikit-learn is installed")
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 4, 5000)
    found = np.where(rng.random(5000) < 0.6, truth, rng.integers(0, 4, 5000))
    result = metrics(confusion(truth, found, 4), ["a", "b", "c", "d"])
    classes = list(result.classes.values())
    for figure, name in (("iou", "jaccard"), ("dice", "f1"), ("precision", "precision"), ("recall", "recall")):
        expected = getattr(sklearn, f"{name}_score")(truth, found, average=None)
        assert [getattr(c, figure) for c in classes] == pytest.approx(expected.tolist())
        assert getattr(result.mean, figure) == pytest.approx(expected.mean())
    assert result.pixel_accuracy == pytest.approx(sklearn.accuracy_score(truth, found))


def test_a_miss_counts_against_recall_but_not_against_the_precision_of_another_class():
    result = metrics(np.array([[3, 0, 1], [1, 5, 0]]), ["a", "b"])
    assert result.classes["a"].recall == pytest.approx(3 / 4)
    assert result.classes["a"].precision == pytest.approx(3 / 4)
    assert result.classes["a"].iou == pytest.approx(3 / 5)
    assert result.classes["b"].precision == 1
    assert result.pixels == 10


def test_a_class_absent_from_the_truth_has_figures_but_no_part_in_the_means():
    result = metrics(np.array([[4, 4, 0], [0, 0, 0]]), ["here", "absent"])
    assert result.classes["absent"].iou == 0
    assert result.mean == result.classes["here"]
    assert metrics(np.zeros((2, 3), np.int64), ["a", "b"]).mean.iou == 0


def test_counts_of_images_add_up():
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 3, (2, 30, 20)), rng.integers(0, 4, (2, 30, 20))
    np.testing.assert_array_equal(
        confusion(truth[0], found[0], 3) + confusion(truth[1], found[1], 3), confusion(truth, found, 3)
    )


def test_more_pixels_than_are_counted_at_a_time_are_counted_all(monkeypatch):
    monkeypatch.setattr(runs, "_CHUNK", 7)
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 3, (9, 9), np.uint8), rng.integers(0, 4, (9, 9), np.uint8)
    assert confusion(truth, found, 3).tolist() == naive_counts(3, truth.ravel(), found.ravel())
    assert confusion(truth, found, 3).sum() == 81


def test_small_unsigned_types_and_views_are_counted_alike():
    truth = np.array([[0, 1, 255], [1, 1, 0]], np.uint8)
    found = np.array([[0, 255, 0], [1, 0, 0]], np.uint8)
    expected = [[2, 0, 0], [1, 1, 1]]
    assert confusion(truth, found, 2).tolist() == expected
    assert confusion(truth.T, found.T, 2).tolist() == expected
    assert confusion(truth.astype(np.uint32), found.astype(np.int16), 2).tolist() == expected


def test_truth_and_finding_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match="shape"):
        confusion(np.zeros((4, 1), np.uint8), np.zeros((4, 5), np.uint8), 2)


EVENTS: list[Event] = [
    Started(
        step=0,
        seconds=0.0,
        steps=10,
        max_seconds=None,
        device="cpu",
        threads=2,
        held_out_groups=["a"],
        train_groups=["b"],
        optimistic=False,
        parent="embedded",
    ),
    Preparing(step=0, seconds=0.0, text="Reading 12 of 300 images", done=12, total=300),
    Stepped(step=1, seconds=0.5, loss=0.25, patches_per_second=3.0, rate=0.001, memory_mb=12.0),
    Evaluated(step=2, seconds=1.0, held_out=Figures(0.3, 0.5, {"cell": 0.5})),
    Finished(step=3, seconds=2.0, reason="done"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_an_event_survives_json_and_says_its_kind_step_and_seconds(event):
    text = msgspec.json.encode(event)
    assert msgspec.json.decode(text, type=Event) == event
    plain = msgspec.json.decode(text)
    assert plain["kind"] == type(event).__name__.lower()
    assert {"step", "seconds"} <= plain.keys()


def test_metrics_are_json_in_the_shape_that_scripts_read():
    plain = msgspec.to_builtins(metrics(np.array([[1, 0]]), ["a"]))
    assert set(plain) == {"pixel_accuracy", "mean", "classes", "pixels"}
    assert set(plain["mean"]) == set(plain["classes"]["a"]) == {"iou", "dice", "precision", "recall"}
    assert msgspec.convert(plain, Metrics).pixels == 1

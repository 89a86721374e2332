"""Events of a run."""

import msgspec
import pytest

from segstudio.runs import Evaluated, Event, Figures, Finished, Preparing, Started, Stepped

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

import io
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.engine.frames import read_frame, write_frame
from segstudio.engine.protocol import (
    Blob,
    Cancel,
    Describe,
    Described,
    Done,
    Failed,
    FindMistakes,
    Hello,
    Mistake,
    MistakesLooked,
    Predict,
    PredictedImage,
    PredictedTile,
    RunEvent,
    RunPlanned,
    Stop,
    Target,
    Train,
    Trained,
    Welcome,
    decode_message,
    decode_reply,
)
from segstudio.runs import (
    Checkpointed,
    Choices,
    Evaluated,
    Figures,
    Finished,
    Started,
    Stepped,
    Warned,
)
from tests.learn.conftest import blob_data
from tests.learn.helpers import tiny_plan

FIGURES = Figures(loss=0.5, mean_iou=0.25, iou={"blob": 0.25})
EVENTS = [
    Started(
        step=0,
        seconds=0.0,
        steps=3,
        max_seconds=None,
        device="cpu",
        threads=2,
        held_out_groups=["a"],
        train_groups=[],
        optimistic=True,
        parent="v1",
    ),
    Stepped(step=1, seconds=0.1, loss=1.5, patches_per_second=3.0, rate=1e-3, memory_mb=10.0),
    Evaluated(step=1, seconds=0.2, held_out=FIGURES),
    Checkpointed(step=1, seconds=0.3, path="runs/r1/checkpoint.safetensors"),
    Warned(step=1, seconds=0.3, sentence="It was started again."),
    Finished(step=1, seconds=0.4, reason="time"),
]
PLAN = tiny_plan(blob_data(4, side=64), max_steps=2)
MESSAGES = [
    Hello(1, "/somewhere", 300.0),
    Predict(id=1, targets=[Target(1, 0, (0, 0, 5, 5)), Target(2, 1)], version="v2", device="cpu"),
    FindMistakes(id=1),
    Describe(id=1, targets=[Target(1, 0)], against="v1"),
    Train(id=2, run="r1", version="v1", choices=Choices(max_steps=3), plan=PLAN, resume=True, elapsed_s=1.5),
    Stop(2),
    Cancel(1),
]
REPLIES = [
    Welcome(1, 77, "CPU", "2.0", 2),
    PredictedTile(1, 2, 0, 3, 4, b"labels", b"confidence"),
    Mistake(1, 2, 0, (3, 4, 5, 6), b"bits", 1, 2, 0.5),
    MistakesLooked(1, 2, 3),
    Described(1, 2, 0, "v1", 0.25, None, b"\x00\x3c"),
    PredictedImage(id=1, image=2, plane=0, version="v1", rows=[(1, 2, 0.5)], part=True, network_pixels=9),
    RunPlanned(2, PLAN),
    *(RunEvent(2, event) for event in EVENTS),
    Blob(2, "weights", b"\0" * 1000, True),
    Trained(
        id=2,
        parent="v0",
        promoted=False,
        current="v0",
        reason="no",
        steps=1,
        seconds=1.0,
        figures={"parent": None, "child": FIGURES},
        card={"network": "tiny"},
    ),
    Done(1),
    Failed(id=1, error="NoSuchDevice", sentence="no", todo="do"),
]


def _through(value: object) -> bytes:
    stream = io.BytesIO()
    write_frame(stream, value)  # type: ignore[arg-type]
    stream.seek(0)
    frame = read_frame(stream)
    assert frame is not None
    assert read_frame(stream) is None
    return frame


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_messages_come_out_as_they_went_in(message: object):
    assert decode_message(_through(message)) == message


@pytest.mark.parametrize("reply", REPLIES, ids=lambda m: type(m).__name__)
def test_replies_come_out_as_they_went_in(reply: object):
    assert decode_reply(_through(reply)) == reply


@given(st.lists(st.sampled_from(REPLIES), max_size=6), st.integers(0, 60))
def test_a_stream_torn_anywhere_gives_the_whole_frames_before(replies: list[object], cut: int):
    stream = io.BytesIO()
    ends = []
    for reply in replies:
        write_frame(stream, reply)  # type: ignore[arg-type]
        ends.append(stream.tell())
    data = stream.getvalue()[: max(len(stream.getvalue()) - cut, 0)]
    torn = io.BytesIO(data)
    found = []
    while (frame := read_frame(torn)) is not None:
        found.append(decode_reply(frame))
    assert found == replies[: sum(end <= len(data) for end in ends)]


def test_what_is_no_message_is_refused():
    with pytest.raises(ValueError, match="no message"):
        read_frame(io.BytesIO(struct.pack("<I", 0xFFFFFFFF) + b"Traceback"))
    with pytest.raises(msgspec.DecodeError):
        decode_reply(b"\x93not a reply")
    with pytest.raises(msgspec.DecodeError):
        decode_message(msgspec.msgpack.encode({"type": "unheard-of"}))


def test_only_the_hello_names_a_folder():
    for value in (*MESSAGES[1:], *REPLIES):
        text = msgspec.json.encode(value).decode()
        assert "/somewhere" not in text

"""What predicting many planes costs besides the network: the same for each plane, however many there are."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType, SimpleNamespace
from typing import Any

from segstudio.engine.protocol import Predict, PredictedImage, PredictedTile
from segstudio.labels.model import ImageId
from segstudio.tasks.learning import predict as predict_module
from segstudio.tasks.learning.predict import predict
from segstudio.tasks.progress import finished


class _Id(int):
    """The id of an image; `asked` counts how often one was hashed or compared, as every look-up does."""

    asked = 0

    def __hash__(self) -> int:
        _Id.asked += 1
        return int.__hash__(self)

    def __eq__(self, other: object) -> bool:
        _Id.asked += 1
        return int.__eq__(self, other)


@dataclass
class _Kept:
    """Stands for the store: a project of so many small images; `calls` counts what it was asked."""

    images_: int
    calls: dict[str, int] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        answers: dict[str, Any] = {"flush": True, "from_people": frozenset(), "write": 1}

        def asked(*_: object, **__: object) -> Any:
            self.calls[name] = self.calls.get(name, 0) + 1
            return answers[name]

        return asked

    def writing(self) -> "_Kept":
        return self

    @property
    def proposals(self) -> "_Kept":
        return self

    def images(self) -> list[SimpleNamespace]:
        self.calls["images"] = self.calls.get("images", 0) + 1
        return [SimpleNamespace(id=_Id(n), planes=((50, 40),), problem="", path=f"{n}.png") for n in self.ids]

    @property
    def ids(self) -> range:
        return range(1, self.images_ + 1)


class _Call:
    """Replies of the engine: a tile and an end for each target."""

    def __init__(self, request: Predict) -> None:
        self._replies = [reply for target in request.targets for reply in self._of(int(target.image))]
        self._replies.reverse()

    def _of(self, image: int) -> Iterator[PredictedTile | PredictedImage]:
        yield PredictedTile(1, _Id(image), 0, 0, 0, b"", b"")
        yield PredictedImage(id=1, image=_Id(image), plane=0, version="v1")

    @property
    def ended(self) -> bool:
        return not self._replies

    def wait(self, _timeout_s: float) -> PredictedTile | PredictedImage:
        return self._replies.pop()


class _Engine:
    """Stands for the process of the engine."""

    closed = False

    @contextmanager
    def call(self, request: Predict) -> Iterator[_Call]:
        yield _Call(request)


def _costs(images: int) -> tuple[int, int, dict[str, int]]:
    """Look-ups of images, lines of `predict` that ran, and questions to the store for so many images of one plane."""
    store, lines = _Kept(images), 0

    def traced(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal lines
        if frame.f_code.co_filename != predict_module.__file__:
            return None
        lines += event == "line"
        return traced

    ids = [ImageId(n) for n in store.ids]
    _Id.asked = 0
    before = sys.gettrace()
    sys.settrace(traced)
    try:
        report = finished(predict(store, _Engine(), ids))  # type: ignore[arg-type]
    finally:
        sys.settrace(before)
    assert report.images == images
    return _Id.asked, lines, store.calls


def test_a_plane_costs_the_same_among_two_hundred_and_among_two_thousand() -> None:
    few, many = _costs(200), _costs(2000)
    assert 200 < few[0] < 200 * 40
    for a_few, a_lot in zip(few[:2], many[:2], strict=True):
        assert a_lot < 10.5 * a_few
    assert many[2] == {"flush": 1, "from_people": 1, "images": 1, "write": 2000}

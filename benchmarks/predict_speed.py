"""Prediction end to end, from decoded tiles to encoded proposals, beside the network alone and MONAI's sliding window.

    python benchmarks/predict_speed.py [SIDE...] [--height ROWS] [--float32] [--windows 2] [--peaks] [--no-monai]

A made-up plane of SIDE x SIDE pixels (or SIDE x ROWS) comes as decoded uint8 tiles, so that no file and no plane lies
in memory. `ours` is the engine's own job, in its own environment, each reply packed as for the pipe. The floor is the
same folded network in the same precision on windows of 2048 pixels without overlap, nothing but logits made of them;
`--windows` of them are timed, before and after, and the least counts. `monai` (`pip install monai`; left out where that
is missing) is `sliding_window_inference` with the floor's network, window 1088 and our overlap. Times are processor
seconds a megapixel of one thread. `peak_mb` is the highest resident memory of a process that does nothing else, less
what it had when the model was ready; with `--peaks` planes of 512 pixels are measured beside each. One JSON object a
line.
"""

# ruff: noqa: E402 (the environment is set before torch is loaded)
import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, cast

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np
from common import report
from numpy.typing import NDArray

from segstudio.engine.launch import engine_environment
from segstudio.geometry import Rect
from segstudio.imaging.levels import Levels, to_float
from segstudio.learn.data import ClassEntry, Part, PlaneEntry

TEXTURE = 2048
FLOOR_PX = 2048
MONAI_PX = 1088
NAMES = ("background", "cell", "vessel")


class Plane:
    """As much of a data set as prediction asks for: one plane, a texture repeated."""

    def __init__(self, width: int, height: int) -> None:
        import cv2

        rng = np.random.default_rng(3)
        coarse = rng.integers(0, 256, (TEXTURE // 40, TEXTURE // 40, 3), dtype=np.uint8)
        self._texture = cv2.resize(coarse, (TEXTURE, TEXTURE), interpolation=cv2.INTER_CUBIC)
        cv2.add(self._texture, rng.integers(0, 24, self._texture.shape, dtype=np.uint8), self._texture)
        self._entry = PlaneEntry(1, 0, "1", width, height, 3, "1", Part.TRAIN, False, 0)

    def classes(self) -> list[ClassEntry]:
        """Nothing and two kinds."""
        return [ClassEntry(i, name, i == 1, False) for i, name in enumerate(NAMES, 1)]

    def entry(self, _image: int, _plane: int) -> PlaneEntry:
        """The plane."""
        return self._entry

    def pixels(self, _image: int, _plane: int, rect: Rect, _levels: object = ()) -> NDArray[np.float32]:
        """Pixels in 0..1, from uint8 as an image file gives them."""
        out = np.empty((rect.h, rect.w, 3), np.uint8)
        for y in range(rect.y // TEXTURE * TEXTURE, rect.bottom, TEXTURE):
            for x in range(rect.x // TEXTURE * TEXTURE, rect.right, TEXTURE):
                part = Rect(x, y, TEXTURE, TEXTURE).intersected(rect)
                out[part.y - rect.y : part.bottom - rect.y, part.x - rect.x : part.right - rect.x] = self._texture[
                    part.y - y : part.bottom - y, part.x - x : part.right - x
                ]
        return to_float(out, Levels(0, 255))


class Shop:
    """What the engine's job asks of its workshop."""

    def __init__(self, data: Plane, model: Any) -> None:
        self._data, self._model = data, model

    def view(self) -> Plane:
        """The plane."""
        return self._data

    def model(self, *_: object) -> Generator[None, None, Any]:
        """The model, at once."""
        return self._model
        yield


def network() -> Any:
    """The shipped base with a head for three classes."""
    from segstudio.learn.weights import base_for

    return base_for(NAMES, background=0)


def model_of(*, bfloat16: bool) -> Any:
    """It, ready to predict."""
    import torch

    from segstudio.learn.networks import DEFAULT_NETWORK
    from segstudio.learn.versions import VersionCard, trained_model
    from segstudio.learn.weights import embedded_card, normalisation_of

    mean, std = normalisation_of(embedded_card("base").normalisation)
    card = VersionCard(DEFAULT_NETWORK, 3, (1, 2, 3), mean, std, 32, channels_last=True)
    return trained_model("v1", network(), card, torch.device("cpu"), bfloat16=bfloat16)


def ours(plane: Plane, model: Any) -> None:
    """The engine's job, its replies packed."""
    from segstudio.engine.frames import write_frame
    from segstudio.engine.predicting import Looking, predict_job
    from segstudio.engine.protocol import Predict, PredictedImage, PredictedTile, Target

    shop, asked = cast(Any, Shop(plane, model)), Predict(targets=[Target(1, 0)], version="v1", device="cpu", id=1)
    with open(os.devnull, "wb") as pipe:
        for step in predict_job(shop, asked, Looking()):
            if isinstance(step, PredictedTile | PredictedImage):
                write_frame(pipe, step)


def bare(side: int, *, bfloat16: bool) -> Callable[[], object]:
    """The folded network alone on one window of this side."""
    import torch

    from segstudio.learn.folding import folded

    net = folded(network().eval(), 3).to(memory_format=torch.channels_last)
    x = torch.rand(1, 3, side, side).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def run() -> object:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return net(x)

    return run


def monai(plane: Plane, *, bfloat16: bool) -> Callable[[], object] | None:
    """MONAI's sliding window over the whole plane, to classes; None if it is not installed."""
    try:
        from monai.inferers.utils import sliding_window_inference
    except ImportError:
        return None
    import torch

    from segstudio.learn.folding import folded
    from segstudio.learn.predict import OVERLAP_PX

    net = folded(network().eval(), 3).to(memory_format=torch.channels_last)
    whole = plane.pixels(1, 0, plane.entry(1, 0).bounds)

    @torch.inference_mode()
    def run() -> object:
        x = torch.from_numpy(whole).permute(2, 0, 1)[None].contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = sliding_window_inference(x, (MONAI_PX,) * 2, 1, net, OVERLAP_PX / MONAI_PX, "gaussian")
        return cast(torch.Tensor, logits).argmax(1)

    return run


def processor_s(work: Callable[[], object]) -> float:
    """Processor seconds of all threads."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def status_mb(field: str) -> float:
    """A line of /proc/self/status, in MB (Linux)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise ValueError(field)


class Parts:
    """Processor seconds by part: some functions are replaced by ones that count. What one calls is not its own."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    def watch(self, owner: Any, name: str, part: str) -> None:
        """Count a function under a part."""
        plain = getattr(owner, name)

        def counted(*args: Any, **options: Any) -> Any:
            self._inside.append(0.0)
            begun = time.process_time()
            try:
                return plain(*args, **options)
            finally:
                took = time.process_time() - begun
                self.seconds[part] += took - self._inside.pop()
                if self._inside:
                    self._inside[-1] += took

        setattr(owner, name, counted)


def watched() -> Parts:
    """The parts of the engine's prediction."""
    from segstudio.engine import predicting
    from segstudio.learn import model, predict, streaming, strips

    parts = Parts()
    parts.watch(Plane, "pixels", "decode")
    parts.watch(model, "resized", "resize")
    parts.watch(model.Model, "normalised", "normalise")
    parts.watch(model, "logits_of", "network")
    parts.watch(streaming._Strip, "feed", "network")
    parts.watch(streaming._Strip, "drawn", "network")
    parts.watch(model, "probabilities_of", "softmax")
    parts.watch(strips, "probabilities_of", "softmax")
    parts.watch(predict, "_blended", "blending")
    parts.watch(strips._Strip, "_values", "blending")
    parts.watch(predicting._Drawing, "add", "argmax_and_confidence")
    parts.watch(predicting, "_tile_reply", "encoding")
    return parts


def child(case: dict[str, Any]) -> dict[str, Any]:
    """One measurement in this process."""
    import torch

    torch.set_num_threads(1)
    bfloat16 = case["bfloat16"]
    plane = Plane(case["width"], case["height"])
    mpx = case["width"] * case["height"] / 1e6
    if case["what"] == "peak":
        model = model_of(bfloat16=bfloat16)
        ready = status_mb("VmRSS")
        ours(plane, model)
        return {"peak_mb": round(status_mb("VmHWM") - ready, 1), "ready_mb": round(ready, 1)}
    floor = bare(FLOOR_PX, bfloat16=bfloat16)
    windows = case["windows"]

    def floor_s() -> float:
        return min(processor_s(floor) for _ in range(windows)) / (FLOOR_PX**2 / 1e6)

    floor()
    found: dict[str, Any] = {}
    before = floor_s()
    if case["what"] == "monai":
        peer = monai(plane, bfloat16=bfloat16)
        if peer is None:
            return {}
        found["s_a_mpx"] = processor_s(peer) / mpx
    else:
        model = model_of(bfloat16=bfloat16)
        ours(Plane(512, 512), model)
        parts = watched()
        took = processor_s(lambda: ours(plane, model)) / mpx
        found["s_a_mpx"] = took
        found["parts"] = {name: round(s / mpx, 4) for name, s in sorted(parts.seconds.items())}
        found["parts"]["rest"] = round(took - sum(parts.seconds.values()) / mpx, 4)
    found["floor"] = min(before, floor_s())
    return found


def measured(case: dict[str, Any]) -> dict[str, Any]:
    """A case in a process of its own, with the engine's environment and one thread."""
    environment = {**engine_environment(), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).resolve()), "--case", json.dumps(case)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def cases(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """What is measured, in order."""
    for side in options.sides:
        size = {"width": side, "height": options.height or side, "bfloat16": not options.float32}
        size["windows"] = options.windows
        yield {**size, "what": "ours"}
        if not options.no_monai:
            yield {**size, "what": "monai"}
        if options.peaks:
            yield {**size, "what": "peak", "width": 512, "height": 512}
            yield {**size, "what": "peak"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("sides", type=int, nargs="*", default=[4096])
    parser.add_argument("--height", type=int, help="rows of the plane (default: as many as columns)")
    parser.add_argument("--float32", action="store_true", help="single precision instead of bfloat16")
    parser.add_argument("--windows", type=int, default=2, help="windows timed for the floor, before and after")
    parser.add_argument("--peaks", action="store_true", help="measure memory too")
    parser.add_argument("--no-monai", action="store_true")
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        sys.stdout.write(json.dumps(child(options.case)) + "\n")
        return
    for case in cases(options):
        found = measured(case)
        if not found:
            continue
        floor = found.pop("floor", None)
        ratio = {} if floor is None else {"s_a_mpx": round(floor, 4), "ratio": round(found["s_a_mpx"] / floor, 3)}
        if floor is not None:
            found["s_a_mpx"] = round(found["s_a_mpx"], 4)
        report("predict_speed", case, found, ratio)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()

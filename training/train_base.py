"""Train the embedded base model: one encoder and decoder for all open sets, a slice of the head for each.

    python training/pack.py --data DATA --out OUT/pack
    python training/train_base.py --leg --out OUT              # a leg from the embedded base, at a constant rate
    python training/train_base.py --leg --last --out OUT       # the last leg: the rate decays over its --steps
    python training/train_base.py --resume --out OUT           # goes on with what OUT/checkpoint.pt holds

`OUT/checkpoint.pt` is written every ten minutes, at the end, and when the process is asked to stop (SIGTERM, SIGINT).
What a resumed leg does stands in its checkpoint; only device, threads and workers are given anew. Nothing depends on
the clock but when checkpoints are written. `evaluate_base.py` measures and exports.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: waiting threads must not spin on shared cores

import argparse
import json
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402
import torch  # noqa: E402
from course import Course, Plan, read_checkpoint  # noqa: E402
from pack import Pack, open_pack  # noqa: E402
from patches import Batches  # noqa: E402

from segstudio.learn.device import resolve  # noqa: E402

CHECKPOINT_S = 600.0
SAY_S = 60.0


class Stop:
    """Set by SIGTERM and SIGINT; the step under way is finished and a checkpoint written."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: object) -> None:
        self.asked = True


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--leg", action="store_true", help="begin a leg; an old checkpoint in OUT is refused")
    what.add_argument("--resume", action="store_true", help="go on with the leg in OUT")
    parser.add_argument("--out", type=Path, default=ROOT / ".training-out")
    parser.add_argument("--pack", type=Path, help="what pack.py wrote (default: OUT/pack)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0, help="processes that make patches ahead; for a GPU")
    told = Plan()
    parser.add_argument("--seed", type=int, default=told.seed)
    parser.add_argument("--steps", type=int, default=told.steps, help="of this leg")
    parser.add_argument("--last", action="store_true", help="the rate decays over this leg")
    parser.add_argument("--start", choices=("base", "imagenet"), default=told.start)
    parser.add_argument("--leave", action="append", default=[], metavar="SET", help="train without this set")
    parser.add_argument("--pairs", type=int, default=told.pairs, help="pairs of patches a step")
    parser.add_argument("--side", type=int, default=told.side, help="of a patch in pixels, a multiple of 32 up to 256")
    parser.add_argument("--freeze", type=int, default=told.freeze, help="stages of the encoder that do not learn")
    parser.add_argument(
        "--moving", action="store_true", help="the statistics of the encoder's norms follow the batches"
    )
    parser.add_argument("--bfloat16", action="store_true")
    return parser.parse_args(arguments)


def begin(options: argparse.Namespace, pack: Pack, device: torch.device) -> Course:
    """A new leg: it counts the legs and steps of the weights it begins from."""
    before, legs = (0, 0) if options.start == "imagenet" else counted()
    plan = Plan(
        seed=options.seed,
        leg=legs + 1,
        before=before,
        steps=options.steps,
        last=options.last,
        start=options.start,
        leave=tuple(options.leave),
        pairs=options.pairs,
        side=options.side,
        freeze=options.freeze,
        moving=options.moving,
        bfloat16=options.bfloat16,
        digest=pack.digest,
    )
    return Course(plan, pack, device)


def counted() -> tuple[int, int]:
    """Steps and legs of the embedded base."""
    from export import embedded_legs

    legs = embedded_legs()
    return sum(leg["steps"] for leg in legs), len(legs)


def train(course: Course, pack: Pack, checkpoint: Path, stop: Stop, workers: int = 0) -> None:
    """Steps until the leg is done or `stop` is asked; a line a minute, a checkpoint every ten, one at the end."""
    plan = course.plan
    numbers = range(plan.before + course.step_number, plan.before + plan.steps)
    batches = torch.utils.data.DataLoader(
        Batches(pack, plan.seed, plan.pairs, plan.side),
        batch_size=None,
        sampler=numbers,
        num_workers=workers,
        multiprocessing_context="spawn" if workers else None,
    )
    before, first = course.seconds, course.step_number
    start = saved = said = time.monotonic()
    for batch in batches:
        course.step(batch)
        now = time.monotonic()
        course.seconds = before + now - start
        if now - said > SAY_S or course.step_number - first in (1, 5, 20):
            said = now
            late = torch.tensor(course.losses[-100:]).mean(0).tolist()
            parts = ", ".join(
                f"{name} {v:.3f}" for name, v in zip(("heads", "foreground", "episodes"), late, strict=True)
            )
            pace = 60 * (course.step_number - first) / (now - start)
            print(f"step {course.step_number} of {plan.steps}, {pace:.1f} a minute: {parts}", flush=True)
        if now - saved > CHECKPOINT_S:
            course.save(checkpoint)
            saved = time.monotonic()
        if stop.asked:
            break
    course.save(checkpoint)
    print(f"stopped after step {course.step_number}: {checkpoint}", flush=True)


def main() -> None:
    """Begin or resume, and train."""
    options = options_of()
    torch.set_num_threads(options.threads)
    device = resolve(options.device)
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = options.out / "checkpoint.pt"
    stop = Stop()
    if options.leg:
        if checkpoint.exists():
            raise SystemExit(f"{checkpoint} holds a leg: resume it, or move it away")
        pack = open_pack(options.pack or options.out / "pack", tuple(options.leave))
        course = begin(options, pack, device)
    else:
        plan, state = read_checkpoint(checkpoint)
        pack = open_pack(options.pack or options.out / "pack", plan.leave)
        if pack.digest != plan.digest:
            raise SystemExit("the pack holds other pixels than those the leg began with")
        course = Course(plan, pack, device)
        course.restore(state)
    print(json.dumps(msgspec.to_builtins(course.plan)), flush=True)
    train(course, pack, checkpoint, stop, options.workers)


if __name__ == "__main__":
    main()

"""kill -9 by the hundred, at random instants, while the real program paints: a row a kill.

    python tests/soak/kills.py --rows kills.jsonl [--kills 500] [--engine 0.05] [--minutes 30] [--seed N]

Goes on where an earlier run into the same file ended. `--engine` is the share of rounds with the real engine (which
proposes and trains; a start of it takes seconds), the others draw random proposals. See tests/soak/kill_rounds.py.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import random
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parent / "store")]

from tests.soak.kill_rounds import Rounds
from tests.soak.nursery import Nursery
from tests.soak.rows import Rows

_KILLS_A_PROJECT = 25


def main() -> int:
    """Run until the kills or the minutes are full."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--engine", type=float, default=0.05)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=None)
    chosen = parser.parse_args()
    rows, end = Rows(chosen.rows), time.monotonic() + 60 * chosen.minutes
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1 << 32)
    rng = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    nursery = Nursery(folder / "home")
    try:
        while rows.sum("kills") < chosen.kills and time.monotonic() < end:
            project = Rounds(folder / f"project-{rows.sum('kills')}", nursery, rng)
            for _ in range(_KILLS_A_PROJECT):
                engine = rng.random() < chosen.engine
                start = time.monotonic()
                found = project.round(engine=engine, longest_s=90.0 if engine else 0.6)
                took = round(time.monotonic() - start, 2)
                rows.add({"seed": seed, "kills": 1, "engine": int(engine), **asdict(found), "lost": 0, "took_s": took})
                if time.monotonic() > end or rows.sum("kills") >= chosen.kills:
                    break
            shutil.rmtree(project.path.parent)
    except BaseException:
        sys.stderr.write(f"seed {seed}; what the kill left: {folder}\n")
        raise
    finally:
        nursery.close()
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

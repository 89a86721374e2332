"""Power cuts by the thousand: a row a life; stops at --cuts over this and earlier runs into the same file.

    python tests/soak/power_loss.py --rows power_loss.jsonl [--cuts 1000] [--seed N] [--minutes M]

Each life is a random script of edits by the real writer on a simulated disk (tests/store/power_loss_lives.py has the
script, the cuts and the comparison). A cut that breaks the promise ends the run; what it left stays in the folder that
is named.
"""

# ruff: noqa: E402 (the checkout goes on the path before its modules are imported)
import argparse
import random
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parent / "store")]

from tests.soak.rows import Rows
from tests.store.power_loss_lives import lives, memory_folder


def main() -> int:
    """Run until the cuts or the minutes are full."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--failing-syncs", type=float, default=0, help="share of syncs that fail")
    chosen = parser.parse_args()
    rows, end = Rows(chosen.rows), time.monotonic() + 60 * chosen.minutes
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1 << 32)
    share = chosen.failing_syncs
    folder = memory_folder()
    try:
        for number, cuts in enumerate(lives(folder, random.Random(seed), steps=24, failing_syncs=share)):
            counted = {
                "losses": Counter(cut.loss.name for cut in cuts),
                "during": Counter(cut.during for cut in cuts),
            }
            rows.add({"seed": seed, "life": number, "cuts": len(cuts), "failing_syncs": share, **counted, "lost": 0})
            if rows.sum("cuts") >= chosen.cuts or time.monotonic() > end:
                break
    except BaseException:
        sys.stderr.write(f"seed {seed}; what the cut left: {folder}\n")
        raise
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

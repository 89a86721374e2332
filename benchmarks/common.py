"""What every benchmark shares: one JSON object a line, with the machine, and a ratio to a floor of the same run."""

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np

__all__ = ["machine", "report", "seconds_of", "spread"]


def machine() -> dict[str, object]:
    """The machine and the versions that a figure depends on."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def report(benchmark: str, case: dict[str, object], figures: dict[str, object], floor: dict[str, object]) -> None:
    """Print one row. `floor` says what the least possible was, measured in this run, and holds its `ratio`."""
    row = {
        "benchmark": benchmark,
        "case": case,
        **figures,
        "floor": floor,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def seconds_of(work: Callable[[], object], times: int) -> list[float]:
    """How long each of some runs took."""
    out: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        out.append(time.perf_counter() - start)
    return out


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and worst, in milliseconds."""
    ms = np.asarray(seconds) * 1000
    return {
        "p50_ms": round(float(np.percentile(ms, 50)), 4),
        "p99_ms": round(float(np.percentile(ms, 99)), 4),
        "max_ms": round(float(ms.max()), 4),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor()

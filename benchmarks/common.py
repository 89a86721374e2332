"""What every benchmark shares: one JSON object a line, with the machine, and a ratio to a floor of the same run."""

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

__all__ = ["Took", "machine", "measured", "report"]


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


@dataclass(frozen=True, slots=True)
class Took:
    """How long runs of one thing took, by the clock and in processor time (which a busy machine spoils less)."""

    wall_s: list[float]
    cpu_s: list[float]

    @property
    def median_s(self) -> float:
        """By the clock."""
        return float(np.median(self.wall_s))

    def figures(self) -> dict[str, float]:
        """Median, 99th percentile and worst by the clock, median and 99th percentile of processor time, in ms."""
        wall, cpu = np.asarray(self.wall_s) * 1000, np.asarray(self.cpu_s) * 1000
        return {
            "p50_ms": round(float(np.percentile(wall, 50)), 4),
            "p99_ms": round(float(np.percentile(wall, 99)), 4),
            "max_ms": round(float(wall.max()), 4),
            "cpu_p50_ms": round(float(np.percentile(cpu, 50)), 4),
            "cpu_p99_ms": round(float(np.percentile(cpu, 99)), 4),
        }


def measured(works: Iterable[Callable[[], object]]) -> Took:
    """Run each once."""
    wall: list[float] = []
    cpu: list[float] = []
    for work in works:
        start, start_cpu = time.perf_counter(), time.process_time()
        work()
        cpu.append(time.process_time() - start_cpu)
        wall.append(time.perf_counter() - start)
    return Took(wall, cpu)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor()

"""The device that learns: names, what the machine has, and facts that are measured rather than assumed."""

import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
import torch
from torch.nn import functional as F

from segstudio.errors import NoSuchDevice, UserError
from segstudio.text import N_, _, count

__all__ = [
    "GpuReport",
    "convolution_seconds",
    "device_lost",
    "device_name",
    "device_names",
    "empty_cache",
    "gpu_report",
    "half_may_pay",
    "is_device_lost",
    "is_out_of_memory",
    "memory_mb",
    "no_memory",
    "resolve",
    "saying_memory",
    "too_little_memory",
    "usable_threads",
]


T = TypeVar("T")

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "status_alloc_failed", "bad_alloc")
_LOST = (
    "cuda error",
    "hip error",
    "cudnn_status_execution_failed",
    "cudnn_status_internal_error",
    "device-side assert",
)
_SAFE = N_("Everything painted is safe, and the previous version stays in use.")


@dataclass(frozen=True, slots=True)
class GpuReport:
    """Whether a GPU can be used; if not, one sentence says why."""

    available: bool
    reason: str


def device_names() -> list[str]:
    """The devices of this machine by name, without 'auto'."""
    names = ["cpu"]
    if torch.cuda.is_available():
        names += [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return names


def resolve(name: str) -> torch.device:
    """The device of this name; 'auto' takes a GPU if there is one. Raises `NoSuchDevice`."""
    names = device_names()
    if name == "auto":
        return torch.device(names[1] if len(names) > 1 else "cpu")
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in names:
        raise NoSuchDevice(
            _("There is no device '{name}' on this machine; choose one of {names}.", name=name, names=", ".join(names)),
            todo="" if name == "cpu" else gpu_report().reason,
        )
    return torch.device(wanted)


def gpu_report() -> GpuReport:
    """Whether torch can use a GPU here, and if not the reason: no driver, a CPU build of torch, a driver too old."""
    if torch.cuda.is_available():
        return GpuReport(True, "")
    if torch.backends.mps.is_available():
        return GpuReport(True, "")
    if platform.system() == "Darwin":
        return GpuReport(False, _("This Mac has no GPU that torch can use."))
    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        return GpuReport(False, _("This is the CPU build of torch."))
    if not Path("/proc/driver/nvidia/version").exists() and platform.system() == "Linux":
        return GpuReport(False, _("There is no NVIDIA driver on this machine."))
    return GpuReport(
        False,
        _("The driver is too old for torch with CUDA {version}, or finds no GPU.", version=torch.version.cuda),
    )


def device_name(device: torch.device) -> str:
    """What a person calls the device: the GPU's name, or the number of CPU threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return _("Apple GPU")
    return count(usable_threads(), "CPU, {n} thread", "CPU, {n} threads")


def usable_threads() -> int:
    """Cores that this process may use; fewer if OpenMP's own variable, OMP_NUM_THREADS, says so."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(cores, int(wanted)) if wanted.isdecimal() and int(wanted) > 0 else cores


def memory_mb(device: torch.device) -> float:
    """Memory in use for learning: of the GPU, else of this process, in MiB."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device) / 2**20
    return psutil.Process().memory_info().rss / 2**20


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out. The CPU's allocator, cuDNN, cuBLAS and MPS have no class for it."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in said for words in _OUT_OF_MEMORY)


def is_device_lost(error: BaseException) -> bool:
    """Whether an error says that the GPU failed: nothing that this process asks of it works any more."""
    said = str(error).lower()
    lost = isinstance(error, torch.AcceleratorError) or any(words in said for words in _LOST)
    return isinstance(error, RuntimeError) and lost and not is_out_of_memory(error)


def device_lost(error: BaseException) -> UserError:
    """The error for it."""
    reason = next(iter(str(error).splitlines()), "").rstrip(".")
    return UserError(
        _("The GPU failed ({reason}).", reason=reason),
        safe=_(_SAFE),
        todo=_("Train on the CPU ('--device cpu'), or restart the computer."),
    )


def saying_memory(steps: Iterator[T], said: Callable[[], UserError]) -> Iterator[T]:
    """The same steps; where memory runs out they end in what is `said`, made once what they held is free."""
    try:
        yield from steps
        return
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    # Outside the handler the error is gone, and with it the memory that it held.
    raise said()


def no_memory(device: torch.device) -> UserError:
    """The error for work that is no training; frees what the device keeps for later."""
    empty_cache(device)
    return UserError(_("There is not enough memory for this."), todo=_("Close other programs, or use the CPU."))


def too_little_memory(device: torch.device, *, one_patch: bool = False) -> UserError:
    """The error for it, `one_patch` where even a single patch is too much; frees what the device keeps for later."""
    empty_cache(device)
    if device.type == "cpu":
        sentence = (
            _("The computer has too little memory to train, even on one patch at a time.")
            if one_patch
            else _("The computer has too little memory to train.")
        )
        return UserError(sentence, safe=_(_SAFE), todo=_("Close other programs."))
    sentence = (
        _("The GPU has too little memory to train, even on one patch at a time.")
        if one_patch
        else _("The GPU has too little memory to train.")
    )
    todo = _("Close other programs that use the GPU, or train on the CPU ('--device cpu').")
    return UserError(sentence, safe=_(_SAFE), todo=todo)


_PROBE_PX = 128


def empty_cache(device: torch.device) -> None:
    """Give back what torch keeps of a GPU's memory for later use."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def convolution_seconds(
    device: torch.device, dtype: torch.dtype = torch.float32, side: int = 256, times: int = 4
) -> float:
    """Seconds of a 3 x 3 convolution, 64 to 64 channels on `side` x `side` pixels, channels last: the least of some."""
    x = torch.ones(1, 64, side, side, dtype=dtype, device=device).contiguous(memory_format=torch.channels_last)
    weight = torch.ones(64, 64, 3, 3, dtype=dtype, device=device).contiguous(memory_format=torch.channels_last)
    best = float("inf")
    with torch.inference_mode():
        for _ in range(times):
            start = time.perf_counter()
            F.conv2d(x, weight, padding=1).sum().item()
            best = min(best, time.perf_counter() - start)
    return best


def half_may_pay(device: torch.device) -> bool:
    """Whether bfloat16 is worth a try: False where it is emulated, which is some eight times slower; some 0.1 s."""
    if device.type == "mps":
        return False
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    plain = convolution_seconds(device, side=_PROBE_PX)
    return convolution_seconds(device, torch.bfloat16, _PROBE_PX, times=2) <= 2 * plain

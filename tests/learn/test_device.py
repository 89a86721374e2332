from pathlib import Path

import pytest
import torch

from segstudio.errors import NoSuchDevice
from segstudio.learn import device


def test_auto_is_the_first_that_is_not_the_cpu(monkeypatch: pytest.MonkeyPatch):
    for names, expected in ((["cpu"], "cpu"), (["cpu", "cuda:0", "cuda:1"], "cuda:0"), (["cpu", "mps"], "mps")):
        monkeypatch.setattr(device, "device_names", lambda found=names: found)
        assert device.resolve("auto") == torch.device(expected)


def test_a_name_that_is_not_there_is_refused_with_what_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(device, "device_names", lambda: ["cpu", "cuda:0"])
    assert device.resolve("cuda") == torch.device("cuda:0")
    for name in ("cuda:1", "mps", "tpu", ""):
        with pytest.raises(NoSuchDevice, match="cpu, cuda:0"):
            device.resolve(name)


def test_where_there_is_no_gpu_a_reason_is_given():
    report = device.gpu_report()
    assert report.available is (len(device.device_names()) > 1)
    assert report.available or report.reason.endswith(".")


def test_a_convolution_takes_some_time_and_the_cpu_has_a_name():
    assert 0 < device.convolution_seconds(torch.device("cpu")) < 10
    assert "CPU" in device.device_name(torch.device("cpu"))
    assert device.usable_threads() >= 1


@pytest.mark.parametrize(("said", "threads"), [("1", 1), ("3,2", 3), ("99", 4), ("", 4), ("0", 4), ("many", 4)])
def test_no_more_threads_are_used_than_the_variable_of_openmp_allows(
    monkeypatch: pytest.MonkeyPatch, said: str, threads: int
) -> None:
    monkeypatch.setattr(device.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert device.usable_threads() == threads


def test_the_memory_of_a_cpu_run_is_told_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch):
    def absent(path: Path, *_: object, **__: object) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_text", absent)
    assert 50 < device.memory_mb(torch.device("cpu")) < 100_000


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (torch.AcceleratorError("CUDA error: unspecified launch failure\nCompile with ..."), True),
        (RuntimeError("CUDA error: the launch timed out and was terminated"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), True),
        (torch.OutOfMemoryError("CUDA out of memory"), False),
        (RuntimeError("CUDA error: out of memory"), False),
        (RuntimeError("The size of tensor a must match"), False),
        (ValueError("CUDA error"), False),
    ],
)
def test_a_gpu_that_failed_is_told_from_other_errors(error: Exception, lost: bool) -> None:
    assert device.is_device_lost(error) is lost
    assert "\n" not in device.device_lost(error).line


@pytest.mark.parametrize(("ratio", "may"), [(0.5, True), (1.4, True), (8.0, False)])
def test_half_precision_is_worth_a_try_unless_it_is_emulated(
    monkeypatch: pytest.MonkeyPatch, ratio: float, may: bool
) -> None:
    def seconds(device: torch.device, dtype: torch.dtype = torch.float32, side: int = 256, times: int = 4) -> float:
        return ratio if dtype is torch.bfloat16 else 1.0

    monkeypatch.setattr(device, "convolution_seconds", seconds)
    assert device.half_may_pay(torch.device("cpu")) is may

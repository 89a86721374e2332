"""The engine's findings about this machine, for `segstudio doctor`: devices, a test convolution, embedded models."""

import torch

from segstudio.learn.device import convolution_seconds, device_names, gpu_report, resolve
from segstudio.learn.weights import EMBEDDED, check_model

__all__ = ["report"]


def report() -> dict[str, object]:
    """torch, devices, gpu {available, reason}, models [{name, ok, sha256, message}], convolution_s: best device."""
    gpu = gpu_report()
    checks = {name: check_model(name) for name in EMBEDDED}
    return {
        "torch": str(torch.__version__),
        "devices": device_names(),
        "gpu": {"available": gpu.available, "reason": gpu.reason},
        "models": [{"name": name, "ok": c.ok, "sha256": c.sha256, "message": c.message} for name, c in checks.items()],
        "convolution_s": round(convolution_seconds(resolve("auto")), 6),
    }

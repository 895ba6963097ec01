"""Peak memory of a step: what PyTorch took on a GPU, or by how much the process grew on a CPU."""

from pathlib import Path

import torch

from bench.steps import Step

MIB = 2**20
_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_mib(step: Step) -> float:
    """MiB at the highest point of the second of two steps, all weights included.

    On a GPU allocated by PyTorch; on a CPU resident in the whole process. Linux only.
    """
    step()  # allocates the optimiser's state
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        step()
        return torch.cuda.max_memory_allocated() / MIB
    _FORGET.write_text("5")  # lowers the high-water mark to what is resident now
    step()
    return _resident("VmHWM")


def resident_mib() -> float:
    """MiB that are resident in this process."""
    return _resident("VmRSS")


def _resident(field: str) -> float:
    lines = _STATUS.read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{field}:")]
    return int(line.split()[1]) / 1024

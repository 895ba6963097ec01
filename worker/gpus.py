"""How many GPUs a worker may use, told without PyTorch."""

import shutil
import subprocess
from collections.abc import Mapping

_PATIENCE_S = 20


def visible_gpus(environment: Mapping[str, str]) -> int:
    """GPUs that a process with `environment` sees: what CUDA_VISIBLE_DEVICES names, else all."""
    named = environment.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return _count_named(named)
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    try:
        listed = subprocess.run(
            [tool, "--list-gpus"], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def _count_named(named: str) -> int:
    """CUDA takes the entries up to the first that is no device, such as -1."""
    count = 0
    for entry in named.split(","):
        if not entry.strip() or entry.strip().startswith("-"):
            break
        count += 1
    return count

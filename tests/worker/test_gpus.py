"""How many GPUs a worker sees, asked without PyTorch."""

from pathlib import Path

import pytest

from worker.gpus import visible_gpus

LISTED = """#!/bin/sh
echo "GPU 0: NVIDIA A (UUID: GPU-1)"
echo "GPU 1: NVIDIA A (UUID: GPU-2)"
"""


@pytest.mark.parametrize(
    ("named", "count"),
    [("", 0), ("0", 1), ("2,0", 2), ("0,-1,1", 1), ("-1", 0), ("GPU-1,GPU-2,GPU-3", 3)],
)
def test_those_that_are_named_are_visible(named: str, count: int) -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": named}) == count


def test_all_are_visible_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(LISTED)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert visible_gpus({}) == 2


def test_without_the_driver_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus({}) == 0

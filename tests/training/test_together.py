"""Two processes on the CPU that train one model, started by torchrun as on any machine."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.generated import (
    DEFAULTS,
    ROOT,
    assert_same_run,
    content,
    finetune_config,
    train,
    wait_until,
    write_colours,
)
from training.config.downstream import FinetuneConfig
from training.run import RunFolder

pytestmark = pytest.mark.timeout(900)
EPOCHS = 12
"""Enough for a signal to arrive in the middle."""

PATIENCE_S = 400
"""Of processes that wait for each other at every step, on a machine that does much else."""

TOLERANCE = 1e-5
"""Of a weight: the processes' gradients are added in another order than one process adds them."""


def config() -> FinetuneConfig:
    """Nothing in it depends on which samples share a process."""
    return finetune_config(
        dropout=0.0,
        batch_norm="frozen",
        epochs=EPOCHS,
        optimizer={"name": "sgd", "learning_rate": 0.01},
        datasets=[{**DEFAULTS["datasets"][0], "kinds": ["single"], "multi_at_least": None}],
    )


def torchrun(run: RunFolder, root: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.Popen(
        [*command, "-m", "training", str(run.path), "--datasets", str(root)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def said(process: "subprocess.Popen[str]") -> str:
    """What was printed to stderr by the end; nothing runs on that has not ended by then."""
    try:
        return process.communicate(timeout=PATIENCE_S)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every picture has its label: each process averages over those that have."""
    root = tmp_path_factory.mktemp("labelled")
    return write_colours(root, train=24, val=6, test=6, every=1000)


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory, labelled: Path) -> RunFolder:
    run = RunFolder(tmp_path_factory.mktemp("together"))
    run.prepare(config())
    process = torchrun(run, labelled)
    errors = said(process)
    assert process.returncode == 0, errors
    return run


def events(run: RunFolder) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run.path / "events.jsonl").read_text().splitlines()]


def test_two_processes_end_with_the_weights_of_one(
    together: RunFolder, tmp_path: Path, labelled: Path
) -> None:
    alone = train(tmp_path / "alone", config(), labelled)
    found, _ = content(together.last_checkpoint)
    expected, _ = content(alone.last_checkpoint)
    for key, value in expected.items():
        if key.startswith("network."):
            torch.testing.assert_close(found[key], value, rtol=0, atol=TOLERANCE)


def test_one_of_two_processes_writes(together: RunFolder) -> None:
    kinds = [event["event"] for event in events(together)]
    assert kinds.count("started") == kinds.count("finished") == 1
    assert kinds.count("epoch") == EPOCHS
    parts = [json.loads(line)["part"] for line in together.metrics_file.read_text().splitlines()]
    assert parts == ["train", "val"] * EPOCHS


def test_the_random_state_of_both_is_kept(together: RunFolder) -> None:
    tensors, _ = content(together.last_checkpoint)
    assert not torch.equal(tensors["random.cpu"], tensors["random.cpu.1"])  # nor are their masks


def test_two_processes_stop_together_and_go_on_where_they_were(
    together: RunFolder, tmp_path: Path, labelled: Path
) -> None:
    run = RunFolder(tmp_path / "stopped")
    run.prepare(config())
    process = torchrun(run, labelled)
    log = run.path / "events.jsonl"
    wait_until(lambda: log.exists() and "progress" in log.read_text(), process)
    os.killpg(process.pid, signal.SIGTERM)
    said(process)
    assert run.last_checkpoint.exists()
    assert not run.results_file.exists()
    again = torchrun(run, labelled)
    errors = said(again)
    assert again.returncode == 0, errors
    assert_same_run(run, together)

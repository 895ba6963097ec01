"""A tiny canonical data set whose emotions are colours, and the runs that learn to tell them."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor
from torch.nn.modules.module import register_module_forward_pre_hook

from tests.training.data.layouts import text, write_folder
from training.config.downstream import FinetuneConfig
from training.data.importers.listing import ImportOptions
from training.data.importing import import_dataset
from training.network import SentimentNetwork
from training.recipes.finetune import finetune
from training.run import RunFolder
from training.stopping import Stopped, StopRequest

COLOURS = ("red", "green", "blue")
ROOT = Path(__file__).parents[2]
SIDE = 32
NAME = "colours"
HEADER = "file_name,split,label,red,green,blue"
SHARES = (0.7, 0.2, 0.1)
"""Of a picture's own colour, the one after it and the one before it."""

FORKS = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
"""For tests that fork: from 3.12 on Python warns of the threads that PyTorch keeps."""

DEFAULTS: Mapping[str, Any] = {
    "seed": 1,
    "backbone": {"name": "mobilenet_v2"},
    "datasets": [
        {"name": NAME, "kinds": ["single", "multi", "distribution"], "multi_at_least": 0.2}
    ],
    "image": {"size": SIDE, "train_crop": 28, "mean": [0.5] * 3, "std": [0.5] * 3},
    "dropout": 0.2,
    "batch_size": 8,
    "epochs": 2,
    "optimizer": {"name": "adamw", "learning_rate": 1e-3, "head_learning_rate": 1e-2},
    "schedule": {"name": "cosine", "warmup_epochs": 0.5},
    "compute": {"device": "cpu", "loader_workers": 0},
}


def finetune_config(**changes: Any) -> FinetuneConfig:
    """A configuration for the colours, small enough for every test."""
    return FinetuneConfig.model_validate({**DEFAULTS, **changes})


def picture(colour: int, *, seed: int) -> bytes:
    """A noisy PNG in which one channel is brighter than the others."""
    rng = np.random.default_rng((seed, colour))
    pixels = rng.normal(80, 40, (SIDE, SIDE, 3))
    pixels[..., colour] += 90
    content = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(content, "PNG")
    return content.getvalue()


def row(number: int, split: str, *, every: int = 5) -> str:
    """A line of metadata: of `every` pictures one has no label, and one no shares."""
    colour = number % 3
    label = "" if number % every == every - 1 else COLOURS[colour]
    shares = [str(SHARES[(channel - colour) % 3]) for channel in range(3)]
    cells = ["", "", ""] if number % every == every - 2 else shares
    return ",".join([f"images/{split}-{number:03}.png", split, label, *cells])


def write_colours(
    root: Path, *, train: int, val: int, test: int, name: str = NAME, every: int = 5
) -> Path:
    """The data set `name` below `root`, imported from files."""
    counts = {"train": train, "val": val, "test": test}
    lines = [row(n, split, every=every) for split, count in counts.items() for n in range(count)]
    files = {
        line.partition(",")[0]: picture(n % 3, seed=1000 * at + n)
        for at, count in enumerate(counts.values())
        for n, line in enumerate(lines[sum([*counts.values()][:at]) :][:count])
    }
    source = write_folder(
        root / f"{name}-source", {"metadata.csv": text([HEADER, *lines]), **files}
    )
    import_dataset(
        format="canonical",
        sources=[source],
        destination=root / name,
        name=name,
        options=ImportOptions(labels=COLOURS, terms="Generated; free for any use."),
        progress=lambda step, done, total: None,
    )
    return root


def train(
    folder: Path, config: FinetuneConfig, root: Path, *, stop: StopRequest | None = None
) -> RunFolder:
    """Fine-tune in `folder` to the end, or to where it was asked to stop."""
    run = RunFolder(folder)
    run.prepare(config)
    try:
        finetune(config, run=run, datasets_root=root, stop=stop or StopRequest())
    except Stopped:
        assert stop is not None
    return run


def train_on_one_thread(folder: Path, config: FinetuneConfig, root: Path) -> RunFolder:
    """Fine-tune as a process with OMP_NUM_THREADS=1: other sums differ in the last bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return train(folder, config, root)
    finally:
        torch.set_num_threads(threads)


@contextmanager
def asked_to_stop(
    *, at_pass: int, training: bool, stop: StopRequest | None = None
) -> Iterator[StopRequest]:
    """A request that is made in a network's n-th pass in training, or in validation."""
    stop, seen = stop or StopRequest(), 0

    def count(module: torch.nn.Module, inputs: Any) -> None:
        nonlocal seen
        if isinstance(module, SentimentNetwork) and module.training is training:
            seen += 1
            if seen == at_pass:
                stop.request()

    hook = register_module_forward_pre_hook(count)
    try:
        yield stop
    finally:
        hook.remove()


def started(run: RunFolder, root: Path) -> subprocess.Popen[str]:
    """`python -m training` at work in a process group of its own, with one thread as here."""
    return subprocess.Popen(
        [sys.executable, "-m", "training", str(run.path), "--datasets", str(root)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Come back when something holds; fail where the process ends before."""
    while not holds():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)


def content(path: Path) -> tuple[dict[str, Tensor], str]:
    """Tensors and note of a checkpoint, without the code that is tested."""
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        return tensors, file.metadata()["state"]


def assert_same_file(first: Path, second: Path) -> None:
    """Both checkpoints hold the same, bit for bit."""
    (tensors, note), (others, other_note) = content(first), content(second)
    assert note == other_note
    assert tensors.keys() == others.keys()
    different = [key for key, value in tensors.items() if not torch.equal(value, others[key])]
    assert different == []


def assert_same_run(first: RunFolder, second: RunFolder) -> None:
    """Weights, optimiser, random state, best epoch and every metric are the same."""
    assert_same_file(first.last_checkpoint, second.last_checkpoint)
    assert_same_file(first.best_weights, second.best_weights)
    assert first.metrics_file.read_text() == second.metrics_file.read_text()

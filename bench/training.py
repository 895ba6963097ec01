"""Images per second of training, and what the pipeline around a step and a naive step cost.

What is compared runs in one process, in turn, several times; figures are medians over the rounds,
ratios the medians of each round's own ratio. Networks start at random and photos are generated, so
nothing has to be downloaded. Every image was read once before: as in all epochs of a run but the
first, which `--cache-gib 0` shows, it comes decoded from the run's cache. Other work on the machine
lowers figures and pipeline ratios alike.
Run as `python -m bench.training`: as a file it would hide the package `training`.
"""

import argparse
import json
import os
import platform
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from bench.amalgamation import naive_ways, our_ways, peak_memory
from bench.learners import (
    TimedLearner,
    amalgamate_config,
    finetune_config,
    finetune_learner,
    optimizer_of,
    pretrain_config,
    pretrain_learner,
)
from bench.photos import write_photos
from bench.steps import bare_step, full_step, interleaved
from training.compute import Compute
from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.pretraining import PretrainConfig, Step
from training.stepper import Stepper

RESULTS = Path("var/bench/training.json")
FINETUNE, AMALGAMATION, MEMORY = "finetune", "amalgamation", "memory_mib"
PARTS = (FINETUNE, *map(str, Step), AMALGAMATION, MEMORY)
WIDTH, HEIGHT = 500, 375  # pixels: the medium size of Flickr's photos


@dataclass(frozen=True, slots=True)
class Setting:
    """What is timed, and for how long."""

    presets: str
    precision: str
    compile: bool
    workers: int
    cache_gib: float
    batch_size: int
    rounds: int
    steps: int
    only: tuple[str, ...]

    def _changes(self) -> dict[str, Any]:
        return {
            "compute": {
                "precision": self.precision,
                "compile": self.compile,
                "loader_workers": self.workers,
                "image_cache_gib": self.cache_gib,
            }
        }

    def pretrain(self, step: Step) -> PretrainConfig:
        """A step of perception, at its preset's batch sizes."""
        return pretrain_config(f"{self.presets}/{step}", **self._changes())

    def finetune(self) -> FinetuneConfig:
        """A fine-tuning at the setting's batch size."""
        return finetune_config(
            f"{self.presets}/amalgamate", batch_size=self.batch_size, **self._changes()
        )

    def amalgamate(self) -> AmalgamateConfig:
        """An amalgamation at the setting's batch size."""
        return amalgamate_config(
            f"{self.presets}/amalgamate", batch_size=self.batch_size, **self._changes()
        )

    @property
    def timing(self) -> dict[str, int]:
        """How rates are taken: the warm-up is as long as a loader's queues."""
        return {"rounds": self.rounds, "steps": self.steps, "warm_up": 2 * self.workers + 1}


def pipelines(setting: Setting, root: Path) -> dict[str, dict[str, float]]:
    """Images per second with the loader and without, of fine-tuning and of each step."""
    found = {}
    if FINETUNE in setting.only:
        finetune = setting.finetune()
        found[FINETUNE] = _pipeline(finetune, finetune_learner(finetune, root), setting)
    for step in (step for step in Step if step in setting.only):
        config = setting.pretrain(step)
        found[step.value] = _pipeline(config, pretrain_learner(config, root), setting)
    return found


def _pipeline(
    config: FinetuneConfig | PretrainConfig, learner: TimedLearner, setting: Setting
) -> dict[str, float]:
    compute = Compute.choose(config.compute)
    optimizer = optimizer_of(config, learner.network)
    stepper: Stepper[Any] = Stepper(learner, optimizer, compute=compute)
    ways = (full_step(learner, stepper), bare_step(learner, stepper, compute=compute))
    rates = interleaved(ways, **setting.timing)
    return {"full": rates.median(0), "bare": rates.median(1), "ratio": rates.ratio(0, to=1)}


def amalgamation(setting: Setting, root: Path) -> dict[str, float]:
    """Images per second of our amalgamation and of a naive one, with reading images and without."""
    config = setting.amalgamate()
    rates = interleaved((*our_ways(config, root), *naive_ways(config, root)), **setting.timing)
    full, bare, naive_full, naive_bare = range(4)
    return {
        "full": rates.median(full),
        "bare": rates.median(bare),
        "naive_full": rates.median(naive_full),
        "naive_bare": rates.median(naive_bare),
        "full_ratio": rates.ratio(full, to=naive_full),
        "bare_ratio": rates.ratio(bare, to=naive_bare),
        "pipeline_ratio": rates.ratio(full, to=bare),
    }


def machine() -> dict[str, object]:
    """What the figures were taken on, and how busy it was before."""
    on_gpu = torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if on_gpu else platform.processor() or "CPU",
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "load_average": os.getloadavg()[0],
        "torch": torch.__version__,
    }


def _setting() -> Setting:
    on_gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(prog="python -m bench.training", description=__doc__)
    parser.add_argument("--presets", default="paper" if on_gpu else "open", help="open or paper")
    parser.add_argument("--precision", default="auto", help="auto, bfloat16 or float32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--workers", type=int, default=8 if on_gpu else 1, help="of the loader")
    parser.add_argument("--cache-gib", type=float, default=4.0, help="0: decode every time")
    parser.add_argument("--batch-size", type=int, default=128 if on_gpu else 32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8, help="timed steps a round")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    given = vars(parser.parse_args())
    return Setting(**given | {"only": tuple(given["only"])})


def _table(results: dict[str, Any]) -> None:
    machine, setting = results["machine"], results["setting"]
    print(f"{machine['device']}, {machine['threads']} threads, load {machine['load_average']:.1f}")
    print(f"presets {setting['presets']}, {setting['precision']}, photos {WIDTH}x{HEIGHT}\n")
    print("images/s              full      bare full/bare")
    for name, rates in results["pipelines"].items():
        print(_row(name, rates["full"], rates["bare"], rates["ratio"]))
    if rates := results.get(AMALGAMATION):
        print(_row("amalgamation", rates["full"], rates["bare"], rates["pipeline_ratio"]))
        print(_row("naive", rates["naive_full"], rates["naive_bare"]))
        print(_row("ours/naive", rates["full_ratio"], rates["bare_ratio"]))
    if memory := results.get(MEMORY):
        print("\npeak MiB of an amalgamation step, and what was resident before")
        for name in ("ours", "naive"):
            print(_row(name, memory[f"{name}_peak"], memory[f"{name}_before"]))


def _row(name: str, *figures: float) -> str:
    return f"{name:16}" + "".join(f"{figure:10.2f}" for figure in figures)


def main() -> None:
    """Print a table and write RESULTS."""
    setting = _setting()
    results: dict[str, Any] = {"machine": machine(), "setting": asdict(setting)}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        most = max(setting.batch_size, 64)
        write_photos(root, images=2 * most, width=WIDTH, height=HEIGHT)
        results["pipelines"] = pipelines(setting, root)
        if AMALGAMATION in setting.only:
            results[AMALGAMATION] = amalgamation(setting, root)
        if MEMORY in setting.only:
            results[MEMORY] = peak_memory(setting.amalgamate(), root)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    _table(results)
    print(f"\nwritten to {RESULTS}")


if __name__ == "__main__":
    main()

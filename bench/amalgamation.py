"""An amalgamation step as a run takes it, and as it would be written naively."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.optim import Optimizer

from bench.learners import amalgamation_learner, optimizer_of
from bench.memory import peak_mib, resident_mib
from bench.steps import Step, bare_step, full_step
from training.amalgamation import AmalgamationNetwork, Taught, amalgamation_loss
from training.config.downstream import AmalgamateConfig
from training.data.labelled import Batch
from training.recipes.amalgamate import AmalgamationLearner
from training.stepper import Stepper


class Ways(NamedTuple):
    """A step that reads its images, and one whose batch lies ready."""

    full: Step
    bare: Step


def our_ways(config: AmalgamateConfig, root: Path) -> Ways:
    """As a run takes it: precision and memory layout as configured, images read by a loader."""
    learner = amalgamation_learner(config, root)
    compute = learner.data.compute
    optimizer = optimizer_of(config, learner.network)
    stepper: Stepper[Any] = Stepper(learner, optimizer, compute=compute)
    return Ways(full_step(learner, stepper), bare_step(learner, stepper, compute=compute))


def naive_ways(config: AmalgamateConfig, root: Path) -> Ways:
    """Written down: float32, NCHW, eager, and images read by the process that trains."""
    learner = amalgamation_learner(config, root)
    network = learner.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    optimizer = optimizer_of(config, network)
    read = _read_here(learner)
    return Ways(
        naive_step(network, optimizer, read), naive_step(network, optimizer, _again(next(read)))
    )


def naive_step(
    network: AmalgamationNetwork, optimizer: Optimizer, batches: Iterator[Batch]
) -> Step:
    """Every network to its end, frozen or not, and the loss of `method.md`."""
    device = next(network.parameters()).device
    network.train()

    def step() -> int:
        batch = _on(next(batches), device)
        optimizer.zero_grad()
        passes = [network.student(batch.images)]
        passes += [network.teacher(tie)(batch.images) for tie in network.ties]
        taught = Taught(passes[0], tuple(passes[1:]))
        terms = amalgamation_loss(taught, network.ties, batch, loss_weights={})
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return len(batch.images)

    return step


def peak_memory(config: AmalgamateConfig, root: Path) -> dict[str, float]:
    """Peak MiB of a step of either kind, and on a CPU what was there before; a process each."""
    found: dict[str, float] = {}
    for name, naive in (("ours", False), ("naive", True)):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            before, peak = alone.submit(_peak, config, root, naive).result()
        found |= {f"{name}_before": before, f"{name}_peak": peak}
    return found


def _peak(config: AmalgamateConfig, root: Path, naive: bool) -> tuple[float, float]:
    # Where processes are spawned, as here, those of a loader would be too; ours are forked.
    here = config.compute.model_copy(update={"loader_workers": 0})
    config = config.model_copy(update={"compute": here})
    before = 0.0 if torch.cuda.is_available() else resident_mib()
    ways = (naive_ways if naive else our_ways)(config, root)
    return before, peak_mib(ways.bare)


def _read_here(learner: AmalgamationLearner) -> Iterator[Batch]:
    compute = replace(learner.data.compute, loader_workers=0)
    alone = replace(learner, data=replace(learner.data, compute=compute))
    return (delivered.batch for delivered in alone.batches(0, 0))


def _again(batch: Batch) -> Iterator[Batch]:
    while True:
        yield batch


def _on(batch: Batch, device: torch.device) -> Batch:
    return Batch(
        batch.images.to(device),
        {kind: target.to(device) for kind, target in batch.targets.items()},
        {kind: present.to(device) for kind, present in batch.present.items()},
    )

"""What the bench of training compares is the same work; no time is taken here."""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bench.amalgamation import naive_step, peak_memory
from bench.learners import amalgamate_config, amalgamation_learner, optimizer_of, pretrain_config
from bench.memory import MIB, peak_mib, resident_mib
from bench.photos import write_photos
from bench.steps import Rates, interleaved
from bench.training import RESULTS, main
from training.config.downstream import AmalgamateConfig
from training.config.pretraining import STEP_TASKS, Step
from training.data.labelled import Batch
from training.stepper import Stepper

SMALL = {"size": 72, "train_crop": 64, "mean": [0.5] * 3, "std": [0.5] * 3}
COMPUTE = {"device": "cpu", "precision": "float32", "loader_workers": 0}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    write_photos(folder, images=8, width=60, height=45)
    return folder


def config(**changes: object) -> AmalgamateConfig:
    sgd = {"name": "sgd", "learning_rate": 0.01}
    given = {"image": SMALL, "compute": COMPUTE, "optimizer": sgd, "batch_size": 8, **changes}
    return amalgamate_config("open/amalgamate", **given)


def weights(network: nn.Module) -> Tensor:
    """All parameters in a row, whatever their layout in memory."""
    return torch.cat([p.detach().reshape(-1) for p in network.parameters()])


def test_a_naive_step_moves_the_weights_as_ours_does(root: Path) -> None:
    torch.manual_seed(0)  # weights do not depend on which tests ran before
    told = config(batch_norm="trained", loss_weights={}, dropout=0.0)
    ours, naive = (amalgamation_learner(told, root) for _ in range(2))
    naive.network.load_state_dict(ours.network.state_dict())
    before = weights(ours.network)
    batch: Batch = next(iter(ours.batches(0, 0))).batch

    stepper: Stepper[Batch] = Stepper(
        ours, optimizer_of(told, ours.network), compute=ours.data.compute
    )
    ours.start_epoch()
    stepper.gradients([batch])
    stepper.move_weights()
    network = naive.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    assert naive_step(network, optimizer_of(told, network), iter([batch]))() == 8

    moved, likewise = (weights(learner.network) - before for learner in (ours, naive))
    assert float(moved.norm()) > 0
    # BatchNorm of few values enlarges the rounding; a term too many or too few is far more
    assert float((moved - likewise).norm() / moved.norm()) < 0.05


@pytest.mark.parametrize("presets", ["open", "paper"])
@pytest.mark.parametrize("step", list(Step))
def test_every_steps_preset_can_be_timed(presets: str, step: Step) -> None:
    made = pretrain_config(f"{presets}/{step}")
    assert tuple(task.task for task in made.tasks) == STEP_TASKS[step]
    assert {task.datasets for task in made.tasks} == {("photos",)}
    assert made.backbone.weights.source == "random"


def test_figures_are_medians_and_ratios_those_of_each_round() -> None:
    rates = Rates(((10.0, 5.0), (30.0, 10.0), (20.0, 20.0)))
    assert [rates.median(0), rates.median(1)] == [20, 10]
    assert rates.ratio(0, to=1) == 2  # of 2, 3 and 1


def test_ways_take_turns_and_each_turn_warms_up() -> None:
    taken: list[str] = []

    def way(name: str) -> int:
        taken.append(name)
        return 1

    interleaved([lambda: way("a"), lambda: way("b")], rounds=2, steps=2, warm_up=1)
    assert "".join(taken) == "aaabbbaaabbb"


def test_the_bench_writes_its_figures_and_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    few = "--presets demo --precision float32 --workers 0 --batch-size 4 --rounds 1 --steps 1"
    parts = ["finetune", "amalgamation"]
    monkeypatch.setattr("sys.argv", ["bench.training", *few.split(), "--only", *parts])
    main()
    results = json.loads(RESULTS.read_text())
    assert results["pipelines"].keys() == {"finetune"}
    figures = [*results["pipelines"].values(), results["amalgamation"]]
    assert all(value > 0 for rates in figures for value in rates.values())
    table = capsys.readouterr().out
    assert all(name in table for name in ("finetune", "amalgamation", "ours/naive"))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells of peaks")
def test_peak_memory_is_taken_of_both_steps_each_in_a_process_of_its_own(root: Path) -> None:
    memory = peak_memory(config(compute={**COMPUTE, "loader_workers": 1}), root)
    assert all(memory[f"{name}_peak"] > memory[f"{name}_before"] > 0 for name in ("ours", "naive"))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells of peaks")
def test_a_peak_holds_what_a_step_took_and_gave_back() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        assert 48 < alone.submit(grown_mib).result() < 96


def grown_mib() -> float:
    """In a process of its own: here, what other tests left may be collected at any moment."""

    def step() -> int:
        return int(torch.ones(64 * MIB // 4).max())  # four bytes each

    return peak_mib(step) - resident_mib()

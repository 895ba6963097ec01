"""The loop around a learner whose every number is scripted: what is kept, and what is refused."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training.checkpoint import Position, load_weights
from training.compute import Compute
from training.config.optimization import ComputeConfig, SgdConfig, StepSchedule
from training.data.labelled import Batch
from training.data.skipping import Delivered
from training.loop import Diverged, Loop, Plan, TooManyUnreadable, Validation
from training.optimizers import build_optimizer
from training.run import RunFolder
from training.stages import Watch
from training.stopping import Stopped, StopRequest

STEPS = 2
SCORES = (0.25, 0.75, 0.5)
"""Of the epochs, the second being the best."""


@dataclass
class Scripted:
    """A learner with one weight that sinks by 1 a step; batches and scores are as scripted."""

    network: nn.Linear
    before_validation: Callable[[int], None] = lambda epoch: None
    validation_batches: int = 2
    in_validation: Callable[[int], None] = lambda epoch: None
    steps_per_epoch: int = STEPS
    parts: int = 1
    spoilt: dict[tuple[int, int], tuple[float, ...]] = field(default_factory=dict)
    unreadable: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    epoch: int = 0

    @property
    def kept(self) -> nn.Linear:
        return self.network

    def start_epoch(self) -> None:
        self.network.train()

    def batches(self, epoch: int, first_step: int) -> Iterable[Delivered[Batch]]:
        self.epoch = epoch
        for step in range(first_step, self.steps_per_epoch):
            for value in self.spoilt.get((epoch, step), (1.0,) * self.parts):
                batch = Batch(torch.full((4, 1, 1, 1), value), {}, {})
                yield Delivered(batch, 4, self.unreadable.get((epoch, step), ()))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        weight, value = self.network.weight.squeeze(), batch.images.mean()
        if value == 0:  # a loss of 0 whose slope is infinite
            return {"sinking": torch.sqrt(weight - weight.detach())}
        return {"sinking": weight * value}

    def validate(self, watch: Watch) -> Validation:
        self.before_validation(self.epoch)
        count = self.validation_batches
        for _ in watch("validating", range(count), steps=count):
            self.in_validation(self.epoch)
        return Validation({"accuracy": SCORES[self.epoch]}, SCORES[self.epoch])


def scripted() -> Scripted:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 10)
    return Scripted(network)


def fit(
    run: RunFolder,
    learner: Scripted,
    *,
    epochs: int = len(SCORES),
    every_s: float = 1e9,
    stop: StopRequest | None = None,
    accumulate: int = 1,
    max_unreadable: int = 0,
) -> Position:
    config = SgdConfig(learning_rate=1, momentum=0, weight_decay=0)
    optimizer = build_optimizer(config, body=learner.network, heads=nn.Identity())
    loop: Loop[Batch] = Loop(
        learner,
        optimizer,
        plan=Plan(
            epochs,
            StepSchedule(every_epochs=2, factor=0.5),
            every_s,
            accumulate=accumulate,
            max_unreadable=max_unreadable,
        ),
        compute=Compute.choose(ComputeConfig(device="cpu")),
        run=run,
        stop=stop or StopRequest(),
    )
    return loop.fit()


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def records(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def kept(path: Path) -> float:
    """The one weight that a file holds."""
    learner = scripted()
    load_weights(path, learner.network)
    return learner.network.weight.item()


def test_the_best_weights_are_those_of_the_epoch_with_the_best_score(run: RunFolder) -> None:
    position = fit(run, scripted())
    assert (position.best_epoch, position.best_score) == (2, 0.75)
    assert kept(run.best_weights) == 10 - 2 * STEPS
    note = load_weights(run.best_weights, scripted().network)
    assert note == {"epoch": 2, "score": 0.75, "metrics": {"accuracy": 0.75}}


def test_the_last_weights_have_taken_every_step_at_its_rate(run: RunFolder) -> None:
    fit(run, scripted())
    assert kept(run.last_checkpoint) == 10 - 2 * STEPS - STEPS * 0.5


def test_an_epoch_reports_the_mean_of_each_loss_and_the_validation(run: RunFolder) -> None:
    fit(run, scripted(), epochs=1)
    assert records(run.metrics_file) == [
        {"epoch": 1, "step": 0, "part": "train", "metrics": {"sinking": 9.5}},
        {"epoch": 1, "step": 0, "part": "val", "metrics": {"accuracy": 0.25}},
    ]


def test_progress_says_how_much_is_done(run: RunFolder) -> None:
    fit(run, scripted())
    told = [e for e in records(run.path / "events.jsonl") if e["event"] == "progress"]
    assert (told[0]["step"], told[0]["steps"]) == (1, STEPS)
    assert told[0]["fraction"] == pytest.approx(1 / (STEPS * len(SCORES)), abs=1e-6)


def test_a_loss_that_is_no_number_ends_the_run_and_the_last_good_checkpoint_stays(
    run: RunFolder,
) -> None:
    learner = scripted()
    learner.spoilt[1, 1] = (float("nan"),)
    with pytest.raises(Diverged, match=r"'sinking': nan.* in epoch 2, step 2; lower"):
        fit(run, learner, every_s=0.0)
    assert kept(run.last_checkpoint) == 10 - STEPS - 1
    assert kept(run.best_weights) == 10 - STEPS
    assert learner.network.weight.item() == 10 - STEPS - 1


def steep() -> Scripted:
    """A learner whose first loss is finite and has a gradient that is not."""
    learner = scripted()
    learner.spoilt[0, 0] = (0.0,)
    return learner


def test_weights_that_are_not_finite_reach_no_checkpoint(run: RunFolder) -> None:
    with pytest.raises(Diverged, match=r"no longer finite in epoch 1 after step 1; lower"):
        fit(run, steep(), every_s=0.0)
    assert not run.last_checkpoint.exists()


def test_weights_that_are_not_finite_reach_neither_metrics_nor_the_best_weights(
    run: RunFolder,
) -> None:
    learner = steep()
    learner.steps_per_epoch = 1
    with pytest.raises(Diverged, match="no longer finite"):
        fit(run, learner)
    assert not run.best_weights.exists()
    assert not run.metrics_file.exists()


def test_a_run_asked_to_stop_does_not_save_weights_that_are_not_finite(run: RunFolder) -> None:
    stop = StopRequest()
    stop.request()
    with pytest.raises(Diverged):
        fit(run, steep(), stop=stop)
    assert not run.last_checkpoint.exists()


def test_a_run_asked_to_stop_saves_the_step_it_was_in(run: RunFolder) -> None:
    stop = StopRequest()
    stop.request()
    with pytest.raises(Stopped, match="epoch 1 after step 1; run the same command again"):
        fit(run, scripted(), stop=stop)
    assert kept(run.last_checkpoint) == 9


def test_a_stop_asked_for_in_validation_does_not_wait_for_its_end(
    run: RunFolder, tmp_path: Path
) -> None:
    stop, learner = StopRequest(), scripted()
    validated: list[int] = []
    learner.before_validation = lambda epoch: stop.request()
    learner.in_validation = validated.append
    with pytest.raises(Stopped, match="stopped in the validation of epoch 1"):
        fit(run, learner, stop=stop)
    assert validated == []
    assert not run.best_weights.exists()
    undisturbed = RunFolder(tmp_path / "undisturbed")
    undisturbed.path.mkdir()
    assert fit(run, scripted()) == fit(undisturbed, scripted())
    assert run.metrics_file.read_text() == undisturbed.metrics_file.read_text()


def test_a_stop_asked_for_after_the_last_image_waits_for_the_end_of_the_epoch(
    run: RunFolder,
) -> None:
    stop, learner = StopRequest(), scripted()
    learner.in_validation = lambda epoch: stop.request()
    learner.validation_batches = 1
    with pytest.raises(Stopped, match="stopped after epoch 1"):
        fit(run, learner, stop=stop)
    assert len(records(run.metrics_file)) == 2


def test_a_stop_asked_for_after_the_very_last_image_comes_too_late(run: RunFolder) -> None:
    stop, learner = StopRequest(), scripted()
    learner.in_validation = lambda epoch: stop.request()
    learner.validation_batches = 1
    assert fit(run, learner, epochs=1, stop=stop).epoch == 1


class Killed(Exception):
    """Stands for what ends a process with no warning."""


def test_a_run_killed_before_its_checkpoint_measures_nothing_twice(
    tmp_path: Path,
) -> None:
    run, undisturbed = (RunFolder(tmp_path / name) for name in ("killed", "undisturbed"))
    for folder in (run, undisturbed):
        folder.path.mkdir()

    def kill(epoch: int) -> None:
        if epoch == 1:  # its training part is measured, its checkpoint not written
            raise Killed

    learner = scripted()
    learner.before_validation = kill
    with pytest.raises(Killed):
        fit(run, learner)
    assert len(records(run.metrics_file)) == 3
    fit(run, scripted())
    fit(undisturbed, scripted())
    assert run.metrics_file.read_text() == undisturbed.metrics_file.read_text()
    assert kept(run.best_weights) == kept(undisturbed.best_weights)


def test_a_finished_run_has_nothing_left_to_do(run: RunFolder) -> None:
    first = fit(run, scripted())
    before = run.last_checkpoint.read_bytes(), run.metrics_file.read_bytes()
    assert fit(run, scripted()) == first
    assert (run.last_checkpoint.read_bytes(), run.metrics_file.read_bytes()) == before


def test_parts_of_a_batch_make_one_step_of_their_mean_gradient(run: RunFolder) -> None:
    learner = scripted()
    learner.parts = 2
    learner.spoilt[0, 1] = (1.0, 3.0)  # slopes of 1 and 3: a step of 2
    position = fit(run, learner, epochs=1, accumulate=2)
    assert (position.epoch, position.step) == (1, 0)
    assert kept(run.last_checkpoint) == 10 - 1 - 2


def test_an_unreadable_image_is_named_once_and_the_run_goes_on(run: RunFolder) -> None:
    learner = scripted()
    learner.unreadable = {(0, 0): ("a.jpg is cut short",), (1, 1): ("a.jpg is cut short",)}
    position = fit(run, learner, max_unreadable=1)
    assert position.epoch == len(SCORES)
    told = [e for e in records(run.path / "events.jsonl") if e["event"] == "unreadable_image"]
    assert [(e["reason"], e["count"]) for e in told] == [("a.jpg is cut short", 1)]


def test_too_many_unreadable_images_stop_the_run(run: RunFolder) -> None:
    learner = scripted()
    learner.unreadable = {(0, 1): ("a.jpg is cut short", "b.jpg is empty")}
    with pytest.raises(TooManyUnreadable, match=r"2 images .* at most 1 .*: a\.jpg is cut short"):
        fit(run, learner, max_unreadable=1)

"""A checkpoint gives back exactly what it was made of, and nothing else passes for one."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.training.generated import assert_same_file
from training.checkpoint import (
    BrokenCheckpoint,
    Position,
    load_weights,
    restore_checkpoint,
    save_checkpoint,
    save_weights,
)
from training.config.optimization import AdamWConfig, SgdConfig
from training.optimizers import build_optimizer

CONFIGS: dict[str, SgdConfig | AdamWConfig] = {
    "momentum": SgdConfig(learning_rate=0.1),
    "plain": SgdConfig(learning_rate=0.1, momentum=0),
    "adamw": AdamWConfig(learning_rate=0.1),
}
EVERY_OPTIMIZER = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
POSITION = Position(epoch=2, step=5, losses={"single": 0.1 + 0.2}, best_score=1 / 3, best_epoch=1)


@pytest.fixture(autouse=True)
def _random_state() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


class Network(nn.Module):
    """Weights that lie channels-last as in a run, and chance that the next step needs."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Dropout(0.5))
        self.head = nn.Linear(9 * width, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.head(self.body(images).flatten(1))
        return scores


def optimizer_of(made: Network, config: SgdConfig | AdamWConfig) -> Optimizer:
    return build_optimizer(config, body=made.body, heads=made.head)


def take_steps(made: Network, optimizer: Optimizer, *, steps: int = 3) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        loss: Tensor = made(torch.rand(2, 3, 5, 5)).square().mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def saved(path: Path, config: SgdConfig | AdamWConfig = CONFIGS["adamw"]) -> Path:
    """A checkpoint of a network that took some steps."""
    made = Network()
    optimizer = optimizer_of(made, config)
    take_steps(made, optimizer)
    save_checkpoint(path, made, optimizer, position=POSITION)
    return path


@EVERY_OPTIMIZER
def test_what_is_restored_is_saved_again_bit_for_bit(
    tmp_path: Path, config: SgdConfig | AdamWConfig
) -> None:
    first, second = saved(tmp_path / "first", config), tmp_path / "second"
    torch.manual_seed(9)
    made = Network()
    optimizer = optimizer_of(made, config)
    position = restore_checkpoint(first, made, optimizer)
    save_checkpoint(second, made, optimizer, position=position)
    assert_same_file(first, second)


@EVERY_OPTIMIZER
def test_the_next_steps_are_those_that_would_have_been(
    tmp_path: Path, config: SgdConfig | AdamWConfig
) -> None:
    made = Network()
    optimizer = optimizer_of(made, config)
    take_steps(made, optimizer)
    save_checkpoint(tmp_path / "last", made, optimizer, position=POSITION)
    take_steps(made, optimizer)
    other = Network()
    other_optimizer = optimizer_of(other, config)
    restore_checkpoint(tmp_path / "last", other, other_optimizer)
    take_steps(other, other_optimizer)
    state, others = made.state_dict(), other.state_dict()
    assert [key for key in state if not torch.equal(state[key], others[key])] == []


@pytest.mark.parametrize("position", [Position(), POSITION])
def test_the_position_comes_back_to_the_last_digit(tmp_path: Path, position: Position) -> None:
    made = Network()
    optimizer = optimizer_of(made, CONFIGS["plain"])
    save_checkpoint(tmp_path / "last", made, optimizer, position=position)
    assert asdict(restore_checkpoint(tmp_path / "last", made, optimizer)) == asdict(position)


def test_weights_come_with_their_note(tmp_path: Path) -> None:
    made, other = Network(), Network()
    save_weights(tmp_path / "best", made, note={"epoch": 3, "score": 0.5})
    assert load_weights(tmp_path / "best", other) == {"epoch": 3, "score": 0.5}
    assert torch.equal(made.head.weight, other.head.weight)


def test_weights_load_from_a_whole_checkpoint_too(tmp_path: Path) -> None:
    made = Network()
    load_weights(saved(tmp_path / "last"), made)
    save_weights(tmp_path / "weights", made, note={})
    with (
        safe_open(tmp_path / "last", framework="pt") as whole,
        safe_open(tmp_path / "weights", framework="pt") as weights,
    ):
        for key in weights.keys():  # noqa: SIM118
            assert torch.equal(whole.get_tensor(key), weights.get_tensor(key))


def test_a_reader_of_the_old_file_is_not_disturbed_by_a_new_one(tmp_path: Path) -> None:
    made = Network()
    save_weights(tmp_path / "best", made, note={})
    before = made.head.bias.detach().clone()
    with safe_open(tmp_path / "best", framework="pt") as old:
        nn.init.ones_(made.head.bias)
        save_weights(tmp_path / "best", made, note={})
        assert torch.equal(old.get_tensor("network.head.bias"), before)
    load_weights(tmp_path / "best", made)
    assert made.head.bias.item() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["best"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = saved(tmp_path / "last")
    before = path.read_bytes()
    (tmp_path / "last.partial").mkdir()  # nothing can be written there
    with pytest.raises(Exception, match="directory"):
        save_weights(path, Network(), note={})
    assert path.read_bytes() == before


def test_what_a_kill_left_half_written_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "last.partial").write_bytes(b"half of a checkpoint")
    load_weights(saved(tmp_path / "last"), Network())
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


def refused(path: Path, reason: str, *, width: int = 4) -> None:
    made = Network(width)
    with pytest.raises(BrokenCheckpoint, match=reason) as caught:
        restore_checkpoint(path, made, optimizer_of(made, CONFIGS["adamw"]))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("kept", [0, 7, 200, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = saved(tmp_path / "last")
    path.write_bytes(path.read_bytes()[:kept])
    refused(path, "cannot be read")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "last", "cannot be read")


def test_tensors_of_other_code_are_refused(tmp_path: Path) -> None:
    save_file({"network.head.bias": torch.ones(1)}, tmp_path / "last")
    refused(tmp_path / "last", "is not a sentiscope-checkpoint-1 file")


def test_another_network_is_refused_with_what_differs(tmp_path: Path) -> None:
    refused(saved(tmp_path / "last"), r"holds another network: (?s:.*)head\.weight", width=5)


def test_weights_alone_are_no_checkpoint(tmp_path: Path) -> None:
    save_weights(tmp_path / "best", Network(), note={"epoch": 1})
    refused(tmp_path / "best", "holds weights alone, expected a whole checkpoint")

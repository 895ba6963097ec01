"""One file a checkpoint: tensors as safetensors, the rest as JSON in its header.

It holds weights, optimiser, position and random state: all that the next step depends on.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from training.errors import TrainingError
from training.fence import OPEN, Fence
from training.ranks import ALONE, Ranks

_FORMAT = "sentiscope-checkpoint-1"


class BrokenCheckpoint(TrainingError):
    """The file is not a checkpoint of this run."""


class NotSaved(TrainingError):
    """A checkpoint could not be written; the one before it is kept."""


@dataclass(slots=True)
class Position:
    """Where a run stands: the next step to take, and what has been seen on the way."""

    epoch: int = 0
    step: int = 0
    """Steps taken in this epoch."""
    losses: dict[str, float] = field(default_factory=dict)
    """Sum of each named loss over this epoch's steps."""
    best_score: float | None = None
    best_epoch: int | None = None


def save_checkpoint(
    path: Path,
    network: nn.Module,
    optimizer: Optimizer,
    *,
    position: Position,
    ranks: Ranks = ALONE,
    fence: Fence = OPEN,
) -> None:
    """Write all that a resumed run needs; readers see the old file or the new one, whole.

    Of processes that train together the first writes, with the random states of all.
    """
    random_states = ranks.gathered(_random_states())
    if not ranks.is_first:
        return
    tensors = {f"network.{key}": value for key, value in network.state_dict().items()}
    optimizer_state = optimizer.state_dict()
    scalars: dict[str, dict[str, Any]] = {}
    for index, entries in optimizer_state["state"].items():
        for key, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{key}"] = value
            else:
                scalars.setdefault(str(index), {})[key] = value
    for rank, states in enumerate(random_states):
        tensors |= {_random_key(name, rank): state for name, state in states.items()}
    state = {"position": asdict(position), "optimizer_scalars": scalars}
    _write(path, tensors, state, fence=fence)


def restore_checkpoint(
    path: Path, network: nn.Module, optimizer: Optimizer, *, rank: int = 0
) -> Position:
    """Load `path` into `network`, `optimizer` and the random state; returns the position."""
    tensors, state = _read(path)
    if "position" not in state:
        raise BrokenCheckpoint(f"{path} holds weights alone, expected a whole checkpoint")
    _load_network(path, network, tensors)
    entries: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".", 2)
            entries.setdefault(int(index), {})[name] = value
    for index_text, values in state["optimizer_scalars"].items():
        entries.setdefault(int(index_text), {}).update(values)
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": entries, "param_groups": groups})
    _restore_random_states(tensors, rank)
    return Position(**state["position"])


def save_weights(
    path: Path, network: nn.Module, *, note: dict[str, Any], fence: Fence = OPEN
) -> None:
    """Write a network's weights alone, with a JSON note."""
    tensors = {f"network.{key}": value for key, value in network.state_dict().items()}
    _write(path, tensors, note, fence=fence)


def load_weights(path: Path, network: nn.Module) -> dict[str, Any]:
    """Load weights (of a checkpoint too) into `network`; returns the note that came with them."""
    tensors, note = _read(path)
    _load_network(path, network, tensors)
    return note


def load_heads(path: Path, heads: nn.Module) -> bool:
    """Load the label heads of a trained network into `heads`; false where it has no such heads."""
    tensors, _ = _read(path)
    state = _below("network.heads.", tensors)
    own = heads.state_dict()
    if any(key not in state or state[key].shape != value.shape for key, value in own.items()):
        return False
    heads.load_state_dict({key: state[key] for key in own})
    return True


def load_parts(path: Path, parts: Mapping[str, nn.Module]) -> None:
    """Load the weights in `path` into parts of the network, by names such as "heads.anp"."""
    tensors, _ = _read(path)
    for name, part in parts.items():
        _load_network(path, part, tensors, prefix=f"network.{name}.")


def backbone_weights(path: Path) -> dict[str, Tensor]:
    """The backbone's part of the weights in `path`, by the names that it has in a backbone."""
    tensors, _ = _read(path)
    return _below("network.backbone.", tensors)


def _random_states() -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def _restore_random_states(tensors: dict[str, Tensor], rank: int) -> None:
    """Where the run was one of fewer processes, a new one keeps the state it was seeded with."""
    cpu, cuda = tensors.get(_random_key("cpu", rank)), tensors.get(_random_key("cuda", rank))
    if cpu is not None:
        torch.set_rng_state(cpu)
    if cuda is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(cuda)


def _random_key(name: str, rank: int) -> str:
    return f"random.{name}" if rank == 0 else f"random.{name}.{rank}"


def _load_network(
    path: Path, network: nn.Module, tensors: dict[str, Tensor], *, prefix: str = "network."
) -> None:
    try:
        network.load_state_dict(_below(prefix, tensors))
    except RuntimeError as error:
        raise BrokenCheckpoint(f"{path} holds another network: {error}") from error


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of one part, by the names that they have in it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _write(path: Path, tensors: dict[str, Tensor], state: dict[str, Any], *, fence: Fence) -> None:
    fence.check()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    ready = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    try:
        save_file(ready, partial, metadata={"format": _FORMAT, "state": json.dumps(state)})
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        fence.check()  # writing took its time
        partial.replace(path)
    except (OSError, safetensors.SafetensorError) as error:
        partial.unlink(missing_ok=True)
        raise NotSaved(
            f"{path} cannot be written: {error}; make room, and the same command goes on from "
            "the last checkpoint"
        ) from error


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, safetensors.SafetensorError) as error:
        raise BrokenCheckpoint(f"{path} cannot be read: {error}") from error
    if header.get("format") != _FORMAT:
        raise BrokenCheckpoint(f"{path} is not a {_FORMAT} file")
    return tensors, json.loads(header["state"])

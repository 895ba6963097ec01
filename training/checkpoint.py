"""One file a checkpoint: tensors as safetensors, the rest as JSON in its header.

It holds weights, optimiser, position and random state: all that the next step depends on.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from training.errors import TrainingError

_FORMAT = "sentiscope-checkpoint-1"


class BrokenCheckpoint(TrainingError):
    """The file is not a checkpoint of this run."""


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
    path: Path, network: nn.Module, optimizer: Optimizer, *, position: Position
) -> None:
    """Write all that a resumed run needs; readers see the old file or the new one, whole."""
    tensors = {f"network.{key}": value for key, value in network.state_dict().items()}
    optimizer_state = optimizer.state_dict()
    scalars: dict[str, dict[str, Any]] = {}
    for index, entries in optimizer_state["state"].items():
        for key, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{key}"] = value
            else:
                scalars.setdefault(str(index), {})[key] = value
    tensors |= {f"random.{name}": state for name, state in _random_states().items()}
    state = {"position": asdict(position), "optimizer_scalars": scalars}
    _write(path, tensors, state)


def restore_checkpoint(path: Path, network: nn.Module, optimizer: Optimizer) -> Position:
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
    _restore_random_states(tensors)
    return Position(**state["position"])


def save_weights(path: Path, network: nn.Module, *, note: dict[str, Any]) -> None:
    """Write a network's weights alone, with a JSON note."""
    _write(path, {f"network.{k}": v for k, v in network.state_dict().items()}, note)


def load_weights(path: Path, network: nn.Module) -> dict[str, Any]:
    """Load weights (of a checkpoint too) into `network`; returns the note that came with them."""
    tensors, note = _read(path)
    _load_network(path, network, tensors)
    return note


def _random_states() -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def _restore_random_states(tensors: dict[str, Tensor]) -> None:
    torch.set_rng_state(tensors["random.cpu"])
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"])


def _load_network(path: Path, network: nn.Module, tensors: dict[str, Tensor]) -> None:
    prefix = "network."
    state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise BrokenCheckpoint(f"{path} holds another network: {error}") from error


def _write(path: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    ready = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    save_file(ready, partial, metadata={"format": _FORMAT, "state": json.dumps(state)})
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


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

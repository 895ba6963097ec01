"""Optimisers over a network's parameters: heads may learn faster, and biases do not decay."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import torch
from torch import nn

from training.config.optimization import AdamWConfig, SgdConfig


def build_optimizer(
    config: SgdConfig | AdamWConfig,
    *,
    body: nn.Module,
    heads: nn.Module,
    own_rates: Mapping[str, float] = MappingProxyType({}),
) -> torch.optim.Optimizer:
    """The configured optimiser; each group remembers its own rate as `base_lr`.

    `own_rates` are those of heads, by name, that do not learn as fast as the others.
    """
    head_rate = config.head_learning_rate or config.learning_rate
    usual = [p for name, p in heads.named_parameters() if name.partition(".")[0] not in own_rates]
    rated = [(body.parameters(), config.learning_rate), (usual, head_rate)]
    rated += [(heads.get_submodule(name).parameters(), rate) for name, rate in own_rates.items()]
    groups = [
        group
        for parameters, rate in rated
        for group in _groups(parameters, rate, config.weight_decay)
    ]
    match config:
        case SgdConfig():
            return torch.optim.SGD(groups, momentum=config.momentum)
        case AdamWConfig():
            return torch.optim.AdamW(groups)


def set_learning_rate(optimizer: torch.optim.Optimizer, factor: float) -> float:
    """Give every group `factor` times its base rate; returns the first group's, the body's."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor
    return float(optimizer.param_groups[0]["lr"])


def _groups(
    parameters: Iterable[nn.Parameter], rate: float, weight_decay: float
) -> Iterator[dict[str, object]]:
    trainable = [p for p in parameters if p.requires_grad]
    decayed = [p for p in trainable if p.ndim > 1]
    kept = [p for p in trainable if p.ndim <= 1]
    for group, decay in ((decayed, weight_decay), (kept, 0.0)):
        yield {"params": group, "lr": rate, "base_lr": rate, "weight_decay": decay}

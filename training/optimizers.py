"""Optimisers over a network's parameters: heads may learn faster, and biases do not decay."""

from collections.abc import Iterator

import torch
from torch import nn

from training.config.optimization import AdamWConfig, SgdConfig


def build_optimizer(
    config: SgdConfig | AdamWConfig, *, body: nn.Module, heads: nn.Module
) -> torch.optim.Optimizer:
    """The configured optimiser; each group remembers its own rate as `base_lr`."""
    head_rate = config.head_learning_rate or config.learning_rate
    groups = [
        *_groups(body, config.learning_rate, config.weight_decay),
        *_groups(heads, head_rate, config.weight_decay),
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


def _groups(module: nn.Module, rate: float, weight_decay: float) -> Iterator[dict[str, object]]:
    trainable = [p for p in module.parameters() if p.requires_grad]
    decayed = [p for p in trainable if p.ndim > 1]
    kept = [p for p in trainable if p.ndim <= 1]
    for parameters, decay in ((decayed, weight_decay), (kept, 0.0)):
        yield {"params": parameters, "lr": rate, "base_lr": rate, "weight_decay": decay}

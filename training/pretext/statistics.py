"""BatchNorm statistics of one task: two tasks share a backbone, but not what their images are like.

In training each task's batch is normalised by itself; the running averages, which evaluation would
use, mix both (tiles and whole scenes, grey images and coloured ones) and fit neither. Nor do they
fit what a pre-trained backbone that stays in evaluation mode is shown later.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def own_statistics(backbone: nn.Module, show: Callable[[], object]) -> Iterator[None]:
    """Within, `take_statistics`; afterwards the backbone has its own statistics again."""
    layers = _layers(backbone)
    kept = [{name: buffer.clone() for name, buffer in layer.named_buffers()} for layer in layers]
    try:
        take_statistics(backbone, show)
        yield
    finally:
        for layer, buffers in zip(layers, kept, strict=True):
            layer.load_state_dict(buffers, strict=False)


def take_statistics(backbone: nn.Module, show: Callable[[], object]) -> None:
    """Have a backbone, then in evaluation mode, normalise by the statistics of what `show` shows.

    `show` runs the backbone on training images; each batch counts alike.
    """
    layers = _layers(backbone)
    usual = [layer.momentum for layer in layers]
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # a plain mean over the batches
            layer.train()
        with torch.no_grad():
            show()
    finally:
        for layer, momentum in zip(layers, usual, strict=True):
            layer.momentum = momentum
        backbone.eval()


def _layers(backbone: nn.Module) -> list[_BatchNorm]:
    return [layer for layer in backbone.modules() if isinstance(layer, _BatchNorm)]

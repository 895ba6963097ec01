"""BatchNorm statistics of one task: two tasks share a backbone, but not what their images are like.

In training each task's batch is normalised by itself; the running averages, which evaluation would
use, mix both (tiles and whole scenes, grey images and coloured ones) and fit neither.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def own_statistics(backbone: nn.Module, show: Callable[[], object]) -> Iterator[None]:
    """Within, a backbone in evaluation mode normalises by the statistics of what `show` shows it.

    `show` runs the backbone on a task's training images; each batch counts alike. Afterwards the
    backbone is as it was.
    """
    layers = [layer for layer in backbone.modules() if isinstance(layer, _BatchNorm)]
    kept = [
        ({name: buffer.clone() for name, buffer in layer.named_buffers()}, layer.momentum)
        for layer in layers
    ]
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # a plain mean over the batches
            layer.train()
        with torch.no_grad():
            show()
        backbone.eval()
        yield
    finally:
        for layer, (buffers, momentum) in zip(layers, kept, strict=True):
            layer.momentum = momentum
            layer.load_state_dict(buffers, strict=False)
        backbone.eval()

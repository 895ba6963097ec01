"""Makes the weights that come with the code, of the run whose network the default model is.

A bundle's graph has BatchNorm folded into its convolutions, from where no training goes on.
"""

import sys
from pathlib import Path

import safetensors.torch
from torch import Tensor

from models.bundle import file_sha256
from training.backbone import BACKBONES, DEFAULT_WEIGHTS, Backbone, is_classifier
from training.checkpoint import backbone_weights
from training.config.backbone import BackboneName
from training.run import RunFolder


def write_weights(run: RunFolder, name: BackboneName, folder: Path) -> Path:
    """Write the backbone `name` of a run, in torchvision's key names, with the digest of its file.

    Kernels are kept in half precision: each number within a thousandth of what it was.
    """
    spec = BACKBONES[name]
    network = spec.build()
    Backbone(spec.cut(network), spec).load_state_dict(backbone_weights(run.best_weights))
    state = {
        key: _halved(tensor)
        for key, tensor in network.state_dict().items()
        if not is_classifier(key)
    }
    file = folder / f"{name}.safetensors"
    told = {"weights_sha256": file_sha256(run.best_weights)}
    safetensors.torch.save_file(state, file, metadata=told)
    return file


def _halved(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.ndim > 1 else tensor


if __name__ == "__main__":
    write_weights(RunFolder(Path(sys.argv[1])), BackboneName(sys.argv[2]), DEFAULT_WEIGHTS)

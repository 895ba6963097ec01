"""The bundle that is served: one of the registry, or one made for the bench alone."""

from pathlib import Path

from models.bundle import Bundle
from models.manifest import Precision
from models.registry import Registry
from training.config.backbone import BackboneName

REGISTRY = Path("var/models")


def bundle_of(model: str) -> Bundle:
    """The bundle that `model` names, with both graphs; of a backbone's name, one with such a one.

    Where a bundle has no INT8 graph, a copy has one.
    """
    is_backbone = model in list(BackboneName)
    bundle = Registry(REGISTRY).open("default" if is_backbone else model)
    if not is_backbone and bundle.manifest.graph(Precision.INT8) is not None:
        return bundle
    from bench.serving.made_graphs import quantised, random_network  # they need PyTorch

    if is_backbone:
        return random_network(BackboneName(model), like=bundle)
    return quantised(bundle)

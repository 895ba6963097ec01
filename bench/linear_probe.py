"""The bar a trained model has to clear: linear models on frozen ImageNet features.

The same splits as the model: fitted on train, the strength of the penalty chosen on val, scored on
test, at thresholds of 0.5 and without a temperature.
"""

import argparse
import json
from pathlib import Path

from models.labels import LabelKind
from models.preprocessing import Preprocessing
from training.backbone import Backbone, build_backbone
from training.compute import Compute
from training.config.backbone import BackboneConfig, BackboneName, FileWeights
from training.config.datasets import DatasetConfig
from training.config.optimization import ComputeConfig
from training.data.canonical import Split
from training.data.labelled import merged_label_sets, open_datasets
from training.evaluation import judge
from training.evidence.probe import pooled_features, probe


def figures(
    config: DatasetConfig, backbone: Backbone, *, root: Path, size: int, compute: Compute
) -> dict[str, object]:
    """Test metrics of every kind of one data set, at the penalty that is best on val."""
    datasets = open_datasets([config], root)
    label_sets = merged_label_sets(datasets)
    spec = Preprocessing(size=size, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    parts = {
        split: pooled_features(
            backbone, datasets, label_sets, split=split, spec=spec, compute=compute
        )
        for split in Split
    }
    results: dict[str, object] = {}
    for kind, labels in label_sets.items():
        found = probe(kind, labels, parts)
        test = found.judged.test.judged(kind, temperature=1.0)
        results[kind.value] = {"C": found.chosen, **judge(kind, test, labels=labels)}
    return results


def main() -> None:
    """Print the test metrics as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--datasets", type=Path, default=Path("var/datasets"))
    parser.add_argument("--size", type=int, default=224)
    arguments = parser.parse_args()
    weights = FileWeights(path=arguments.weights)
    backbone = build_backbone(BackboneConfig(name=BackboneName.MOBILENET_V2, weights=weights))
    compute = Compute.choose(ComputeConfig(loader_workers=1))
    compute.place(backbone)
    backbone.eval()
    kinds = (LabelKind.MULTI, LabelKind.DISTRIBUTION)
    for config in (
        DatasetConfig(name="emotion6", kinds=kinds, multi_at_least=0.2),
        DatasetConfig(name="fi", kinds=(LabelKind.SINGLE,)),
    ):
        found = figures(
            config, backbone, root=arguments.datasets, size=arguments.size, compute=compute
        )
        print(json.dumps({config.name: found}, indent=2), flush=True)


if __name__ == "__main__":
    main()

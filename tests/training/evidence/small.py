"""A plan small enough for a test: generated pictures of 32 pixels, networks that start anew."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.data.demo import write_demo
from training.evidence.experiment import Experiment
from training.evidence.plan import Plan, Profile

COUNTS = {"train": 16, "val": 8, "test": 12}
IMAGE = {"size": 36, "train_crop": 32, "eval_size": 32, "mean": [0.5] * 3, "std": [0.5] * 3}
COMPUTE = {"device": "cpu", "precision": "float32", "loader_workers": 0}
TEACHER = {"name": "perceiving", "start": "perceiving", "match": 4, "match_logits": True}
ROWS: Mapping[str, Any] = {
    "probe": {"title": "linear probe", "method": "probe", "start": "perceiving"},
    "imagenet": {"title": "fine-tuned", "method": "finetune", "start": "imagenet"},
    "amalgamated": {
        "title": "amalgamated",
        "method": "amalgamate",
        "start": "perceiving",
        "teachers": [TEACHER],
    },
}


def write_folds(root: Path, *, folds: int) -> None:
    """The demo corpus, and its emotions once a fold with other pictures: demo-fold0, ..."""
    write_demo(root, counts=COUNTS)
    for fold in range(folds):
        write_demo(root / f"painted{fold}", counts=COUNTS, seed=fold)
        (root / f"painted{fold}" / "demo-emotions").rename(root / f"demo-fold{fold}")


def plan(root: Path, **changes: Any) -> Plan:
    """Rows as above on the distribution of two folds and on the single label of two seeds."""
    return Plan.model_validate(
        {
            "title": "A small table",
            "pretraining": {
                "perceiving": {
                    "preset": "demo/perceiving",
                    "root": root,
                    "settings": {"epochs": 1, "steps_per_epoch": 2, "compute": COMPUTE},
                }
            },
            "data": {
                "single": {
                    "title": "Single",
                    "dataset": "demo-emotions",
                    "root": root,
                    "kind": "single",
                    "seeds": [1, 2],
                },
                "folded": {
                    "title": "Folded",
                    "dataset": "demo-fold{fold}",
                    "root": root,
                    "kind": "distribution",
                    "folds": [0, 1],
                    "seeds": [1],
                },
            },
            "rows": ROWS,
            **changes,
        }
    )


def profile(**changes: Any) -> Profile:
    """Two epochs of eight images a step, and two learning rates to choose from."""
    return Profile.model_validate(
        {
            "title": "a test",
            "backbone": {"name": "mobilenet_v2", "weights": {"source": "random"}},
            "candidates": {
                "slow": {"optimizer": {"learning_rate": 1e-3}},
                "fast": {"optimizer": {"learning_rate": 3e-3}},
            },
            "downstream": {"image": IMAGE, "batch_size": 8, "epochs": 2, "compute": COMPUTE},
            "tasks": {
                "anp": {"batch_size": 4, "resize": 36, "size": 32},
                "captioning": {"batch_size": 4, "size": 32},
            },
            "images_per_second": {"finetune": 64, "amalgamate": 32, "probe": 32, "perceiving": 4},
            "draws": 50,
            **changes,
        }
    )


def experiment(root: Path, folder: Path, **changes: Any) -> Experiment:
    """Both together; `changes` are the plan's."""
    return Experiment(plan(root, **changes), profile(), folder)

"""Score a bundle, or a fine-tuned run's best weights, on one split of its data sets."""

from collections.abc import Iterator
from pathlib import Path

from models.bundle import Bundle
from models.manifest import Evaluation, Precision
from models.runtime import Session
from training.compute import Compute
from training.config.publishing import EvaluateConfig
from training.data.canonical import Split
from training.data.labelled import open_datasets
from training.data.loading import InOrder, load
from training.evaluation import predicted_logits
from training.export.calibrate import calibrated_outputs
from training.run import RunFolder
from training.scoring import score_bundle, score_network
from training.stages import Stages
from training.trained import TrainedRun


def evaluate(config: EvaluateConfig, *, run: RunFolder, datasets_root: Path) -> dict[str, object]:
    """Metrics of every output on every configured data set, with their protocols."""
    if config.bundle is not None:
        found = list(_of_bundle(config, config.bundle, datasets_root, run=run))
    else:
        assert config.run is not None
        found = list(_of_run(config, config.run, datasets_root, run=run))
    return {"evaluations": [evaluation.model_dump(mode="json") for evaluation in found]}


def _of_bundle(
    config: EvaluateConfig, path: Path, datasets_root: Path, *, run: RunFolder
) -> Iterator[Evaluation]:
    bundle = Bundle.open(path)
    datasets = open_datasets(config.datasets, datasets_root)
    precisions = [each for each in Precision if bundle.manifest.graph(each) is not None]
    stages = Stages(run, count=len(precisions) * len(datasets))
    for precision in precisions:
        yield from score_bundle(
            Session.open(bundle, precision=precision),
            datasets,
            Split(config.split),
            batch_size=config.batch_size,
            workers=config.compute.loader_workers,
            watch=stages.watch,
        )


def _of_run(
    config: EvaluateConfig, path: Path, datasets_root: Path, *, run: RunFolder
) -> Iterator[Evaluation]:
    """Temperatures and thresholds are fitted on the run's own validation data, as in export."""
    compute = Compute.choose(config.compute)
    trained = TrainedRun.open(path, datasets_root)
    compute.place(trained.network)
    val = trained.images(Split.VAL)
    order = InOrder(len(val), config.batch_size)
    loader = load(val, order, trained.network.label_sets, workers=compute.loader_workers)
    stages = Stages(run, count=1 + len(config.datasets))
    watched = stages.watch("calibrating on validation data", loader, steps=len(order))
    logits = predicted_logits(trained.network, watched, compute=compute)
    yield from score_network(
        trained.network,
        open_datasets(config.datasets, datasets_root),
        Split(config.split),
        heads=calibrated_outputs(trained.network, logits),
        spec=trained.config.image.preprocessing(),
        batch_size=config.batch_size,
        compute=compute,
        watch=stages.watch,
    )

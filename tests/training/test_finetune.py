"""Fine-tuning on colours: they are learned, and what is not there to be learned leaves no trace."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from models.labels import LabelKind
from tests.training.generated import (
    DEFAULTS,
    NAME,
    asked_to_stop,
    assert_same_run,
    content,
    finetune_config,
    train,
    write_colours,
)
from training.backbone import build_backbone
from training.checkpoint import backbone_weights
from training.compute import Compute
from training.data.labelled import Batch, merged_label_sets, open_datasets
from training.data.loading import InOrder, load
from training.downstream import LabelledData
from training.recipes.finetune import FinetuneLearner
from training.run import RunFolder
from training.trained import untrained_network

SHIPPED = {"name": "mobilenet_v2", "weights": {"source": "default_model"}}


def validations(run: RunFolder) -> list[dict[str, float]]:
    records = [json.loads(line) for line in run.metrics_file.read_text().splitlines()]
    return [record["metrics"] for record in records if record["part"] == "val"]


def test_the_colours_are_learned(trained: RunFolder) -> None:
    metrics = validations(trained)[-1]
    assert metrics["single.top1"] > 0.9  # by chance a third
    assert metrics["multi.mean_average_precision"] > 0.95
    assert metrics["distribution.kl"] < 0.5 < metrics["distribution.cosine"]


def test_every_loss_falls(trained: RunFolder) -> None:
    records = [json.loads(line) for line in trained.metrics_file.read_text().splitlines()]
    first, last = [record["metrics"] for record in records if record["part"] == "train"]
    assert all(last[kind] < first[kind] for kind in LabelKind)


def test_the_same_seed_gives_the_same_run(
    tmp_path: Path, few: Path, uninterrupted: RunFolder
) -> None:
    assert_same_run(train(tmp_path, finetune_config(), few), uninterrupted)


def test_images_that_are_decoded_every_time_give_the_same_run(
    tmp_path: Path, few: Path, uninterrupted: RunFolder
) -> None:
    decoding = finetune_config(compute={**DEFAULTS["compute"], "image_cache_gib": 0})
    assert_same_run(train(tmp_path, decoding, few), uninterrupted)


def test_another_seed_gives_another_run(
    tmp_path: Path, few: Path, uninterrupted: RunFolder
) -> None:
    other = train(tmp_path, finetune_config(seed=2, epochs=1), few)
    assert validations(other)[0] != validations(uninterrupted)[0]


def test_the_test_split_never_selects_a_model(
    tmp_path: Path, few: Path, uninterrupted: RunFolder
) -> None:
    shutil.copytree(few / NAME, tmp_path / NAME)
    for image in (tmp_path / NAME).rglob("test-*.png"):
        image.write_bytes(b"nobody looks at this")
    metadata = tmp_path / NAME / "metadata.csv"
    lines = [
        line.replace("red", "blue") if line.startswith("images/test-") else line
        for line in metadata.read_text().splitlines(keepends=True)
    ]
    metadata.write_text("".join(lines))
    assert_same_run(train(tmp_path / "run", finetune_config(), tmp_path), uninterrupted)


def test_the_validation_split_selects_the_model(trained: RunFolder) -> None:
    events = map(json.loads, (trained.path / "events.jsonl").read_text().splitlines())
    scores = [event["score"] for event in events if event["event"] == "epoch"]
    note = json.loads(content(trained.best_weights)[1])
    assert (note["epoch"], note["score"]) == (1 + scores.index(max(scores)), max(scores))
    assert note["metrics"] == validations(trained)[note["epoch"] - 1]


def test_a_batch_of_one_trains(tmp_path: Path) -> None:
    root = write_colours(tmp_path, train=3, val=3, test=3)
    image = {**DEFAULTS["image"], "size": 64, "train_crop": 56}  # normalised over more cells than 1
    run = train(tmp_path / "run", finetune_config(image=image, batch_size=1, epochs=1), root)
    assert len(validations(run)) == 1


def test_fewer_images_than_a_batch_train_as_one_batch(tmp_path: Path) -> None:
    root = write_colours(tmp_path, train=5, val=3, test=3)
    with asked_to_stop(at_pass=2, training=True) as stop:
        train(tmp_path / "run", finetune_config(batch_size=64, epochs=1), root, stop=stop)
    assert not stop.requested


def test_heads_alone_learn_on_a_backbone_that_is_frozen(tmp_path: Path, many: Path) -> None:
    config = finetune_config(backbone=SHIPPED, freeze_backbone=True, epochs=12)
    run = train(tmp_path / "run", config, many)
    found, start = backbone_weights(run.best_weights), build_backbone(config.backbone).state_dict()
    assert all(torch.equal(tensor, start[name]) for name, tensor in found.items())
    assert {*found} == {*start}
    assert validations(run)[-1]["single.top1"] > 0.6  # by chance a third


def test_features_of_random_weights_are_not_frozen() -> None:
    with pytest.raises(ValidationError, match=r"random weights; give backbone\.weights"):
        finetune_config(freeze_backbone=True)


def learner(root: Path, **changes: Any) -> FinetuneLearner:
    """The colours' learner in evaluation mode, where no sample touches another's features."""
    config = finetune_config(**changes)
    datasets = open_datasets(config.datasets, root)
    torch.manual_seed(0)
    network = untrained_network(config, merged_label_sets(datasets)).eval()
    compute = Compute.choose(config.compute)
    data = LabelledData.of(config, datasets, network.label_sets, compute=compute)
    return FinetuneLearner(network, data)


def first_batch(made: FinetuneLearner) -> Batch:
    images = made.data.val
    order = InOrder(len(images), 16)
    return next(iter(load(images, order, made.network.label_sets, workers=0)))


def head_gradient(made: FinetuneLearner, batch: Batch, kind: LabelKind) -> Tensor:
    loss = torch.stack(list(made.losses(batch).values())).sum()
    (gradient,) = torch.autograd.grad(loss, made.network.head(kind).linear.weight)
    return gradient


def only(batch: Batch, rows: Tensor) -> Batch:
    return Batch(
        batch.images[rows],
        {kind: part[rows] for kind, part in batch.targets.items()},
        {kind: part[rows] for kind, part in batch.present.items()},
    )


@pytest.mark.parametrize("kind", list(LabelKind))
def test_a_heads_gradient_is_that_of_the_samples_that_have_its_kind(
    few: Path, kind: LabelKind
) -> None:
    made = learner(few)
    batch = first_batch(made)
    present = batch.present[kind]
    assert 0 < present.sum() < len(present)
    alone = head_gradient(made, only(batch, present), kind)
    torch.testing.assert_close(head_gradient(made, batch, kind), alone, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", list(LabelKind))
def test_a_sample_without_a_kind_moves_that_kinds_head_by_exactly_nothing(
    few: Path, kind: LabelKind
) -> None:
    made = learner(few)
    batch = first_batch(made)
    absent = ~batch.present[kind]
    other = batch._replace(images=batch.images.masked_fill(absent[:, None, None, None], 5.0))
    assert torch.equal(head_gradient(made, batch, kind), head_gradient(made, other, kind))


def test_a_batch_in_which_nobody_has_a_kind_moves_its_head_by_exactly_nothing(few: Path) -> None:
    made = learner(few)
    batch = first_batch(made)
    without = only(batch, ~batch.present[LabelKind.SINGLE])
    assert torch.count_nonzero(head_gradient(made, without, LabelKind.SINGLE)) == 0
    assert torch.count_nonzero(head_gradient(made, without, LabelKind.MULTI)) > 0


def test_a_kinds_weight_multiplies_its_loss_alone(few: Path) -> None:
    plain, weighted = learner(few), learner(few, loss_weights={"multi": 0.25})
    losses, others = plain.losses(first_batch(plain)), weighted.losses(first_batch(plain))
    ratios = {kind: (others[kind] / losses[kind]).item() for kind in losses}
    assert ratios == {"single": 1, "multi": 0.25, "distribution": 1}

"""Scenes and adjective-noun pairs: classes, accuracies, a rival, and samples without a label."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn

from models.labels import LabelKind
from tests.training.pretext.tiny import (
    MEAN,
    STD,
    backbone,
    corpus,
    example,
    learn,
    painted,
    picture,
    sample,
    stages_with_gradient,
)
from training.config.pretraining import AnpConfig, SceneConfig
from training.data.canonical import CanonicalDataset, Split
from training.data.labelled import KindNotOffered, LabelSetsDiffer
from training.pretext.classification import ClassificationHead, ClassificationTask
from training.pretext.task import Examples, stacked

SCENES = ("abbey", "beach", "canyon", "dam", "farm", "forest", "tower")


def dataset() -> CanonicalDataset:
    """Training labels 6 three times, 2 twice, then 0, 1, 3; of testing labels none counts."""
    training = [sample(label) for label in (6, 2, 6, 0, 3, None, 2, 1, 6)]
    return corpus(SCENES, [*training, *(sample(5, Split.TEST) for _ in range(9))])


def task(*datasets: CanonicalDataset) -> ClassificationTask:
    config = SceneConfig(datasets=("tiny",), resize=40, size=32)
    return ClassificationTask(config, datasets or (dataset(),), mean=MEAN, std=STD)


def labelled(labels: Sequence[int | None]) -> Examples:
    return stacked([example(task(), picture(n), of=sample(at)) for n, at in enumerate(labels)])


def ranking(head: ClassificationHead) -> ClassificationHead:
    """The head, made to prefer the classes in their order."""
    nn.init.zeros_(head.label_head.linear.weight)
    head.label_head.linear.bias.data = -torch.arange(float(len(SCENES)))
    return head


def test_an_example_is_a_normalised_crop_and_its_class() -> None:
    given = example(task(), painted((255, 0, 51)), of=sample(3))
    expected = (np.array((1, 0, 0.2)) - MEAN) / STD
    assert given["image"].shape == (3, 32, 32)
    assert np.allclose(given["image"].transpose(1, 2, 0), expected, atol=1e-5)
    assert given["label"].dtype == np.int64
    assert int(given["label"]) == 3


@pytest.mark.parametrize("config", [SceneConfig, AnpConfig])
def test_both_tasks_take_their_classes_from_the_corpus(
    config: type[SceneConfig] | type[AnpConfig],
) -> None:
    made = ClassificationTask(config(datasets=("tiny",)), [dataset()], mean=MEAN, std=STD)
    assert made.facts["classes"] == list(SCENES)
    network = backbone()
    assert made.head(network).label_head.linear.out_features == len(SCENES)


def test_a_corpus_without_single_labels_is_refused() -> None:
    with pytest.raises(KindNotOffered, match="tiny has no single labels; it offers: multi"):
        task(corpus(SCENES, [sample()], kind=LabelKind.MULTI))


def test_data_sets_that_disagree_on_the_classes_are_refused() -> None:
    with pytest.raises(LabelSetsDiffer, match="one head needs one label set"):
        task(dataset(), corpus(SCENES[::-1], [sample(0)]))


def test_data_sets_that_agree_are_one_corpus() -> None:
    more = corpus(SCENES, [sample(4) for _ in range(9)])
    assert task(dataset(), more).head(backbone()).frequent.tolist() == [4, 6, 2, 0, 1]


def test_the_loss_is_the_cross_entropy_of_the_class() -> None:
    network, given = backbone().eval(), labelled([0, 2, 6])
    head = task().head(network)
    logits = head(network, given["image"]).detach().double().numpy()
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.mean(np.log(shares[np.arange(3), [0, 2, 6]]))
    loss = head.losses(network, given)["cross_entropy"]
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_the_loss_is_float32_under_autocast() -> None:
    network, given = backbone(), labelled([0, 2])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = task().head(network).losses(network, given)["cross_entropy"]
    assert loss.dtype == torch.float32


def test_a_sample_without_a_label_is_in_no_loss_and_no_figure() -> None:
    network = backbone().eval()
    head = task().head(network)
    with_it, without = labelled([1, 4, None]), labelled([1, 4])
    found, expected = (head.losses(network, given)["cross_entropy"] for given in (with_it, without))
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert head.figures(network, with_it) == head.figures(network, without)
    nothing = labelled([None])
    assert head.losses(network, nothing)["cross_entropy"].item() == 0
    assert set(head.figures(network, nothing).values()) == {(0.0, 0)}


def test_figures_count_the_first_guess_and_the_first_five() -> None:
    network, given = backbone().eval(), labelled([0, 4, 5, 6, 0])
    figures = ranking(task().head(network)).figures(network, given)
    assert figures["top1"] == (2.0, 5)
    assert figures["top5"] == (3.0, 5)


def test_the_rival_always_says_what_is_most_frequent_in_training() -> None:
    network, given = backbone().eval(), labelled([6, 6, 2, 4, 5])
    head = task().head(network)
    assert head.frequent.tolist() == [6, 2, 0, 1, 3]
    figures = head.figures(network, given)
    assert figures["top1_frequent"] == (2.0, 5)
    assert figures["top5_frequent"] == (3.0, 5)


def test_fewer_than_five_classes_are_all_among_the_first_five() -> None:
    network, given = backbone().eval(), labelled([0, 1])
    made = task(corpus(SCENES[:3], [sample(1)]))
    figures = made.head(network).figures(network, given)
    assert figures["top5"] == (2.0, 2)
    assert figures["top1_frequent"] == (1.0, 2)


def test_a_panel_says_in_green_or_red_what_the_head_says() -> None:
    network, given = backbone().eval(), labelled([0, 3])
    panel = ranking(task().head(network)).panel(network, given)
    assert panel.shape == (3, 32 + 32 + 4, 2 * 34 + 2)
    lines = panel[:, 34:50]
    right, wrong = lines[:, :, 2:34], lines[:, :, 36:68]
    assert float(right[0].min()) < 0.2  # green ink takes the red away
    assert float(right[1].mean()) > float(right[0].mean())
    assert float(wrong[0].min()) > 0.9
    assert float(wrong[1].min()) < 0.2


def test_a_panel_shows_pictures_as_they_were_before_normalisation() -> None:
    network = backbone().eval()
    given = stacked([example(task(), painted((204, 0, 51)), of=sample(None))])
    panel = task().head(network).panel(network, given)
    assert panel.ndim == 3
    picture_colour = panel[:, 10, 10]
    torch.testing.assert_close(picture_colour, torch.tensor([0.8, 0, 0.2]), atol=0.01, rtol=0)


def test_the_head_learns_the_classes_of_a_batch() -> None:
    network, given = backbone(), labelled([0, 2, 6, 3])
    head = task().head(network)
    losses = learn(head, network, given, steps=60)
    assert losses[-1] < 0.3 * losses[0]


def test_the_gradient_reaches_every_stage_from_a_batch_of_one() -> None:
    network = backbone()
    given = stacked([example(task(), picture(0), of=sample(1))])
    given["image"] = torch.nn.functional.interpolate(given["image"], size=64)
    loss = task().head(network).losses(network, given)["cross_entropy"]
    loss.backward()  # type: ignore[no-untyped-call]
    assert stages_with_gradient(network) == [0, 1, 2, 3]

"""Every pretext task there is, on a real backbone: the protocol, and a falling loss."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter
from torch import nn

from models.preprocessing import resized
from tests.training.pretext.tiny import MEAN, STD, corpus, learn, picture
from training.backbone import BACKBONES, Backbone
from training.config.backbone import BackboneName
from training.config.pretraining import Task, TaskConfig
from training.data.canonical import Sample, Split
from training.pretext.table import build_task
from training.pretext.task import Examples, PretextHead, PretextTask, stacked

CONFIGS: TypeAdapter[Task] = TypeAdapter(Task)
SMALL: Mapping[str, Mapping[str, Any]] = {
    "colorization": {"resize": 40, "size": 32},
    "super_resolution": {"size": 16},
    "jigsaw": {"tile": 16, "permutations": 4},
    "scene": {"resize": 40, "size": 32},
    "anp": {"resize": 40, "size": 32},
    "captioning": {"size": 32, "min_count": 1, "max_words": 6, "hidden": 32, "attention": 16},
}
Make = Callable[[str], PretextTask]
EVERY_TASK = pytest.mark.parametrize("name", SMALL)
SAMPLES = [
    Sample(
        file_name=f"images/{label}.png",
        split=Split.TRAIN,
        single=label,
        multi=None,
        shares=None,
        captions=(caption,),
    )
    for label, caption in enumerate(("a calm sea", "an angry dog", "the sad old house"))
]


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Make:
    root = tmp_path_factory.mktemp("tiny")
    (root / "images").mkdir()
    for number, sample in enumerate(SAMPLES):
        picture(number).save(root / sample.file_name)
    dataset = replace(corpus(("sea", "dog", "house"), SAMPLES), root=root)

    def make(name: str) -> PretextTask:
        config = CONFIGS.validate_python({"task": name, "datasets": ["tiny"], **SMALL[name]})
        return build_task(config, [dataset], mean=MEAN, std=STD)

    return make


def batch(made: PretextTask, count: int) -> Examples:
    rng = np.random.default_rng(0)
    return stacked([made.example(picture(n), SAMPLES[n], rng) for n in range(count)])


def backbone() -> Backbone:
    """MobileNetV2 with random weights and a decoder narrower than its own."""
    torch.manual_seed(0)
    spec = BACKBONES[BackboneName.MOBILENET_V2]
    return Backbone(spec.cut(spec.build()), replace(spec, decoder_width=8))


def test_every_configuration_is_tried_here() -> None:
    kinds: tuple[type[TaskConfig], ...] = get_args(get_args(Task)[0])
    assert {kind.model_fields["task"].default for kind in kinds} == set(SMALL)


@EVERY_TASK
def test_facts_are_json(task: Make, name: str) -> None:
    facts = task(name).facts
    assert json.loads(json.dumps(facts)) == facts


@EVERY_TASK
def test_an_example_repeats_with_its_generator(task: Make, name: str) -> None:
    first, again = batch(task(name), 2), batch(task(name), 2)
    assert first.keys() == again.keys()
    assert all(torch.equal(first[key], again[key]) for key in first)


@EVERY_TASK
@pytest.mark.parametrize("count", [1, 3])
def test_losses_figures_and_panel_have_the_form_that_recipes_expect(
    task: Make, name: str, count: int
) -> None:
    network, made = backbone().eval(), task(name)
    given = batch(made, count)
    head: PretextHead = made.head(network)
    assert isinstance(head, nn.Module)
    head.eval()
    losses = head.losses(network, given)
    assert all(loss.shape == () and loss.dtype == torch.float32 for loss in losses.values())
    assert all(bool(loss.isfinite()) for loss in losses.values())
    for figure in head.figures(network, given).values():
        assert np.isfinite(figure.total)
        assert figure.of > 0
    panel = head.panel(network, given)
    assert panel.ndim == 3
    assert panel.shape[0] == 3
    assert 0 <= float(panel.min()) < float(panel.max()) <= 1


@EVERY_TASK
def test_the_backbone_sees_the_images_that_the_head_names(task: Make, name: str) -> None:
    network, made = backbone().eval(), task(name)
    seen: list[torch.Tensor] = []
    network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    head, given = made.head(network), batch(made, 2)
    head.losses(network, given)
    (images,) = seen
    assert torch.equal(images, head.images(given))


@EVERY_TASK
def test_a_heads_weights_do_not_hold_the_backbones(task: Make, name: str) -> None:
    network = backbone()
    head = task(name).head(network)
    assert isinstance(head, nn.Module)
    backbones = {id(parameter) for parameter in network.parameters()}
    assert not backbones & {id(parameter) for parameter in head.parameters()}


@EVERY_TASK
def test_the_loss_falls_on_a_real_backbone(task: Make, name: str) -> None:
    network, made = backbone(), task(name)
    losses = learn(made.head(network), network, batch(made, 3), steps=10)
    assert losses[-1] < 0.97 * losses[0]


@EVERY_TASK
def test_an_example_begins_with_the_fixed_part_and_leaves_it_as_it_is(
    task: Make, name: str
) -> None:
    made = task(name)
    kept = resized(picture(0), made.fixed)
    found, again = (
        made.example(image, SAMPLES[0], np.random.default_rng(3)) for image in (picture(0), kept)
    )
    assert found.keys() == again.keys()
    assert all(np.array_equal(found[key], again[key]) for key in found)

"""Optimisers: which parameter learns how fast, which decays, and a step worked out by hand."""

import pytest
import torch
from torch import nn

from models.labels import MIKELS, LabelKind
from training.backbone import build_backbone
from training.config.backbone import BackboneConfig, BackboneName
from training.config.optimization import AdamWConfig, SgdConfig
from training.network import SentimentNetwork
from training.optimizers import build_optimizer, set_learning_rate

EVERY_OPTIMIZER = pytest.mark.parametrize("config", [SgdConfig(), AdamWConfig()], ids=["sgd", "aw"])


@pytest.fixture(scope="module")
def network() -> SentimentNetwork:
    backbone = build_backbone(BackboneConfig(name=BackboneName.MOBILENET_V2))
    return SentimentNetwork(backbone, {LabelKind.SINGLE: MIKELS}, dropout=0.0)


def optimizer_of(
    network: SentimentNetwork, config: SgdConfig | AdamWConfig
) -> torch.optim.Optimizer:
    return build_optimizer(config, body=network.backbone, heads=network.heads)


def names_with(
    network: SentimentNetwork, optimizer: torch.optim.Optimizer, field: str, value: float
) -> set[str]:
    """Names of the parameters whose group has this value."""
    chosen = {
        id(parameter)
        for group in optimizer.param_groups
        if group[field] == value
        for parameter in group["params"]
    }
    return {name for name, parameter in network.named_parameters() if id(parameter) in chosen}


@EVERY_OPTIMIZER
def test_every_parameter_is_in_one_group(
    network: SentimentNetwork, config: SgdConfig | AdamWConfig
) -> None:
    grouped = [p for group in optimizer_of(network, config).param_groups for p in group["params"]]
    assert sorted(map(id, grouped)) == sorted(map(id, network.parameters()))


@EVERY_OPTIMIZER
def test_biases_and_normalisation_do_not_decay(
    network: SentimentNetwork, config: SgdConfig | AdamWConfig
) -> None:
    normal = {
        f"{name}.{part}"
        for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm2d)
        for part in ("weight", "bias")
    }
    biases = {name for name, _ in network.named_parameters() if name.endswith(".bias")}
    assert normal
    found = names_with(network, optimizer_of(network, config), "weight_decay", 0.0)
    assert found == normal | biases


@EVERY_OPTIMIZER
def test_heads_have_a_rate_of_their_own(
    network: SentimentNetwork, config: SgdConfig | AdamWConfig
) -> None:
    faster = config.model_copy(update={"head_learning_rate": 0.25})
    optimizer = optimizer_of(network, faster)
    heads = {name for name, _ in network.named_parameters() if name.startswith("heads.")}
    assert names_with(network, optimizer, "lr", 0.25) == heads


def test_without_a_rate_of_their_own_heads_learn_as_fast_as_the_rest(
    network: SentimentNetwork,
) -> None:
    optimizer = optimizer_of(network, SgdConfig(learning_rate=0.5))
    assert {group["lr"] for group in optimizer.param_groups} == {0.5}


@EVERY_OPTIMIZER
def test_one_head_may_learn_slower_than_the_others(config: SgdConfig | AdamWConfig) -> None:
    faster = config.model_copy(update={"learning_rate": 0.5, "head_learning_rate": 0.25})
    body, heads = (
        nn.Linear(1, 1),
        nn.ModuleDict({"scene": nn.Linear(1, 1), "jigsaw": nn.Linear(1, 1)}),
    )
    optimizer = build_optimizer(faster, body=body, heads=heads, own_rates={"jigsaw": 0.125})
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    found = [[rates[id(p)] for p in module.parameters()] for module in (body, *heads.values())]
    assert found == [[0.5, 0.5], [0.25, 0.25], [0.125, 0.125]]


def test_frozen_parameters_are_left_out() -> None:
    body, heads = nn.Linear(1, 1), nn.Linear(1, 1)
    body.weight.requires_grad_(False)
    optimizer = build_optimizer(SgdConfig(), body=body, heads=heads)
    grouped = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert grouped == {id(body.bias), id(heads.weight), id(heads.bias)}


def test_a_factor_is_of_the_base_rate_and_not_of_the_last_one(network: SentimentNetwork) -> None:
    optimizer = optimizer_of(network, SgdConfig(learning_rate=0.5, head_learning_rate=2))
    set_learning_rate(optimizer, 0.1)
    set_learning_rate(optimizer, 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25, 1, 1]


def ones() -> nn.Linear:
    module = nn.Linear(1, 1)
    nn.init.ones_(module.weight)
    nn.init.ones_(module.bias)
    return module


def step(optimizer: torch.optim.Optimizer, *modules: nn.Linear, gradient: float) -> None:
    for module in modules:
        module.weight.grad = torch.full_like(module.weight, gradient)
        module.bias.grad = torch.full_like(module.bias, gradient)
    optimizer.step()


def test_two_steps_of_sgd_are_what_they_are_by_hand() -> None:
    config = SgdConfig(learning_rate=0.1, head_learning_rate=0.2, momentum=0.5, weight_decay=0.1)
    body, heads = ones(), ones()
    optimizer = build_optimizer(config, body=body, heads=heads)
    # weight: 1 - 0.1 (2 + 0.1) = 0.79; a bias does not decay: 1 - 0.1 * 2 = 0.8
    step(optimizer, body, heads, gradient=2)
    assert (body.weight.item(), body.bias.item()) == pytest.approx((0.79, 0.8))
    assert (heads.weight.item(), heads.bias.item()) == pytest.approx((0.58, 0.6))
    # momentum: 0.79 - 0.1 (0.5 * 2.1 + 2 + 0.079) = 0.4771 and 0.8 - 0.1 (0.5 * 2 + 2) = 0.5
    step(optimizer, body, heads, gradient=2)
    assert (body.weight.item(), body.bias.item()) == pytest.approx((0.4771, 0.5))


def test_the_first_step_of_adamw_is_the_rate_and_its_decay_is_decoupled() -> None:
    body = ones()
    optimizer = build_optimizer(
        AdamWConfig(learning_rate=0.1, weight_decay=0.1), body=body, heads=ones()
    )
    # 1 - 0.1 * 0.1 * 1 - 0.1 * sign(5), whatever the gradient's size
    step(optimizer, body, gradient=5)
    assert (body.weight.item(), body.bias.item()) == pytest.approx((0.89, 0.9))

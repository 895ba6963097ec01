import pytest
import torch
from torch import nn

from training.pretext.statistics import own_statistics


def backbone() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1), nn.ReLU())


def state(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_within_statistics_are_the_mean_over_what_was_shown() -> None:
    network = backbone().eval()
    dark, light = torch.rand(4, 3, 8, 8) * 0.1, 0.9 + torch.rand(4, 3, 8, 8) * 0.1
    seen = [network[0](batch) for batch in (dark, light)]  # B,4,6,6
    norm = network[1]
    assert isinstance(norm, nn.BatchNorm2d)
    with own_statistics(network, lambda: [network(dark), network(light)]):
        assert not norm.training
        means = torch.stack([each.mean((0, 2, 3)) for each in seen]).mean(0)
        variances = torch.stack([each.var((0, 2, 3)) for each in seen]).mean(0)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        torch.testing.assert_close(norm.running_mean, means)
        torch.testing.assert_close(norm.running_var, variances)


def test_afterwards_the_backbone_is_as_it_was_and_the_error_goes_on() -> None:
    network = backbone()
    network(torch.rand(2, 3, 8, 8))
    network.eval()
    before = state(network)
    with (
        pytest.raises(ValueError, match="while judging"),
        own_statistics(network, lambda: network(torch.rand(2, 3, 8, 8))),
    ):
        raise ValueError("while judging")
    after = state(network)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    norm = network[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert (norm.training, norm.momentum) == (False, 0.1)


def test_task_is_judged_by_its_own_statistics_and_not_by_a_mixture() -> None:
    """Two tasks whose images differ: mixed running averages fit neither, its own do."""
    network = backbone()
    norm = network[1]
    dark, light = torch.rand(64, 3, 8, 8) * 0.1, 0.9 + torch.rand(64, 3, 8, 8) * 0.1
    network.train()
    for _ in range(100):
        network(dark)
        network(light)
    network.eval()
    mixed = norm(network[0](dark)).mean().abs()
    with own_statistics(network, lambda: network(dark)):
        own = norm(network[0](dark)).mean().abs()
    assert own < 1e-4
    assert mixed > 0.3

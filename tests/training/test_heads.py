"""Label heads: the mean of a map plus the bias is the logit, for whatever features come."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from training.heads import LabelHead

CHANNELS = 12


def head(labels: int, *, dropout: float = 0.0) -> LabelHead:
    torch.manual_seed(0)
    made = LabelHead(CHANNELS, labels, dropout=dropout)
    torch.nn.init.normal_(made.linear.weight)
    torch.nn.init.normal_(made.linear.bias)
    return made


def features(images: int, height: int, width: int, *, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(images, CHANNELS, height, width, generator=generator)


@given(
    images=st.integers(1, 4),
    labels=st.integers(1, 9),
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_the_mean_of_a_map_plus_the_bias_is_the_logit(
    images: int, labels: int, height: int, width: int, seed: int
) -> None:
    made, given_features = head(labels), features(images, height, width, seed=seed)
    rebuilt = made.class_activation_map(given_features).mean(dim=(2, 3)) + made.linear.bias
    torch.testing.assert_close(made(given_features), rebuilt, rtol=1e-5, atol=1e-5)


def test_a_batch_of_one_keeps_its_axis() -> None:
    made = head(1)
    assert made(features(1, 1, 1)).shape == (1, 1)
    assert made.class_activation_map(features(1, 1, 1)).shape == (1, 1, 1, 1)


def test_a_map_points_at_the_cell_that_speaks_for_the_label() -> None:
    made = head(2)
    given_features = torch.zeros(1, CHANNELS, 3, 3)
    given_features[0, :, 2, 1] = made.linear.weight[1].detach()
    found = made.class_activation_map(given_features)[0, 1]
    assert int(found.argmax()) == 2 * 3 + 1


def test_dropout_acts_in_training_alone() -> None:
    made, given_features = head(3, dropout=0.5), features(2, 2, 2)
    assert not torch.equal(made.train()(given_features), made(given_features))
    assert torch.equal(made.eval()(given_features), made(given_features))


def test_a_new_head_says_almost_nothing() -> None:
    made = LabelHead(CHANNELS, 5, dropout=0.0)
    assert float(made(features(8, 2, 2)).detach().abs().max()) < 0.2

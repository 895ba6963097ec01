"""The caption decoder: its steps worked out once more, in NumPy and from the paper."""

import numpy as np
import torch
from numpy.typing import NDArray

from tests.training.pretext.opinionated import CHANNELS, COLUMNS, ROWS, decoder, features
from training.pretext.caption_decoder import CaptionDecoder

Values = NDArray[np.float64]


def sigmoid(values: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-values)))


class Recomputed:
    """One caption's decoder in double precision, a cell at a time."""

    def __init__(self, original: CaptionDecoder, feature_map: Values) -> None:
        self.weights = {
            key: value.detach().double().numpy() for key, value in original.named_parameters()
        }
        self.cells = [feature_map[:, row, col] for row in range(ROWS) for col in range(COLUMNS)]
        mean = np.mean(self.cells, axis=0)
        self.hidden = np.tanh(self.linear("first_hidden", mean))
        self.memory = np.tanh(self.linear("first_memory", mean))

    def linear(self, name: str, values: Values) -> Values:
        bias = self.weights.get(f"{name}.bias", 0)
        return np.asarray(self.weights[f"{name}.weight"] @ values + bias)

    def say(self, word: int) -> Values:
        """Takes a step and gives the attention it paid."""
        key = self.linear("hidden_key", self.hidden)
        scores = np.array(
            [
                self.linear("score", np.tanh(self.linear("cell_key", cell) + key))[0]
                for cell in self.cells
            ]
        )
        attention = np.exp(scores) / np.exp(scores).sum()
        beta = sigmoid(self.linear("gate", self.hidden))
        seen = beta * sum(a * cell for a, cell in zip(attention, self.cells, strict=True))
        heard = np.concatenate([self.weights["embedding.weight"][word], seen])
        gates = (
            self.weights["lstm.weight_ih"] @ heard
            + self.weights["lstm.bias_ih"]
            + self.weights["lstm.weight_hh"] @ self.hidden
            + self.weights["lstm.bias_hh"]
        )
        take, keep, new, show = np.split(gates, 4)
        self.memory = sigmoid(keep) * self.memory + sigmoid(take) * np.tanh(new)
        self.hidden = sigmoid(show) * np.tanh(self.memory)
        return np.asarray(attention)


def test_steps_and_attention_are_those_of_the_paper() -> None:
    made, looked_at = decoder(), features(2)
    words = torch.tensor([[1, 4, 6], [1, 5, 5]])
    hidden, attention = made(looked_at, words)
    assert attention.shape == (2, 3, ROWS * COLUMNS)
    for image in range(2):
        own = Recomputed(made, looked_at[image].double().numpy())
        for time in range(3):
            paid = own.say(int(words[image, time]))
            np.testing.assert_allclose(attention[image, time].detach(), paid, atol=1e-5)
            np.testing.assert_allclose(hidden[image, time].detach(), own.hidden, atol=1e-5)
            logits = made.logits(hidden[image, time][None])[0]
            np.testing.assert_allclose(logits.detach(), own.linear("output", own.hidden), atol=1e-4)


def test_one_number_gates_all_channels() -> None:
    assert decoder().gate.out_features == 1


def test_attention_is_a_distribution_over_the_cells() -> None:
    attention = decoder()(features(3), torch.ones(3, 4, dtype=torch.long))[1]
    torch.testing.assert_close(attention.sum(dim=2), torch.ones(3, 4))


def test_a_word_to_come_changes_nothing_said_before() -> None:
    made, words = decoder(), torch.tensor([[1, 4, 5], [1, 4, 6]])
    hidden = made(features(1).expand(2, -1, -1, -1), words)[0]
    assert torch.equal(hidden[0, :2], hidden[1, :2])
    assert not torch.equal(hidden[0, 2], hidden[1, 2])


def test_a_batch_of_one_on_one_cell_keeps_its_axes() -> None:
    hidden, attention = decoder()(torch.randn(1, CHANNELS, 1, 1), torch.ones(1, 1).long())
    assert hidden.shape == (1, 1, 4)
    assert attention.tolist() == [[[1.0]]]


def test_dropout_acts_in_training_alone() -> None:
    made, hidden = decoder(dropout=0.5), torch.ones(8, 4)
    assert torch.equal(made.logits(hidden)[0], made.logits(hidden)[1])
    made.train()
    assert not torch.equal(made.logits(hidden), made.logits(hidden))


def test_the_output_bias_starts_at_the_log_frequencies() -> None:
    frequencies = torch.tensor([-3.0, -1.0, -2.0, -0.5, -4.0])
    made = CaptionDecoder(2, frequencies, embedding=2, hidden=3, attention=2, dropout=0.1)
    assert torch.equal(made.output.bias, frequencies)

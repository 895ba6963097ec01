"""The network that says captions: an LSTM that looks at one part of the image after another.

Xu et al., *Show, Attend and Tell*, ICML 2015, sections 3.1.2 and 4.2: the deterministic ("soft")
attention. Words are told from the hidden state alone, by one linear layer.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.pretext.vocabulary import PADDING


class Cells(NamedTuple):
    """What can be looked at: the cells of B feature maps, and what attention knows of them."""

    features: Tensor  # B,K,C
    keys: Tensor  # B,K,A


class State(NamedTuple):
    """What the LSTM carries from word to word."""

    hidden: Tensor  # B,H
    memory: Tensor  # B,H


class CaptionDecoder(nn.Module):
    """Log-probabilities, but for a constant, of every entry of a vocabulary to come next."""

    def __init__(
        self,
        channels: int,
        log_frequencies: Tensor,
        *,
        embedding: int,
        hidden: int,
        attention: int,
        dropout: float,
    ) -> None:
        super().__init__()
        entries = len(log_frequencies)
        self.embedding = nn.Embedding(entries, embedding, padding_idx=PADDING)
        self.first_hidden = nn.Linear(channels, hidden)
        self.first_memory = nn.Linear(channels, hidden)
        self.cell_key = nn.Linear(channels, attention)
        self.hidden_key = nn.Linear(hidden, attention, bias=False)
        self.score = nn.Linear(attention, 1, bias=False)
        self.gate = nn.Linear(hidden, 1)
        self.lstm = nn.LSTMCell(embedding + channels, hidden)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, entries)
        nn.init.normal_(self.output.weight, std=0.01)
        with torch.no_grad():  # in place: an optimiser that knows the bias goes on to train it
            self.output.bias.copy_(log_frequencies)

    def begin(self, features: Tensor) -> tuple[Cells, State]:
        """Cells and first state from feature maps B,C,h,w; the cells are read row by row."""
        cells = features.flatten(2).transpose(1, 2)  # B,K,C
        mean = cells.mean(dim=1)
        state = State(self.first_hidden(mean).tanh(), self.first_memory(mean).tanh())
        return Cells(cells, self.cell_key(cells)), state

    def step(self, words: Tensor, cells: Cells, state: State) -> tuple[State, Tensor]:
        """The state after the words (B) that were said last, and the attention (B,K) it took."""
        hidden_key = self.hidden_key(state.hidden)[:, None]  # B,1,A
        attention = self.score((cells.keys + hidden_key).tanh()).softmax(dim=1)  # B,K,1
        seen = (attention * cells.features).sum(dim=1) * self.gate(state.hidden).sigmoid()  # B,C
        heard = torch.cat([self.embedding(words), seen], dim=1)
        return State(*self.lstm(heard, tuple(state))), attention[..., 0]

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits N,V of what is said next in hidden states N,H."""
        told: Tensor = self.output(self.dropout(hidden))
        return told.float()

    def forward(self, features: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states B,T,H and attention B,T,K, told the words B,T one by one."""
        cells, state = self.begin(features)
        hidden, attention = [], []
        for said in words.unbind(dim=1):
            state, paid = self.step(said, cells, state)
            hidden.append(state.hidden)
            attention.append(paid)
        return torch.stack(hidden, dim=1), torch.stack(attention, dim=1)

"""The captioning pretext task: say in words what an image shows.

Xu et al., *Show, Attend and Tell*, ICML 2015, with soft attention over the cells of f4.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from models.preprocessing import Channels, Interpolation, Preprocessing, preprocess
from training.backbone import Backbone
from training.config.pretraining import CaptioningConfig
from training.data.canonical import CanonicalDataset, Sample, Split
from training.pretext.caption_decoder import CaptionDecoder
from training.pretext.caption_panel import captioned
from training.pretext.caption_search import greedy_captions
from training.pretext.pictures import Denormalization
from training.pretext.task import Example, Examples, Figure, Perplexity
from training.pretext.vocabulary import PADDING, START, Vocabulary

_SHOWN = 4
"""How many examples a panel shows."""


class CaptioningTask:
    """Captions of the training parts' vocabulary; of several captions, chance draws one."""

    def __init__(
        self, config: CaptioningConfig, vocabulary: Vocabulary, *, mean: Channels, std: Channels
    ) -> None:
        self.config, self.vocabulary = config, vocabulary
        self.fixed = Preprocessing(
            size=config.size, interpolation=Interpolation.LANCZOS, mean=mean, std=std
        )

    @classmethod
    def of(
        cls,
        config: CaptioningConfig,
        datasets: Sequence[CanonicalDataset],
        *,
        mean: Channels,
        std: Channels,
    ) -> Self:
        """The task on its corpus, whose training captions give the vocabulary."""
        captions = (
            sample.captions for dataset in datasets for sample in dataset.subset(Split.TRAIN)
        )
        vocabulary = Vocabulary.of(
            chain.from_iterable(captions), min_count=config.min_count, max_words=config.max_words
        )
        return cls(config, vocabulary, mean=mean, std=std)

    @property
    def facts(self) -> Mapping[str, Any]:
        """`mean` and `std` of the images, and the `vocabulary` whose indices the head says."""
        return {
            "mean": list(self.fixed.mean),
            "std": list(self.fixed.std),
            "vocabulary": self.vocabulary.model_dump(mode="json"),
        }

    def example(self, image: Image.Image, sample: Sample, rng: np.random.Generator) -> Example:
        """`image` 3,size,size and `words` (max_words + 1): indices, then padding.

        A sample without a caption is padding alone and adds nothing to losses and figures.
        """
        words = np.full(self.config.max_words + 1, PADDING, dtype=np.int64)
        if sample.captions:
            caption = sample.captions[int(rng.integers(len(sample.captions)))]
            indices = self.vocabulary.encode(caption, max_words=self.config.max_words)
            words[: len(indices)] = indices
        return {"image": preprocess(image, self.fixed), "words": words}

    def head(self, backbone: Backbone) -> "CaptionHead":
        """A new head over the last feature map of `backbone`."""
        decoder = CaptionDecoder(
            backbone.channels[-1],
            torch.from_numpy(self.vocabulary.log_frequencies()),
            embedding=self.config.embedding,
            hidden=self.config.hidden,
            attention=self.config.attention,
            dropout=self.config.dropout,
        )
        return CaptionHead(
            decoder,
            self.vocabulary,
            attention_penalty=self.config.attention_penalty,
            denormalization=Denormalization(self.fixed.mean, self.fixed.std),
        )


class _Told(NamedTuple):
    """What the decoder made of a batch, told the true words: N of them that are not padding."""

    logits: Tensor  # N,V
    words: Tensor  # N
    attention: Tensor  # B,T,K; 0 where there is padding
    lengths: Tensor  # B


class CaptionHead(nn.Module):
    """A caption decoder on a backbone, and what it is trained and judged by."""

    def __init__(
        self,
        decoder: CaptionDecoder,
        vocabulary: Vocabulary,
        *,
        attention_penalty: float,
        denormalization: Denormalization,
    ) -> None:
        super().__init__()
        self.decoder = decoder
        self.vocabulary = vocabulary
        self.attention_penalty = attention_penalty
        self.denormalization = denormalization
        self.log_frequencies: Tensor
        frequencies = torch.from_numpy(vocabulary.log_frequencies())
        self.register_buffer("log_frequencies", frequencies, persistent=False)

    def images(self, batch: Examples) -> Tensor:
        """The images, B,3,H,W."""
        return batch["image"]

    def losses(self, backbone: Backbone, batch: Examples) -> dict[str, Tensor]:
        """`words`: the mean cross-entropy of a word, the end included.

        `attention`: the weighted mean over captions and cells of (T/K - sum of alpha over time)^2,
        K the number of cells, T that of the words of this very caption, its end included (Xu et
        al., section 4.2.1, have 1 for T/K).
        """
        told = self._told(backbone, batch)
        cells = told.attention.shape[2]
        fair = told.lengths[:, None] / cells  # B,1
        uneven = (fair - told.attention.sum(dim=1)).square()  # B,K; 0 where there is no caption
        captions = max(int((told.lengths > 0).sum()), 1)
        nll = nn.functional.cross_entropy(told.logits, told.words, reduction="sum")
        return {
            "words": nll / max(len(told.words), 1),
            "attention": self.attention_penalty * uneven.sum() / (captions * cells),
        }

    @torch.no_grad()
    def figures(self, backbone: Backbone, batch: Examples) -> Mapping[str, Figure | Perplexity]:
        """Negative log-likelihood of a word, perplexity, and share of words held most probable.

        The rival, `..._unigram`, knows how frequent words are in training and sees nothing.
        """
        told = self._told(backbone, batch)
        nll = nn.functional.cross_entropy(told.logits, told.words, reduction="sum")
        rival = -self.log_frequencies[told.words].sum()
        right = (told.logits.argmax(dim=1) == told.words).sum()
        rival_right = (self.log_frequencies.argmax() == told.words).sum()
        count = len(told.words)
        return {
            "nll_per_word": Figure(float(nll), count),
            "nll_per_word_unigram": Figure(float(rival), count),
            "perplexity": Perplexity(float(nll), count),
            "perplexity_unigram": Perplexity(float(rival), count),
            "word_accuracy": Figure(float(right), count),
            "word_accuracy_unigram": Figure(float(rival_right), count),
        }

    @torch.no_grad()
    def panel(self, backbone: Backbone, batch: Examples) -> Tensor:
        """The first images side by side, each above its greedy and its true caption."""
        images, words = batch["image"][:_SHOWN], batch["words"][:_SHOWN]
        said = greedy_captions(self.decoder, backbone(images)[-1], max_words=words.shape[1] - 1)
        texts = [
            (f"says: {self.vocabulary.decode(own.words)}", f"true: {self.vocabulary.decode(true)}")
            for own, true in zip(said, words.tolist(), strict=True)
        ]
        return captioned(self.denormalization(images).cpu(), texts)

    def _told(self, backbone: Backbone, batch: Examples) -> _Told:
        words = batch["words"]
        lengths = (words != PADDING).sum(dim=1)
        words = words[:, : max(int(lengths.max()), 1)]  # B,T; what all lack is not computed
        before = torch.cat([torch.full_like(words[:, :1], START), words[:, :-1]], dim=1)
        hidden, attention = self.decoder(backbone(self.images(batch))[-1], before)
        real = words != PADDING
        return _Told(
            self.decoder.logits(hidden[real]), words[real], attention * real[..., None], lengths
        )

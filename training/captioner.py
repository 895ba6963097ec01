"""A trained captioning head, opened again: what it says of images, and how near people it comes."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
import torch
from PIL import Image

from models.preprocessing import preprocess
from training.backbone import Backbone, build_backbone
from training.checkpoint import load_parts
from training.config.backbone import BackboneConfig
from training.config.pretraining import CaptioningConfig, PretrainConfig
from training.data.canonical import Split
from training.data.decoding import decoded
from training.errors import TrainingError
from training.pretext.bleu import corpus_bleu
from training.pretext.caption_search import beam_captions, greedy_captions
from training.pretext.captioning import CaptionHead, CaptioningTask
from training.pretext.corpus import open_corpus
from training.pretext.vocabulary import Vocabulary
from training.run import RunFolder

_AT_ONCE = 32
_EXPECTED = "expected a pre-training with the task captioning (the step perceiving has it)"


class NoCaptions(TrainingError):
    """The run did not learn to say captions."""


@dataclass(frozen=True, slots=True)
class Captioner:
    """A backbone and its captioning head, on the CPU."""

    backbone: Backbone
    head: CaptionHead
    task: CaptioningTask

    @classmethod
    def open(cls, path: Path) -> Self:
        """The run at `path` with its best weights, without its corpus; raises NoCaptions."""
        run = RunFolder(path)
        config = run.config()
        if not isinstance(config, PretrainConfig):
            raise NoCaptions(f"{path} is a run of {config.recipe}, {_EXPECTED}")
        found = [task for task in config.tasks if isinstance(task, CaptioningConfig)]
        if not found:
            raise NoCaptions(f"{path} is a pre-training of {config.step} without it, {_EXPECTED}")
        if not run.best_weights.exists():
            raise NoCaptions(f"{path} has no {run.best_weights.name} yet: finish its training")
        facts = json.loads((run.path / "tasks.json").read_text())["captioning"]
        vocabulary = Vocabulary.model_validate(facts["vocabulary"])
        task = CaptioningTask(found[0], vocabulary, mean=facts["mean"], std=facts["std"])
        backbone = build_backbone(BackboneConfig(name=config.backbone.name))
        head = task.head(backbone)
        load_parts(run.best_weights, {"backbone": backbone, "heads.captioning": head})
        return cls(backbone.eval(), head.eval(), task)

    def say(self, images: Iterable[Image.Image], *, beam: int) -> Iterator[str]:
        """A caption of each RGB image: greedy where `beam` is 1, else the best of a beam."""
        search = greedy_captions if beam == 1 else partial(beam_captions, width=beam)
        left = iter(images)
        while several := list(islice(left, _AT_ONCE)):
            pixels = np.stack([preprocess(image, self.task.fixed) for image in several])
            with torch.inference_mode():
                features = self.backbone(torch.from_numpy(pixels))[-1]
                said = search(self.head.decoder, features, max_words=self.task.config.max_words)
            yield from (self.task.vocabulary.decode(caption.words) for caption in said)

    def bleu(self, root: Path, split: Split, *, beam: int) -> dict[str, float]:
        """BLEU-1 to BLEU-4 on the images of `split` of its own data sets below `root`."""
        samples = [
            (dataset, sample)
            for dataset in open_corpus(self.task.config, root)
            for sample in dataset.subset(split)
            if sample.captions
        ]
        said = self.say((decoded(*each) for each in samples), beam=beam)
        return corpus_bleu(list(said), [sample.captions for _, sample in samples])

"""What a trained captioning head says of any picture, with a beam and without."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from models.preprocessing import preprocess
from tests.training.generated import content, finetune_config
from training.captioner import Captioner, NoCaptions
from training.config.presets import configured
from training.config.pretraining import PretrainConfig
from training.data.canonical import CanonicalDataset, Split
from training.data.decoding import decoded
from training.data.demo import write_demo
from training.launch import launch
from training.pretext.bleu import corpus_bleu
from training.pretext.caption_search import beam_captions, greedy_captions
from training.run import RunFolder

CAPTIONING = {
    "task": "captioning",
    "datasets": ["demo-pairs"],
    "batch_size": 16,
    "size": 64,
    "embedding": 16,
    "hidden": 32,
    "attention": 16,
    "min_count": 1,
}
CONFIG = {
    "recipe": "pretrain",
    "step": "perceiving",
    "backbone": {"name": "mobilenet_v2"},
    "tasks": [CAPTIONING],
    "epochs": 1,
    "steps_per_epoch": 20,
    "optimizer": {"name": "adamw", "learning_rate": 1e-3, "head_learning_rate": 1e-2},
    "compute": {"device": "cpu", "loader_workers": 0},
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpus")
    write_demo(root)
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> RunFolder:
    config = configured(CONFIG, origin="the test")
    assert isinstance(config, PretrainConfig)
    run = RunFolder(tmp_path_factory.mktemp("runs") / "perceiving")
    run.prepare(config)
    launch(run, datasets_root=corpus)
    return run


@pytest.fixture(scope="module")
def captioner(run: RunFolder) -> Captioner:
    return Captioner.open(run.path)


@pytest.fixture(scope="module")
def dataset(corpus: Path) -> CanonicalDataset:
    return CanonicalDataset.open(corpus / "demo-pairs")


def pictures(dataset: CanonicalDataset, count: int) -> list[Image.Image]:
    return [decoded(dataset, sample) for sample in dataset.subset(Split.VAL)[:count]]


def test_words_of_the_corpus_are_said_of_each_picture_in_order(
    captioner: Captioner, dataset: CanonicalDataset
) -> None:
    shown = pictures(dataset, 40)
    said = list(captioner.say(shown, beam=1))
    assert said == [words for one in shown for words in captioner.say([one], beam=1)]
    assert set(" ".join(said).split()) <= set(captioner.task.vocabulary.entries)


def test_it_is_the_trained_network(run: RunFolder, captioner: Captioner) -> None:
    kept, _ = content(run.best_weights)
    for part, name in ((captioner.backbone, "backbone"), (captioner.head, "heads.captioning")):
        for key, value in part.state_dict().items():
            assert torch.equal(value, kept[f"network.{name}.{key}"])
        assert not part.training


@pytest.mark.parametrize("beam", [1, 3])
def test_search_is_the_one_that_was_asked_for(
    captioner: Captioner, dataset: CanonicalDataset, beam: int
) -> None:
    [image] = pictures(dataset, 1)
    pixels = torch.from_numpy(preprocess(image, captioner.task.fixed))[None]
    features, most = captioner.backbone(pixels)[-1], captioner.task.config.max_words
    decoder = captioner.head.decoder
    found = beam_captions(decoder, features, width=beam, max_words=most)
    if beam == 1:
        found = greedy_captions(decoder, features, max_words=most)
    assert [*captioner.say([image], beam=beam)] == [
        captioner.task.vocabulary.decode(found[0].words)
    ]


def test_bleu_is_of_the_split_against_all_captions(
    captioner: Captioner, corpus: Path, dataset: CanonicalDataset
) -> None:
    samples = dataset.subset(Split.VAL)
    said = list(captioner.say((decoded(dataset, sample) for sample in samples), beam=1))
    expected = corpus_bleu(said, [sample.captions for sample in samples])
    assert captioner.bleu(corpus, Split.VAL, beam=1) == expected
    assert expected["bleu_1"] > 0


def test_the_corpus_need_not_be_there(run: RunFolder, captioner: Captioner) -> None:
    facts = json.loads((run.path / "tasks.json").read_text())["captioning"]
    assert captioner.task.vocabulary.model_dump(mode="json") == facts["vocabulary"]
    grey = Image.new("RGB", (50, 20), (90, 90, 90))
    assert len(list(captioner.say([grey], beam=2))) == 1


def test_another_run_says_nothing(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.prepare(finetune_config())
    with pytest.raises(NoCaptions, match=r"a run of finetune, expected a pre-training"):
        Captioner.open(tmp_path)


def test_an_unfinished_run_says_nothing(tmp_path: Path, run: RunFolder) -> None:
    unfinished = RunFolder(tmp_path)
    unfinished.prepare(run.config())
    with pytest.raises(NoCaptions, match=r"no best\.safetensors yet"):
        Captioner.open(tmp_path)

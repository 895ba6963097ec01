"""`sentiscope caption` on a run that was hardly trained."""

import re
from pathlib import Path

import pytest

from tests.sentiscope.command_line import PHOTOS, refusal, sentiscope
from tests.training.generated import finetune_config
from training.config.presets import configured
from training.data.demo import write_demo
from training.launch import launch
from training.run import RunFolder

CONFIG = {
    "recipe": "pretrain",
    "step": "perceiving",
    "backbone": {"name": "mobilenet_v2"},
    "tasks": [
        {
            "task": "captioning",
            "datasets": ["demo-pairs"],
            "batch_size": 8,
            "size": 32,
            "hidden": 32,
            "attention": 16,
            "min_count": 1,
        }
    ],
    "epochs": 1,
    "steps_per_epoch": 2,
    "compute": {"device": "cpu", "loader_workers": 0},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("captions")
    write_demo(root / "datasets")
    run = RunFolder(root / "run")
    run.prepare(configured(CONFIG, origin="the test"))
    launch(run, datasets_root=root / "datasets")
    return root


def test_each_image_is_named_with_what_is_said_of_it(root: Path) -> None:
    said = sentiscope("caption", root / "run", *PHOTOS)
    assert said.exit_code == 0
    files = [line.partition(": ")[0] for line in said.stdout.splitlines()]
    assert files == [str(photo) for photo in PHOTOS]


def test_bleu_of_a_split_is_told_in_four_orders(root: Path) -> None:
    options = ["--bleu", "val", "--beam", 1, "--datasets", root / "datasets"]
    said = sentiscope("caption", root / "run", *options)
    assert said.exit_code == 0
    names = re.findall(r"^(bleu_\d) [01]\.\d{4}$", said.stdout, flags=re.MULTILINE)
    assert names == ["bleu_1", "bleu_2", "bleu_3", "bleu_4"]


def test_what_cannot_be_done_is_said(root: Path, tmp_path: Path) -> None:
    assert "name images, or a split" in refusal("caption", root / "run")
    assert "no split 'all'" in refusal("caption", root / "run", "--bleu", "all")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    assert "broken.jpg cannot be read" in refusal("caption", root / "run", broken)
    RunFolder(tmp_path / "other").prepare(finetune_config())
    assert "a run of finetune" in refusal("caption", tmp_path / "other", PHOTOS[0])

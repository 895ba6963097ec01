"""Figures through a real service are the card's; other shapes do not change what is squashed."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.service_metrics import agrees, main
from bench.unsquash import LARGEST, LONGEST, unsquashed
from models.bundle import Bundle, write_manifest
from models.labels import LabelKind
from models.manifest import Precision
from models.runtime import Session
from tests.app.server import served
from tests.tiny_bundle import write_tiny_bundle
from tests.training.generated import NAME, write_colours
from training.config.datasets import DatasetConfig
from training.data.canonical import Split
from training.data.labelled import open_datasets
from training.evidence.measured import Figure, Measured
from training.scoring import score_bundle

KINDS = (LabelKind.SINGLE, LabelKind.MULTI, LabelKind.DISTRIBUTION)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Colours, and the tiny model with its figures on them in its card."""
    folder = tmp_path_factory.mktemp("service")
    write_colours(folder / "datasets", train=6, val=6, test=40)
    path = folder / "models" / "tiny" / "1"
    manifest = write_tiny_bundle(path)
    config = DatasetConfig(name=NAME, kinds=KINDS, multi_at_least=0.2)
    scored = score_bundle(
        Session.open(Bundle.open(path), precision=Precision.FP32),
        open_datasets([config], folder / "datasets"),
        Split.TEST,
        batch_size=8,
        workers=0,
    )
    write_manifest(path, manifest.model_copy(update={"evaluations": tuple(scored)}))
    return folder


def run(place: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    fixed = ["--dataset", NAME, "--datasets", str(place / "datasets"), "--multi-at-least", "0.2"]
    chosen = ["--model", "tiny@1", "--models", str(place / "models"), "--kinds", *KINDS]
    monkeypatch.setattr("sys.argv", ["bench.service_metrics", *fixed, *chosen, *options])
    return main()


def differences(table: str) -> list[float]:
    return [float(line.split()[-1]) for line in table.splitlines()[1:]]


def test_the_service_reproduces_every_figure_of_the_card(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(place) as server:
        assert run(place, monkeypatch, "--url", server.url, "--within", "1e-4") == 0
    table = capsys.readouterr().out
    assert table.startswith("tiny@1, 40 images of colours\n")
    assert len(differences(table)) == 18  # 2 of single (no polarity), 7 of multi, 9 of distribution
    assert all(abs(found) <= 1e-4 for found in differences(table))


def test_a_model_here_bears_other_shapes_that_it_squashes_anyway(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = place / "kept" / "stretched.json"
    assert run(place, monkeypatch, "--unsquash", "3", "--keep", str(file)) == 0
    found = differences(capsys.readouterr().out)
    kept = Measured.read(file)
    assert (kept.model, kept.stretched, kept.through_service) == ("tiny@1", 3, False)
    assert [each.difference for each in kept.figures] == pytest.approx(found, abs=1e-4)
    assert any(found)  # other pixels
    assert all(abs(each) < 0.1 for each in found)


def test_figures_of_another_model_do_not_agree(
    place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    manifest = Bundle.open(place / "models" / "tiny" / "1").manifest
    worse = [
        each.model_copy(update={"metrics": {k: v + 0.02 for k, v in each.metrics.items()}})
        for each in manifest.evaluations
    ]
    write_tiny_bundle(tmp_path / "tiny" / "1")
    changed = manifest.model_copy(update={"evaluations": tuple(worse)})
    write_manifest(tmp_path / "tiny" / "1", changed)
    assert run(place, monkeypatch, "--models", str(tmp_path)) == 1


def test_all_figures_have_to_agree_with_one_graph() -> None:
    def figure(measured: float, precision: str, card: float) -> Figure:
        return Figure(
            output=LabelKind.SINGLE,
            metric="top1",
            measured=measured,
            precision=precision,
            card=card,
        )

    apart = [figure(0.6, "fp32", 0.62), figure(0.6, "int8", 0.602)]
    assert agrees(apart, within=0.005)
    assert not agrees([*apart, figure(0.5, "int8", 0.51)], within=0.005)
    assert agrees([figure(3.53, "fp32", 3.54)], within=0.005)  # a hundredth of 3.54
    assert not agrees([], within=0.005)


def test_shapes_and_sizes_are_drawn_within_their_limits_and_from_the_seed() -> None:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((64, 64)).save(stream, "PNG")
    sizes = []
    for seed in range(30):
        content = unsquashed(stream.getvalue(), np.random.default_rng(seed))
        assert content == unsquashed(stream.getvalue(), np.random.default_rng(seed))
        with Image.open(io.BytesIO(content)) as image:
            sizes.append(image.size)
    ratios = [width / height for width, height in sizes]
    sides = [np.sqrt(width * height) / 64 for width, height in sizes]
    assert 1 / LONGEST - 0.05 <= min(ratios) < 0.7 < 1.4 < max(ratios) <= LONGEST + 0.05
    assert 0.98 <= min(sides) < 1.5 < 3 < max(sides) <= LARGEST + 0.05

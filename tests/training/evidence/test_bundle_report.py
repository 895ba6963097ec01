"""From a bundle to its part of the page: every figure out of the files that were kept."""

import json
from pathlib import Path

import pytest
from PIL import Image

from models.bundle import Bundle
from models.labels import LabelKind
from models.manifest import Precision
from models.runtime import Session
from tests.tiny_bundle import write_tiny_bundle
from tests.training.generated import NAME, write_colours
from training.evidence.__main__ import main
from training.evidence.bundle_metrics import BundleMetrics
from training.evidence.measured import Figure, Measured
from training.evidence.photos import PHOTOS, PhotoAnswer, photo_answers
from training.evidence.report import BEGIN, END

KINDS = [str(kind) for kind in LabelKind]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Colours, the tiny model, and what the command `score` keeps of it."""
    folder = tmp_path_factory.mktemp("bundle")
    write_colours(folder / "datasets", train=6, val=6, test=40)
    write_tiny_bundle(folder / "models" / "tiny" / "1")
    config = {
        "recipe": "evaluate",
        "bundle": str(folder / "models" / "tiny" / "1"),
        "datasets": [{"name": NAME, "kinds": KINDS, "multi_at_least": 0.2}],
        "compute": {"loader_workers": 0},
    }
    (folder / "evaluate.yaml").write_text(json.dumps(config), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # run folders lie below var/ here
        assert main(["score", "evaluate.yaml", "--datasets=datasets", "--to=evidence"]) == 0
    return folder


@pytest.fixture
def page(place: Path) -> str:
    """What the command `report` makes of it."""
    measured = Measured(
        model="tiny@1",
        dataset="colours",
        images=40,
        through_service=True,
        stretched=None,
        code_version="1",
        figures=(
            Figure(
                output=LabelKind.SINGLE, metric="top1", measured=0.75, precision="fp32", card=0.5
            ),
        ),
    )
    measured.write(place / "evidence" / "tiny@1" / "measured" / "service.json")
    file = place / "results.md"
    file.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    assert main(["report", f"--evidence={place / 'evidence'}", f"--page={file}"]) == 0
    return file.read_text(encoding="utf-8")


def test_the_metrics_file_says_what_it_is_of(place: Path) -> None:
    found = BundleMetrics.read(place / "evidence" / "tiny@1" / "metrics.json")
    bundle = Bundle.open(place / "models" / "tiny" / "1")
    assert (found.label, found.digest) == ("tiny@1", bundle.digest)
    assert [str(each.output) for each in found.evaluations] == KINDS
    assert found.labels[LabelKind.SINGLE].names == ("red", "green", "blue")
    assert found.config["datasets"][0]["name"] == NAME


def test_every_figure_of_the_metrics_file_is_on_the_page(place: Path, page: str) -> None:
    found = BundleMetrics.read(place / "evidence" / "tiny@1" / "metrics.json")
    assert "# tiny@1" in page
    for each in found.evaluations:
        assert each.detail is not None
        assert f"## {each.output} on {each.dataset}" in page
        assert each.protocol in page
        for value in each.metrics.values():
            assert f"| {value:.4f} |" in page
        for place_, label in enumerate(found.labels[each.output].names):
            figures = each.detail.per_label["f1"][place_]
            assert any(
                line.startswith(f"| {label} |") and f" {figures:.3f} " in line
                for line in page.splitlines()
            )
        assert f"{each.detail.calibration.error:.3f}" in page


def test_pictures_of_the_page_are_there(place: Path, page: str) -> None:
    shown = [part.partition(")")[0] for part in page.split("](")[1:]]
    assert len(shown) == 1 + 2 + 3 + 3 + len([photo for photo in PHOTOS if photo.licence])
    assert all((place / link).is_file() for link in shown)


def test_what_was_measured_another_way_stands_beside_the_card(page: str) -> None:
    assert "**By a running service**, 40 images of colours:" in page
    assert "| output | metric | measured | card, fp32 |" in page
    assert "| single | top-1 ↑ | 0.7500 | 0.5000 (+0.2500) |" in page


def test_a_photo_is_told_with_its_scores_and_shown_if_its_licence_allows(page: str) -> None:
    lines = {line.split("<br>")[-1].split(" (")[0]: line for line in page.splitlines()}
    assert "](evidence/tiny@1/photos/chelsea.jpg)" in lines["a cat at rest"]
    hidden = next(line for line in page.splitlines() if "the Moon's surface" in line)
    assert "no licence is stated" in hidden
    assert "](" not in hidden


def test_photos_and_heatmaps_are_small_enough_to_be_kept(place: Path, tmp_path: Path) -> None:
    default = Path("models/store/default/2")
    session = Session.open(Bundle.open(default), precision=Precision.FP32)
    answers = list(photo_answers(session, tmp_path))
    labels = session.manifest.outputs[0].labels.names
    assert [each.name for each in answers] == [photo.name for photo in PHOTOS]
    for photo, answer in zip(PHOTOS, answers, strict=True):
        assert answer.expected == photo.expected  # all of them labels of the default model
        assert {*answer.scores} == {*labels}
        assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-3)
    files = sorted(tmp_path.iterdir())
    assert [file.stem for file in files] == sorted(p.name for p in PHOTOS if p.licence)
    assert max(file.stat().st_size for file in files) < 60_000
    assert sum(file.stat().st_size for file in files) < 400_000
    with Image.open(tmp_path / "chelsea.jpg") as both:
        assert both.width > 2 * both.height


def answer(scores: dict[str, float], *expected: str) -> PhotoAnswer:
    return PhotoAnswer(name="a", shows="b", expected=expected, licence=None, scores=scores)


def test_a_verdict_says_whether_the_first_label_was_expected_and_how_firm_it_is() -> None:
    assert answer({"awe": 0.7, "fear": 0.3}, "awe").verdict == "as expected, firm"
    assert answer({"awe": 0.4, "fear": 0.3}, "fear", "anger").verdict == "**wrong**, unsure"
    assert answer({"awe": 0.5, "fear": 0.5}).verdict == "firm"


def test_a_configuration_of_a_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yaml").write_text(
        "{recipe: evaluate, run: x, datasets: [{name: a, kinds: [single]}]}", encoding="utf-8"
    )
    assert main(["score", str(tmp_path / "c.yaml")]) == 1
    assert "expected a configuration of the recipe 'evaluate' that names" in capsys.readouterr().err

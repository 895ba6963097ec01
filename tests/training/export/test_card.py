"""The model card says what the manifest says, and its snippet runs."""

import re
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image

from models.bundle import Bundle
from models.labels import LabelKind
from models.manifest import (
    Ancestor,
    Bin,
    Calibration,
    DatasetLineage,
    Detail,
    Evaluation,
    Gate,
    GraphFile,
    Lineage,
    Manifest,
    Precision,
)
from models.preprocessing import Interpolation, Preprocessing, Resize, preprocess
from models.runtime import Session
from sentiscope.local import LocalModel
from sentiscope.service.prediction import Prediction
from tests.tiny_bundle import SIDE, tiny_graph, tiny_outputs, write_tiny_bundle
from training.export.card import model_card

PHOTOS = Path(skimage.__file__).parent / "data"
SPECS = {
    "squash": Preprocessing(size=SIDE, mean=(0.2, 0.3, 0.4), std=(0.5, 0.6, 0.7)),
    "bicubic": Preprocessing(
        size=SIDE, interpolation=Interpolation.BICUBIC, mean=(0, 0, 0), std=(1, 1, 1)
    ),
    "crop": Preprocessing(size=24, crop=SIDE, mean=(0, 0, 0), std=(1, 1, 1)),
    "shorter side": Preprocessing(
        resize=Resize.SHORTER_SIDE, size=24, crop=SIDE, mean=(0.5, 0.5, 0.5), std=(0.1, 0.1, 0.1)
    ),
}


def evaluation(kind: LabelKind, precision: Precision, **metrics: float) -> Evaluation:
    return Evaluation(
        output=kind,
        dataset="FI",
        split="test",
        protocol="FI, test split",
        images=3156,
        precision=precision,
        metrics=metrics,
    )


def gate(name: str, passed: bool) -> Gate:
    return Gate(name=name, passed=passed, measured={"kl": 0.01234}, limits={"kl": 0.01})


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Of a bundle with both precisions, two of three outputs scored, and two parents."""
    made = write_tiny_bundle(tmp_path / "1")
    int8 = GraphFile(precision=Precision.INT8, file="model.int8.onnx", sha256="1" * 64, size=9)
    lineage = Lineage(
        code_version="0.1.0+gabc",
        backbone="resnet18",
        config={},
        datasets=(
            DatasetLineage(name="FI", digest="d" * 64, terms="Research only."),
            DatasetLineage(name="Mine", digest="e" * 64),
        ),
        weights_sha256="a" * 64,
        parents=("r18.pth sha256:ff", "other"),
    )
    single, multi = LabelKind.SINGLE, LabelKind.MULTI
    evaluations = (
        evaluation(single, Precision.FP32, top1=0.61234, macro_f1=0.5),
        evaluation(multi, Precision.FP32, micro_f1=0.25),
        evaluation(single, Precision.INT8, top1=0.60987, macro_f1=0.49),
    )
    changes = {
        "graphs": (*made.graphs, int8),
        "evaluations": evaluations,
        "gates": (gate("fp32_parity", True), gate("int8", True)),
        "lineage": lineage,
    }
    return made.model_copy(update=changes)


def section(card: str, title: str) -> str:
    """What stands below one heading."""
    return card.partition(f"## {title}\n")[2].partition("\n## ")[0].strip()


def code(card: str) -> str:
    """The one code block of a card."""
    (block,) = re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL)
    return str(block)


def test_card_opens_with_the_name_and_the_notes(manifest: Manifest) -> None:
    assert model_card(manifest, "\nSome *notes*.\n\n").startswith(
        "# tiny, version 1\n\nSome *notes*.\n\n## What it says\n"
    )


def test_card_without_notes_has_no_gap(manifest: Manifest) -> None:
    assert model_card(manifest, "").startswith("# tiny, version 1\n\n## What it says\n")


def test_card_names_labels_in_order_with_temperatures_and_thresholds(manifest: Manifest) -> None:
    outputs = (manifest.outputs[0].model_copy(update={"temperature": 1.2345}), manifest.outputs[1])
    card = model_card(manifest.model_copy(update={"outputs": outputs}), "")
    said = section(card, "What it says")
    assert said.count("Labels in the order of the scores: red, green, blue.") == 2
    assert "Calibrated with temperature 1.234." in said or "temperature 1.235." in said
    assert "Selected from: red 0.600, green 0.600, blue 0.600." in said
    assert "**distribution**" not in said


def test_card_has_a_table_for_each_output_with_a_column_for_each_precision(
    manifest: Manifest,
) -> None:
    assert section(model_card(manifest, ""), "How good it is") == "\n".join(
        [
            "**single** on 3156 images. Protocol: FI, test split.",
            "",
            "| metric | fp32 | int8 |",
            "| --- | --- | --- |",
            "| top1 | 0.6123 | 0.6099 |",
            "| macro_f1 | 0.5000 | 0.4900 |",
            "",
            "**multi** on 3156 images. Protocol: FI, test split.",
            "",
            "| metric | fp32 |",
            "| --- | --- |",
            "| micro_f1 | 0.2500 |",
            "",
            "How figures are made and compared: `docs/protocol.md` of Sentiscope; what else is "
            "known of its models: `docs/results.md`.",
        ]
    )


def test_card_tells_figures_by_label_and_calibration_where_the_manifest_has_them(
    manifest: Manifest,
) -> None:
    behind = Detail(
        per_label={"recall": (0.5, 0.25, 1.0), "images": (2.0, 4.0, 1.0)},
        calibration=Calibration(
            bins=(
                Bin(cases=3, confidence=0.4, accuracy=0.5),
                Bin(cases=4, confidence=0.9, accuracy=1),
            ),
            error=0.0123,
        ),
        uncalibrated=Calibration(bins=(Bin(cases=7, confidence=0.9, accuracy=0.8),), error=0.1),
    )
    first, *others = manifest.evaluations
    detailed = (first.model_copy(update={"detail": behind}), *others)
    card = model_card(manifest.model_copy(update={"evaluations": detailed}), "")
    assert section(card, "How good it is").split("\n\n")[2:6] == [
        "By label (fp32):",
        "| label | recall | images |\n| --- | --- | --- |\n"
        "| red | 0.500 | 2 |\n| green | 0.250 | 4 |\n| blue | 1.000 | 1 |",
        "Expected calibration error (the first label's probability, and how often it is right): "
        "after calibration 0.012, before it 0.100.",
        "| stated | 0.40 | 0.90 |\n| --- | --- | --- |\n| held | 0.50 | 1.00 |\n| cases | 3 | 4 |",
    ]


def test_card_says_what_its_numbers_do_not(manifest: Manifest) -> None:
    two = manifest.model_copy(update={"outputs": manifest.outputs[:2]})
    said = section(model_card(two, ""), "What the numbers do not say")
    assert "other viewers and cultures" in said
    assert "- **multi**: " in said
    assert "- **distribution**: " not in said  # this model has none


def test_card_says_that_nothing_was_evaluated(manifest: Manifest) -> None:
    bare = manifest.model_copy(update={"evaluations": (), "gates": ()})
    assert section(model_card(bare, ""), "How good it is") == "Not evaluated."
    assert section(model_card(bare, ""), "Checks before publication") == "None."


def test_card_tells_what_each_gate_measured(manifest: Manifest) -> None:
    assert section(model_card(manifest, ""), "Checks before publication") == (
        "- `fp32_parity` passed: kl 0.0123 (limits: kl 0.01).\n"
        "- `int8` passed: kl 0.0123 (limits: kl 0.01)."
    )


def test_card_says_that_int8_failed_and_is_not_shipped(manifest: Manifest) -> None:
    changes = {"graphs": manifest.graphs[:1], "gates": (gate("int8", False),)}
    checks = section(
        model_card(manifest.model_copy(update=changes), ""), "Checks before publication"
    )
    assert "- `int8` failed: " in checks
    assert checks.endswith("- This bundle ships float32 alone.")


def test_card_names_parents_data_and_their_terms(manifest: Manifest) -> None:
    said = section(model_card(manifest, ""), "Where it comes from")
    assert "Backbone resnet18, from r18.pth sha256:ff, other." in said
    assert "Code 0.1.0+gabc; weights sha256 aaaaaaaaaaaa; made 2026-01-01." in said
    assert f"- Data: FI, digest {'d' * 12}. Terms: Research only." in said
    assert f"- Data: Mine, digest {'e' * 12}. Terms: not stated" in said


def test_card_names_the_data_of_earlier_runs_once(manifest: Manifest) -> None:
    scenes = DatasetLineage(name="Scenes", digest="b" * 64, terms="Free.")
    runs = tuple(Ancestor(run=name, config={}, datasets=(scenes,)) for name in ("one", "two"))
    told = manifest.lineage.model_copy(update={"ancestors": runs})
    said = section(
        model_card(manifest.model_copy(update={"lineage": told}), ""), "Where it comes from"
    )
    assert said.count(f"- Pre-training data: Scenes, digest {'b' * 12}. Terms: Free.") == 1


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_snippet_gives_the_services_numbers_for_a_real_photo(
    spec: Preprocessing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = tiny_outputs(bias=(0.1, 0.2, 0.3))
    made = write_tiny_bundle(tmp_path, outputs=outputs, graph=tiny_graph(outputs))
    manifest = made.model_copy(update={"preprocessing": spec})
    (tmp_path / "photo.jpg").write_bytes((PHOTOS / "rocket.jpg").read_bytes())
    monkeypatch.chdir(tmp_path)
    found: dict[str, object] = {}
    exec(code(model_card(manifest, "")), found)

    with Image.open(PHOTOS / "rocket.jpg") as photo:
        pixels = preprocess(photo.convert("RGB"), spec)
    bundle = Bundle(tmp_path, manifest, "")
    expected = Session.open(bundle).run(pixels[None])["single"][0]
    assert expected.std() > 0.01
    np.testing.assert_allclose(np.asarray(found["scores"]), expected, rtol=0, atol=1e-6)


def test_snippet_of_an_exported_bundle_prints_what_predict_answers(
    bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = (PHOTOS / "astronaut.png").read_bytes()
    (tmp_path / "photo.jpg").write_bytes(content)
    (tmp_path / "model.onnx").symlink_to(bundle.path / "model.onnx")
    monkeypatch.chdir(tmp_path)
    exec(code(bundle.card()), {})
    answer = LocalModel.of(Session.open(bundle)).predict(content)
    assert isinstance(answer, Prediction)
    assert answer.single
    scores = {score.label: round(score.score, 3) for score in answer.single.scores}
    labels = bundle.manifest.outputs[0].labels.names
    assert capsys.readouterr().out == f"{ {label: scores[label] for label in labels} }\n"

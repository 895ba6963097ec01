"""Every bundle that comes with the code, on real photos; `default` has to be among them."""

from pathlib import Path

import numpy as np
import pytest
import skimage
from numpy.typing import NDArray
from PIL import Image
from scipy.special import expit, softmax

from models.bundle import Bundle
from models.labels import LabelKind
from models.manifest import Precision
from models.pixels import as_rgb
from models.preprocessing import preprocess
from models.registry import PRODUCTION, SHIPPED, Registry
from models.runtime import Session

MAX_BYTES = 25_000_000
PHOTOS = [
    Path(skimage.__file__).parent / "data" / name
    for name in ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png")
]
FOLDERS = sorted(SHIPPED.glob("*/[0-9]*"))
PRECISIONS = [
    (folder, precision)
    for folder in FOLDERS
    for precision, file in ((Precision.FP32, "model.onnx"), (Precision.INT8, "model.int8.onnx"))
    if (folder / file).exists()
]

Arrays = dict[str, NDArray[np.float32]]


def named(value: object) -> str:
    """`default/1`, or the precision."""
    return "/".join(value.parts[-2:]) if isinstance(value, Path) else str(value)


EVERY_BUNDLE = pytest.mark.parametrize("folder", FOLDERS, ids=named)
EVERY_GRAPH = pytest.mark.parametrize(("folder", "precision"), PRECISIONS, ids=named)


def shipped(tmp_path: Path) -> Registry:
    """What is there before anything was made on this machine."""
    return Registry(tmp_path / "none")


def opened(folder: Path, precision: Precision) -> Session:
    """One of a bundle's graphs."""
    return Session.open(Bundle.open(folder), precision=precision, threads=1)


def photos(session: Session) -> NDArray[np.float32]:
    """All photos as the model sees them."""
    spec = session.manifest.preprocessing
    shown = []
    for path in PHOTOS:
        with Image.open(path) as photo:
            shown.append(preprocess(as_rgb(photo), spec))
    return np.stack(shown)


def test_default_is_shipped_in_production(tmp_path: Path) -> None:
    assert "default" in shipped(tmp_path).names()
    assert PRODUCTION in shipped(tmp_path).aliases("default")
    assert shipped(tmp_path).open("default").manifest.name == "default"


def test_default_has_all_three_outputs(tmp_path: Path) -> None:
    outputs = shipped(tmp_path).open("default").manifest.outputs
    assert [output.kind for output in outputs] == list(LabelKind)


@EVERY_BUNDLE
def test_bundle_verifies_and_is_what_its_folder_says(folder: Path) -> None:
    bundle = Bundle.open(folder)
    assert bundle.label == f"{folder.parent.name}@{folder.name}"


@EVERY_BUNDLE
def test_bundle_is_small_enough_to_be_shipped(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MAX_BYTES


@EVERY_BUNDLE
def test_every_float32_gate_passed_and_int8_is_shipped_only_if_its_did(folder: Path) -> None:
    manifest = Bundle.open(folder).manifest
    gates = {gate.name: gate.passed for gate in manifest.gates}
    assert gates["fp32_parity"]
    assert gates["maps_are_exact"]
    assert gates.get("int8", False) is (manifest.graph(Precision.INT8) is not None)


@EVERY_GRAPH
def test_scores_of_photos_are_probabilities(folder: Path, precision: Precision) -> None:
    session = opened(folder, precision)
    found = session.run(photos(session))
    assert set(session.output_names) == set(found)
    for output in session.manifest.outputs:
        scores = found[output.scores_name]
        assert scores.shape == (len(PHOTOS), len(output.labels))
        assert scores.min() >= 0
        assert scores.max() <= 1
        assert scores.std(axis=0).max() > 0.01  # photos are told apart
        if output.kind is not LabelKind.MULTI:
            np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


@EVERY_GRAPH
def test_a_photo_has_the_same_numbers_alone_and_in_a_batch(
    folder: Path, precision: Precision
) -> None:
    session = opened(folder, precision)
    images = photos(session)
    names = [output.scores_name for output in session.manifest.outputs]
    together = session.run(images, names)
    for at in range(len(images)):
        for name, alone in session.run(images[at : at + 1], names).items():
            np.testing.assert_allclose(alone[0], together[name][at], rtol=0, atol=1e-4)


@EVERY_GRAPH
def test_mean_of_a_map_plus_the_bias_is_the_logit(folder: Path, precision: Precision) -> None:
    session = opened(folder, precision)
    found = session.run(photos(session))
    for output in session.manifest.outputs:
        means = found[output.map_name].astype(np.float64).mean(axis=(2, 3))
        logits = (means + np.asarray(output.bias)) / output.temperature
        rebuilt = expit(logits) if output.kind is LabelKind.MULTI else softmax(logits, axis=1)
        np.testing.assert_allclose(rebuilt, found[output.scores_name], rtol=0, atol=1e-4)


@EVERY_BUNDLE
def test_int8_says_about_what_float32_says(folder: Path) -> None:
    bundle = Bundle.open(folder)
    if bundle.manifest.graph(Precision.INT8) is None:
        pytest.skip("ships float32 alone")
    fp32, int8 = (opened(folder, precision) for precision in Precision)
    images = photos(fp32)
    names = [output.scores_name for output in bundle.manifest.outputs]
    reference, found = fp32.run(images, names), int8.run(images, names)
    for name in names:
        assert np.abs(reference[name] - found[name]).mean() < 0.05


@EVERY_BUNDLE
def test_every_output_was_scored_on_a_test_split(folder: Path) -> None:
    manifest = Bundle.open(folder).manifest
    scored = {(each.output, each.precision, each.split) for each in manifest.evaluations}
    assert scored == {
        (output.kind, graph.precision, "test")
        for output in manifest.outputs
        for graph in manifest.graphs
    }


@EVERY_BUNDLE
def test_card_holds_the_figures_of_the_manifest(folder: Path) -> None:
    bundle = Bundle.open(folder)
    card = bundle.card()
    for evaluation in bundle.manifest.evaluations:
        assert f"**{evaluation.output}** on {evaluation.images} images." in card
        for name, value in evaluation.metrics.items():
            row = next(
                line
                for line in card.partition(f"**{evaluation.output}** on")[2].splitlines()
                if line.startswith(f"| {name} |")
            )
            assert f" {value:.4f} " in row


@EVERY_BUNDLE
def test_bundle_names_no_path_of_the_machine_it_was_made_on(folder: Path) -> None:
    texts = [(folder / name).read_text(encoding="utf-8") for name in ("manifest.json", "README.md")]
    assert not [text for text in texts if "/work/" in text or "/home/" in text or "/root/" in text]

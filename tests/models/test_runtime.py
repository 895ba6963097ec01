import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from math import exp
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.bundle import Bundle, PrecisionMissing
from models.labels import LabelKind
from models.manifest import Precision
from models.preprocessing import preprocess
from models.runtime import (
    Provider,
    ProviderUnavailable,
    Session,
    WrongInput,
    demand,
    run_bound,
    run_plain,
)
from tests.tiny_bundle import KINDS, SPEC, tiny_outputs, write_tiny_bundle

ROOT = Path(__file__).parents[2]
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
NAMES = (*(kind.value for kind in KINDS), *(f"{kind.value}_map" for kind in KINDS))
Images = NDArray[np.float32]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """The tiny model: the logit of a colour is its channel's mean."""
    write_tiny_bundle(tmp_path / "tiny" / "1")
    return Session.open(Bundle.open(tmp_path / "tiny" / "1"), threads=1)


def _noise(count: int) -> Images:
    return np.random.default_rng(7).random((count, 3, 16, 16), dtype=np.float32)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-logits)))


ACTIVATIONS = {
    LabelKind.SINGLE: _softmax,
    LabelKind.MULTI: _sigmoid,
    LabelKind.DISTRIBUTION: _softmax,
}


@pytest.mark.parametrize(("place", "colour"), [(0, RED), (1, GREEN), (2, BLUE)])
def test_scores_of_one_colour_are_as_worked_out_by_hand(
    session: Session, place: int, colour: tuple[int, int, int]
) -> None:
    image = preprocess(Image.new("RGB", (50, 20), colour), SPEC)
    found = session.run(image[None])
    # The logits are 1 for the colour and 0 for the two others.
    shares, chances = np.full(3, 1 / (exp(1) + 2)), np.full(3, 0.5)
    shares[place], chances[place] = exp(1) / (exp(1) + 2), 1 / (1 + exp(-1))
    np.testing.assert_allclose(found["single"], [shares], atol=1e-6)
    np.testing.assert_allclose(found["distribution"], [shares], atol=1e-6)
    np.testing.assert_allclose(found["multi"], [chances], atol=1e-6)


def test_map_shows_where_the_colour_is(session: Session) -> None:
    image = Image.new("RGB", (16, 16), RED)
    image.paste(BLUE, (8, 0, 16, 16))
    found = session.run(preprocess(image, SPEC)[None], ["single_map"])["single_map"]
    left, none, right = [[1, 0], [1, 0]], [[0, 0], [0, 0]], [[0, 1], [0, 1]]
    np.testing.assert_allclose(found, [[left, none, right]], atol=1e-6)


def test_all_outputs_come_with_name_type_and_shape(session: Session) -> None:
    found = session.run(_noise(2))
    assert tuple(found) == session.output_names == NAMES
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}
    assert [found[kind.value].shape for kind in KINDS] == [(2, 3)] * 3
    assert [found[f"{kind.value}_map"].shape for kind in KINDS] == [(2, 3, 2, 2)] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_mean_of_the_map_plus_the_bias_is_the_logit(tmp_path: Path, kind: LabelKind) -> None:
    (output,) = outputs = tiny_outputs([kind], bias=(0.5, -1.0, 2.0))
    write_tiny_bundle(tmp_path, outputs=outputs)
    found = Session.open(Bundle.open(tmp_path), threads=1).run(_noise(4))
    logits = found[output.map_name].astype(np.float64).mean(axis=(2, 3)) + np.array(output.bias)
    np.testing.assert_allclose(found[output.scores_name], ACTIVATIONS[kind](logits), atol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_scores_do_not_depend_on_the_size_of_the_batch(session: Session, size: int) -> None:
    images = _noise(5)
    together = session.run(images)
    parts = [session.run(images[start : start + size]) for start in range(0, 5, size)]
    for name in NAMES:
        joined = np.concatenate([part[name] for part in parts])
        np.testing.assert_allclose(joined, together[name], atol=1e-6)


@pytest.mark.parametrize("names", [n for k in (0, 1, 2) for n in combinations(NAMES, k)], ids=str)
def test_only_the_outputs_asked_for_come_and_they_are_the_same(
    session: Session, names: tuple[str, ...]
) -> None:
    wanted = names[::-1]
    images = _noise(2)
    found, everything = session.run(images, wanted), session.run(images)
    assert tuple(found) == wanted
    for name in wanted:
        np.testing.assert_array_equal(found[name], everything[name])


def test_memory_layout_of_the_images_does_not_matter(session: Session) -> None:
    images = _noise(3)
    expected = session.run(images)["multi"]
    strided = np.repeat(images, 2, axis=0)[::2]
    for same in (np.asfortranarray(images), strided):
        assert not same.flags.c_contiguous
        np.testing.assert_array_equal(session.run(same)["multi"], expected)


def test_several_threads_at_once_get_the_answers_of_one(session: Session) -> None:
    images = _noise(8)
    expected = [session.run(images[i : i + 1])["single"] for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: session.run(images[i % 8][None])["single"], range(160)))
    for place, scores in enumerate(found):
        np.testing.assert_array_equal(scores, expected[place % 8])


@pytest.mark.parametrize(
    "shape",
    [(0, 3, 16, 16), (3, 16, 16), (1, 1, 16, 16), (1, 16, 16, 3), (1, 3, 16, 17), (1, 3, 16), ()],
    ids=str,
)
def test_an_array_of_another_shape_is_refused_with_both_shapes(
    session: Session, shape: tuple[int, ...]
) -> None:
    with pytest.raises(WrongInput) as caught:
        session.run(np.zeros(shape, np.float32))
    assert "(3, 16, 16)" in str(caught.value)
    assert str(caught.value).endswith(f"got {shape}")


@pytest.mark.parametrize("dtype", ["float64", "float16", "uint8", ">f4"])
def test_an_array_of_another_type_is_refused(session: Session, dtype: str) -> None:
    with pytest.raises(WrongInput, match="expected float32 images, got"):
        session.run(np.zeros((1, 3, 16, 16), dtype))


def test_precision_that_the_bundle_lacks_is_refused(session: Session) -> None:
    with pytest.raises(PrecisionMissing, match="tiny@1 has no int8 graph"):
        Session.open(session.bundle, precision=Precision.INT8)


def test_session_tells_what_it_runs_and_where(session: Session) -> None:
    assert (session.precision, session.provider) == (Precision.FP32, Provider.CPU)
    assert session.manifest is session.bundle.manifest


@pytest.mark.parametrize("size", [1, 5])
def test_a_run_with_bound_arrays_gives_the_numbers_of_a_plain_one(
    session: Session, size: int
) -> None:
    names = ("multi_map", "single")
    strided = np.repeat(_noise(size), 2, axis=0)[::2]
    found = run_bound(session._session, strided, names)
    assert tuple(found) == names
    for name, expected in run_plain(session._session, _noise(size), names).items():
        np.testing.assert_array_equal(found[name], expected)


def test_the_cpu_is_always_there() -> None:
    demand(Provider.CPU)


@pytest.mark.skipif(
    "CUDAExecutionProvider" in ort.get_available_providers(), reason="ONNX Runtime has CUDA"
)
def test_cuda_that_is_demanded_and_not_there_is_told() -> None:
    with pytest.raises(ProviderUnavailable, match="cannot use cuda here"):
        demand(Provider.CUDA)


@pytest.mark.skipif(
    "CUDAExecutionProvider" in ort.get_available_providers(), reason="ONNX Runtime has CUDA"
)
def test_cuda_is_never_replaced_by_the_cpu_in_silence(session: Session) -> None:
    with pytest.raises(ProviderUnavailable) as caught:
        Session.open(session.bundle, provider=Provider.CUDA)
    assert "cannot use cuda here (available: cpu)" in str(caught.value)
    assert "install the 'gpu' extra" in str(caught.value)


@pytest.mark.cuda
@pytest.mark.skipif(
    "CUDAExecutionProvider" not in ort.get_available_providers(), reason="ONNX Runtime lacks CUDA"
)
def test_cuda_gives_the_scores_of_the_cpu(session: Session) -> None:
    images = _noise(5)
    found = Session.open(session.bundle, provider=Provider.CUDA).run(images)
    for name, expected in session.run(images).items():
        np.testing.assert_allclose(found[name], expected, atol=1e-4)


def test_use_is_not_reported_to_others(tmp_path: Path) -> None:
    """ONNX Runtime writes an id to report under as soon as it is imported, unless told not to."""
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    program = "from models.runtime import Provider, demand; demand(Provider.CPU)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=home, check=True)
    assert list(tmp_path.iterdir()) == []

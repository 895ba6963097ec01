from pathlib import Path

import pytest

from models.bundle import Bundle, PrecisionMissing, file_sha256, write_manifest
from models.manifest import GraphFile, Precision
from models.runtime import Provider, Session
from models.selection import Choice, Timer, open_session, speedup
from tests.tiny_bundle import write_tiny_bundle


@pytest.fixture
def plain(tmp_path: Path) -> Bundle:
    """A bundle with a float32 graph alone."""
    write_tiny_bundle(tmp_path / "plain")
    return Bundle.open(tmp_path / "plain")


@pytest.fixture
def both(tmp_path: Path) -> Bundle:
    """A bundle that has an INT8 graph too (by its manifest: the arithmetic does not matter)."""
    folder = tmp_path / "both"
    manifest = write_tiny_bundle(folder)
    file = folder / "model.int8.onnx"
    file.write_bytes((folder / "model.onnx").read_bytes())
    graph = GraphFile(
        precision=Precision.INT8,
        file=file.name,
        sha256=file_sha256(file),
        size=file.stat().st_size,
    )
    write_manifest(folder, manifest.model_copy(update={"graphs": (*manifest.graphs, graph)}))
    return Bundle.open(folder)


def _timer(**seconds: float) -> Timer:
    return lambda session: seconds[session.precision]


def _precision(bundle: Bundle, choice: Choice, timer: Timer) -> Precision:
    opened = open_session(bundle, choice, provider=Provider.CPU, threads=1, timer=timer)
    return opened.precision


@pytest.mark.parametrize(
    ("int8_s", "precision"),
    [
        (0.2, Precision.INT8),
        (0.9, Precision.INT8),
        (0.95, Precision.FP32),
        (1.0, Precision.FP32),
        (3.0, Precision.FP32),
    ],
)
def test_int8_runs_where_it_is_clearly_faster(
    both: Bundle, int8_s: float, precision: Precision
) -> None:
    assert _precision(both, Choice.AUTO, _timer(fp32=1.0, int8=int8_s)) is precision


def test_a_bundle_without_int8_is_not_measured(plain: Bundle) -> None:
    assert _precision(plain, Choice.AUTO, _timer()) is Precision.FP32


@pytest.mark.parametrize("choice", [Choice.FP32, Choice.INT8])
def test_what_was_asked_for_runs_unmeasured(both: Bundle, choice: Choice) -> None:
    assert _precision(both, choice, _timer()).value == choice.value


def test_int8_that_the_bundle_lacks_is_refused_when_it_was_asked_for(plain: Bundle) -> None:
    with pytest.raises(PrecisionMissing):
        _precision(plain, Choice.INT8, _timer())


def test_a_single_slow_run_does_not_decide(both: Bundle) -> None:
    times = iter([1.0, 0.5, 90.0, 0.5, 1.0, 70.0, 1.0, 0.5, 1.0, 0.5])

    def timer(session: Session) -> float:
        return next(times)

    opened = [Session.open(both, precision=precision) for precision in Precision]
    assert speedup(*opened, timer=timer) == 2.0


def test_real_runs_have_a_ratio(both: Bundle) -> None:
    slow, fast = (Session.open(both, precision=precision) for precision in Precision)
    assert speedup(slow, fast) > 0


def test_every_precision_can_be_asked_for() -> None:
    assert [choice.value for choice in Choice] == ["auto", *(each.value for each in Precision)]

"""What is committed: the page is the report of the figures, and those are of the shipped model."""

import shutil
from pathlib import Path

import pytest

from models.bundle import Bundle
from models.registry import Registry
from tests.training.generated import ROOT
from training.evidence.bundle_metrics import METRICS_FILE, BundleMetrics
from training.evidence.measured import Measured
from training.evidence.report import write_report

KEPT = ROOT / "docs" / "evidence"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Registry(tmp_path_factory.mktemp("models")).open("default")


def test_the_page_is_what_make_report_writes(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    shutil.copy(ROOT / "docs" / "results.md", page)
    shutil.copytree(KEPT, tmp_path / "evidence", ignore=shutil.ignore_patterns("plots"))
    made = write_report(tmp_path / "evidence", page)
    assert page.read_text(encoding="utf-8") == (ROOT / "docs" / "results.md").read_text("utf-8")
    plots = {file.relative_to(tmp_path) for file in made if file != page}
    assert plots == {file.relative_to(KEPT.parent) for file in KEPT.glob("*/plots/*")}


def test_the_shipped_model_has_its_metrics_file_and_they_are_its_cards(shipped: Bundle) -> None:
    found = BundleMetrics.read(KEPT / shipped.label / METRICS_FILE)
    assert found.digest == shipped.digest
    for one, card in zip(found.evaluations, shipped.manifest.evaluations, strict=True):
        assert (one.output, one.precision, one.protocol) == (
            card.output,
            card.precision,
            card.protocol,
        )
        assert one.metrics == pytest.approx(card.metrics, abs=1e-3)


def test_the_service_reproduces_the_card_within_half_a_point(shipped: Bundle) -> None:
    measured = [Measured.read(file) for file in (KEPT / shipped.label).glob("measured/*.json")]
    through_service = [each for each in measured if each.through_service]
    assert {each.dataset for each in through_service} == {
        each.dataset for each in shipped.manifest.evaluations
    }
    for each in through_service:
        of_int8 = [figure for figure in each.figures if figure.precision == "int8"]
        assert of_int8
        assert all(abs(figure.difference) < 0.005 for figure in of_int8)

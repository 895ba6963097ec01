"""Evaluations of a run and of its bundle: the same figures, told with their protocol."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from models.bundle import Bundle
from models.labels import LabelKind
from models.manifest import Evaluation, Precision
from tests.training.generated import DEFAULTS, NAME
from training.config.publishing import EvaluateConfig
from training.data.importers.listing import ImportOptions
from training.data.importing import import_dataset
from training.data.labelled import LabelSetsDiffer
from training.recipes.evaluate import evaluate
from training.run import RunFolder


def evaluated(root: Path, **subject: Any) -> list[Evaluation]:
    """All evaluations on the colours of `root`."""
    given = {"datasets": DEFAULTS["datasets"], "compute": DEFAULTS["compute"], **subject}
    run = RunFolder(root / "nowhere", writes=False)
    results = evaluate(EvaluateConfig.model_validate(given), run=run, datasets_root=root)
    found = results["evaluations"]
    assert isinstance(found, list)
    return [Evaluation.model_validate(each) for each in found]


def figures(evaluations: list[Evaluation], precision: Precision) -> dict[str, float]:
    """Every metric by output and name."""
    return {
        f"{each.output}.{name}": value
        for each in evaluations
        if each.precision is precision
        for name, value in each.metrics.items()
    }


@pytest.fixture(scope="module")
def of_bundle(bundle: Bundle, many: Path) -> list[Evaluation]:
    return evaluated(many, bundle=bundle.path)


def test_figures_of_a_bundle_are_those_in_its_manifest(
    of_bundle: list[Evaluation], bundle: Bundle
) -> None:
    figureless: dict[str, object] = {"metrics": {}, "detail": None}
    assert [e.model_copy(update=figureless) for e in of_bundle] == [
        e.model_copy(update=figureless) for e in bundle.manifest.evaluations
    ]
    assert [e.detail.confusion for e in of_bundle if e.detail] == [
        e.detail.confusion for e in bundle.manifest.evaluations if e.detail
    ]
    for precision in Precision:
        kept = figures(list(bundle.manifest.evaluations), precision)
        assert figures(of_bundle, precision) == pytest.approx(kept, abs=1e-6)


def test_a_run_and_its_bundle_agree(
    of_bundle: list[Evaluation], trained: RunFolder, many: Path
) -> None:
    of_run = evaluated(many, run=trained.path)
    assert {each.precision for each in of_run} == {Precision.FP32}
    assert [each.protocol for each in of_run] == [each.protocol for each in of_bundle[:3]]
    expected = figures(of_bundle, Precision.FP32)
    assert figures(of_run, Precision.FP32) == pytest.approx(expected, abs=1e-4)


def test_protocol_tells_data_split_and_size(of_bundle: list[Evaluation], bundle: Bundle) -> None:
    digest = bundle.manifest.lineage.datasets[0].digest
    assert of_bundle[0].protocol == (
        f"colours, test split of the data set with digest {digest[:12]}; images squash to 64 "
        "pixels, one view; multi-label derived: a label holds where its share is at least 0.2"
    )


def test_another_split_can_be_scored(bundle: Bundle, many: Path) -> None:
    found = evaluated(many, bundle=bundle.path, split="val")
    assert {each.split for each in found} == {"val"}
    assert {each.images for each in found} == {56}  # of 70, a fifth has no such label


def test_kinds_that_are_not_asked_for_are_not_scored(bundle: Bundle, many: Path) -> None:
    found = evaluated(many, bundle=bundle.path, datasets=[{"name": NAME, "kinds": ["single"]}])
    assert [(each.output, each.precision) for each in found] == [
        (LabelKind.SINGLE, precision) for precision in Precision
    ]


@pytest.mark.parametrize("subject", ["bundle", "run"])
def test_labels_in_another_order_are_refused(
    subject: str, bundle: Bundle, trained: RunFolder, many: Path, tmp_path: Path
) -> None:
    import_dataset(
        format="canonical",
        sources=[many / f"{NAME}-source"],
        destination=tmp_path / "reordered",
        name="reordered",
        options=ImportOptions(labels=("blue", "green", "red")),
        progress=lambda step, done, total: None,
    )
    (tmp_path / NAME).symlink_to(many / NAME)  # what the run was trained on
    subjects: Mapping[str, Path] = {"bundle": bundle.path, "run": trained.path}
    datasets = [{"name": "reordered", "kinds": ["single"]}]
    with pytest.raises(LabelSetsDiffer, match=r"'blue', 'green', 'red'\], of the model \['red'"):
        evaluated(tmp_path, datasets=datasets, **{subject: subjects[subject]})

"""The whole machinery on generated pictures: run, stop, go on, summarize, report, pack."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.training.evidence.small import experiment, profile, write_folds
from tests.training.generated import ROOT, assert_same_file, wait_until
from training.evidence.archive import BadArchive, pack, unpack
from training.evidence.experiment import Cell, Experiment, Filter
from training.evidence.hours import left_to_do
from training.evidence.kept import keep, restore
from training.evidence.predictions import BadPredictions, ImagePredictions
from training.evidence.report import BEGIN, END, NoPlace, write_report
from training.evidence.results import BadResult, Pretrained, Result
from training.evidence.runner import Runner
from training.evidence.summary import Summary, summarized
from training.evidence.tables import sources
from training.run import RunFolder

pytestmark = pytest.mark.timeout(300)  # one fixture trains ten networks

SINGLE = Cell("imagenet", "single", None, 1)
STUDENT = Cell("amalgamated", "single", None, 1)
PARTIAL = (Filter(rows=["probe", "imagenet"]), Filter(["amalgamated"], ["single"], [1]))
"""All cells but the amalgamation of the second seed and of the folds."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("datasets")
    write_folds(folder, folds=2)
    return folder


@pytest.fixture(scope="module")
def partial(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    made = experiment(root, tmp_path_factory.mktemp("evidence"))
    for wanted in PARTIAL:
        Runner(made, say=lambda text: None).run(made.cells(wanted))
    return made


@pytest.fixture(scope="module")
def table(partial: Experiment) -> Summary:
    return summarized(partial)


@pytest.fixture
def page(partial: Experiment, table: Summary, tmp_path: Path) -> Path:
    """A page to report on, beside what would be committed."""
    folder = tmp_path / "evidence" / "small"
    shutil.copytree(partial.folder / "results", folder)
    table.write(folder / "results.json")
    file = tmp_path / "results.md"
    file.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\n# After\n", encoding="utf-8")
    return file


@contextmanager
def started(made: Experiment, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The command line at work on the cell SINGLE, with one thread as here."""
    files = {"plan": made.plan, "profile": made.profile}
    for name, value in files.items():
        text = yaml.safe_dump(value.model_dump(mode="json"))
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    named = [f"--{name}={folder / name}.yaml" for name in files]
    chosen = ["--rows=imagenet", "--data=single", "--seeds=1", f"--folder={made.folder}"]
    command = [sys.executable, "-m", "training.evidence", "run", *named, *chosen]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def heard(made: Experiment, cells: list[Cell]) -> list[str]:
    """What a runner says while it makes the cells."""
    told: list[str] = []
    Runner(made, say=told.append).run(cells)
    return told


def test_a_metrics_file_tells_all_that_made_it(partial: Experiment) -> None:
    result = Result.read(partial.result_file(SINGLE))
    assert result.cell == SINGLE
    assert [one.name for one in result.tried] == ["slow", "fast"]
    assert result.chosen == max(result.tried, key=lambda one: one.score).name
    config = partial.cell_config(SINGLE, result.chosen, {})
    assert result.config == config.model_dump(mode="json")
    assert [each.name for each in result.datasets] == ["demo-emotions"]
    assert [epoch.epoch for epoch in result.epochs] == [1, 2]
    assert result.score.images == 12
    assert sum(map(sum, result.score.detail.confusion or ())) == 12
    assert sum(each.cases for each in result.score.detail.calibration.bins) == 12
    assert {*result.score.metrics} == {"top1", "macro_f1", "polarity_accuracy"}


def test_predictions_give_the_metrics_again(partial: Experiment) -> None:
    for cell in (SINGLE, STUDENT, Cell("probe", "single", None, 1)):
        result = Result.read(partial.result_file(cell))
        found = ImagePredictions.read(partial.predictions_file(cell))
        assert found.digest() == result.predictions_sha256
        judged = found.judged(result.kind, temperature=result.score.temperature)
        right = judged.scores.argmax(axis=1) == judged.targets
        assert right.mean() == pytest.approx(result.score.metrics["top1"])
        assert len({*found.files}) == 12


def test_other_seeds_take_the_choice_of_the_first(partial: Experiment) -> None:
    first = Result.read(partial.result_file(SINGLE))
    second = Result.read(partial.result_file(replace(SINGLE, seed=2)))
    assert (second.chosen, second.tried) == (first.chosen, first.tried)
    assert second.config["seed"] == 2
    run = partial.run_folder(replace(SINGLE, seed=2), first.chosen)
    assert [folder.name for folder in run.parent.iterdir()] == [first.chosen]


def test_where_the_baseline_tunes_other_rows_take_its_choice(
    partial: Experiment, tmp_path: Path
) -> None:
    shutil.copytree(partial.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("amalgamated"))
    made = Experiment(partial.plan, profile(baseline_tunes=True), tmp_path / "copy")
    student = Runner(made, say=lambda text: None).cell(STUDENT)
    baseline = Result.read(made.result_file(SINGLE))
    assert (student.chosen, student.tried) == (baseline.chosen, baseline.tried)
    run = made.run_folder(STUDENT, student.chosen)
    assert [folder.name for folder in run.parent.iterdir()] == [student.chosen]
    probe = Cell("probe", "single", None, 2)
    assert made.tuning_cell(probe) == replace(probe, seed=1)  # its grid is one of its own


def test_a_student_says_which_weights_it_and_its_teachers_started_from(
    partial: Experiment,
) -> None:
    folder = partial.pretraining_folder("perceiving")
    kept = Pretrained.read(partial.pretraining_file("perceiving"))
    assert Result.read(partial.result_file(STUDENT)).starts == {str(folder): kept.weights_sha256}


def test_what_is_done_is_not_run_again(partial: Experiment) -> None:
    cells = list(partial.cells(PARTIAL[0]))
    told = heard(partial, cells)
    assert len(told) == len(cells)  # a line of figures each, and none of a run
    assert not [line for line in told if line.startswith("running")]
    left = [item.name for item in left_to_do(partial, partial.cells(Filter()))]
    assert left == [str(c.path) for c in partial.cells(Filter(["amalgamated"]))][1:]


def test_a_killed_process_is_gone_on_with_and_nothing_tells_of_it(
    partial: Experiment, tmp_path: Path
) -> None:
    other = Experiment(partial.plan, partial.profile, tmp_path / "other")
    run = RunFolder(other.run_folder(SINGLE, "slow"))
    with started(other, tmp_path) as process:
        wait_until(run.last_checkpoint.exists, process)
        process.kill()
    assert not run.results_file.exists()
    result = Runner(other, say=lambda text: None).cell(SINGLE)
    assert result.predictions_sha256 == Result.read(partial.result_file(SINGLE)).predictions_sha256
    assert_same_file(
        *(RunFolder(e.run_folder(SINGLE, result.chosen)).best_weights for e in (partial, other))
    )


def test_figures_of_another_configuration_are_refused(partial: Experiment) -> None:
    longer = profile(data={"single": {"epochs": 3}})
    changed = Experiment(partial.plan, longer, partial.folder)
    with pytest.raises(BadResult, match="another configuration than the plan"):
        Runner(changed, say=lambda text: None).cell(SINGLE)


def test_a_partial_table_tests_what_both_rows_have(table: Summary) -> None:
    assert len(table.entries) == 5
    student = table.entry("amalgamated", "single")
    assert student is not None
    assert (student.parts, student.expected, student.sd) == (1, 2, {})
    assert student.against is not None
    assert (student.against.parts, student.against.images) == (1, 12)
    probe = table.entry("probe", "folded")
    assert probe is not None
    assert (probe.parts, probe.images) == (2, 24)  # both folds' images
    assert probe.low <= probe.pooled <= probe.high
    assert probe.pooled == pytest.approx(probe.mean["kl"])  # folds are of one size
    baseline = table.entry("imagenet", "folded")
    assert baseline is not None
    assert baseline.against is None
    assert probe.against is not None
    assert probe.against.difference == pytest.approx(probe.pooled - baseline.pooled)


def test_rows_that_started_from_unlike_networks_are_told(
    partial: Experiment, tmp_path: Path
) -> None:
    copied = Experiment(partial.plan, partial.profile, tmp_path / "copy")
    shutil.copytree(partial.folder, copied.folder)
    student = Result.read(copied.result_file(STUDENT))
    path = min(student.starts)
    other = student.model_copy(update={"starts": {**student.starts, path: "0" * 64}})
    other.write(copied.result_file(STUDENT))
    found = summarized(copied)
    assert sources(found, "single") == f"**Rows started from several versions of: {path}.**"
    assert sources(summarized(partial), "single") == ""


def test_predictions_of_another_network_are_refused(partial: Experiment, tmp_path: Path) -> None:
    copied = Experiment(partial.plan, partial.profile, tmp_path / "copy")
    shutil.copytree(partial.folder, copied.folder)
    other = ImagePredictions.read(copied.predictions_file(STUDENT))
    other.write(copied.predictions_file(SINGLE))
    with pytest.raises(BadPredictions, match="delete both and run the cell again"):
        summarized(copied)


def test_the_report_is_made_of_the_figures_and_the_rest_of_the_page_stays(
    page: Path, table: Summary
) -> None:
    files = write_report(page.parent / "evidence", page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Before")
    assert text.endswith("# After\n")
    assert "\nold\n" not in text
    entry = table.entry("imagenet", "single")
    assert entry is not None
    mean, sd = entry.mean["macro_f1"], entry.sd["macro_f1"]
    assert f"{mean:.3f} ± {sd:.3f}" in text
    assert "**Partial: 5 of 6 cells.**" in text
    assert "**Partial: 4 of 6 cells; nothing yet of: amalgamated.**" in text
    assert "amalgamated | 1 of 2 |" in text
    pictures = [file for file in files if file != page]
    assert len(pictures) == 8  # curves, labels, confusion and reliability of two data sets
    for file in pictures:
        assert f"({file.relative_to(page.parent)})" in text
    made = {file: file.read_bytes() for file in files}
    write_report(page.parent / "evidence", page)
    assert {file: file.read_bytes() for file in files} == made  # the same figures, the same bytes


def test_the_profile_with_most_cells_is_told_of_first(page: Path) -> None:
    evidence = page.parent / "evidence"
    [whole] = evidence.iterdir()
    fragment = evidence / f"before-{whole.name}"
    shutil.copytree(whole, fragment, ignore=shutil.ignore_patterns("cells"))
    for file in fragment.glob("*.json"):
        summary = Summary.read(file)
        summary.model_copy(update={"profile": "a fragment"}).write(file)
    write_report(evidence, page)
    of_both = [line for line in page.read_text(encoding="utf-8").splitlines() if line[:3] == "## "]
    assert ["a fragment" in line for line in of_both] == [False, True]


def test_a_page_without_a_place_for_the_report_is_left_alone(page: Path) -> None:
    page.write_text("# Mine\n", encoding="utf-8")
    with pytest.raises(NoPlace, match="put them where it belongs"):
        write_report(page.parent / "evidence", page)
    assert page.read_text(encoding="utf-8") == "# Mine\n"


def test_kept_cells_are_taken_up_by_a_machine_that_has_the_data_sets(
    partial: Experiment, tmp_path: Path
) -> None:
    keep(partial, tmp_path / "kept")
    here = Experiment(partial.plan, partial.profile, tmp_path / "here")
    assert restore(here, tmp_path / "kept") == 9
    assert summarized(here) == summarized(partial)
    assert restore(here, tmp_path / "kept") == 0
    cells = list(here.cells(PARTIAL[0]))
    assert len(heard(partial, cells)) == len(cells)  # figures alone, nothing is run


def test_logits_are_not_put_beside_other_labels(
    partial: Experiment, root: Path, tmp_path: Path
) -> None:
    keep(partial, tmp_path / "kept")
    shutil.copytree(root / "demo-fold1", tmp_path / "demo-emotions")
    data = {
        name: spec.model_copy(update={"root": tmp_path}) for name, spec in partial.plan.data.items()
    }
    other = partial.plan.model_copy(update={"data": data})
    here = Experiment(other, partial.profile, tmp_path / "here")
    with pytest.raises(BadPredictions, match="judged on other images or labels"):
        restore(here, tmp_path / "kept")


def test_an_archive_carries_figures_and_predictions(partial: Experiment, tmp_path: Path) -> None:
    archive = tmp_path / "results.tar.xz"
    packed = pack(partial.folder, archive)
    assert unpack(archive, tmp_path / "here") == packed == 2 * 9 + 1  # and a pre-training's
    assert unpack(archive, tmp_path / "here") == 0
    here = Experiment(partial.plan, partial.profile, tmp_path / "here")
    assert summarized(here) == summarized(partial)


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.tar.xz").write_bytes(b"no archive")
    with pytest.raises(BadArchive, match="cannot be unpacked"):
        unpack(tmp_path / "x.tar.xz", tmp_path / "here")

"""The command line of the evidence: what it lists, makes and refuses."""

from pathlib import Path

import pytest
import yaml

from tests.training.evidence.small import experiment, plan, profile, write_folds
from training.evidence.__main__ import main
from training.evidence.experiment import Cell, Filter
from training.evidence.hours import left_to_do, table
from training.evidence.report import BEGIN, END
from training.evidence.summary import Summary


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets, and a plan of one probe and one profile as files."""
    folder = tmp_path_factory.mktemp("command")
    write_folds(folder, folds=2)
    rows = {"probe": {"title": "linear probe", "method": "probe", "start": "scratch"}}
    made = plan(folder, rows=rows, baseline="probe")
    for name, value in {"plan": made, "mine": profile()}.items():
        text = yaml.safe_dump(value.model_dump(mode="json"))
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def shared(place: Path) -> list[str]:
    return [
        f"--plan={place / 'plan.yaml'}",
        f"--profile={place / 'mine.yaml'}",
        f"--folder={place / 'evidence'}",
    ]


def test_a_dry_run_lists_what_is_left_with_hours(place: Path, tmp_path: Path) -> None:
    made = experiment(place, tmp_path)
    items = {item.name: item for item in left_to_do(made, made.cells(Filter()))}
    # 2 epochs of 16 images for 2 candidates, at 64 images a second; then for the one chosen.
    assert items["imagenet/single/seed1"].hours == pytest.approx(64 / 64 / 3600)
    assert items["imagenet/single/seed2"].hours == pytest.approx(32 / 64 / 3600)
    # 2 steps of 8 images at 4 a second, before the first row that starts from it
    assert items["pretraining/perceiving"].hours == pytest.approx(16 / 4 / 3600)
    assert next(iter(items)) == "pretraining/perceiving"
    assert items["probe/single/seed2"].runs == 0
    assert table(list(items.values())).endswith("13 to do, about 0.0 h")


def test_what_cannot_be_estimated_is_told(place: Path, tmp_path: Path) -> None:
    made = experiment(tmp_path / "nowhere", tmp_path)
    cells = [Cell("imagenet", "single", None, 1)]
    assert "and 1 that cannot be estimated" in table(left_to_do(made, cells))


def test_from_the_plan_to_the_page(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *shared(place), "--data", "single"]) == 0
    assert main(["summarize", *shared(place), f"--to={tmp_path / 'evidence'}"]) == 0
    summary = Summary.read(tmp_path / "evidence" / "mine" / "plan.json")
    assert [(entry.data, entry.parts) for entry in summary.entries] == [("single", 2)]
    assert summary.entries[0].sd["top1"] == 0  # a probe is the same for every seed
    fresh = [f"--folder={tmp_path / 'fresh'}", f"--from={tmp_path / 'evidence'}"]
    assert main(["restore", *shared(place), *fresh]) == 0
    assert capsys.readouterr().out.endswith("\n2 cells restored\n")
    page = tmp_path / "results.md"
    page.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    assert main(["report", f"--evidence={tmp_path / 'evidence'}", f"--page={page}"]) == 0
    assert "linear probe (baseline) | 2 |" in page.read_text(encoding="utf-8")
    assert "Nothing yet." in page.read_text(encoding="utf-8")
    archive = str(tmp_path / "results.tar.xz")
    assert main(["pack", *shared(place), archive]) == 0
    assert "4 files in" in capsys.readouterr().out
    other = f"--folder={tmp_path / 'elsewhere'}"
    assert main(["unpack", *shared(place), other, archive]) == 0
    assert capsys.readouterr().out == "4 files added\n"


def test_nothing_run_is_nothing_to_summarize(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = [*shared(place), f"--folder={tmp_path}", f"--to={tmp_path / 'evidence'}"]
    assert main(["summarize", *chosen]) == 0
    assert capsys.readouterr().out == "no cell has been run yet\n"
    assert not (tmp_path / "evidence").exists()


def test_a_wrong_choice_ends_with_what_there_is(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *shared(place), "--rows", "imagenet"]) == 1
    assert capsys.readouterr().err == "error: no row imagenet; the plan has: probe\n"

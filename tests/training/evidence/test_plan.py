"""Plans and profiles: what is shipped is valid, what cannot be run is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.training.evidence.small import ROWS, plan, profile
from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.pretraining import PretrainConfig
from training.evidence.experiment import Cell, Experiment, Filter
from training.evidence.plan import PLANS, PROFILES, BadPlan, Method, read_plan, read_profile

SHIPPED = sorted(file.stem for file in PLANS.glob("*.yaml"))
MACHINES = sorted(file.stem for file in PROFILES.glob("*.yaml"))


def starts(experiment: Experiment, cell: Cell) -> dict[str, Path]:
    """A folder for everything a row starts from; nobody looks whether it is there."""
    return {start: Path("runs") / start for start in experiment.row(cell).starts}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", SHIPPED)
def test_every_run_of_a_shipped_plan_has_a_valid_configuration(name: str, machine: str) -> None:
    made = Experiment(read_plan(name), read_profile(machine), Path("var"))
    for pretraining in made.plan.pretraining:
        assert made.pretraining_config(pretraining).backbone == made.profile.backbone
    for cell in made.cells(Filter()):
        for candidate in made.profile.candidates:
            config = made.cell_config(cell, candidate, starts(made, cell))
            amalgamates = made.row(cell).method is Method.AMALGAMATE
            assert isinstance(config, AmalgamateConfig if amalgamates else FinetuneConfig)
            assert config.seed == cell.seed
            assert [each.kinds for each in config.datasets] == [(made.data(cell).kind,)]


def test_the_table_is_run_in_the_order_in_which_a_part_of_it_answers() -> None:
    rows = list(read_plan("results").rows)
    assert rows[:5] == ["imagenet_probe", "imagenet", "continuation", "perceiving", "amalgamated"]
    assert {*rows[5:]} == {"stimuli", "organizing", "scratch", "amalgamated_imagenet"}


@pytest.mark.parametrize("machine", ["cpu", "cpu-96", "gpu"])
def test_the_control_sees_no_fewer_images_than_the_three_pretrainings(machine: str) -> None:
    made = Experiment(read_plan("results"), read_profile(machine), Path("var"))
    seen = 0
    for step in ("stimuli", "organizing", "perceiving"):
        config = made.pretraining_config(step)
        assert isinstance(config, PretrainConfig)
        assert config.steps_per_epoch is not None
        seen += config.epochs * config.steps_per_epoch * sum(t.batch_size for t in config.tasks)
    control = made.pretraining_config("continuation")
    assert isinstance(control, FinetuneConfig)
    steps = 16_090 // control.batch_size  # MiniPlaces' and Flickr8k's training images
    assert seen <= control.epochs * steps * control.batch_size < 1.1 * seen


def test_all_rows_of_a_data_set_are_trained_alike() -> None:
    made = Experiment(read_plan("results"), read_profile("cpu"), Path("var"))
    for data in made.plan.data:
        cells = [c for c in made.cells(Filter(data=[data])) if c.seed == 1 and c.fold in (None, 0)]
        configs = [made.cell_config(cell, "lr1e-4", starts(made, cell)) for cell in cells]
        own = {"recipe", "backbone", "freeze_backbone", "teachers"}
        alike = [config.model_dump(exclude=own) for config in configs]
        assert all(each == alike[0] for each in alike)


def test_ablations_of_the_pretext_data_train_as_many_steps() -> None:
    made = Experiment(read_plan("ablations"), read_profile("gpu"), Path("var"))
    whole, part = (made.pretraining_config(name) for name in ("organizing", "organizing_10"))
    assert isinstance(whole, PretrainConfig)
    assert isinstance(part, PretrainConfig)
    assert [task.datasets for task in part.tasks] == [("miniplaces-10",)] * 2
    told = {"tasks"}
    assert whole.model_dump(exclude=told) == part.model_dump(exclude=told)
    sizes = [[t.model_dump(exclude={"datasets"}) for t in each.tasks] for each in (whole, part)]
    assert sizes[0] == sizes[1]  # the profile's sizes hold for tasks that a plan names anew


def test_a_row_cannot_start_from_what_comes_after_it(tmp_path: Path) -> None:
    later = {"a": {**ROWS["imagenet"], "start": "row:b"}, "b": ROWS["imagenet"]}
    with pytest.raises(
        ValidationError, match="row a starts from row:b; known so far: default_model, imagenet"
    ):
        plan(tmp_path, rows=later)


def test_the_baseline_is_a_row(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="the baseline scratch is no row: probe, imagenet"):
        plan(tmp_path, baseline="scratch")
    with pytest.raises(ValidationError, match="the baseline scratch is no row: probe, imagenet"):
        plan(tmp_path, rows={**ROWS, "probe": {**ROWS["probe"], "baseline": "scratch"}})
    assert plan(tmp_path).against("probe").baseline == "probe"
    with pytest.raises(BadPlan, match="no row scratch to test against"):
        plan(tmp_path).against("scratch")


def test_teachers_belong_to_amalgamations(tmp_path: Path) -> None:
    lonely = {"imagenet": {**ROWS["amalgamated"], "teachers": []}}
    with pytest.raises(ValidationError, match="teachers belong to amalgamate rows"):
        plan(tmp_path, rows=lonely)


def test_folds_need_data_sets_of_their_own(tmp_path: Path) -> None:
    data = {"title": "x", "dataset": "x", "kind": "single", "folds": [0, 1], "seeds": [1]}
    with pytest.raises(ValidationError, match=r"has to hold \{fold\}"):
        plan(tmp_path, data={"x": data})


def test_an_unknown_plan_names_those_there_are() -> None:
    with pytest.raises(BadPlan, match="shipped are: ablations, own_data, results"):
        read_plan("result")


def test_a_profile_with_an_unknown_field_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("title: mine\nbackbone: {name: mobilenet_v2}\nspeed: 3\n", encoding="utf-8")
    with pytest.raises(BadPlan, match=r"mine\.yaml is not a valid profile[\s\S]*speed"):
        read_profile(str(file))


def test_cells_can_be_chosen_and_unknown_choices_are_refused(tmp_path: Path) -> None:
    made = Experiment(plan(tmp_path), profile(), tmp_path)
    chosen = list(made.cells(Filter(rows=["imagenet"], data=["single"], seeds=[2])))
    assert chosen == [Cell("imagenet", "single", None, 2)]
    folded = made.cells(Filter(rows=["imagenet"], folds=[1]))
    assert [each.part for each in folded] == ["seed1", "seed2", "fold1-seed1"]
    with pytest.raises(BadPlan, match="no row image; the plan has: probe, imagenet, amalgamated"):
        list(made.cells(Filter(rows=["image"])))
    with pytest.raises(BadPlan, match="no data set fi; the plan has: single, folded"):
        list(made.cells(Filter(data=["fi"])))


def test_candidates_are_compared_at_the_first_seed_of_each_fold(tmp_path: Path) -> None:
    made = Experiment(plan(tmp_path), profile(), tmp_path)
    assert made.tuning_cell(Cell("imagenet", "single", None, 2)).seed == 1
    folded = Cell("imagenet", "folded", 1, 1)
    assert made.tuning_cell(folded) == folded
    assert (folded.part, Cell("imagenet", "single", None, 2).part) == ("fold1-seed1", "seed2")

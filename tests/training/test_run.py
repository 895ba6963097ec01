"""A run's folder: one configuration, one process at a time, and records that survive a kill."""

import json
import multiprocessing
import subprocess
import sys
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.training.generated import DEFAULTS, FORKS, ROOT, finetune_config
from training.config.publishing import EvaluateConfig, ExportConfig
from training.config.recipes import RecipeConfig
from training.run import NotARun, RunFolder, RunIsBusy

CONFIGS: tuple[RecipeConfig, ...] = (
    finetune_config(loss_weights={"multi": 0.15, "single": 2}),
    EvaluateConfig.model_validate({"run": "var/runs/a", "datasets": DEFAULTS["datasets"]}),
    ExportConfig(run=Path("var/runs/a"), alias=None),
)
HOLD = """
import sys
from pathlib import Path
from training.run import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "runs" / "one")
    made.prepare(finetune_config())
    return made


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.recipe)
def test_a_configuration_comes_back_as_it_was(tmp_path: Path, config: RecipeConfig) -> None:
    run = RunFolder(tmp_path)
    run.prepare(config)
    assert run.config() == config


def test_a_folder_may_be_prepared_again_for_the_same_run(run: RunFolder) -> None:
    run.prepare(finetune_config())
    assert run.config() == finetune_config()


def test_a_run_goes_on_with_other_loaders(run: RunFolder) -> None:
    compute = {**DEFAULTS["compute"], "loader_workers": 3, "image_cache_gib": 0}
    run.prepare(finetune_config(compute=compute))
    assert run.config() == finetune_config(compute=compute)
    with pytest.raises(RunIsBusy, match="another configuration"):
        run.prepare(finetune_config(compute={**compute, "precision": "bfloat16"}))


def test_a_folder_keeps_its_configuration_against_another(run: RunFolder) -> None:
    with pytest.raises(RunIsBusy, match="another configuration; choose another folder"):
        run.prepare(finetune_config(seed=2))
    assert run.config() == finetune_config()


def test_a_folder_without_a_configuration_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(NotARun, match=r"is not a run folder: .*No such file"):
        RunFolder(tmp_path).config()


def test_an_invalid_configuration_is_refused_with_the_field(run: RunFolder) -> None:
    file = run.path / "config.json"
    file.write_text(file.read_text().replace('"batch_size": 8', '"batch_size": 0'))
    with pytest.raises(NotARun, match=r"config\.json is not a valid (?s:.*)batch_size\n"):
        run.config()


def busy(run: RunFolder) -> bool:
    try:
        with run.locked():
            return False
    except RunIsBusy:
        return True


def test_a_folder_is_held_against_another_process_until_that_one_is_killed(
    run: RunFolder,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert busy(run)
        other.kill()
        other.wait()
        assert not busy(run)


def test_a_folder_is_free_after_an_error(run: RunFolder) -> None:
    with pytest.raises(NotARun), run.locked():
        raise NotARun
    assert not busy(run)


def _live(end: Connection) -> None:
    end.send("alive")
    end.recv()


@FORKS
def test_a_forked_child_does_not_go_on_holding_the_folder(run: RunFolder) -> None:
    here, there = multiprocessing.Pipe()
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=_live, args=(there,), daemon=True)
    with here, there:
        with run.locked():
            child.start()
            assert here.recv() == "alive"
            assert busy(run)
        assert not busy(run)
        here.send("enough")
        child.join()


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_events_say_what_happened_and_when(run: RunFolder) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    run.event("epoch", epoch=3)
    run.event("finished")
    first, second = lines(run.path / "events.jsonl")
    assert (first["event"], first["epoch"], second["event"]) == ("epoch", 3, "finished")
    assert before <= datetime.fromisoformat(str(first["at"])) <= datetime.now(UTC)


def test_an_event_after_a_line_cut_short_has_a_line_of_its_own(run: RunFolder) -> None:
    run.event("started")
    path = run.path / "events.jsonl"
    path.write_bytes(path.read_bytes() + b'{"at": "20')
    run.event("resumed")
    started, cut, resumed = path.read_text().splitlines()
    assert json.loads(started)["event"] == "started"
    assert cut == '{"at": "20'
    assert json.loads(resumed)["event"] == "resumed"


def measure(run: RunFolder, *epochs: int) -> None:
    for epoch in epochs:
        run.metrics(epoch=epoch, step=0, part="val", metrics={"single.top1": epoch / 3})


def test_equal_metrics_make_equal_files(tmp_path: Path) -> None:
    for name in ("first", "second"):
        run = RunFolder(tmp_path / name)
        run.prepare(finetune_config())
        measure(run, 1, 2)
    first, second = tmp_path / "first", tmp_path / "second"
    assert (first / "metrics.jsonl").read_bytes() == (second / "metrics.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("epoch", "step", "kept"), [(0, 0, []), (0, 2, []), (1, 0, [1]), (1, 2, [1]), (3, 0, [1, 2, 3])]
)
def test_metrics_after_a_checkpoint_are_dropped(
    run: RunFolder, epoch: int, step: int, kept: list[int]
) -> None:
    measure(run, 1, 2, 3)
    run.drop_metrics_after(epoch, step)
    assert [line["epoch"] for line in lines(run.metrics_file)] == kept


def test_a_line_of_metrics_cut_short_by_a_kill_is_dropped(run: RunFolder) -> None:
    measure(run, 1, 2)
    run.metrics_file.write_bytes(run.metrics_file.read_bytes()[:-5])
    run.drop_metrics_after(2, 0)
    measure(run, 2)
    assert [line["epoch"] for line in lines(run.metrics_file)] == [1, 2]


def test_a_run_without_metrics_has_none_to_drop(run: RunFolder) -> None:
    run.drop_metrics_after(0, 0)
    assert not run.metrics_file.exists()

"""`sentiscope train`, `evaluate` and `export`: recipes on this machine, from a YAML file."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sentiscope.output import fail, remark, say, told

ConfigFile = Annotated[Path, typer.Argument(help="YAML file of the recipe.", exists=True)]
RunOption = Annotated[
    Path | None, typer.Option("--run", help="Run folder; default: var/runs/<name of the file>.")
]
DatasetsOption = Annotated[
    Path,
    typer.Option(
        "--datasets", envvar="SENTISCOPE_DATASETS_ROOT", help="Folder of canonical data sets."
    ),
]

STOPPED = 75
"""Exit status of a run that was asked to stop and can go on."""


def train(
    config: ConfigFile,
    run: RunOption = None,
    datasets: DatasetsOption = Path("var/datasets"),
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Make the run folder alone, for `-m training`.")
    ] = False,
) -> None:
    """Run a recipe; Ctrl-C makes a checkpoint, the same command goes on from there."""
    results = _run(config, run, datasets, prepare=prepare)
    say(json.dumps(results, indent=2))


def evaluate(
    config: ConfigFile, run: RunOption = None, datasets: DatasetsOption = Path("var/datasets")
) -> None:
    """Score a bundle or a trained run; prints each metric with its protocol."""
    for found in _run(config, run, datasets, recipe="evaluate")["evaluations"]:
        say(f"\n{found['output']} ({found['precision']}), {found['images']} images")
        say(f"  {found['protocol']}")
        for name, value in found["metrics"].items():
            say(f"  {name:24} {value:.4f}")


def export(
    config: ConfigFile, run: RunOption = None, datasets: DatasetsOption = Path("var/datasets")
) -> None:
    """Turn a trained run into a bundle, through the gates, and publish it."""
    results = _run(config, run, datasets, recipe="export")
    for gate in results["gates"]:
        say(f"{gate['name']}: {'passed' if gate['passed'] else 'FAILED'} {gate['measured']}")
    say(f"published {results['model']}@{results['version']} ({results['digest']})")


def _run(
    config_file: Path,
    run: Path | None,
    datasets: Path,
    *,
    recipe: str | None = None,
    prepare: bool = False,
) -> dict[str, Any]:
    """What the configured recipe ends with; another one than `recipe` is refused before it runs."""
    try:
        from training.config.presets import read_config
        from training.launch import launch
        from training.run import RunFolder
        from training.stopping import Stopped
    except ModuleNotFoundError as error:
        fail(f"training needs the 'train' extra ({error}); use `make setup`, then .venv/bin")
    from models.errors import ModelError
    from training.errors import TrainingError

    folder = RunFolder(run or Path("var/runs") / config_file.stem)
    with told(TrainingError, ModelError, OSError):
        config = read_config(config_file)
        if recipe not in (None, config.recipe):
            fail(f"{config_file} is of the recipe {config.recipe!r}, expected {recipe!r}")
        try:
            folder.prepare(config)
            remark(f"run folder: {folder.path}")
            if prepare:
                raise typer.Exit
            return launch(folder, datasets_root=datasets)
        except Stopped as stopped:
            remark(str(stopped))
            raise typer.Exit(STOPPED) from stopped

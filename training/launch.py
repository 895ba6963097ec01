"""Runs the recipe that a run folder's configuration names."""

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from training.compute import backend
from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.pretraining import PretrainConfig
from training.config.publishing import EvaluateConfig, ExportConfig
from training.config.recipes import RecipeConfig
from training.ranks import ALONE, Ranks, joined
from training.recipes.amalgamate import amalgamate
from training.recipes.evaluate import evaluate
from training.recipes.export import export
from training.recipes.finetune import finetune
from training.recipes.pretrain import pretrain
from training.run import RunFolder, write_text
from training.stopping import interrupt_on_signals, stop_on_signals

Results = dict[str, object]


def launch(run: RunFolder, *, datasets_root: Path) -> Results:
    """Run to the end and write results.json; SIGTERM raises Stopped, after a checkpoint if any.

    Started by torchrun, the processes train one model together, and the first of them writes.
    """
    config = run.config()
    if isinstance(config, EvaluateConfig | ExportConfig):
        return _recorded(config, run, datasets_root, ranks=ALONE)
    with joined(backend(config.compute)) as ranks:
        return _recorded(config, run, datasets_root, ranks=ranks)


def _recorded(
    config: RecipeConfig, run: RunFolder, datasets_root: Path, *, ranks: Ranks
) -> Results:
    run = replace(run, writes=ranks.is_first)
    with run.locked() if run.writes else nullcontext():
        run.event("started", recipe=config.recipe)
        results = _results(config, run, datasets_root, ranks)
        if run.writes:
            write_text(run.results_file, json.dumps(results, indent=2) + "\n")
        run.event("finished")
    return results


def _results(config: RecipeConfig, run: RunFolder, root: Path, ranks: Ranks) -> Results:
    match config:
        case PretrainConfig():
            with stop_on_signals() as stop:
                return pretrain(config, run=run, datasets_root=root, stop=stop, ranks=ranks)
        case AmalgamateConfig():
            with stop_on_signals() as stop:
                return amalgamate(config, run=run, datasets_root=root, stop=stop, ranks=ranks)
        case FinetuneConfig():
            with stop_on_signals() as stop:
                return finetune(config, run=run, datasets_root=root, stop=stop, ranks=ranks)
        case EvaluateConfig():
            with interrupt_on_signals():
                return evaluate(config, datasets_root=root)
        case ExportConfig():
            with interrupt_on_signals():
                return export(config, run=run, datasets_root=root)

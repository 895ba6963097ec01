"""Runs the recipe that a run folder's configuration names."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from training.compute import backend
from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.importing import ImportConfig
from training.config.pretraining import PretrainConfig
from training.config.publishing import EvaluateConfig, ExportConfig
from training.config.recipes import RecipeConfig
from training.errors import TrainingError
from training.fence import Fenced
from training.provenance import record_origin
from training.ranks import ALONE, Ranks, joined
from training.recipes.amalgamate import amalgamate
from training.recipes.evaluate import evaluate
from training.recipes.export import export
from training.recipes.finetune import finetune
from training.recipes.import_dataset import import_as_dataset
from training.recipes.pretrain import pretrain
from training.run import RunFolder
from training.stopping import Stopped, interrupt_on_signals, stop_on_signals

Results = dict[str, object]


def launch(run: RunFolder, *, datasets_root: Path) -> Results:
    """Run to the end and write results.json; SIGTERM raises Stopped, after a checkpoint if any.

    Started by torchrun, the processes train one model together, and the first of them writes.
    """
    config = run.config()
    if isinstance(config, EvaluateConfig | ExportConfig | ImportConfig):
        return _recorded(config, run, datasets_root, ranks=ALONE)
    with joined(backend(config.compute)) as ranks:
        return _recorded(config, run, datasets_root, ranks=ranks)


def _recorded(
    config: RecipeConfig, run: RunFolder, datasets_root: Path, *, ranks: Ranks
) -> Results:
    run = replace(run, writes=ranks.is_first)
    with run.locked() if run.writes else nullcontext():
        run.event("started", recipe=config.recipe)
        with _telling_why_it_ends(run):
            record_origin(run, config, datasets_root=datasets_root)
            results = _results(config, run, datasets_root, ranks)
            if run.writes:
                run.write(run.results_file, json.dumps(results, indent=2) + "\n")
        run.event("finished")
    return results


@contextmanager
def _telling_why_it_ends(run: RunFolder) -> Iterator[None]:
    """An event of why a run ended early: who reads it may not see this process's exit status."""
    try:
        yield
    except Fenced:
        raise  # it may not write
    except Stopped as stopped:
        run.event("stopped", reason=str(stopped))
        raise
    except Exception as error:
        with suppress(TrainingError, OSError):  # a full disk must not hide what filled it
            run.event("failed", type=type(error).__name__, message=str(error))
        raise


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
                return evaluate(config, run=run, datasets_root=root)
        case ExportConfig():
            with interrupt_on_signals():
                return export(config, run=run, datasets_root=root)
        case ImportConfig():
            with interrupt_on_signals():
                return import_as_dataset(config, run=run, datasets_root=root)

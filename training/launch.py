"""Runs the recipe that a run folder's configuration names.

A recipe is imported when it is run: PyTorch takes seconds to load, and importing a data set needs
none of it.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from models.registry import SHIPPED
from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.importing import ImportConfig
from training.config.pretraining import PretrainConfig
from training.config.publishing import EvaluateConfig, ExportConfig
from training.errors import TrainingError
from training.fence import Fenced
from training.run import RunFolder
from training.stopping import Stopped, StopRequest, interrupt_on_signals, stop_on_signals

if TYPE_CHECKING:
    from training.ranks import Ranks

Results = dict[str, object]
_TrainingConfig = PretrainConfig | AmalgamateConfig | FinetuneConfig
_OtherConfig = EvaluateConfig | ExportConfig | ImportConfig


def launch(run: RunFolder, *, datasets_root: Path, shipped_root: Path = SHIPPED) -> Results:
    """Run to the end and write results.json; SIGTERM raises Stopped, after a checkpoint if any.

    Started by torchrun, the processes train one model together, and the first of them writes.
    """
    config = run.config()
    if isinstance(config, _OtherConfig):
        work = partial(_worked, config, run, datasets_root, shipped_root)
        return _recorded(run, config.recipe, work)
    return _trained(config, run, datasets_root)


def _trained(config: _TrainingConfig, run: RunFolder, root: Path) -> Results:
    from training.compute import backend
    from training.ranks import joined

    with joined(backend(config.compute)) as ranks:
        run = replace(run, writes=ranks.is_first)
        return _recorded(run, config.recipe, partial(_training, config, run, root, ranks))


def _recorded(run: RunFolder, recipe: str, work: Callable[[], Results]) -> Results:
    with run.locked() if run.writes else nullcontext():
        run.event("started", recipe=recipe)
        with _telling_why_it_ends(run):
            results = work()
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


def _training(config: _TrainingConfig, run: RunFolder, root: Path, ranks: "Ranks") -> Results:
    from training.provenance import record_origin

    record_origin(run, config, datasets_root=root)
    with stop_on_signals() as stop:
        return _stoppable(config, run, root, ranks, stop)


def _stoppable(
    config: _TrainingConfig, run: RunFolder, root: Path, ranks: "Ranks", stop: StopRequest
) -> Results:
    match config:
        case PretrainConfig():
            from training.recipes.pretrain import pretrain

            return pretrain(config, run=run, datasets_root=root, stop=stop, ranks=ranks)
        case AmalgamateConfig():
            from training.recipes.amalgamate import amalgamate

            return amalgamate(config, run=run, datasets_root=root, stop=stop, ranks=ranks)
        case FinetuneConfig():
            from training.recipes.finetune import finetune

            return finetune(config, run=run, datasets_root=root, stop=stop, ranks=ranks)


@interrupt_on_signals()
def _worked(config: _OtherConfig, run: RunFolder, root: Path, shipped: Path) -> Results:
    match config:
        case EvaluateConfig():
            from training.recipes.evaluate import evaluate

            return evaluate(config, run=run, datasets_root=root)
        case ExportConfig():
            from training.recipes.export import export

            return export(config, run=run, datasets_root=root, shipped_root=shipped)
        case ImportConfig():
            from training.recipes.import_dataset import import_as_dataset

            return import_as_dataset(config, run=run, datasets_root=root)

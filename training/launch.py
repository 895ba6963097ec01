"""Runs the recipe that a run folder's configuration names."""

import json
from pathlib import Path

from training.config import EvaluateConfig, ExportConfig, FinetuneConfig
from training.recipes.evaluate import evaluate
from training.recipes.export import export
from training.recipes.finetune import finetune
from training.run import AnyConfig, RunFolder, write_text
from training.stopping import interrupt_on_signals, stop_on_signals


def launch(run: RunFolder, *, datasets_root: Path) -> dict[str, object]:
    """Run to the end and write results.json; SIGTERM raises Stopped, after a checkpoint if any."""
    config = run.config()
    with run.locked():
        run.event("started", recipe=config.recipe)
        results = _results(config, run, datasets_root)
        write_text(run.results_file, json.dumps(results, indent=2) + "\n")
        run.event("finished")
    return results


def _results(config: AnyConfig, run: RunFolder, datasets_root: Path) -> dict[str, object]:
    match config:
        case FinetuneConfig():
            with stop_on_signals() as stop:
                return finetune(config, run=run, datasets_root=datasets_root, stop=stop)
        case EvaluateConfig():
            with interrupt_on_signals():
                return evaluate(config, datasets_root=datasets_root)
        case ExportConfig():
            with interrupt_on_signals():
                return export(config, run=run, datasets_root=datasets_root)

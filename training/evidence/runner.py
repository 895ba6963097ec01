"""Runs an experiment one cell at a time: what is done is skipped, what was killed goes on."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from training.config.recipes import RECIPE_CONFIG, RecipeConfig, same_figures
from training.evidence.experiment import Cell, Experiment, LabelledConfig
from training.evidence.plan import OF_ROW, WITHOUT_RUN, Method
from training.evidence.predictions import ImagePredictions
from training.evidence.results import BadResult, Result, Tried
from training.evidence.scored import Scored, pretrained, probed_cell, trained_cell
from training.launch import launch
from training.run import RunFolder


class Runner:
    """Makes the cells of one experiment, and the runs that they start from."""

    def __init__(self, experiment: Experiment, *, say: Callable[[str], None]) -> None:
        self._experiment, self._say = experiment, say

    def run(self, cells: Iterable[Cell]) -> None:
        """Every cell in turn; raises Stopped where it is asked to stop, after a checkpoint."""
        for cell in cells:
            metrics = self.cell(cell).score.metrics
            self._say(f"{cell.path}: {', '.join(f'{k} {v:.4f}' for k, v in metrics.items())}")

    def cell(self, cell: Cell) -> Result:
        """The result of a cell, from its file or by running what is missing; raises BadResult."""
        file = self._experiment.result_file(cell)
        if file.exists():
            result = Result.read(file)
            self._check_same(result, cell)
            return result
        self._prepare(cell)
        probes = self._experiment.row(cell).method is Method.PROBE
        scored = self._probed(cell) if probes else self._trained(cell)
        scored.predictions.write(self._experiment.predictions_file(cell))
        scored.result.write(file)  # last: what has a metrics file has its predictions
        return scored.result

    def pretrained(self, name: str) -> None:
        """Run a pre-training, unless it has ended, and keep its figures."""
        run = RunFolder(self._experiment.pretraining_folder(name))
        root = self._experiment.plan.pretraining[name].root
        self._ended(run, self._experiment.pretraining_config(name), root)
        file = self._experiment.pretraining_file(name)
        if not file.exists():
            pretrained(name, run).write(file)

    def _check_same(self, result: Result, cell: Cell) -> None:
        """A metrics file is only skipped if the plan would make the same one."""
        candidates = self._experiment.profile.candidates
        probes = result.method is Method.PROBE
        candidate = next(iter(candidates)) if probes else result.chosen
        stored = RECIPE_CONFIG.validate_python(result.config)
        if candidate not in candidates or not same_figures(stored, self._config(cell, candidate)):
            raise BadResult(
                f"{self._experiment.result_file(cell)} is of another configuration than the plan "
                "and the profile now have; choose another --folder, or delete it and its run"
            )

    def _prepare(self, cell: Cell) -> None:
        """Run what the cell's networks start from."""
        for start in self._experiment.row(cell).starts:
            if start not in WITHOUT_RUN and not start.startswith(OF_ROW):
                self.pretrained(start)

    def _probed(self, cell: Cell) -> Scored:
        """Probe a cell; nothing in it is random, so other seeds have the first one's figures."""
        config = self._config(cell, next(iter(self._experiment.profile.candidates)))
        tuning = self._experiment.tuning_cell(cell)
        if tuning == cell:
            return probed_cell(cell, self._experiment, config)
        first = self.cell(tuning)
        own = {"seed": cell.seed, "config": config.model_dump(mode="json")}
        predictions = ImagePredictions.read(self._experiment.predictions_file(tuning))
        return Scored(first.model_copy(update=own), predictions)

    def _trained(self, cell: Cell) -> Scored:
        """Train every candidate, or the one that the first seed chose, and score the best."""
        tried = self._tried(cell)
        chosen = max(tried, key=lambda one: one.score).name
        config = self._config(cell, chosen)
        run = RunFolder(self._experiment.run_folder(cell, chosen))
        self._ended(run, config, self._experiment.data(cell).root)
        return trained_cell(cell, self._experiment, config, run, tried=tried)

    def _tried(self, cell: Cell) -> tuple[Tried, ...]:
        tuning = self._experiment.tuning_cell(cell)
        if tuning != cell:
            return self.cell(tuning).tried
        return tuple(
            Tried(name=name, score=self._candidate_score(cell, name))
            for name in self._experiment.profile.candidates
        )

    def _candidate_score(self, cell: Cell, name: str) -> float:
        run = RunFolder(self._experiment.run_folder(cell, name))
        results = self._ended(run, self._config(cell, name), self._experiment.data(cell).root)
        return float(results["best_score"])

    def _config(self, cell: Cell, candidate: str) -> LabelledConfig:
        row = self._experiment.row(cell)
        starts = {start: self._start_folder(cell, start) for start in row.starts}
        return self._experiment.cell_config(cell, candidate, starts)

    def _start_folder(self, cell: Cell, start: str) -> Path:
        """Where the weights of a start lie, if they lie in a run; of another row, its best run."""
        if start.startswith(OF_ROW):
            other = Cell(start.removeprefix(OF_ROW), cell.data, cell.fold, cell.seed)
            return self._again(other, self.cell(other).chosen)
        return self._experiment.pretraining_folder(start)

    def _again(self, cell: Cell, chosen: str) -> Path:
        """The run folder of a cell that was run, on another machine perhaps: weights stay there."""
        run = RunFolder(self._experiment.run_folder(cell, chosen))
        if not run.best_weights.exists():
            self._prepare(cell)
            self._ended(run, self._config(cell, chosen), self._experiment.data(cell).root)
        return run.path

    def _ended(self, run: RunFolder, config: RecipeConfig, root: Path) -> dict[str, Any]:
        """What a run ended with; it is begun, or goes on, where it has not."""
        run.prepare(config)
        if not run.results_file.exists():
            self._say(f"running {run.path}")
            launch(run, datasets_root=root)
        run.last_checkpoint.unlink(missing_ok=True)  # four networks' with optimiser state are big
        found: dict[str, Any] = json.loads(run.results_file.read_bytes())
        return found

"""A table's figures: mean and spread over folds and seeds, and tests against the baseline.

Made from metrics files and predictions; the report needs this and the metrics files alone.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Literal

import numpy as np
from pydantic import Field

from models.labels import LabelKind
from training.config.fields import Config
from training.evidence.comparison import Metric, compared, holm, interval
from training.evidence.experiment import Cell, Experiment, Filter
from training.evidence.pooling import part, pooled_predictions, whole
from training.evidence.results import Kept, Result
from training.metrics.distribution import kl
from training.metrics.multi import mean_average_precision
from training.metrics.single import top1
from training.objectives import OBJECTIVES

_TESTED: Mapping[LabelKind, Metric] = {
    LabelKind.SINGLE: top1,
    LabelKind.MULTI: lambda scores, targets: mean_average_precision(scores, targets.astype(bool)),
    LabelKind.DISTRIBUTION: kl,
}
"""The one figure of each kind that is tested, decided beforehand: the one that selects models."""

_SEED = 0


class Against(Config):
    """A row less its baseline, in the tested figure, over the images that both have."""

    row: str | None = Field(None, description="The baseline, where it is not the table's")
    parts: int
    images: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float = Field(description="Adjusted for all rows that are tested on this data set")


class Entry(Config):
    """One row on one data set."""

    row: str
    data: str
    parts: int = Field(description="Folds times seeds that are there")
    expected: int = Field(description="Folds times seeds of the plan")
    images: int = Field(description="Distinct test images")
    mean: dict[str, float]
    sd: dict[str, float] = Field(description="Over folds and seeds; empty where there is one")
    pooled: float = Field(description="The tested figure over the images of all folds together")
    low: float
    high: float
    against: Against | None = None


class Column(Config):
    """A data set of the table."""

    title: str
    kind: LabelKind
    tested: str
    several: tuple[str, ...] = Field(
        (),
        description="Runs and files that rows started from, of which there were several versions",
    )


class Summary(Kept):
    """The table of one plan on one profile."""

    schema_version: Literal[1] = 1
    plan: str
    profile: str
    baseline: str
    draws: int
    rows: dict[str, str]
    data: dict[str, Column]
    entries: tuple[Entry, ...]

    def entry(self, row: str, data: str) -> Entry | None:
        """The entry of a row and a data set, if any cell of it is there."""
        found = (entry for entry in self.entries if (entry.row, entry.data) == (row, data))
        return next(found, None)


def summarized(experiment: Experiment) -> Summary:
    """The table of every cell that is there; raises BadPredictions, NotPaired."""
    plan = experiment.plan
    found = {name: _by_row(experiment, name) for name in plan.data}
    return Summary(
        plan=plan.title,
        profile=experiment.profile.title,
        baseline=plan.baseline,
        draws=experiment.profile.draws,
        rows={name: row.title for name, row in plan.rows.items()},
        data={
            name: Column(
                title=data.title,
                kind=data.kind,
                tested=OBJECTIVES[data.kind].best_metric,
                several=_several(chain.from_iterable(found[name].values())),
            )
            for name, data in plan.data.items()
        },
        entries=tuple(entry for name in plan.data for entry in _column(experiment, found[name])),
    )


def _several(results: Iterable[Result]) -> tuple[str, ...]:
    """What was trained anew where results alone had been restored is another network."""
    digests: dict[str, set[str]] = {}
    for result in results:
        for path, digest in result.starts.items():
            digests.setdefault(path, set()).add(digest)
    return tuple(sorted(path for path, found in digests.items() if len(found) > 1))


def _by_row(experiment: Experiment, data: str) -> dict[str, list[Result]]:
    """The results of a data set that are there."""
    return {
        row: _results(experiment, experiment.cells(Filter(rows=[row], data=[data])))
        for row in experiment.plan.rows
    }


def _column(experiment: Experiment, results: Mapping[str, list[Result]]) -> list[Entry]:
    """The entries of one data set, their p values adjusted together."""
    entries = [
        _entry(experiment, found, results.get(experiment.plan.baseline_of(row) or "", []))
        for row, found in results.items()
        if found
    ]
    tested = [entry.against.p for entry in entries if entry.against]
    adjusted = iter(holm(tested))
    return [
        entry.model_copy(
            update={"against": entry.against.model_copy(update={"p_holm": next(adjusted)})}
        )
        if entry.against
        else entry
        for entry in entries
    ]


def _results(experiment: Experiment, cells: Iterable[Cell]) -> list[Result]:
    files = (experiment.result_file(cell) for cell in cells)
    return [Result.read(file) for file in files if file.exists()]


def _entry(experiment: Experiment, found: Sequence[Result], base: Sequence[Result]) -> Entry:
    first, metric = found[0], _TESTED[found[0].kind]
    draws = experiment.profile.draws
    pooled = pooled_predictions(experiment, whole(found))
    low, high = interval(pooled, metric, draws=draws, rng=np.random.default_rng(_SEED))
    names = list(first.score.metrics)
    values = {name: [result.score.metrics[name] for result in found] for name in names}
    expected = experiment.cells(Filter(rows=[first.row], data=[first.data]))
    return Entry(
        row=first.row,
        data=first.data,
        parts=len(found),
        expected=sum(1 for _ in expected),
        images=len(pooled.files),
        mean={name: statistics.fmean(each) for name, each in values.items()},
        sd={n: statistics.stdev(each) for n, each in values.items()} if len(found) > 1 else {},
        pooled=pooled.figure(metric),
        low=low,
        high=high,
        against=_against(experiment, found, base),
    )


def _against(
    experiment: Experiment, found: Sequence[Result], base: Sequence[Result]
) -> Against | None:
    """The comparison over the folds and seeds that both rows have; none where there is none."""
    common = {part(result) for result in found} & {part(result) for result in base}
    if not common:
        return None
    mine = whole([result for result in found if part(result) in common])
    theirs = whole([result for result in base if part(result) in common])
    pooled = pooled_predictions(experiment, mine)
    difference = compared(
        pooled,
        pooled_predictions(experiment, theirs),
        _TESTED[mine[0].kind],
        draws=experiment.profile.draws,
        rng=np.random.default_rng(_SEED),
    )
    return Against(
        row=experiment.row(found[0].cell).baseline,
        parts=len(mine),
        images=len(pooled.files),
        difference=difference.value,
        low=difference.low,
        high=difference.high,
        p=difference.p,
        p_holm=difference.p,
    )

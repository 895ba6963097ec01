"""The report: tables and plots from the kept figures alone, put into a page between two marks."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.files import replace_text
from training.errors import TrainingError
from training.evidence import plots
from training.evidence.bundle_metrics import METRICS_FILE
from training.evidence.bundle_report import BundleReport
from training.evidence.results import Pretrained, Result
from training.evidence.summary import Entry, Summary
from training.evidence.tables import (
    completeness,
    pretraining_table,
    results_table,
    sources,
    tests_table,
)
from training.objectives import OBJECTIVES

BEGIN = "<!-- evidence: begin; `make report` writes what follows -->"
END = "<!-- evidence: end -->"


class NoPlace(TrainingError):
    """The page has no marks that the report could be written between."""


def write_report(evidence: Path, page: Path) -> list[Path]:
    """Put tables and plots of every folder below `evidence` into `page`; the files written."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoPlace(f"{page} lacks the lines {BEGIN!r} and {END!r}; put them where it belongs")
    made: list[Path] = []
    sections: list[str] = []
    for report in _reports(evidence, page.parent):
        sections += report.sections()
        made += report.made
    body = "\n\n".join(sections or ["No cell has been run yet."])
    replace_text(page, f"{before}{BEGIN}\n\n{body}\n\n{END}{after}")
    return [page, *made]


def _reports(evidence: Path, page_folder: Path) -> "Iterator[_Report | BundleReport]":
    """Of every profile, the one with most cells first, then of every bundle."""

    def link(target: Path) -> str:
        return Path(os.path.relpath(target, page_folder)).as_posix()

    folders = sorted(path for path in evidence.glob("*") if path.is_dir())
    bundles = [folder for folder in folders if (folder / METRICS_FILE).exists()]
    profiles = sorted(
        (each for each in folders if each not in bundles), key=_cell_count, reverse=True
    )
    yield from (_Report(folder, link) for folder in profiles)
    yield from (BundleReport(folder, link) for folder in bundles)


def _cell_count(folder: Path) -> int:
    return sum(1 for _ in folder.glob("cells/**/*.json"))


@dataclass(frozen=True, slots=True)
class _Table:
    """One data set of a summary, with its cells by row."""

    summary: Summary
    data: str
    cells: Mapping[str, Sequence[Result]]

    @property
    def by_title(self) -> plots.Results:
        return {self.summary.rows[row]: found for row, found in self.cells.items()}

    def shown(self) -> plots.Results:
        """The baseline and the row that is best beside it: what plots of detail compare."""
        entries = [e for row in self.cells if (e := self.summary.entry(row, self.data))]
        others = [each for each in entries if each.row != self.summary.baseline]
        kept = [row for row in (self.summary.baseline,) if row in self.cells]
        if others:
            kept.append(max(others, key=self._goodness).row)
        return {self.summary.rows[row]: self.cells[row] for row in kept}

    def _goodness(self, entry: Entry) -> float:
        kind = self.summary.data[self.data].kind
        return entry.pooled if OBJECTIVES[kind].higher_is_better else -entry.pooled


class _Report:
    """One profile's part of the report."""

    def __init__(self, folder: Path, link: Callable[[Path], str]) -> None:
        self._folder, self._link = folder, link
        self.made: list[Path] = []

    def sections(self) -> list[str]:
        """Every plan's tables, then what the pre-trainings reached."""
        found: list[str] = []
        for file in sorted(self._folder.glob("*.json"), reverse=True):
            summary = Summary.read(file)
            found += self._plan(file.stem, summary)
        trained = [Pretrained.read(f) for f in sorted(self._folder.glob("pretraining/*.json"))]
        if trained:
            found += ["### What the pre-trainings reached", pretraining_table(trained)]
        return found

    def _plan(self, name: str, summary: Summary) -> Iterator[str]:
        yield f"## {summary.plan} ({summary.profile})"
        yield (
            f"Mean ± standard deviation over folds and seeds; intervals and p from {summary.draws} "
            "draws over the images of all folds together, paired with the baseline "
            f"({summary.rows[summary.baseline]}). Every cell's figures: "
            f"[{self._link(self._folder / 'cells')}]({self._link(self._folder / 'cells')})."
        )
        for data, column in summary.data.items():
            table = _Table(summary, data, self._cells(summary, data))
            yield f"### {column.title}"
            if table.cells:
                yield from self._data(name, table)
            else:
                yield "Nothing yet."

    def _data(self, plan: str, table: _Table) -> Iterator[str]:
        summary, data = table.summary, table.data
        if partial := completeness(summary, data):
            yield partial
        if several := sources(summary, data):
            yield several
        yield results_table(summary, data)
        yield tests_table(summary, data)
        for kind, file in self._plots(plan, table):
            yield f"![{summary.data[data].title}: {kind}]({self._link(file)})"

    def _plots(self, plan: str, table: _Table) -> Iterator[tuple[str, Path]]:
        column, shown = table.summary.data[table.data], table.shown()
        stem = self._folder / "plots" / f"{plan}-{table.data}"
        trained = {row: c for row, c in table.by_title.items() if any(each.epochs for each in c)}
        if trained:
            plots.learning_curves(trained, column.tested, file := self._file(stem, "curves"))
            yield "learning curves", file
        labels = next(iter(shown.values()))[0].labels
        details = {row: [each.score.detail for each in cells] for row, cells in shown.items()}
        plots.per_label(column.kind, labels, details, file := self._file(stem, "labels"))
        yield "by label", file
        row, last = list(details.items())[-1]
        if last[0].confusion is not None:
            plots.confusion(row, labels, last, file := self._file(stem, "confusion"))
            yield "confusion", file
        curves = {
            row: [b for d in each for b in d.calibration.bins] for row, each in details.items()
        }
        plots.reliability(curves, file := self._file(stem, "reliability"))
        yield "reliability", file

    def _file(self, stem: Path, what: str) -> Path:
        self.made.append(stem.with_name(f"{stem.name}-{what}.svg"))
        return self.made[-1]

    def _cells(self, summary: Summary, data: str) -> dict[str, list[Result]]:
        found = {
            row: [Result.read(f) for f in sorted(self._folder.glob(f"cells/{row}/{data}/*.json"))]
            for row in summary.rows
        }
        return {row: cells for row, cells in found.items() if cells}

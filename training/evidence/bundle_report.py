"""A bundle's part of the report: its figures, by label, their calibration, and some photos."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from models.labels import LabelKind
from models.manifest import Detail, Evaluation, Precision
from training.evidence import plots
from training.evidence.bundle_metrics import METRICS_FILE, PICTURES, BundleMetrics
from training.evidence.measured import Figure, Measured
from training.evidence.photos import PhotoAnswer
from training.evidence.tables import title
from training.export.figures import behind, table

MEASURED = "measured"
"""Folder of figures that were measured another way than those of the metrics file."""

_TOLD_OF_A_PHOTO = 3


class BundleReport:
    """The sections of one bundle, from the files in its folder alone."""

    def __init__(self, folder: Path, link: Callable[[Path], str]) -> None:
        self._folder, self._link = folder, link
        self._metrics = BundleMetrics.read(folder / METRICS_FILE)
        self.made: list[Path] = []

    def sections(self) -> Iterator[str]:
        """In Markdown, in order."""
        found = self._metrics
        yield f"# {found.label}"
        yield (
            f"From [its metrics file]({self._link(self._folder / METRICS_FILE)}): bundle sha256 "
            f"{found.digest[:12]}, code {found.code_version}."
        )
        for each in found.evaluations:
            if each.precision is Precision.FP32:
                yield from self._output(each)
        measured = [Measured.read(f) for f in sorted(self._folder.glob(f"{MEASURED}/*.json"))]
        if measured:
            yield "## Measured another way"
        for another in measured:
            yield from _measured(another)
        if found.photos:
            yield from self._photos(found.photos)

    def _output(self, one: Evaluation) -> Iterator[str]:
        """One output on one data set."""
        yield f"## {one.output} on {one.dataset}"
        yield f"{one.images} images. {one.protocol}."
        yield self._figures(one)
        if one.detail is not None:
            yield from behind(one.output, self._metrics.labels[one.output], one.detail)
            yield from self._plots(one, one.detail)

    def _figures(self, one: Evaluation) -> str:
        """Metrics of every graph side by side."""
        graphs = [
            each
            for each in self._metrics.evaluations
            if (each.output, each.protocol) == (one.output, one.protocol)
        ]
        rows = [
            [title(one.output, name), *(f"{graph.metrics[name]:.4f}" for graph in graphs)]
            for name in one.metrics
        ]
        return table(["metric", *(graph.precision for graph in graphs)], rows)

    def _plots(self, one: Evaluation, detail: Detail) -> Iterator[str]:
        told, labels = f"{one.output} on {one.dataset}", self._metrics.labels[one.output]
        stem = f"{one.output}-{one.dataset}".lower().replace(",", "").replace(" ", "-")
        plots.per_label(one.output, labels, {told: [detail]}, file := self._file(stem, "labels"))
        yield self._picture(f"{told}: by label", file)
        if detail.confusion is not None:
            plots.confusion(told, labels, [detail], file := self._file(stem, "confusion"))
            yield self._picture(f"{told}: confusion", file)
        curves = {"as told": detail.calibration.bins}
        if detail.uncalibrated is not None:
            curves["before calibration"] = detail.uncalibrated.bins
        plots.reliability(curves, file := self._file(stem, "reliability"))
        yield self._picture(f"{told}: reliability", file)

    def _photos(self, photos: Sequence[PhotoAnswer]) -> Iterator[str]:
        firm = sum(each.is_wrong and each.is_firm for each in photos)
        yield "## Where it fails: some photos"
        yield (
            "Pictures of scikit-image; on the right what the first label rests on. What is "
            "expected is our reading, not raters', and they were chosen so that failures are "
            f"among them: they are no sample. Of {len(photos)} answers {firm} are firm and wrong."
        )
        rows = [
            [self._shown(each), _told(each), ", ".join(each.expected) or "nothing", each.verdict]
            for each in photos
        ]
        yield table(["photo", "first labels; selected", "expected", "verdict"], rows)

    def _shown(self, one: PhotoAnswer) -> str:
        if one.licence is None:
            return f"{one.shows} (not shown: no licence is stated)"
        file = self._folder / PICTURES / f"{one.name}.jpg"
        return f"{self._picture(one.shows, file)}<br>{one.shows} ({one.licence})"

    def _file(self, stem: str, what: str) -> Path:
        self.made.append(self._folder / "plots" / f"{stem}-{what}.svg")
        return self.made[-1]

    def _picture(self, told: str, file: Path) -> str:
        return f"![{told}]({self._link(file)})"


def _told(one: PhotoAnswer) -> str:
    first = list(one.scores.items())[:_TOLD_OF_A_PHOTO]
    scores = ", ".join(f"{label} {score:.2f}" for label, score in first)
    return f"{scores}; {', '.join(one.selected)}" if one.selected else scores


def _measured(found: Measured) -> Iterator[str]:
    yield f"**{found.told}**, {found.images} images of {found.dataset}:"
    graphs = list(dict.fromkeys(figure.precision for figure in found.figures))
    by_metric: dict[tuple[LabelKind, str], list[Figure]] = {}
    for figure in found.figures:
        by_metric.setdefault((figure.output, figure.metric), []).append(figure)
    head = ["output", "metric", "measured", *(f"card, {graph}" for graph in graphs)]
    rows = [
        [output, title(output, metric), f"{figures[0].measured:.4f}"]
        + [f"{figure.card:.4f} ({figure.difference:+.4f})" for figure in figures]
        for (output, metric), figures in by_metric.items()
    ]
    yield table(head, rows)

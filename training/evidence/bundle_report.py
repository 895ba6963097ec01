"""A bundle's part of the report: its figures, by label, their calibration, and some photos."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from models.manifest import Detail, Evaluation, Precision
from training.evidence import plots
from training.evidence.bundle_metrics import METRICS_FILE, PICTURES, BundleMetrics
from training.evidence.measured import Measured
from training.evidence.photos import PhotoAnswer
from training.evidence.tables import title
from training.export.figures import calibration_sentence, label_table, table

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
            yield _measured_table(measured)
        if found.photos:
            yield from self._photos(found.photos)

    def _output(self, one: Evaluation) -> Iterator[str]:
        """One output on one data set."""
        yield f"## {one.output} on {one.dataset}"
        yield f"{one.images} images. {one.protocol}."
        yield self._figures(one)
        if one.detail is not None:
            yield label_table(self._metrics.labels[one.output], one.detail)
            yield calibration_sentence(one.output, one.detail)
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

    def _plots(self, one: Evaluation, behind: Detail) -> Iterator[str]:
        told, labels = f"{one.output} on {one.dataset}", self._metrics.labels[one.output]
        stem = f"{one.output}-{one.dataset}".lower().replace(",", "").replace(" ", "-")
        plots.per_label(one.output, labels, {told: [behind]}, file := self._file(stem, "labels"))
        yield self._picture(f"{told}: by label", file)
        if behind.confusion is not None:
            plots.confusion(told, labels, [behind], file := self._file(stem, "confusion"))
            yield self._picture(f"{told}: confusion", file)
        curves = {"calibrated": behind.calibration.bins}
        if behind.uncalibrated is not None:
            curves["before"] = behind.uncalibrated.bins
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


def _measured_table(found: Sequence[Measured]) -> str:
    head = ["how", "data", "images", "metric", "measured", "card", "difference"]
    rows = [
        [
            each.told,
            each.dataset,
            str(each.images),
            title(figure.output, figure.metric),
            f"{figure.measured:.4f}",
            f"{figure.card:.4f} ({figure.precision})",
            f"{figure.difference:+.4f}",
        ]
        for each in found
        for figure in each.figures
    ]
    return table(head, rows)

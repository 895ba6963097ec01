"""The plots of the report, as SVG files that are the same for the same figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from models.labels import LabelKind, LabelSet
from models.manifest import Bin, Detail
from training.evidence.results import Result
from training.evidence.tables import title

Results = Mapping[str, Sequence[Result]]
"""The cells of one data set, by the title of their row."""

Details = Mapping[str, Sequence[Detail]]
"""What lies behind the cells, likewise."""

_PER_LABEL = {
    LabelKind.SINGLE: ("f1", "F1"),
    LabelKind.MULTI: ("average_precision", "average precision"),
    LabelKind.DISTRIBUTION: ("mean_error", "mean error of the share"),
}
_STYLE: Any = {
    "svg.hashsalt": "sentiscope",  # else names of elements are random
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.constrained_layout.use": True,
}


def learning_curves(results: Results, tested: str, file: Path) -> None:
    """The tested figure on validation data by epoch, the mean over folds and seeds."""
    with mpl.rc_context(_STYLE):
        figure, axes = _canvas(6, 3.2)
        for row, cells in results.items():
            curves = [_curve(cell, tested) for cell in cells if cell.epochs]
            if curves:
                epochs = min(map(len, curves))
                mean = np.mean([curve[:epochs] for curve in curves], axis=0)
                axes.plot(range(1, epochs + 1), mean, marker="o", markersize=3, label=row)
        kind = next(iter(results.values()))[0].kind
        axes.set(xlabel="epoch", ylabel=f"{title(kind, tested)}, validation")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _legend(axes)
        _save(figure, file)


def per_label(kind: LabelKind, labels: LabelSet, details: Details, file: Path) -> None:
    """One figure a label and row, the mean over folds and seeds."""
    name, told = _PER_LABEL[kind]
    with mpl.rc_context(_STYLE):
        figure, axes = _canvas(max(6, 0.6 * len(labels)), 3.2)
        places = np.arange(len(labels))
        width = 0.8 / len(details)
        for number, (row, found) in enumerate(details.items()):
            values = np.mean([each.per_label[name] for each in found], axis=0)
            axes.bar(places + (number + 0.5) * width - 0.4, values, width, label=row)
        axes.set_xticks(places, labels.names, rotation=40, ha="right")
        axes.set(ylabel=told)
        _legend(axes)
        _save(figure, file)


def confusion(row: str, labels: LabelSet, found: Sequence[Detail], file: Path) -> None:
    """Share of each true label that is told as each label, over all folds and seeds."""
    counts = np.sum([np.asarray(each.confusion) for each in found], axis=0)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with mpl.rc_context(_STYLE):
        figure, axes = _canvas(4.8, 4.2)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (true, told), share in np.ndenumerate(shares):
            colour = "white" if share > 0.5 else "black"
            axes.text(told, true, f"{share:.2f}", ha="center", va="center", color=colour, size=7)
        axes.set_xticks(range(len(labels)), labels.names, rotation=40, ha="right")
        axes.set_yticks(range(len(labels)), labels.names)
        axes.set(xlabel="told", ylabel="true", title=row)
        _save(figure, file)


def reliability(curves: Mapping[str, Sequence[Bin]], file: Path) -> None:
    """How often statements hold, by the probability they are given."""
    with mpl.rc_context(_STYLE):
        figure, axes = _canvas(4.2, 3.8)
        axes.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--")
        for row, bins in curves.items():
            confidence, accuracy = _merged(bins)
            axes.plot(confidence, accuracy, marker="o", markersize=3, label=row)
        axes.set(xlabel="stated probability", ylabel="share that held")
        _legend(axes)
        _save(figure, file)


def _curve(cell: Result, tested: str) -> list[float]:
    return [epoch.val[f"{cell.kind}.{tested}"] for epoch in cell.epochs]


def _merged(bins: Sequence[Bin]) -> tuple[list[float], list[float]]:
    """Bins of several cells as the bins of their cases together, by tenths of confidence."""
    tenths: dict[int, list[Bin]] = {}
    for each in bins:
        tenths.setdefault(min(int(each.confidence * 10), 9), []).append(each)
    confidence, accuracy = [], []
    for _, together in sorted(tenths.items()):
        cases = [each.cases for each in together]
        confidence.append(float(np.average([each.confidence for each in together], weights=cases)))
        accuracy.append(float(np.average([each.accuracy for each in together], weights=cases)))
    return confidence, accuracy


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height))
    return figure, figure.add_subplot()


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, fontsize=7)


def _save(figure: Figure, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)

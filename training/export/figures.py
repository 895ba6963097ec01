"""Figures of one output in Markdown: by label, and how well its probabilities are calibrated."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from models.labels import LabelKind, LabelSet
from models.manifest import Bin, Detail

_TITLES: Mapping[str, str] = {
    "average_precision": "average precision",
    "f1": "F1",
    "mean_error": "mean error of the share",
    "mean_share": "mean share",
    "mean_told": "mean share told",
}
_STATED = {
    LabelKind.SINGLE: "the first label's probability, and how often it is right",
    LabelKind.MULTI: "every label's probability, and how often it holds",
    LabelKind.DISTRIBUTION: "every label's share, and the raters' share",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def behind(kind: LabelKind, labels: LabelSet, detail: Detail) -> Iterator[str]:
    """Figures by label, and in a sentence how well probabilities are calibrated."""
    yield _label_table(labels, detail)
    if kind is LabelKind.DISTRIBUTION:
        yield "Precision, recall, F1 and images are those of the dominant label."
    yield _calibration(kind, detail)


def bins_table(bins: Sequence[Bin]) -> str:
    """Reliability bins as columns."""
    return table(
        ["stated", *(f"{each.confidence:.2f}" for each in bins)],
        [
            ["held", *(f"{each.accuracy:.2f}" for each in bins)],
            ["cases", *(str(each.cases) for each in bins)],
        ],
    )


def _label_table(labels: LabelSet, detail: Detail) -> str:
    """A row for each label; images as whole numbers, all else with three digits."""
    head = ["label", *(_TITLES.get(name, name) for name in detail.per_label)]
    rows = [
        [label, *(_figure(name, values[place]) for name, values in detail.per_label.items())]
        for place, label in enumerate(labels.names)
    ]
    return table(head, rows)


def _figure(name: str, value: float) -> str:
    return f"{value:.0f}" if name == "images" else f"{value:.3f}"


def _calibration(kind: LabelKind, detail: Detail) -> str:
    """The expected calibration error, and what it was before calibration."""
    before = "" if detail.uncalibrated is None else f", before it {detail.uncalibrated.error:.3f}"
    after = "after calibration " if before else ""
    return (
        f"Expected calibration error ({_STATED[kind]}): {after}{detail.calibration.error:.3f}"
        f"{before}."
    )

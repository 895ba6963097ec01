"""The tables of the report, in Markdown."""

from collections.abc import Mapping, Sequence

from models.labels import LabelKind
from training.evidence.results import Pretrained
from training.evidence.summary import Against, Entry, Summary
from training.export.figures import table

_SHOWN: Mapping[LabelKind, Mapping[str, str]] = {
    LabelKind.SINGLE: {
        "top1": "top-1 ↑",
        "macro_f1": "macro F1 ↑",
        "polarity_accuracy": "polarity ↑",
    },
    LabelKind.MULTI: {
        "mean_average_precision": "mAP ↑",
        "ranking_loss": "ranking loss ↓",
        "hamming_loss": "Hamming ↓",
        "micro_f1": "micro F1 ↑",
        "macro_f1": "macro F1 ↑",
    },
    LabelKind.DISTRIBUTION: {
        "kl": "KL ↓",
        "chebyshev": "Chebyshev ↓",
        "clark_raw": "Clark raw ↓",
        "clark_normalized": "Clark / √C ↓",
        "canberra_raw": "Canberra raw ↓",
        "canberra_normalized": "Canberra / C ↓",
        "cosine": "cosine ↑",
        "intersection": "intersection ↑",
        "dominant_accuracy": "dominant ↑",
    },
}
_DIGITS = 3
_LEAST_P = 0.001


def title(kind: LabelKind, metric: str) -> str:
    """A metric as tables and plots call it."""
    return _SHOWN[kind].get(metric, metric)


def results_table(summary: Summary, data: str) -> str:
    """Every row on one data set: mean ± standard deviation over folds and seeds."""
    column = summary.data[data]
    entries = _entries(summary, data)
    shown = [name for name in _SHOWN[column.kind] if any(name in each.mean for each in entries)]
    head = ["row", "cells", *(title(column.kind, name) for name in shown)]
    rows = [
        [_row(summary, each), _cells(each), *(_spread(each, name) for name in shown)]
        for each in entries
    ]
    return table(head, rows)


def tests_table(summary: Summary, data: str) -> str:
    """The tested figure over the images of all folds, and its difference to the baseline."""
    column = summary.data[data]
    head = ["row", "images", f"{title(column.kind, column.tested)}, pooled", "95 % interval"]
    head += ["difference to the baseline", "95 % interval", "p", "p (Holm)"]
    rows = [
        [
            _row(summary, each),
            str(each.images),
            _number(each.pooled),
            f"{_number(each.low)} to {_number(each.high)}",
            *_against(summary, each.against),
        ]
        for each in _entries(summary, data)
    ]
    return table(head, rows)


def completeness(summary: Summary, data: str) -> str:
    """A sentence for a table that is not whole yet; nothing for one that is."""
    there = {entry.row: entry for entry in _entries(summary, data)}
    parts = sum(entry.parts for entry in there.values())
    a_row = max((entry.expected for entry in there.values()), default=0)
    expected = a_row * len(summary.rows)
    missing = [name for row, name in summary.rows.items() if row not in there]
    if parts == expected:
        return ""
    without = f"; nothing yet of: {'; '.join(missing)}" if missing else ""
    return f"**Partial: {parts} of {expected} cells{without}.**"


def sources(summary: Summary, data: str) -> str:
    """A sentence for a table whose rows do not start from the same networks; else nothing."""
    several = summary.data[data].several
    return f"**Rows started from several versions of: {', '.join(several)}.**" if several else ""


def pretraining_table(found: Sequence[Pretrained]) -> str:
    """What every pre-training reached on its own validation images, at the epoch that was kept."""
    rows = []
    for each in found:
        kept = next(epoch for epoch in each.epochs if epoch.epoch == each.best_epoch)
        figures = [f"{k} {_number(v)}" for k, v in kept.val.items() if ".loss." not in k]
        rows.append([each.name, f"{each.best_epoch} of {len(each.epochs)}", "; ".join(figures)])
    return table(["pre-training", "epoch kept", "validation figures"], rows)


def _entries(summary: Summary, data: str) -> list[Entry]:
    found = (summary.entry(row, data) for row in summary.rows)
    return [entry for entry in found if entry is not None]


def _row(summary: Summary, entry: Entry) -> str:
    name = summary.rows[entry.row]
    return f"{name} (baseline)" if entry.row == summary.baseline else name


def _cells(entry: Entry) -> str:
    return (
        str(entry.parts) if entry.parts == entry.expected else f"{entry.parts} of {entry.expected}"
    )


def _spread(entry: Entry, name: str) -> str:
    if name not in entry.mean:
        return "-"
    mean = _number(entry.mean[name])
    return f"{mean} ± {_number(entry.sd[name])}" if entry.sd else mean


def _against(summary: Summary, found: Against | None) -> list[str]:
    if found is None:
        return ["-"] * 4
    other = f" (to: {summary.rows[found.row]})" if found.row else ""
    return [
        f"{found.difference:+.{_DIGITS}f}{other}",
        f"{found.low:+.{_DIGITS}f} to {found.high:+.{_DIGITS}f}",
        _p(found.p),
        _p(found.p_holm),
    ]


def _p(value: float) -> str:
    return f"< {_LEAST_P}" if value < _LEAST_P else _number(value)


def _number(value: float) -> str:
    return f"{value:.{_DIGITS}f}"

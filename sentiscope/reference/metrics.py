"""Page: what `/metrics` tells."""

from app.measures import MEASURES, Measure, MeasureKind
from sentiscope.reference.markdown import code, page, table

_INTRODUCTION = """\
`GET /metrics` in Prometheus' text format, of this one process. Histograms have the usual `_bucket`, `_sum` and `_count`.
[What to look at, and when to be alarmed](../guides/operate.md)."""


def metrics() -> str:
    """All of them, as they are declared."""
    rows = [
        (code(_name(each)), each.kind, " ".join(map(code, each.labels)), each.text)
        for each in MEASURES
    ]
    return page("Metrics", _INTRODUCTION, table(("metric", "kind", "labels", "what"), rows))


def _name(measure: Measure) -> str:
    return f"{measure.name}_total" if measure.kind is MeasureKind.COUNTER else measure.name

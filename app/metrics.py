"""What the service counts and measures, in Prometheus' words."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app import measures
from app.measures import Measure

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BATCHES = (1, 2, 4, 8, 16, 32, 64)

Reading = Callable[[], Mapping[tuple[str, ...], float]]
"""Values by label values, read when Prometheus asks."""


class Metrics:
    """The metrics of one service; each process has its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._of_request = lru_cache(maxsize=1024)(self._labelled)  # finding them takes longer
        self.requests = Counter(*_words(measures.REQUESTS), registry=self._registry)
        self.seconds = Histogram(
            *_words(measures.SECONDS), buckets=_SECONDS, registry=self._registry
        )
        self.in_flight = Gauge(*_words(measures.IN_FLIGHT), registry=self._registry)
        self.stage_seconds = Histogram(
            *_words(measures.STAGE_SECONDS), buckets=_SECONDS, registry=self._registry
        )
        self.stages = {name: self.stage_seconds.labels(name) for name in measures.STAGES}
        self.batch_images = Histogram(
            *_words(measures.BATCH_IMAGES), buckets=_BATCHES, registry=self._registry
        )
        self.refused = Counter(*_words(measures.REFUSED), registry=self._registry)

    def count_request(self, route: str, method: str, status: int, *, seconds: float) -> None:
        """One request more."""
        requests, taken = self._of_request(route, method, status)
        requests.inc()
        taken.observe(seconds)

    def gauge(self, measure: Measure, read: Reading) -> None:
        """Add a gauge that is read when it is asked for."""
        self._registry.register(_Read(measure, read))

    def _labelled(self, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
        return self.requests.labels(route, method, str(status)), self.seconds.labels(route)

    def text(self) -> bytes:
        """All of them, in the text format."""
        return generate_latest(self._registry)


class _Read(Collector):
    def __init__(self, measure: Measure, read: Reading) -> None:
        self._measure, self._read = measure, read

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing is read to register it."""
        return [self._family()]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What is read now."""
        family = self._family()
        for labels, value in self._read().items():
            family.add_metric(labels, value)
        return [family]

    def _family(self) -> GaugeMetricFamily:
        name, text, labels = _words(self._measure)
        return GaugeMetricFamily(name, text, labels=labels)


def _words(measure: Measure) -> tuple[str, str, tuple[str, ...]]:
    return measure.name, measure.text, measure.labels

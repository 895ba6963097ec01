"""What the service counts and measures, in Prometheus' words."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BATCHES = (1, 2, 4, 8, 16, 32, 64)

Reading = Callable[[], Mapping[tuple[str, ...], float]]
"""Values by label values, read when Prometheus asks."""


class Metrics:
    """The metrics of one service; each process has its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "sentiscope_http_requests",
            "Requests answered, by route, method and status.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "sentiscope_http_request_seconds",
            "Seconds from a request's first byte to the end of its answer, by route.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.in_flight = Gauge(
            "sentiscope_http_requests_in_flight",
            "Requests being answered now.",
            registry=self._registry,
        )
        self.stage_seconds = Histogram(
            "sentiscope_prediction_stage_seconds",
            "Seconds of one image in a stage of its prediction: decode, queue, inference.",
            ("stage",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.batch_images = Histogram(
            "sentiscope_batch_images",
            "Images run at once.",
            buckets=_BATCHES,
            registry=self._registry,
        )
        self.refused = Counter(
            "sentiscope_refused",
            "Requests and images refused, by the problem's type.",
            ("reason",),
            registry=self._registry,
        )

    def gauge(self, name: str, description: str, labels: Iterable[str], read: Reading) -> None:
        """Add a gauge that is read when it is asked for."""
        self._registry.register(_Read(name, description, tuple(labels), read))

    def text(self) -> bytes:
        """All of them, in the text format."""
        return generate_latest(self._registry)


class _Read(Collector):
    def __init__(self, name: str, text: str, labels: tuple[str, ...], read: Reading) -> None:
        self._name, self._text, self._labels, self._reading = name, text, labels, read

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing is read to register it."""
        return [GaugeMetricFamily(self._name, self._text, labels=self._labels)]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What is read now."""
        family = GaugeMetricFamily(self._name, self._text, labels=self._labels)
        for labels, value in self._reading().items():
            family.add_metric(labels, value)
        return [family]

"""What the service tells Prometheus, declared: names, meanings and labels."""

from dataclasses import dataclass
from enum import StrEnum


class MeasureKind(StrEnum):
    """Prometheus' kinds that occur here."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric; Prometheus adds `_total` to the name of a counter."""

    kind: MeasureKind
    name: str
    text: str
    labels: tuple[str, ...] = ()


REQUESTS = Measure(
    MeasureKind.COUNTER,
    "sentiscope_http_requests",
    "Requests answered, by route, method and status; 0 where the client left before.",
    ("route", "method", "status"),
)
SECONDS = Measure(
    MeasureKind.HISTOGRAM,
    "sentiscope_http_request_seconds",
    "Seconds from a request's first byte to the end of its answer, by route.",
    ("route",),
)
IN_FLIGHT = Measure(
    MeasureKind.GAUGE, "sentiscope_http_requests_in_flight", "Requests being answered now."
)
STAGES = ("fetch", "decode", "queue", "inference")
STAGE_SECONDS = Measure(
    MeasureKind.HISTOGRAM,
    "sentiscope_prediction_stage_seconds",
    f"Seconds of one image in a stage of its prediction: {', '.join(STAGES)}.",
    ("stage",),
)
BATCH_IMAGES = Measure(MeasureKind.HISTOGRAM, "sentiscope_batch_images", "Images run at once.")
REFUSED = Measure(
    MeasureKind.COUNTER,
    "sentiscope_refused",
    "Requests and images refused, by the problem's type.",
    ("reason",),
)
QUEUE_IMAGES = Measure(MeasureKind.GAUGE, "sentiscope_queue_images", "Images waiting or running.")
QUEUE_AGE = Measure(
    MeasureKind.GAUGE,
    "sentiscope_queue_age_seconds",
    "Seconds that the image waits that has waited longest.",
)
MODEL_LOADED = Measure(
    MeasureKind.GAUGE,
    "sentiscope_model_loaded",
    "Models in memory.",
    ("model", "version", "precision", "provider"),
)
PROCESSES = Measure(
    MeasureKind.GAUGE,
    "sentiscope_inference_processes",
    "Processes that run images; absent where threads do.",
)
PROCESSES_LOST = Measure(
    MeasureKind.GAUGE,
    "sentiscope_inference_processes_lost",
    "Processes that ended by themselves since the start, and were started anew.",
)
JOBS = Measure(
    MeasureKind.GAUGE, "sentiscope_jobs", "Jobs, by status; where jobs are enabled.", ("status",)
)
MEASURES = (
    REQUESTS,
    SECONDS,
    IN_FLIGHT,
    STAGE_SECONDS,
    BATCH_IMAGES,
    REFUSED,
    QUEUE_IMAGES,
    QUEUE_AGE,
    MODEL_LOADED,
    PROCESSES,
    PROCESSES_LOST,
    JOBS,
)

"""OpenTelemetry traces: a span a request, and in it the stages of each image.

Off, unless the standard variables say where traces go. FastAPI makes the span of the request, and
takes over the trace that a client began (W3C `traceparent`).
"""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.trace import Span, Tracer, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

from app.errors import AppError
from app.inference.task import Done
from app.prediction import Outcome

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider

REQUEST_ID = "sentiscope.request_id"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"
_SERVICE = "sentiscope"
_UNTOLD = ("/health/", "/v2/health/", "/metrics")
"""Asked every few seconds, and of no interest."""


class TracingUnavailable(AppError):
    """Traces are asked for and cannot be sent."""


def configured(environment: Mapping[str, str]) -> "SdkTracerProvider | None":
    """What sends spans where the environment says; None where it says nothing.

    Raises TracingUnavailable. What is left to send is sent when the process ends.
    """
    endpoint = next((name for name in _ENDPOINTS if environment.get(name)), None)
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if endpoint is None or is_off or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return None
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), _PROTOCOL)
    if protocol != _PROTOCOL:
        raise TracingUnavailable(f"traces are sent as {_PROTOCOL}, not as {protocol!r}")
    try:
        return _provider(environment.get("OTEL_SERVICE_NAME") or _SERVICE)
    except ImportError as error:
        raise TracingUnavailable(
            f"{endpoint} is set, but OpenTelemetry is not installed: install the extra 'otel', or "
            f"unset {endpoint}"
        ) from error


def telemetry(provider: TracerProvider | None) -> TelemetryConfig:
    """What FastAPI observes of itself: requests where there is a provider, and nothing else."""
    return {
        "tracer_provider": provider,
        "tracing": provider is not None,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "auto_configure": False,
        "exclude": _is_untold,
    }


def tracer(provider: TracerProvider | None) -> Tracer:
    """What makes the spans of the stages."""
    return trace.NoOpTracer() if provider is None else provider.get_tracer(_SERVICE)


def trace_stages(
    spans: Tracer, done: Sequence[Done[Outcome[Any]]], *, fetch_s: float = 0.0
) -> None:
    """Spans of the request's stages, told when they are over: threads know no context."""
    if not trace.get_current_span().is_recording():
        return
    since_epoch = time.time() - time.perf_counter()
    if fetch_s:
        began = done[0].since + since_epoch - fetch_s
        _tell(spans, "fetch", began, fetch_s, {})
    for place, each in enumerate(done):
        began, outcome = each.since + since_epoch, each.value
        for name, seconds in (
            ("queue", each.waited_s),
            ("decode", outcome.decode_s),
            ("inference", outcome.inference_s),
        ):
            _tell(spans, name, began, seconds, {"sentiscope.image": place})
            began += seconds


def name_route(method: str, path: str) -> None:
    """Name the request's span as routing would."""
    span = trace.get_current_span()
    if span.is_recording():
        span.update_name(f"{method} {path}")
        span.set_attribute("http.route", path)


def mark(request_id: str) -> Mapping[str, str]:
    """Give the request's span its id; returns headers by which a client finds the trace."""
    span: Span = trace.get_current_span()
    headers: dict[str, str] = {}
    if span.get_span_context().is_valid:
        span.set_attribute(REQUEST_ID, request_id)
        TraceContextTextMapPropagator().inject(headers)
    return headers


def trace_id() -> str | None:
    """The id of the trace that the current request belongs to."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def _tell(
    spans: Tracer, name: str, began_s: float, seconds: float, attributes: Mapping[str, int]
) -> None:
    span = spans.start_span(name, start_time=_nanoseconds(began_s), attributes=attributes)
    span.end(_nanoseconds(began_s + seconds))


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


def _is_untold(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith(_UNTOLD)


def _provider(service: str) -> "SdkTracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider

import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.tracing import REQUEST_ID, TracingUnavailable, configured
from tests.app.client import Client, publish_tiny, serving, tiny_settings
from tests.app.internet import content, hosting
from tests.app.pictures import encoded, solid
from tests.app.server import environment, post_image, served, started

IMAGE = encoded(solid())
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
BYTES = {"Content-Type": "application/octet-stream"}
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def client(tmp_path: Path, exporter: InMemorySpanExporter) -> Iterator[Client]:
    publish_tiny(tmp_path)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with serving(tiny_settings(tmp_path), tracer_provider=provider) as opened:
        yield opened


def named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


def test_request_is_a_span_that_goes_on_with_the_clients_trace(
    client: Client, exporter: InMemorySpanExporter
) -> None:
    headers = {**BYTES, "traceparent": PARENT, "X-Request-ID": "mine"}
    response = client.post(content=IMAGE, headers=headers)
    [span] = named(exporter, "POST /v1/predictions")
    assert span.context
    assert span.parent
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert span.attributes
    assert span.attributes[REQUEST_ID] == "mine"
    assert span.attributes["http.response.status_code"] == 200
    assert response.headers["traceparent"] == f"00-{TRACE}-{span.context.span_id:016x}-01"


def test_stages_of_each_image_lie_in_the_span_of_the_request(
    client: Client, exporter: InMemorySpanExporter
) -> None:
    assert client.send_files(IMAGE, IMAGE).status_code == 200
    [request] = named(exporter, "POST /v1/predictions")
    assert request.context
    for place in (0, 1):
        stages = [
            span
            for name in ("queue", "decode", "inference")
            for span in named(exporter, name)
            if span.attributes == {"sentiscope.image": place}
        ]
        assert [span.name for span in stages] == ["queue", "decode", "inference"]
        assert {span.parent and span.parent.span_id for span in stages} == {request.context.span_id}
        times = [time for span in (request, *stages) for time in (span.start_time, span.end_time)]
        assert None not in times
        begin, end, *inner = [time for time in times if time is not None]
        assert inner == sorted(inner)
        assert inner[1] == inner[2]
        assert begin - 1_000_000 <= inner[0]
        assert inner[-1] <= end + 1_000_000


def test_fetching_is_a_stage(tmp_path: Path, exporter: InMemorySpanExporter) -> None:
    publish_tiny(tmp_path)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with hosting({"/a.png": content(IMAGE)}) as host:
        url = f"http://localhost:{host.port}"
        settings = tiny_settings(tmp_path, url_private_hosts=(url,))
        with serving(settings, tracer_provider=provider) as client:
            assert client.post(json={"images": [{"url": f"{url}/a.png"}]}).status_code == 200
    [fetch], [queue] = named(exporter, "fetch"), named(exporter, "queue")
    assert fetch.end_time
    assert queue.start_time
    assert abs(fetch.end_time - queue.start_time) < 1_000_000
    assert "traceparent" not in {name.lower() for name in host.asked[0][1]}


def test_images_of_the_inference_protocol_are_traced(
    client: Client, exporter: InMemorySpanExporter
) -> None:
    tensor = {"name": "image", "datatype": "FP32", "shape": [1, 3, 16, 16], "data": [0.5] * 768}
    path = "/v2/models/tiny/infer"
    assert client.request("POST", path, json={"inputs": [tensor]}).status_code == 200
    assert len(named(exporter, "POST /v2/models/{name}/infer")) == 1
    assert len(named(exporter, "inference")) == 1


@pytest.mark.parametrize("path", ["/health/live", "/v2/health/ready", "/metrics"])
def test_questions_of_every_second_are_not_traced(
    client: Client, exporter: InMemorySpanExporter, path: str
) -> None:
    assert client.get(path).status_code == 200
    assert exporter.get_finished_spans() == ()


def test_without_a_provider_nothing_is_told(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    with serving(tiny_settings(tmp_path)) as client:
        response = client.post(content=IMAGE, headers={**BYTES, "traceparent": PARENT})
    assert response.status_code == 200
    assert "traceparent" not in response.headers


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {ENDPOINT: ""},
        {ENDPOINT: "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {ENDPOINT: "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_traces_are_off_unless_it_is_said_where_they_go(variables: Mapping[str, str]) -> None:
    assert configured(variables) is None


def test_another_protocol_is_refused() -> None:
    variables = {ENDPOINT: "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with pytest.raises(TracingUnavailable, match="http/protobuf, not as 'grpc'"):
        configured(variables)


def test_service_that_lacks_opentelemetry_does_not_start_when_it_is_asked_for() -> None:
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT_SDK],
        env=environment(port=0) | {ENDPOINT: "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == 1
    assert f"{ENDPOINT} is set, but OpenTelemetry is not installed" in said.stderr
    assert "the extra 'otel'" in said.stderr
    assert "Traceback" not in said.stderr


WITHOUT_SDK = """
import sys
sys.modules["opentelemetry.sdk"] = None  # as if it were not installed
from app.main import main
main()
"""


class Collector(ThreadingHTTPServer):
    """Receives what an OpenTelemetry collector does."""

    def __init__(self) -> None:
        received = self.received = list[ExportTraceServiceRequest]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/v1/traces"
                received.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def spans(self) -> Sequence[str]:
        """Names of the spans received."""
        return [
            span.name
            for request in self.received
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def services(self) -> set[str]:
        """Names of the services that sent them."""
        return {
            each.value.string_value
            for request in self.received
            for resource in request.resource_spans
            for each in resource.resource.attributes
            if each.key == "service.name"
        }


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_served_requests_reach_a_collector_before_the_service_has_stopped(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_tiny(tmp_path)
    monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{collector.server_port}")
    with served(tmp_path, log_format="json") as server:
        assert post_image(server.url, IMAGE).status_code == 200
        status, _ = server.stop()
        assert status == 0
        assert server.process.stderr
        log = server.process.stderr.read()
    assert {"POST /v1/predictions", "queue", "decode", "inference"} <= set(collector.spans)
    assert collector.services == {"sentiscope"}
    assert re.search(r'"trace_id": "[0-9a-f]{32}"', log)


def test_service_answers_and_stops_though_the_collector_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_tiny(tmp_path)
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    with served(tmp_path) as server:
        assert post_image(server.url, IMAGE).status_code == 200
        status, seconds = server.stop()
    assert status == 0
    assert seconds < 15


def test_refusal_to_start_names_the_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with started(port=0) as process:
        _, wrong = process.communicate(timeout=60)
    assert process.returncode == 1
    assert wrong.strip() == "traces are sent as http/protobuf, not as 'grpc'"

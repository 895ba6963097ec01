"""The whole service with keys, metrics and request ids."""

from pathlib import Path

from app.keys import Scope, create_key
from tests.app.client import assert_problem, publish_tiny, serving, tiny_settings
from tests.app.pictures import encoded, solid


def test_what_happens_is_in_the_metrics(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    with serving(tiny_settings(tmp_path)) as client:
        assert client.send_bytes(encoded(solid())).status_code == 200
        assert client.send_bytes(b"text").status_code == 415
        told = client.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        'sentiscope_http_requests_total{method="POST",route="/v1/predictions",status="200"} 1.0',
        'sentiscope_http_requests_total{method="POST",route="/v1/predictions",status="415"} 1.0',
        'sentiscope_refused_total{reason="unsupported-format"} 1.0',
        'sentiscope_prediction_stage_seconds_count{stage="inference"} 1.0',
        "sentiscope_queue_images 0.0",
        "sentiscope_queue_age_seconds 0.0",
        'sentiscope_model_loaded{model="tiny",precision="fp32",provider="cpu",version="1"} 1.0',
    ):
        assert line in told.text, line


def test_service_with_keys_demands_them(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    settings = tiny_settings(tmp_path)
    text = create_key(settings.keys_file, "test", frozenset({Scope.PREDICT}))
    with serving(settings) as client:
        assert_problem(client.get("/v1/models"), 401)
        assert client.get("/health/ready").status_code == 200
        assert client.get("/").status_code == 200
        answer = client.request("GET", "/v1/models", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 200
        refused = client.request(
            "PUT",
            "/v1/models/tiny/aliases/production",
            headers={"X-API-Key": text},
            json={"version": "1"},
        )
        assert_problem(refused, 403)
        assert answer.headers["x-request-id"] != refused.headers["x-request-id"]

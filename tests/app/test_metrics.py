import pytest

from app import measures
from app.metrics import Metrics


def lines(metrics: Metrics) -> list[str]:
    return metrics.text().decode().splitlines()


def test_counts_and_histograms_are_told_by_label() -> None:
    metrics = Metrics()
    metrics.requests.labels("/v1/predictions", "POST", "200").inc()
    metrics.requests.labels("/v1/predictions", "POST", "200").inc()
    metrics.stage_seconds.labels("decode").observe(0.003)
    told = lines(metrics)
    labels = '{method="POST",route="/v1/predictions",status="200"}'
    assert f"sentiscope_http_requests_total{labels} 2.0" in told
    assert 'sentiscope_prediction_stage_seconds_bucket{le="0.0025",stage="decode"} 0.0' in told
    assert 'sentiscope_prediction_stage_seconds_bucket{le="0.005",stage="decode"} 1.0' in told


def test_gauge_is_read_when_asked_for_and_not_before() -> None:
    metrics, reads = Metrics(), []

    def read() -> dict[tuple[str, ...], float]:
        reads.append(1)
        return {("queued",): float(len(reads)), ("running",): 0.0}

    metrics.gauge(measures.JOBS, read)
    assert not reads
    assert 'sentiscope_jobs{status="queued"} 1.0' in lines(metrics)
    assert 'sentiscope_jobs{status="queued"} 2.0' in lines(metrics)


def test_two_services_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.refused.labels("queue-full").inc()
    assert 'sentiscope_refused_total{reason="queue-full"} 1.0' in lines(one)
    assert not any("queue-full" in line for line in lines(other))


@pytest.mark.parametrize("name", ["sentiscope_http_requests_total", "sentiscope_batch_images"])
def test_each_metric_says_what_it_is(name: str) -> None:
    assert any(line.startswith(f"# HELP {name} ") for line in lines(Metrics()))

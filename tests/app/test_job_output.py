"""A job's series of figures and the end of its log."""

import json

import pytest

from app.job_output import log_tail, metric_points
from tests.app.client import assert_problem
from tests.app.job_service import JobService

POINT = {"epoch": 1, "step": 20, "part": "val", "metrics": {"loss": 1.5}}


def test_the_series_of_a_job_that_wrote_none_is_empty(service: JobService) -> None:
    answer = service.get(service.submitted(), "/metrics").json()
    assert answer == {"items": [], "next_cursor": None}


def test_the_series_is_what_the_run_wrote(service: JobService) -> None:
    job_id = service.submitted()
    lines = "".join(json.dumps({**POINT, "epoch": epoch}) + "\n" for epoch in (1, 2))
    service.file(job_id, "metrics.jsonl", lines.encode())
    answer = service.get(job_id, "/metrics").json()
    assert answer["items"] == [{**POINT, "epoch": 1}, {**POINT, "epoch": 2}]


def test_a_line_cut_short_is_left_out_and_what_is_no_number_is_null(service: JobService) -> None:
    text = '{"epoch": 1, "st\n{"epoch":1,"step":2,"part":"train","metrics":{"loss":NaN}}\n[1]\n{"ep'
    job_id = service.submitted()
    file = service.file(job_id, "metrics.jsonl", text.encode())
    assert [point["metrics"] for point in metric_points(file.parent)] == [{"loss": None}]
    assert service.get(job_id, "/metrics").json()["items"][0]["metrics"] == {"loss": None}


def test_the_log_of_a_job_that_was_never_started_is_empty(service: JobService) -> None:
    response = service.get(service.submitted(), "/logs")
    assert (response.status_code, response.text) == (200, "")


def test_the_log_is_plain_text_of_200_lines(service: JobService) -> None:
    job_id = service.submitted()
    lines = [f"line {number} \u00e9\n" for number in range(500)]
    service.file(job_id, "log.txt", "".join(lines).encode())
    response = service.get(job_id, "/logs")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.text == "".join(lines[-200:])
    assert service.get(job_id, "/logs?tail=3").text == "".join(lines[-3:])


@pytest.mark.parametrize("tail", ["0", "-1", "10001", "all"])
def test_a_wrong_tail_is_refused(service: JobService, tail: str) -> None:
    assert_problem(service.get(service.submitted(), f"/logs?tail={tail}"), 422)


@pytest.mark.parametrize("wanted", [1, 2, 3, 4, 5, 6, 10])
@pytest.mark.parametrize("end", ["", "\n"])
def test_the_log_spans_its_rotation(service: JobService, wanted: int, end: str) -> None:
    job_id = service.submitted()
    service.file(job_id, "log.1.txt", b"1\n2\n3\n")
    file = service.file(job_id, "log.txt", f"4\n5{end}".encode())
    whole = ["1\n", "2\n", "3\n", "4\n", f"5{end}"]
    assert log_tail(file.parent, wanted).decode() == "".join(whole[-wanted:])


def test_a_log_is_read_from_its_end(service: JobService) -> None:
    job_id = service.submitted()
    lines = [f"{number:099}\n".encode() for number in range(3000)]
    file = service.file(job_id, "log.txt", b"".join(lines))
    for wanted in (1, 655, 656, 657, 2999, 3000, 3001):
        assert log_tail(file.parent, wanted) == b"".join(lines[-wanted:])

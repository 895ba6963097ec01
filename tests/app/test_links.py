"""Images by address through the whole service: real host, real names, real connections."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from itertools import repeat, takewhile
from pathlib import Path
from typing import Any

import pytest

from tests.app.client import Client, assert_problem, publish_tiny, serving, tiny_settings
from tests.app.internet import Host, content, hosting, unending
from tests.app.pictures import encoded, solid, vast_png

IMAGE = encoded(solid())


@pytest.fixture
def host() -> Iterator[Host]:
    answers = {
        "/red%20one.png?size=1": content(IMAGE),
        "/text.png": content(b"secret", content_type="image/png"),
        "/vast.png": content(vast_png()),
        "/endless.png": unending(partial(repeat, b"x" * 10_000)),
    }
    with hosting(answers) as opened:
        yield opened


def allowing(folder: Path, host: Host, **changes: Any) -> Any:
    publish_tiny(folder)
    entry = f"http://localhost:{host.port}"
    changes = {"url_private_hosts": (entry,), "max_body_bytes": 100_000, **changes}
    return serving(tiny_settings(folder, **changes))


@pytest.fixture
def client(tmp_path: Path, host: Host) -> Iterator[Client]:
    with allowing(tmp_path, host) as opened:
        yield opened
        assert opened.send_bytes(IMAGE).status_code == 200


def ask(client: Client, host: Host, *paths: str) -> Any:
    urls = [{"url": f"http://localhost:{host.port}{path}"} for path in paths]
    return client.post(json={"images": urls})


def test_image_is_fetched_and_answered(client: Client, host: Host) -> None:
    response = ask(client, host, "/red%20one.png?size=1")
    assert response.status_code == 200, response.text
    [found] = response.json()["predictions"]
    assert found["single"]["label"] == "red"
    assert found["image"]["filename"] == "red one.png"
    assert response.headers["server-timing"].startswith("fetch;dur=")
    assert 'stage_seconds_count{stage="fetch"} 1.0' in client.get("/metrics").text


def test_what_is_fetched_is_judged_as_an_upload_is(client: Client, host: Host) -> None:
    assert_problem(ask(client, host, "/text.png"), 415)
    assert_problem(ask(client, host, "/vast.png"), 413)
    assert_problem(ask(client, host, "/endless.png"), 413)


def test_each_error_stands_in_its_place(client: Client, host: Host) -> None:
    good = "/red%20one.png?size=1"
    response = ask(client, host, "/none.png", good, "/text.png", good)
    found = response.json()["predictions"]
    assert [each.get("error", {}).get("status") for each in found] == [422, None, 415, None]
    assert "secret" not in response.text


def test_no_host_is_allowed_unless_the_operator_says_so(tmp_path: Path, host: Host) -> None:
    with allowing(tmp_path, host, url_private_hosts=()) as client:
        problem = assert_problem(ask(client, host, "/red%20one.png?size=1"), 403)
    assert "SENTISCOPE_URL_HOSTS" in problem["detail"]
    assert host.asked == []


def test_host_of_this_machine_needs_the_private_list(tmp_path: Path, host: Host) -> None:
    entry = f"http://localhost:{host.port}"
    with allowing(tmp_path, host, url_private_hosts=(), url_hosts=(entry,)) as client:
        problem = assert_problem(ask(client, host, "/red%20one.png?size=1"), 403)
    assert "127.0.0.1" not in problem["detail"]
    assert host.asked == []


def test_uploads_are_answered_while_a_host_is_slow(tmp_path: Path, host: Host) -> None:
    answered = threading.Event()

    def until_uploads_are_answered() -> Iterator[bytes]:
        return takewhile(lambda _: not answered.is_set(), _dripping())

    host.answers["/slow.png"] = unending(until_uploads_are_answered)
    with allowing(tmp_path, host, url_timeout_s=20.0, workers=1, url_fetches=4) as client:
        slow = [client.portal.start_task_soon(_asking, client, host) for _ in range(4)]
        for _ in range(5):
            assert client.send_bytes(IMAGE).status_code == 200
        assert not any(each.done() for each in slow)
        answered.set()
        assert {each.result().status_code for each in slow} == {415}  # dots are no image


def _dripping() -> Iterator[bytes]:
    while True:
        yield b"."
        time.sleep(0.02)


async def _asking(client: Client, host: Host) -> Any:
    url = f"http://localhost:{host.port}/slow.png"
    return await client.http.post("/v1/predictions", json={"images": [{"url": url}]})


def test_fetching_counts_for_the_deadline(tmp_path: Path, host: Host) -> None:
    host.answers["/slow.png"] = unending(_dripping)
    with allowing(tmp_path, host, deadline_s=0.3) as client:
        problem = assert_problem(ask(client, host, "/slow.png"), 504)
    assert "0.3 s" in problem["detail"]

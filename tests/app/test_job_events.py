"""What a job tells, in pages and as a stream that survives what breaks."""

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.job_stream import JobStream
from app.jobs_state import Jobs
from tests.app.client import assert_problem, publish_tiny
from tests.app.job_service import JobService, job_settings, write_cards
from tests.app.server import Server, served
from tests.worker.records import record
from tests.worker.redis_server import RedisServer
from worker.status import JobStatus
from worker.store import JobStore, Lease

COMMENT = ": still here\n\n"
STREAM = {"Accept": "text/event-stream"}


def told(service: JobService, job_id: str, count: int) -> None:
    """A job that ran, told `count` things and succeeded."""
    lease = service.claimed(job_id)
    tell(service.store, lease, range(count))
    service.store.move(job_id, JobStatus.SUCCEEDED, lease=lease)


def tell(store: JobStore, lease: Lease, numbers: Any) -> None:
    for number in numbers:
        event = {"event": "progress", "step": number}
        store.report(lease, events=[event], offset=number + 1)


def parsed(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Id, kind and data of every event in a stream."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if "data" in fields:
            found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found


def kind_of(part: str) -> str:
    """The kind of the event that a part of a stream is, or all of the part where it is none."""
    return next((kind for _, kind, _ in parsed(part)), part)


def test_events_come_in_pages(service: JobService) -> None:
    job_id = service.submitted()
    told(service, job_id, 5)
    seen: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        query = f"?limit=3&after={after}" if after else "?limit=3"
        page = service.get(job_id, f"/events{query}").json()
        seen += page["items"]
        after = page["next_cursor"]
    assert [event["event"] for event in seen] == ["status"] * 2 + ["progress"] * 5 + ["status"]
    assert [event["step"] for event in seen if "step" in event] == list(range(5))
    assert [event["status"] for event in seen if "status" in event] == [
        "queued",
        "running",
        "succeeded",
    ]
    assert len({event["id"] for event in seen}) == len(seen)


@pytest.mark.parametrize(
    "query", ["after=x", f"after={1 << 64}-0", "limit=0", "limit=1001", "from=1"]
)
def test_a_wrong_query_is_refused(service: JobService, query: str) -> None:
    assert_problem(service.get(service.submitted(), f"/events?{query}"), 422)


def test_a_wrong_last_event_id_is_refused(service: JobService) -> None:
    headers = {**STREAM, "Last-Event-ID": "x"}
    assert_problem(service.get(service.submitted(), "/events", **headers), 422)


def test_the_stream_of_an_ended_job_has_all_its_events_and_ends(service: JobService) -> None:
    job_id = service.submitted()
    told(service, job_id, 5)
    response = service.get(job_id, "/events", **STREAM)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    items = service.get(job_id, "/events").json()["items"]
    assert [{"id": id_, **data} for id_, _, data in parsed(response.text)] == items
    assert [kind for _, kind, _ in parsed(response.text)] == [item["event"] for item in items]


@pytest.mark.parametrize("by_header", [True, False])
def test_a_stream_goes_on_after_the_last_event_that_was_seen(
    service: JobService, by_header: bool
) -> None:
    job_id = service.submitted()
    told(service, job_id, 5)
    whole = parsed(service.get(job_id, "/events", **STREAM).text)
    last = whole[3][0]
    if by_header:
        rest = service.get(job_id, "/events?after=0-1", **STREAM, **{"Last-Event-ID": last})
    else:
        rest = service.get(job_id, f"/events?after={last}", **STREAM)
    assert parsed(rest.text) == whole[4:]


def test_a_long_stream_is_whole(service: JobService) -> None:
    job_id = service.submitted()
    lease = service.claimed(job_id)
    events = [{"event": "epoch", "step": number} for number in range(1200)]
    service.store.report(lease, events=events, offset=1)
    service.store.move(job_id, JobStatus.FAILED, lease=lease)
    found = parsed(service.get(job_id, "/events", **STREAM).text)
    assert [data["step"] for _, _, data in found if "step" in data] == list(range(1200))


def test_a_stream_without_news_is_kept_open_by_comments(service: JobService) -> None:
    lease = service.claimed(service.submitted())

    async def heard() -> list[str]:
        jobs = Jobs.open(service.settings, leaving=lambda: False)
        stream, found = JobStream(jobs, lease.job_id, heartbeat_s=0.01), list[str]()
        async for part in stream.parts():
            found.append(part)
            if found.count(COMMENT) == 1 and part == COMMENT:
                await asyncio.to_thread(tell, service.store, lease, range(1))
            elif '"step":0' in part:
                await asyncio.to_thread(
                    service.store.move, lease.job_id, JobStatus.SUCCEEDED, lease=lease
                )
        await jobs.waiting.aclose()
        jobs.dispatch.close()
        jobs.store.close()
        return found

    found = asyncio.run(heard())
    kinds = [kind for kind, _ in groupby(found, kind_of)]
    assert kinds == ["retry: 1000\n\n", "status", COMMENT, "progress", "status"]
    assert [data["status"] for _, _, data in parsed("".join(found)) if "status" in data] == [
        "queued",
        "running",
        "succeeded",
    ]


@contextmanager
def serving(folder: Path, redis: RedisServer) -> Iterator[tuple[Server, JobStore]]:
    """A service in a process of its own, and the store it reads."""
    publish_tiny(folder)
    settings = job_settings(folder, redis)
    write_cards(settings)
    store = JobStore.connected(settings)
    variables = {"redis_url": redis.url, "jobs_root": settings.jobs_root}
    with served(folder, datasets_root=settings.datasets_root, **variables) as server:
        yield server, store
    store.close()


def watched(url: str, job_id: str, seen: list[str], last: str | None = None) -> str:
    """All of a stream as text; `seen` is filled while it comes."""
    headers = {**STREAM, **({"Last-Event-ID": last} if last else {})}
    with httpx.stream(
        "GET", f"{url}/v1/jobs/{job_id}/events", headers=headers, timeout=60
    ) as response:
        for chunk in response.iter_text():
            seen.append(chunk)
    return "".join(seen)


def wait_for(seen: list[str], text: str) -> None:
    for _ in range(400):
        if text in "".join(seen):
            return
        threading.Event().wait(0.05)
    raise AssertionError(f"{text!r} did not come: {seen}")


def test_events_are_streamed_as_they_come_also_through_a_restart_of_redis(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with serving(tmp_path, redis_server) as (server, store), ThreadPoolExecutor(1) as pool:
        job = store.create([record()])
        seen: list[str] = []
        watcher = pool.submit(watched, server.url, job.id, seen)
        wait_for(seen, "queued")
        lease = store.claim(job.id, worker="test", lease_s=60, max_attempts=3)
        assert lease
        tell(store, lease, range(3))
        wait_for(seen, '"step":2')
        redis_server.restart()
        tell(store, lease, range(3, 6))
        wait_for(seen, '"step":5')
        store.move(job.id, JobStatus.SUCCEEDED, lease=lease)
        found = parsed(watcher.result(30))
        items = store.events(job.id).items
        assert [id_ for id_, _, _ in found] == [event.id for event in items]
        assert server.stop()[0] == 0


def test_a_hundred_watchers_leave_the_service_free(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with serving(tmp_path, redis_server) as (server, store), ThreadPoolExecutor(100) as pool:
        job = store.create([record()])
        seen: list[list[str]] = [[] for _ in range(100)]
        watchers = [pool.submit(watched, server.url, job.id, each) for each in seen]
        for each in seen:
            wait_for(each, "queued")
        threads = len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))
        assert threads < 60
        assert httpx.get(f"{server.url}/v1/jobs/{job.id}", timeout=10).status_code == 200
        store.move(job.id, JobStatus.CANCELLED)
        for watcher in watchers:
            assert "cancelled" in watcher.result(30)


def test_a_service_that_stops_ends_its_streams(tmp_path: Path, redis_server: RedisServer) -> None:
    with serving(tmp_path, redis_server) as (server, store), ThreadPoolExecutor(1) as pool:
        job = store.create([record()])
        seen: list[str] = []
        watcher = pool.submit(watched, server.url, job.id, seen)
        wait_for(seen, "queued")
        assert server.stop()[0] == 0
        assert parsed(watcher.result(10))[0][1] == "status"
        assert server.process.stderr
        assert server.process.stderr.read() == ""  # it would tell of streams it had to cut

"""What was acknowledged is still there after Redis was killed, and callers go on by themselves."""

import threading
import time

import pytest
import redis

from tests.worker.celery_worker import eventually
from tests.worker.records import offset, record
from tests.worker.redis_server import RedisServer
from worker.jobs import JobRecord, Progress
from worker.status import JobStatus
from worker.store import IdempotencyKey, JobStore


def test_all_of_a_job_survives(store: JobStore, redis_server: RedisServer) -> None:
    key = IdempotencyKey("once", "digest")
    made = store.create([record(datasets=("photos",))], key=key)
    lease = store.claim(made.id, worker="w", lease_s=60, max_attempts=3)
    assert lease
    store.report(lease, events=[{"event": "epoch"}], offset=77, progress=Progress(epoch=1))
    before, told = store.get(made.id), store.events(made.id)
    redis_server.restart()
    assert store.get(made.id) == before
    assert store.events(made.id) == told
    assert offset(store, made.id) == 77
    assert store.renew(lease, 60) is JobStatus.RUNNING
    assert store.create([record()], key=key).id == made.id
    another = store.claim(store.create([record()]).id, worker="w", lease_s=60, max_attempts=3)
    assert another
    assert another.token > lease.token


def test_nothing_acknowledged_is_lost_under_load(
    store: JobStore, redis_server: RedisServer
) -> None:
    """Writers note what was acknowledged; meanwhile Redis is killed three times."""
    acknowledged: list[tuple[JobRecord, int]] = []
    done = threading.Event()

    def write(me: int) -> None:
        turn = 0
        while not done.is_set():
            turn += 1
            try:
                made = store.create([record(name=f"{me}-{turn}")])
                lease = store.claim(made.id, worker="w", lease_s=60, max_attempts=3)
                if lease:
                    store.report(lease, events=[{"n": n} for n in range(3)], offset=turn)
                    acknowledged.append((made, turn))
            except redis.RedisError:
                time.sleep(0.02)

    def some_more() -> None:
        before = len(acknowledged)
        eventually(lambda: len(acknowledged) > before + 10, lambda: len(acknowledged))

    writers = [threading.Thread(target=write, args=(me,)) for me in range(4)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(3):
            some_more()
            redis_server.restart()
        some_more()
    finally:
        done.set()
        for writer in writers:
            writer.join()
    for made, turn in acknowledged:
        stored = store.get(made.id)
        assert (stored.name, stored.status) == (made.name, JobStatus.RUNNING)
        assert offset(store, made.id) == turn
        told = [event.data["n"] for event in store.events(made.id).items if "n" in event.data]
        assert told == [0, 1, 2]


def test_a_redis_that_is_away_is_an_error_at_once(
    store: JobStore, redis_server: RedisServer
) -> None:
    made = store.create([record()])
    redis_server.kill()
    began = time.monotonic()
    with pytest.raises(redis.ConnectionError):
        store.get(made.id)
    assert time.monotonic() - began < 20
    redis_server.start()
    assert store.get(made.id) == made

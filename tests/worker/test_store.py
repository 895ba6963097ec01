"""What the store keeps, and how a job moves."""

from datetime import UTC, datetime, timedelta

import pytest
import redis

from tests.worker.records import record
from tests.worker.redis_server import RedisServer
from worker.jobs import Failure, JobKind, JobRecord, Progress
from worker.status import ForbiddenMove, JobStatus
from worker.store import IdempotencyKey, JobStore, KeyReused, UnknownJob


def _recent(moment: datetime | None) -> bool:
    return moment is not None and abs(datetime.now(UTC) - moment) < timedelta(seconds=30)


@pytest.mark.parametrize("kind", [JobKind.IMPORT, JobKind.EXPORT, JobKind.FINETUNE])
def test_a_record_is_given_back_as_it_was_stored(store: JobStore, kind: JobKind) -> None:
    made = record(
        kind,
        name="mine, überall",
        labels={"team": "vision"},
        time_limit_s=1.5,
        gpus=2,
        depends_on=("a", "b"),
        datasets=("photos",),
        parent_id="p",
        step="stimuli",
    )
    assert store.create([made]) == made
    assert store.get(made.id) == made
    assert store.document(made.id) == made.model_dump(mode="json")


def test_a_record_is_read_in_one_round_trip(store: JobStore) -> None:
    made = store.create([record()])
    before = store.client.info("commandstats")
    store.document(made.id)
    after = store.client.info("commandstats")
    grown = {name for name, stats in after.items() if stats != before.get(name)}
    assert grown == {"cmdstat_hgetall", "cmdstat_info"}


def test_an_unknown_job_is_named(store: JobStore) -> None:
    for ask in (store.get, store.document, store.events):
        with pytest.raises(UnknownJob, match="there is no job nowhere"):
            ask("nowhere")
    with pytest.raises(UnknownJob):
        store.move("nowhere", JobStatus.CANCELLED)
    with pytest.raises(UnknownJob):
        store.add_event("nowhere", {"event": "x"})
    assert store.claim("nowhere", worker="w", lease_s=9, max_attempts=3) is None


def test_a_move_sets_the_times_that_belong_to_it(store: JobStore) -> None:
    made = store.create([record()])
    lease = store.claim(made.id, worker="w", lease_s=9, max_attempts=3)
    running = store.get(made.id)
    assert lease
    assert _recent(running.started_at)
    assert (running.status, running.attempts, running.worker) == (JobStatus.RUNNING, 1, "w")
    failed = store.move(
        made.id, JobStatus.FAILED, lease=lease, error=Failure(type="Bad", message="why")
    )
    assert _recent(failed.finished_at)
    assert failed.error == Failure(type="Bad", message="why")
    again = store.move(made.id, JobStatus.QUEUED, attempts=0)
    assert (again.started_at, again.finished_at, again.error) == (None, None, None)
    assert again.queued_at > made.queued_at
    assert [move.revision for move in (made, running, failed, again)] == [0, 1, 2, 3]


def test_every_move_is_told_in_order(store: JobStore) -> None:
    made = store.create([record()])
    store.move(made.id, JobStatus.PAUSED)
    store.move(made.id, JobStatus.QUEUED)
    store.move(made.id, JobStatus.CANCELLED)
    told = [event.data for event in store.events(made.id).items]
    assert told == [
        {"event": "status", "status": status}
        for status in ("queued", "paused", "queued", "cancelled")
    ]


def test_a_forbidden_move_changes_nothing(store: JobStore) -> None:
    made = store.create([record()])
    with pytest.raises(ForbiddenMove, match="a queued job cannot become succeeded"):
        store.move(made.id, JobStatus.SUCCEEDED)
    assert store.get(made.id) == made
    assert len(store.events(made.id).items) == 1


def test_a_field_is_cleared_by_none(store: JobStore) -> None:
    made = store.create([record(name="mine")])
    assert store.move(made.id, JobStatus.PAUSED, name=None).name is None


def test_a_move_keeps_what_was_reported_meanwhile(store: JobStore) -> None:
    made = store.create([record()])
    lease = store.claim(made.id, worker="w", lease_s=9, max_attempts=3)
    assert lease
    seen = store.get(made.id)
    store.report(lease, events=[], offset=0, progress=Progress(epoch=2), metrics={"top1": 0.5})
    moved = store.move_from(seen, JobStatus.PAUSING)
    assert moved
    assert (moved.progress.epoch, moved.metrics) == (2, {"top1": 0.5})


def test_a_move_from_an_older_record_is_not_made(store: JobStore) -> None:
    made = store.create([record()])
    store.move(made.id, JobStatus.PAUSED)
    store.move(made.id, JobStatus.QUEUED)
    assert store.move_from(made, JobStatus.CANCELLED) is None
    assert store.get(made.id).status is JobStatus.QUEUED


def test_all_records_are_stored_or_none(store: JobStore) -> None:
    parent, child = record(), record(datasets=("going",))
    with store.forget_dataset("going"), pytest.raises(Exception, match="is being deleted"):
        store.create([parent, child])
    assert store.list().items == ()
    store.create([parent, child])
    assert {item.id for item in store.list().items} == {parent.id, child.id}


def test_a_key_gives_the_job_it_made(store: JobStore) -> None:
    first, second = record(), record()
    key = IdempotencyKey("once", "digest")
    assert store.create([first], key=key) == first
    store.move(first.id, JobStatus.CANCELLED)
    assert store.create([second], key=key).status is JobStatus.CANCELLED
    assert [item.id for item in store.list().items] == [first.id]
    with pytest.raises(KeyReused, match="once"):
        store.create([second], key=IdempotencyKey("once", "another"))


def test_a_key_is_forgotten_after_its_time(store: JobStore) -> None:
    made = store.create([record()], key=IdempotencyKey("once", "digest", kept_s=100))
    assert made
    left = store.client.pttl(store.keys.submission("once"))
    assert 90_000 < left <= 100_000


def test_a_client_that_gives_bytes_is_refused(redis_server: RedisServer) -> None:
    with (
        redis.Redis.from_url(redis_server.url) as client,
        pytest.raises(ValueError, match="decode_responses=True"),
    ):
        JobStore(client, prefix="test")


def test_two_prefixes_share_nothing(store: JobStore, redis_server: RedisServer) -> None:
    made: JobRecord = store.create([record()])
    other = JobStore.open(redis_server.url, prefix="other")
    with pytest.raises(UnknownJob):
        other.get(made.id)
    assert other.list().items == ()
    other.close()

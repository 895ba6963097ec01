"""A job's events: in order, page by page, each once."""

import pytest

from tests.worker.records import record
from worker.jobs import JobRecord
from worker.leases import KEPT_PROGRESS
from worker.store import BadCursor, JobEvent, JobStore

EPOCHS, STEPS = 12, 60
_LAST = (1 << 64) - 1


def long_run(store: JobStore) -> JobRecord:
    """A job that told of every epoch and, more often than is kept, of its progress."""
    made = store.create([record()])
    lease = store.claim(made.id, worker="test", lease_s=60, max_attempts=1)
    assert lease
    for epoch in range(EPOCHS):
        steps = [{"event": "progress", "epoch": epoch, "step": step} for step in range(STEPS)]
        store.report(lease, events=[*steps, {"event": "epoch", "epoch": epoch}], offset=epoch + 1)
    return made


def all_events(store: JobStore, job_id: str) -> tuple[JobEvent, ...]:
    return store.events(job_id, limit=EPOCHS * STEPS * 2).items


def test_pages_hold_every_event_once(store: JobStore) -> None:
    made = store.create([record()])
    ids = [store.add_event(made.id, {"event": "step", "n": n}) for n in range(10)]
    seen: list[JobEvent] = []
    after = None
    while True:
        page = store.events(made.id, after=after, limit=4)
        seen += page.items
        after = page.next
        if after is None:
            break
    assert [event.id for event in seen[1:]] == ids
    assert [event.data["n"] for event in seen[1:]] == list(range(10))


def test_there_is_nothing_after_the_last_event_yet(store: JobStore) -> None:
    made = store.create([record()])
    last = store.add_event(made.id, {"event": "x"})
    assert store.events(made.id, after=last).items == ()
    later = store.add_event(made.id, {"event": "y"})
    assert [event.id for event in store.events(made.id, after=last).items] == [later]


@pytest.mark.parametrize(
    "after",
    ["", "x", "-", "+", "(1-0", "1-0 ", "1", "\u0661-\u0662", f"{1 << 64}-0", f"{_LAST}-{_LAST}"],
)
def test_an_id_that_is_none_is_refused(store: JobStore, after: str) -> None:
    made = store.create([record()])
    with pytest.raises(BadCursor, match="1700000000000-0"):
        store.events(made.id, after=after)


def test_what_is_to_be_told_once_is_told_once(store: JobStore) -> None:
    made = store.create([record()])
    first = store.add_event(made.id, {"event": "step"}, once="step:1")
    assert store.add_event(made.id, {"event": "step"}, once="step:1") == first
    assert store.add_event(made.id, {"event": "step"}, once="step:2") != first
    assert len(store.events(made.id).items) == 3


def test_any_text_comes_back_as_it_was(store: JobStore) -> None:
    made = store.create([record()])
    told: dict[str, object] = {
        "event": "x",
        "text": 'ü "quoted" \\ \n \x00 😀',
        "empty": [],
        "none": None,
    }
    store.add_event(made.id, told)
    assert store.events(made.id).items[-1].data == told


def test_a_long_run_keeps_all_events_but_stale_progress(store: JobStore) -> None:
    events = all_events(store, long_run(store).id)
    kinds = [event.data["event"] for event in events]
    assert kinds.count("status") == 2
    epochs = [event.data["epoch"] for event in events if event.data["event"] == "epoch"]
    assert epochs == list(range(EPOCHS))
    kept = [event.data for event in events if event.data["event"] == "progress"]
    every = [
        {"event": "progress", "epoch": epoch, "step": step}
        for epoch in range(EPOCHS)
        for step in range(STEPS)
    ]
    assert kept == every[-KEPT_PROGRESS:]


def test_a_reader_goes_on_after_an_event_that_is_no_longer_kept(store: JobStore) -> None:
    made = store.create([record()])
    lease = store.claim(made.id, worker="test", lease_s=60, max_attempts=1)
    assert lease
    store.report(lease, events=[{"event": "progress", "step": 0}], offset=1)
    seen = all_events(store, made.id)[-1].id
    steps = [{"event": "progress", "step": step} for step in range(1, KEPT_PROGRESS + 1)]
    store.report(lease, events=[{"event": "epoch"}, *steps], offset=2)
    assert seen not in [event.id for event in all_events(store, made.id)]
    after = store.events(made.id, after=seen, limit=1000).items
    assert [event.data for event in after] == [{"event": "epoch"}, *steps]


def test_room_is_given_back_as_progress_becomes_stale(store: JobStore) -> None:
    made = store.create([record()])
    lease = store.claim(made.id, worker="test", lease_s=60, max_attempts=1)
    assert lease
    rooms = []
    for offset in range(1, 5):
        steps = [{"event": "progress", "step": step} for step in range(2 * KEPT_PROGRESS)]
        store.report(lease, events=steps, offset=offset)
        rooms.append(store.client.memory_usage(store.keys.events(made.id)))
    assert rooms[-1] == pytest.approx(rooms[0], rel=0.2)

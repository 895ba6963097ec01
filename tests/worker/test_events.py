"""A job's events: in order, page by page, each once."""

import pytest

from tests.worker.records import record
from worker.store import BadCursor, JobEvent, JobStore


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


@pytest.mark.parametrize("after", ["", "x", "-", "+", "(1-0", "1-0 ", "1"])
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

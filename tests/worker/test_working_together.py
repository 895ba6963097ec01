"""A job of several processes (here on the CPU) is one job: it stops and ends as a whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import is_alive
from tests.training.generated import DEFAULTS
from tests.worker.workplace import (
    LONG,
    Working,
    Workplace,
    training_pid,
    wait_until,
    workplace,
)
from worker.status import JobStatus

pytestmark = pytest.mark.timeout(300)
TOGETHER = {
    **LONG,
    "epochs": 50,
    "datasets": [{**DEFAULTS["datasets"][0], "kinds": ["single"], "multi_at_least": None}],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp("place")) as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLOO_SOCKET_IFNAME", "lo")
        yield made


def members(working: Working) -> list[int]:
    """The processes that train together, which torchrun has started."""
    leader = training_pid(working.run.path)
    children = Path(f"/proc/{leader}/task/{leader}/children").read_text()
    return [int(pid) for pid in children.split()]


def test_a_pause_stops_all_of_them_at_one_checkpoint(place: Workplace) -> None:
    job_id = place.submit(gpus=2, **TOGETHER)
    with place.at_work(job_id) as working:
        working.wait_for_a_step()
        assert len(members(working)) == 2
        working.move(JobStatus.PAUSING)
    assert place.store.get(job_id).status is JobStatus.PAUSED
    assert [event["event"] for event in place.told(job_id)][-1] == "stopped"


def test_all_of_them_are_killed_where_they_do_not_stop_in_time(place: Workplace) -> None:
    job_id = place.submit(gpus=2, **TOGETHER)
    with place.at_work(job_id, stop_grace_s=1e-3) as working:
        working.wait_for_a_step()
        pids = members(working)
        working.move(JobStatus.CANCELLING)
    wait_until(lambda: not any(map(is_alive, pids)), patience_s=10)
    assert place.store.get(job_id).status is JobStatus.CANCELLED

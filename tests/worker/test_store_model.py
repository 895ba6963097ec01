"""Any sequence of calls leaves the store as a small model of it says."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.worker.records import offset, record
from tests.worker.redis_server import running_redis
from worker.jobs import JobKind, Queue, new_id
from worker.status import ENDED, MOVES, ForbiddenMove, JobStatus
from worker.store import DatasetInUse, JobStore, Lease, LeaseLost

_HELD = frozenset({JobStatus.RUNNING, JobStatus.PAUSING, JobStatus.CANCELLING})
_LOST = frozenset({JobStatus.FAILED, JobStatus.CANCELLED})
_MAX_ATTEMPTS = 3
_DATASETS = ("photos", "art")


@dataclass(slots=True)
class _Job:
    """What should be stored of a job."""

    kind: JobKind
    depends_on: tuple[str, ...]
    datasets: tuple[str, ...]
    status: JobStatus = JobStatus.QUEUED
    attempts: int = 0
    lease: Lease | None = None
    offset: int = 0
    told: list[str] = field(default_factory=lambda: ["queued"])

    def enter(self, status: JobStatus) -> None:
        self.status = status
        self.told.append(status.value)
        if status not in _HELD:
            self.lease = None


class Machine(RuleBasedStateMachine):
    """Calls a real store and the model alike."""

    jobs = Bundle("jobs")
    leases = Bundle("leases")

    def __init__(self, url: str) -> None:
        super().__init__()
        self.store = JobStore.open(url, prefix=new_id())
        self.model: dict[str, _Job] = {}

    @rule(
        target=jobs,
        kind=st.sampled_from([JobKind.IMPORT, JobKind.FINETUNE]),
        datasets=st.sets(st.sampled_from(_DATASETS)),
        depends_on=st.lists(jobs, max_size=2, unique=True),
    )
    def create(self, kind: JobKind, datasets: set[str], depends_on: list[str]) -> str:
        made = record(kind, datasets=tuple(sorted(datasets)), depends_on=tuple(depends_on))
        assert self.store.create([made]) == made
        self.model[made.id] = _Job(kind, made.depends_on, made.datasets)
        return made.id

    @rule(target=leases, job_id=jobs)
    def claim(self, job_id: str) -> object:
        job = self.model[job_id]
        may = (
            job.status is JobStatus.QUEUED
            and job.attempts < _MAX_ATTEMPTS
            and self._dependencies_succeeded(job)
        )
        lease = self.store.claim(job_id, worker="w", lease_s=60, max_attempts=_MAX_ATTEMPTS)
        assert (lease is not None) is may
        if lease is None:
            return multiple()
        job.enter(JobStatus.RUNNING)
        job.attempts += 1
        job.lease = lease
        return lease

    @rule(job_id=jobs, to=st.sampled_from(JobStatus))
    def move(self, job_id: str, to: JobStatus) -> None:
        job = self.model[job_id]
        if to in MOVES[job.status]:
            assert self.store.move(job_id, to).status is to
            job.enter(to)
        else:
            with pytest.raises(ForbiddenMove):
                self.store.move(job_id, to)

    @rule(lease=leases, to=st.sampled_from(JobStatus))
    def move_with_lease(self, lease: Lease, to: JobStatus) -> None:
        job = self.model[lease.job_id]
        if job.lease != lease:
            with pytest.raises(LeaseLost):
                self.store.move(lease.job_id, to, lease=lease)
        elif to in MOVES[job.status]:
            self.store.move(lease.job_id, to, lease=lease, attempts=0)
            job.enter(to)
            job.attempts = 0
        else:
            with pytest.raises(ForbiddenMove):
                self.store.move(lease.job_id, to, lease=lease)

    @rule(lease=leases)
    def renew(self, lease: Lease) -> None:
        job = self.model[lease.job_id]
        if job.lease == lease:
            assert self.store.renew(lease, 60) is job.status
        else:
            with pytest.raises(LeaseLost):
                self.store.renew(lease, 60)

    @rule(lease=leases, count=st.integers(0, 3), offset=st.integers(0, 50))
    def report(self, lease: Lease, count: int, offset: int) -> None:
        job = self.model[lease.job_id]
        batch = [{"event": "told", "status": f"at {offset}"}] * count
        if job.lease != lease:
            with pytest.raises(LeaseLost):
                self.store.report(lease, events=batch, offset=offset)
            return
        self.store.report(lease, events=batch, offset=offset)
        if offset > job.offset:
            job.offset = offset
            job.told += [event["status"] for event in batch]

    @invariant()
    def records_agree(self) -> None:
        for job_id, job in self.model.items():
            stored = self.store.get(job_id)
            assert (stored.status, stored.attempts) == (job.status, job.attempts)
            assert offset(self.store, job_id) == job.offset
            assert (stored.finished_at is not None) == (job.status in ENDED)
            told = [event.data["status"] for event in self.store.events(job_id, limit=999).items]
            assert told == job.told

    @invariant()
    def lists_agree(self) -> None:
        newest_first = sorted(self.model, reverse=True)
        assert [job.id for job in self.store.list(limit=999).items] == newest_first
        counted = Counter(job.status for job in self.model.values())
        assert self.store.counts() == {status: counted[status] for status in JobStatus}
        for status in JobStatus:
            found = [job.id for job in self.store.list(status=status, limit=999).items]
            assert found == [id for id in newest_first if self.model[id].status is status]
        active = sorted(id for id, job in self.model.items() if job.status not in ENDED)
        assert self.store.active() == tuple(active)

    @invariant()
    def queues_agree(self) -> None:
        for queue, kind in ((Queue.CPU, JobKind.IMPORT), (Queue.GPU, JobKind.FINETUNE)):
            expected = {
                job_id
                for job_id, job in self.model.items()
                if job.kind is kind
                and job.status is JobStatus.QUEUED
                and self._dependencies_succeeded(job)
            }
            assert set(self.store.ready(queue, 999)) == expected
            hopeless = {
                job_id
                for job_id, job in self.model.items()
                if job.kind is kind
                and job.status is JobStatus.QUEUED
                and any(self.model[id].status in _LOST for id in job.depends_on)
            }
            assert {job_id for job_id, _ in self.store.hopeless(queue, 999)} == hopeless

    @invariant()
    def holds_agree(self) -> None:
        for name in _DATASETS:
            readers = sorted(
                job_id
                for job_id, job in self.model.items()
                if name in job.datasets and job.status not in ENDED
            )
            try:
                with self.store.forget_dataset(name):
                    found: tuple[str, ...] = ()
            except DatasetInUse as error:
                found = error.job_ids
            assert found == tuple(readers)

    def teardown(self) -> None:
        self.store.close()

    def _dependencies_succeeded(self, job: _Job) -> bool:
        return all(self.model[id].status is JobStatus.SUCCEEDED for id in job.depends_on)


def test_the_store_is_as_its_model_says(tmp_path: Path) -> None:
    careful = settings(
        max_examples=8,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )
    with running_redis(tmp_path / "redis") as server:

        class Here(Machine):
            def __init__(self) -> None:
                super().__init__(server.url)

        run_state_machine_as_test(Here, settings=careful)

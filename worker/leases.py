"""A worker's hold on a job: given for a time, renewed, and fenced by a number that only rises."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.errors import JobError
from worker.events import encoded, finite
from worker.jobs import Progress
from worker.lua import Scripts
from worker.status import JobStatus

KEPT_PROGRESS = 200
"""Events of progress that a job's stream keeps, the newest; each makes those before it stale."""


class LeaseLost(JobError):
    """The job is no longer this worker's: its lease ran out, or the job left its hands."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One worker's hold on one job."""

    job_id: str
    token: int
    worker: str

    def lost(self) -> LeaseLost:
        """The error that says so."""
        return LeaseLost(f"worker {self.worker} no longer holds job {self.job_id}: stop the work")


@dataclass(frozen=True, slots=True)
class Leases:
    """Gives, renews and checks leases."""

    scripts: Scripts

    def claim(self, job_id: str, *, worker: str, lease_s: float, max_attempts: int) -> Lease | None:
        """The lease of a job that now runs, or None where it may not be started."""
        nonce = secrets.token_hex(8)
        found = self.scripts.run("claim", job_id, worker, _ms(lease_s), max_attempts, nonce)
        return Lease(job_id, int(found[0]), worker) if found else None

    def renew(self, lease: Lease, lease_s: float) -> JobStatus:
        """Hold the job for `lease_s` seconds from now; its status. Raises LeaseLost."""
        found = self.scripts.run("renew", lease.job_id, lease.token, _ms(lease_s))
        if not found:
            raise lease.lost()
        return JobStatus(found[0])

    def outrun(self, lease: Lease, fence: int) -> None:
        """Give the next lease a token above `fence`. Raises LeaseLost."""
        if not self.scripts.run("outrun", lease.job_id, lease.token, fence):
            raise lease.lost()

    def rewind(self, lease: Lease, size: int) -> int:
        """The byte up to which was reported, `size` at most. Raises LeaseLost."""
        found = self.scripts.run("rewind", lease.job_id, lease.token, size)
        if not found:
            raise lease.lost()
        return int(found[0])

    def report(
        self,
        lease: Lease,
        *,
        events: Sequence[Mapping[str, Any]],
        offset: int,
        progress: Progress | None,
        metrics: Mapping[str, float] | None,
    ) -> None:
        """Store what a run told up to byte `offset` of its events. Raises LeaseLost.

        Every event is added; events of progress leave again once KEPT_PROGRESS newer ones came.
        """
        found = self.scripts.run(
            "report",
            lease.job_id,
            lease.token,
            offset,
            progress.model_dump_json() if progress else "",
            encoded(finite(metrics)) if metrics is not None else "",
            KEPT_PROGRESS,
            *(encoded(event) for event in events),
        )
        if not found:
            raise lease.lost()

    def expired(self) -> tuple[str, ...]:
        """Ids of jobs whose lease has run out."""
        return tuple(self.scripts.run("expired"))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)

"""A worker of its own for one job: `python -m tests.worker.one_job REDIS_URL JOB_ID ROOT`."""

import sys
import threading
from pathlib import Path

from worker.settings import JobSettings
from worker.store import JobStore
from worker.supervisor import supervise


def main(url: str, job_id: str, root: Path) -> None:
    """Claim the job and supervise it."""
    settings = JobSettings(
        jobs_root=root / "jobs",
        datasets_root=root / "datasets",
        models_root=root / "models",
        lease_s=3,
    )
    store = JobStore.open(url, prefix="test")
    lease = store.claim(job_id, worker="doomed", lease_s=3, max_attempts=3)
    assert lease
    supervise(lease, store.get(job_id), store=store, settings=settings, stop=threading.Event())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

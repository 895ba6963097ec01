"""Which jobs read which data sets, so that none is deleted under a job."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from worker.errors import JobError
from worker.lua import Scripts

_DELETION_MS = 10 * 60_000  # a deletion whose process died keeps readers off no longer


class DatasetUnavailable(JobError):
    """The data set is being deleted."""


class DatasetInUse(JobError):
    """Jobs that have not ended read the data set."""

    def __init__(self, name: str, job_ids: tuple[str, ...]) -> None:
        super().__init__(
            f"data set {name} is read by {len(job_ids)} job(s) that have not ended: "
            f"{', '.join(job_ids)}; wait for them or cancel them"
        )
        self.name = name
        self.job_ids = job_ids


@dataclass(frozen=True, slots=True)
class Holds:
    """Readers of data sets, and the deletions that keep them off."""

    scripts: Scripts

    @contextmanager
    def forgetting(self, name: str) -> Iterator[None]:
        """Keep new jobs off the data set `name` while it is deleted.

        Raises DatasetInUse, and DatasetUnavailable where another deletes it already.
        """
        nonce = secrets.token_hex(8)
        answer, *readers = self.scripts.run("forget", name, nonce, _DELETION_MS)
        if answer == "unavailable":
            raise unavailable(name)
        if answer == "read":
            raise DatasetInUse(name, tuple(sorted(readers[0])))
        try:
            yield
        finally:
            self.scripts.run("remember", name, nonce)


def unavailable(name: str) -> DatasetUnavailable:
    """The error that says so."""
    return DatasetUnavailable(f"data set {name} is being deleted; import it again or take another")

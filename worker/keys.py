"""Names of what is kept in Redis; scripts/prelude.lua has those that scripts alone use."""

from dataclasses import dataclass

from worker.jobs import JobKind
from worker.status import JobStatus


@dataclass(frozen=True, slots=True)
class Keys:
    """Every key starts with `prefix`, so that one Redis can serve several installations."""

    prefix: str

    def job(self, job_id: str) -> str:
        """Hash: one job."""
        return f"{self.prefix}:job:{job_id}"

    def events(self, job_id: str) -> str:
        """Stream: what one job told; an entry has one field, `data`, a JSON object."""
        return f"{self.prefix}:events:{job_id}"

    def jobs(self, *, status: JobStatus | None = None, kind: JobKind | None = None) -> str:
        """Sorted set, in lexicographic order: ids of jobs of a status and a kind, or of any."""
        narrowed = f":status:{status}" if status else ""
        return f"{self.prefix}:jobs{narrowed}" + (f":kind:{kind}" if kind else "")

    def submission(self, key: str) -> str:
        """Hash: the digest and the first job of what was submitted with an idempotency key."""
        return f"{self.prefix}:key:{key}"

    def children(self, parent_id: str) -> str:
        """Sorted set, in lexicographic order: ids of a pipeline's steps."""
        return f"{self.prefix}:children:{parent_id}"

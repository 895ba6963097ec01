"""Records of small jobs, and a job's life in a few words."""

from typing import Any

from worker.jobs import JOB_CONFIG, JobKind, JobRecord, JobSpec
from worker.store import JobStore

_CONFIGS: dict[JobKind, dict[str, Any]] = {
    JobKind.IMPORT: {"name": "photos", "format": "class_folder", "sources": ["photos.zip"]},
    JobKind.EXPORT: {"run": "ff", "name": "tiny"},
    JobKind.FINETUNE: {
        "backbone": {"name": "mobilenet_v2"},
        "datasets": [{"name": "photos", "kinds": ["single"]}],
    },
}


def record(kind: JobKind = JobKind.IMPORT, **placed: Any) -> JobRecord:
    """A new job's record; `placed` sets its fields."""
    config = JOB_CONFIG.validate_python({"recipe": kind.value, **_CONFIGS[kind]})
    made = JobRecord.of(JobSpec(kind=kind, config=config))
    return made.evolve(**placed) if placed else made


def offset(store: JobStore, job_id: str) -> int:
    """Bytes of the job's events file that were reported."""
    return int(store.client.hget(store.keys.job(job_id), "offset") or 0)

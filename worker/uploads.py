"""The end of uploads: archives go when their import is done, or can no longer be wanted."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from worker.jobs import is_id
from worker.rows import UnreadableRecord
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore, UnknownJob

KEPT_S = 24 * 60 * 60
"""So long an upload is kept for a retry, or until its request is given up."""


def sweep_uploads(store: JobStore, settings: JobSettings) -> tuple[str, ...]:
    """Delete the uploads that no job needs; the ids of their jobs."""
    root = settings.uploads_root
    folders = [path for path in root.iterdir() if is_id(path.name)] if root.is_dir() else []
    swept = tuple(folder.name for folder in folders if _is_done_with(folder, store))
    for job_id in swept:
        shutil.rmtree(root / job_id, ignore_errors=True)
    return swept


def _is_done_with(folder: Path, store: JobStore) -> bool:
    try:
        record = store.get(folder.name)
    except UnknownJob:
        return time.time() - _last_written(folder) > KEPT_S
    except UnreadableRecord:
        return False
    if record.status is JobStatus.SUCCEEDED:
        return True
    if record.status not in (JobStatus.FAILED, JobStatus.CANCELLED) or not record.finished_at:
        return False
    return (datetime.now(UTC) - record.finished_at).total_seconds() > KEPT_S


def _last_written(folder: Path) -> float:
    """Seconds since the epoch: a request that is still coming in writes all the time."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except FileNotFoundError:
        return time.time()

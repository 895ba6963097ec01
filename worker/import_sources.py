"""Where an import takes its files from: an upload of its own, or a folder the operator allows.

A record names its sources as the client did: an uploaded archive by its name, a path on the
server by that path. Both become files only where the job runs.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from training.config.importing import ImportConfig
from worker.errors import JobError
from worker.settings import JobSettings

_LONGEST_NAME = 100


class OutsideImportRoots(JobError):
    """The path is not in a folder that data sets may be imported from."""


class SourceMissing(JobError):
    """A source of the import is not there."""


def upload_folder(uploads_root: Path, job_id: str) -> Path:
    """Where the archives of a job lie."""
    return uploads_root / job_id


def archive_name(given: str | None, place: int) -> str:
    """The name under which an archive is kept, which a zip file's has to be: of plain letters."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", given or "").strip("._")[:_LONGEST_NAME]
    stem = stem or f"archive-{place + 1}"
    return stem if stem.lower().endswith(".zip") else f"{stem}.zip"


def allowed_source(given: str, import_roots: Sequence[Path]) -> Path:
    """The real path of a source on the server; raises OutsideImportRoots and SourceMissing.

    Links are followed first, so that none leads out; messages name nothing but what was given.
    """
    try:
        path = Path(given).resolve()
    except (OSError, RuntimeError, ValueError):
        path = Path("/")
    inside = any(path.is_relative_to(root.resolve()) for root in import_roots)
    if not inside or not Path(given).is_absolute():
        raise OutsideImportRoots(
            f"{given!r} is not an absolute path in a folder that data sets may be imported from; "
            "the operator names those in SENTISCOPE_IMPORT_ROOTS"
        )
    if not path.exists():
        raise SourceMissing(f"{given!r} is not there; expected a folder or a zip file")
    return path


def with_real_sources(config: ImportConfig, job_id: str, settings: JobSettings) -> ImportConfig:
    """The configuration with its sources as files of this host; raises JobError."""
    return config.model_copy(
        update={"sources": tuple(_real(path, job_id, settings) for path in config.sources)}
    )


def _real(source: Path, job_id: str, settings: JobSettings) -> Path:
    if source.is_absolute():
        return allowed_source(str(source), settings.import_roots)
    path = upload_folder(settings.uploads_root, job_id).resolve() / source.name
    if not path.is_file():
        raise SourceMissing(
            f"the uploaded archive {source.name} is gone: uploads are deleted a day after their "
            "import ended; send it again"
        )
    return path

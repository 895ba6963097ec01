"""What an operator can set for jobs, through the environment; read once, at start-up."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AliasChoices,
    Field,
    HttpUrl,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.registry import SHIPPED

GIB = 1024**3
MIB = 1024**2


class JobSettings(BaseSettings):
    """Settings of the job system; API and workers read the same variables, named SENTISCOPE_...

    An empty variable is as none.
    """

    model_config = SettingsConfigDict(
        env_prefix="SENTISCOPE_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        validate_by_name=True,
    )

    redis_url: str | None = Field(
        None,
        validation_alias=AliasChoices("SENTISCOPE_REDIS_URL", "REDIS_URL"),
        description="Redis that keeps jobs (redis://, rediss:// or unix://); none: no jobs",
    )
    redis_prefix: str = Field(
        "sentiscope", pattern=r"^[a-z0-9_-]{1,32}$", description="Start of every key in that Redis"
    )
    jobs_root: Path = Field(
        Path("var/jobs"), description="Folder of the jobs' runs, shared by API and workers"
    )
    datasets_root: Path = Field(
        Path("var/datasets"), description="Folder of canonical data sets, shared likewise"
    )
    uploads_root: Path = Field(
        Path("var/uploads"), description="Folder where uploaded archives wait for their import"
    )
    models_root: Path = Field(
        Path("var/models"), description="Folder of the models and aliases made here"
    )
    shipped_root: Path = Field(SHIPPED, description="Folder of the models that came with the code")
    weights_roots: tuple[Path, ...] = Field(
        (Path("var/weights"),),
        description="Folders (a JSON list) that configurations may take weights files from",
    )
    import_roots: tuple[Path, ...] = Field(
        (), description="Folders (a JSON list) that data sets may be imported from in place"
    )
    lease_s: PositiveFloat = Field(
        15.0, description="Seconds without a sign of life after which a worker has lost its job"
    )
    sweep_every_s: PositiveFloat = Field(
        3.0, description="Seconds between looks for lost, stuck and finished jobs"
    )
    max_attempts: PositiveInt = Field(
        3, description="Starts of one job, recoveries included, before it fails"
    )
    stop_grace_s: PositiveFloat = Field(
        8.0, description="Seconds a process may take to make its checkpoint before it is killed"
    )
    time_limit_s: PositiveFloat | None = Field(
        None,
        description="Seconds a job may run, from each start anew, unless it sets a limit itself; "
        "none: for ever",
    )
    log_bytes: Annotated[int, Field(ge=64 * 1024)] = Field(
        8 * MIB, description="Bytes of one job's log file before it is rotated; two are kept"
    )
    max_archive_bytes: PositiveInt = Field(
        8 * GIB, description="Bytes of an uploaded archive before it is 413"
    )
    max_unpacked_bytes: PositiveInt = Field(
        32 * GIB, description="Bytes that uploaded archives may unpack to before they are refused"
    )
    max_archive_files: PositiveInt = Field(
        99_999, description="Files and folders in uploaded archives before they are refused"
    )
    webhook_url: HttpUrl | None = Field(
        None, description="Address that is told (POST) of every job's end; none: nobody"
    )
    webhook_secret: SecretStr | None = Field(
        None, description="Key of the HMAC-SHA256 that signs each webhook; needed with webhook_url"
    )

    @model_validator(mode="after")
    def _webhooks_are_signed(self) -> Self:
        if self.webhook_url is not None and not (
            self.webhook_secret and self.webhook_secret.get_secret_value()
        ):
            raise ValueError(
                "SENTISCOPE_WEBHOOK_URL is set without SENTISCOPE_WEBHOOK_SECRET: "
                "give the key that signs webhooks"
            )
        return self
